"""What joins pixels can be captured: on a GPU, and without one on a stand-in for CuPy and in the emulator."""

from pathlib import Path

from gpu import needs_gpu, needs_stand_in, run_on_cuda

FILE = Path(__file__).with_name("joined_on_cuda.py")


@needs_stand_in
def test_joined_on_the_stand_in() -> None:
    run_on_cuda(FILE, stand_in=True)


@needs_gpu
def test_joined_on_a_gpu() -> None:
    run_on_cuda(FILE, stand_in=False)
