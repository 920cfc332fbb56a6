"""halve "naive" on CUDA: one thread, one output.

The idea: outputs do not depend on each other, so each thread adds its four numbers (reference.py).

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest. For each of its four reads a warp
takes, with one channel, every other number of a run, and the second read of a row takes the others, from the cache.

Memory traffic, which bounds it: every number is used once, by one thread. Numbers of one or two bytes are read one by
one, where a vector of them would be one read. Takes everything.
"""

from typing import TYPE_CHECKING, Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from .reference import mean_at

if TYPE_CHECKING:
    from . import Halving


@cuda.jit
def halve_naive(x, y, whole):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, P, Q, C = y.shape
    n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
    y[n, p, q, c] = mean_at(x, n, p, q, c, whole)


def build(g: "Halving") -> Run:
    """Prepare the launch: a thread for each element of the result."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(halve_naive, g.numbers, *arrays, *outputs, g.whole)

    return run
