"""threshold "naive" on CUDA: one thread, one number.

The idea: numbers do not depend on each other (reference.py).

Index arithmetic: threads are numbered as numbers lie in memory, so a warp reads and writes 32 that lie side by side;
which image one belongs to is its number over the image's size.

Memory traffic, which bounds it: every number once in and once out. Those of one or two bytes are moved one by one,
where 16 bytes at a time would take fewer instructions. Takes everything.
"""

from typing import TYPE_CHECKING, Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from .reference import thresholded

if TYPE_CHECKING:
    from . import Threshold


@cuda.jit
def threshold_naive(x, levels, y, size, rule, top):
    """Each thread writes one number of y; x and y are flat."""
    index = cuda.grid(1)
    if index < y.size:
        kind = y.dtype.type
        y[index] = thresholded(x[index], levels[index // size], kind(top), kind(0), rule)


def build(g: "Threshold") -> Run:
    """Prepare the launch: a thread for each number."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, levels), (y,) = arrays, outputs
        flat = x.reshape(-1), levels.reshape(-1), y.reshape(-1)
        launch_each(threshold_naive, g.numbers, *flat, g.size, g.rule, g.top)

    return run
