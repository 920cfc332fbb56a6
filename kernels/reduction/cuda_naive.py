"""Sums and means "naive" on CUDA: one block, one sum.

The idea: the terms of one sum are shared out among the 128 threads of a block. Each adds its own, then the block adds
the threads' sums in shared memory as a tree: in each round the lower half of the threads still at work adds what the
upper half has, and after seven rounds the first thread holds the sum.

    round 1    s[0] += s[64]    s[1] += s[65]    ...    s[63] += s[127]
    round 2    s[0] += s[32]    ...                     s[31] += s[63]
    round 7    s[0] += s[1]

No order depends on which block or thread is first, so that results are the same in every run: atomic additions would
be simpler, and would not be.

Index arithmetic: the array is seen as (outer, rows, inner) and summed over its rows; sum (o, i) adds the numbers at
``(o * rows + row) * inner + i``. Thread t takes rows t, t + 128, ...: where inner is 1, the 32 threads of a warp read
neighbouring words. Where it is not, they read words that are ``inner`` apart, 32 transactions where one block that took
32 neighbouring sums would need one: the next thing to do.

More than `CHUNK` rows are cut into chunks, whose sums a second launch adds: one block would use one multiprocessor.

Sums are float64, rounded once at the end. NaN and infinity propagate. Takes everything.
"""

from typing import Any

import numpy as np
from numba import cuda, float64

from ..arrays import new_like
from ..machine.cuda_numba import THREADS, launch
from ..operation import Run
from .geometry import Pass, Reduction

CHUNK = 64 * THREADS


@cuda.jit(device=True)
def sum_of_block(value):
    """The sum of the values of a block's `THREADS` threads, which all must call this and all get the result."""
    sums = cuda.shared.array(THREADS, float64)
    thread = cuda.threadIdx.x
    sums[thread] = value
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if thread < half:
            sums[thread] += sums[thread + half]
        cuda.syncthreads()
        half //= 2
    total = sums[0]
    cuda.syncthreads()  # before the next call writes
    return total


@cuda.jit
def sum_naive(x, y, rows, inner, chunks, scale):
    """Each block sums one chunk of rows of one (outer, inner); y is (outer, chunks, inner)."""
    i = cuda.blockIdx.x % inner
    chunk = cuda.blockIdx.x // inner % chunks
    outer = cuda.blockIdx.x // (inner * chunks)
    length = (rows + chunks - 1) // chunks
    last = min(rows, (chunk + 1) * length)
    total = 0.0
    for row in range(chunk * length + cuda.threadIdx.x, last, THREADS):
        total += x[(outer * rows + row) * inner + i]
    total = sum_of_block(total)
    if cuda.threadIdx.x == 0:
        y[cuda.blockIdx.x] = total * scale


def sum_rows(x: Any, y: Any, walk: Pass, scale: float = 1.0) -> None:
    """Launch ``y[outer, inner] = scale * sum over rows of x[outer, row, inner]``, for flat x and y."""
    outer, rows, inner = walk
    chunks = -(-rows // CHUNK)
    if chunks > 1:
        parts = new_like(y, (outer * chunks * inner,), np.float64)
        launch(sum_naive, (parts.size,), (THREADS,), x, parts, rows, inner, chunks, 1.0)
        sum_rows(parts, y, Pass(outer, chunks, inner), scale)
    elif outer * inner:
        launch(sum_naive, (outer * inner,), (THREADS,), x, y, rows, inner, 1, scale)


def build(g: Reduction) -> Run:
    """Prepare the launches: one for each pass of the geometry, whose sums lie in float64 in between."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y = arrays[0].reshape(-1), outputs[0].reshape(-1)
        for walk in g.passes[:-1]:
            sums = new_like(y, (walk.outer * walk.inner,), np.float64)
            sum_rows(x, sums, walk)
            x = sums
        sum_rows(x, y, g.passes[-1], g.scale)

    return run
