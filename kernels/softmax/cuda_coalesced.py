"""Softmax and its relatives "coalesced" on CUDA: one block, one row.

The idea: the naive kernel's threads are a row apart, so that each word they read together comes from another piece of
memory. Here the threads of a block stand side by side on one row: thread t takes columns t, t + 128, ..., and what the
row needs as a whole, its largest number and a sum, the block finds together, as a tree in shared memory: in each round
the lower half of the threads still at work takes what the upper half has.

    thread       0   1   2   3   0   1   2   3   0       each finds the largest of its own,
    column       0   1   2   3   4   5   6   7   8
    round 1      s[0] <- s[2]    s[1] <- s[3]            and then the block the largest of those
    round 2      s[0] <- s[1]

Index arithmetic: number (row, column) lies at ``row * C + column``: in each step a warp reads 32 neighbouring words.

Memory traffic: x is read three times as before, but in whole transactions, and after the first time from the cache, as
long as rows are short; there are as many threads at work as there are numbers. What is left: rows of ten numbers occupy
a block of 16 threads, half a warp; and a row that stayed in registers would be read once.

Sums are float64, in an order that the row's length alone decides. NaN propagates. Takes everything.
"""

import math
from typing import Any

from numba import cuda, float64

from ..machine.cuda_numba import THREADS, launch
from ..operation import Run
from . import Rows


@cuda.jit(device=True)
def largest_of_block(own, room):
    """The largest number of all threads, for all of them; NaN where one is."""
    thread, half = cuda.threadIdx.x, cuda.blockDim.x // 2  # a power of two
    room[thread] = own
    cuda.syncthreads()
    while half > 0:
        if thread < half:
            other = room[thread + half]
            if other > room[thread] or other != other:
                room[thread] = other
        cuda.syncthreads()
        half //= 2
    found = room[0]
    cuda.syncthreads()  # before the room is used again
    return found


@cuda.jit(device=True)
def sum_of_block(own, room):
    """The sum of all threads' numbers, for all of them."""
    thread, half = cuda.threadIdx.x, cuda.blockDim.x // 2
    room[thread] = own
    cuda.syncthreads()
    while half > 0:
        if thread < half:
            room[thread] += room[thread + half]
        cuda.syncthreads()
        half //= 2
    found = room[0]
    cuda.syncthreads()
    return found


@cuda.jit
def softmax_coalesced(x, y, logarithm):
    """Each block has a row."""
    room = cuda.shared.array(THREADS, float64)
    row, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    largest = -math.inf
    for c in range(thread, x.shape[1], threads):
        value = x[row, c]
        if value > largest or value != value:
            largest = value
    largest = largest_of_block(largest, room)
    total = 0.0
    for c in range(thread, x.shape[1], threads):
        total += math.exp(x[row, c] - largest)
    total = sum_of_block(total, room)
    for c in range(thread, x.shape[1], threads):
        value = x[row, c] - largest
        y[row, c] = value - math.log(total) if logarithm else math.exp(value) / total


@cuda.jit
def softmax_grad_coalesced(gy, y, gx, logarithm):
    """Each block has a row."""
    room = cuda.shared.array(THREADS, float64)
    row, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    total = 0.0
    for c in range(thread, y.shape[1], threads):
        total += gy[row, c] if logarithm else gy[row, c] * y[row, c]
    total = sum_of_block(total, room)
    for c in range(thread, y.shape[1], threads):
        if logarithm:
            gx[row, c] = gy[row, c] - math.exp(y[row, c]) * total
        else:
            gx[row, c] = y[row, c] * (gy[row, c] - total)


def build(g: Rows) -> Run:
    """Prepare the launch: a block for each row, of as many threads as it has numbers, a power of two."""
    kernel = softmax_grad_coalesced if g.operands == 2 else softmax_coalesced
    shape, threads = (g.rows, g.columns), min(THREADS, 1 << max(0, g.columns - 1).bit_length())

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if g.size:
            both = [a.reshape(shape) for a in (*arrays, *outputs)]
            launch(kernel, (g.rows,), (threads,), *both, g.operation.startswith("log"))

    return run
