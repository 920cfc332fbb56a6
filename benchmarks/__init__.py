"""tilegrad beside other libraries on one machine, in one run: ``python -m benchmarks`` or ``tilegrad bench``.

suites.py      the tables: networks beside PyTorch and ONNX Runtime; classical filters beside OpenCV, scikit-image
               and Pillow
workloads.py   what is measured: the list, as data; filter_workloads.py: that of the filters
kinds.py       the kinds of workload on it; dense_kinds.py, network_kinds.py, image_kinds.py, filter_kinds.py: more
goals.py       what rows must reach
contestant.py  what a side gives: a call to time, and its result for comparison
ours.py        tilegrad's side; networks.py: its whole networks
rivals/        the others, as far as they are installed
equality.py    results are compared first; a row whose results differ is not timed
timing.py      interleaved bursts, medians, and who else used the processors
processes.py   fresh processes: start-up and compilation
memory.py      fresh processes: the most memory that a whole network takes
probe.py       what the machine can do: multiply-adds, copying, a word from thread to thread
machine.py     what the numbers depend on: versions, threads, malloc
rows.py        one workload measured
table.py       rows as text
results.py     a run's text and records as files
plot.py        ratios as a picture
cli.py         the command

Two commands of their own say how well and not how fast: inpainting.py of holes, restoration.py of noise.
"""
