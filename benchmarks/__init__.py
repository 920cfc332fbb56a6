"""tilegrad beside PyTorch on one machine, in one run: ``python -m benchmarks`` or ``tilegrad bench``.

workloads.py   what is measured: the list, as data
kinds.py       the kinds of workload on it
contestant.py  what a side gives: a call to time, and its result for comparison
ours.py        tilegrad's side
rivals/        the others, as far as they are installed
equality.py    results are compared first; a row whose results differ is not timed
timing.py      interleaved bursts, medians, and who else used the processors
processes.py   fresh processes: start-up and compilation
probe.py       what the machine can do: multiply-adds and copying
machine.py     what the numbers depend on: versions, threads, malloc
rows.py        one workload measured
table.py       rows as text
cli.py         the command
"""
