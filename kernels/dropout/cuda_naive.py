"""Dropout "naive" on CUDA: one thread, one number.

The idea: the random stream is a function of a counter (random/reference.py), so thread i computes the word of number i
by itself, and the same numbers are dropped as on the CPU. Nothing is drawn before, and no mask is kept: the gradient
is dropout again, at the same place of the stream.

Index arithmetic: threads are numbered as numbers lie in memory; thread i takes word ``i % 4`` of block ``i // 4``.

Memory traffic: each number is read and written once. Each block of words is computed by four threads: a thread with
four numbers would do that once, and read and write 16 bytes at a time.

Takes everything.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from . import Dropout
from .reference import factor_of


@cuda.jit
def dropout_naive(x, place, y, threshold, scale):
    """Each thread computes one element of y."""
    i = cuda.grid(1)
    if i < x.size:
        y[i] = x[i] * factor_of(place, i, threshold, scale)


def build(g: Dropout) -> Run:
    """Prepare the launch: a thread for each number."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, place), (y,) = arrays, outputs
        launch_each(dropout_naive, g.size, x.reshape(-1), place, y.reshape(-1), g.threshold, g.scale)

    return run
