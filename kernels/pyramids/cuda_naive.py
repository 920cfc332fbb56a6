"""A pyramid's pictures "naive" on CUDA: one thread, one output.

The idea: each thread adds the 25 numbers of its output as the definition does (reference.py); to enlarge, those that
are not zeros between pixels.

Index arithmetic: threads are numbered as results lie in memory, channels fastest. Neighbouring threads read numbers
two pixels apart, or, in the larger image, often the same ones.

Memory traffic: 25 reads for an output, most of which the cache answers; rows and columns apart would take ten. What
bounds it are those reads and the arithmetic of positions beside each. Sums are float64. Takes everything.
"""

from typing import TYPE_CHECKING, Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from .reference import larger, smaller

if TYPE_CHECKING:
    from . import Pyramid


@cuda.jit
def pyramid_down_naive(x, y, outside, whole):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, P, Q, C = y.shape
    n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
    y[n, p, q, c] = smaller(x, n, p, q, c, outside, whole)


@cuda.jit
def pyramid_up_naive(x, y, whole):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, P, Q, C = y.shape
    n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
    y[n, p, q, c] = larger(x, n, p, q, c, whole)


def _build(kernel: Any, *constants: Any) -> Run:
    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(kernel, outputs[0].size, arrays[0], outputs[0], *constants)

    return run


def build(g: "Pyramid") -> Run:
    """Prepare the launch: a thread for each element of the result."""
    return _build(pyramid_down_naive, g.border, g.whole)


def build_up(g: "Pyramid") -> Run:
    """Prepare the launch: a thread for each element of the result."""
    return _build(pyramid_up_naive, g.whole)
