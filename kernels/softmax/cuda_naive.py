"""Softmax and its relatives "naive" on CUDA: one thread, one row.

The idea: rows do not depend on each other, so each goes to a thread, which does what the definition does with a row
(reference.py): find the largest number, add the exponentials, divide.

Index arithmetic: thread t has the C numbers from ``t * C`` on. In each step the 32 threads of a warp read words that
are C apart, each from another piece of memory: of the 32 bytes that a transaction brings they use 4, and the next
steps find the rest in the cache, if it is still there.

Memory traffic: x is read three times, and a batch of 128 rows occupies 128 threads of the hundred thousand that a GPU
can hold. With a warp for each row reads would be coalesced, and the row would stay in registers.

Sums are float64. NaN propagates: a row with a NaN is NaN. Takes everything.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from . import Rows
from .reference import log_softmax_grad_row, log_softmax_row, softmax_grad_row, softmax_row


@cuda.jit
def softmax_naive(x, y):
    """Each thread has a row; so in all four kernels."""
    row = cuda.grid(1)
    if row < x.shape[0]:
        softmax_row(x[row], y[row])


@cuda.jit
def log_softmax_naive(x, y):
    row = cuda.grid(1)
    if row < x.shape[0]:
        log_softmax_row(x[row], y[row])


@cuda.jit
def softmax_grad_naive(gy, y, gx):
    row = cuda.grid(1)
    if row < y.shape[0]:
        softmax_grad_row(gy[row], y[row], gx[row])


@cuda.jit
def log_softmax_grad_naive(gy, y, gx):
    row = cuda.grid(1)
    if row < y.shape[0]:
        log_softmax_grad_row(gy[row], y[row], gx[row])


KERNELS = {
    "softmax": softmax_naive,
    "log_softmax": log_softmax_naive,
    "softmax_grad": softmax_grad_naive,
    "log_softmax_grad": log_softmax_grad_naive,
}


def build(g: Rows) -> Run:
    """Prepare the launch: a thread for each row."""
    kernel, shape = KERNELS[g.operation], (g.rows, g.columns)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if g.size:
            launch_each(kernel, g.rows, *[a.reshape(shape) for a in (*arrays, *outputs)])

    return run
