"""Sums and means "naive" on CUDA: one block, one sum.

The idea: the terms of one sum are shared out among the threads of a block, 128 of them unless there are fewer terms.
Each adds its own, then the block adds the threads' sums in shared memory as a tree: in each round the lower half of the
threads still at work adds what the upper half has, and after seven rounds the first thread holds the sum.

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

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda, float64

from ..arrays import new_like
from ..machine.cuda_numba import THREADS, launch
from ..operation import Run
from .geometry import Pass, Reduction

CHUNK = 64 * THREADS


@cuda.jit
def sum_naive(x, y, rows, inner, chunks, scale):
    """Each block sums one chunk of rows of one (outer, inner); y is (outer, chunks, inner)."""
    i = cuda.blockIdx.x % inner
    chunk = cuda.blockIdx.x // inner % chunks
    outer = cuda.blockIdx.x // (inner * chunks)
    length = (rows + chunks - 1) // chunks
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    sums = cuda.shared.array(THREADS, float64)

    total = 0.0
    for row in range(chunk * length + thread, min(rows, (chunk + 1) * length), threads):
        total += x[(outer * rows + row) * inner + i]
    sums[thread] = total
    cuda.syncthreads()
    half = threads // 2  # a power of two
    while half > 0:
        if thread < half:
            sums[thread] += sums[thread + half]
        cuda.syncthreads()
        half //= 2
    if thread == 0:
        y[cuda.blockIdx.x] = sums[0] * scale


def sum_rows(x: Any, y: Any, walk: Pass, scale: float = 1.0) -> None:
    """Launch ``y[outer, inner] = scale * sum over rows of x[outer, row, inner]``, for flat x and y."""
    outer, rows, inner = walk
    chunks = -(-rows // CHUNK)
    threads = min(THREADS, 1 << max(0, min(rows, CHUNK) - 1).bit_length())  # a power of two
    if chunks > 1:
        parts = new_like(y, (outer * chunks * inner,), np.float64)
        launch(sum_naive, (parts.size,), (threads,), x, parts, rows, inner, chunks, 1.0)
        sum_rows(parts, y, Pass(outer, chunks, inner), scale)
    elif outer * inner:
        launch(sum_naive, (outer * inner,), (threads,), x, y, rows, inner, 1, scale)


def in_passes(g: Reduction, sum_rows: Callable[..., None]) -> Run:
    """Prepare a call of ``sum_rows`` for each pass of the geometry, whose sums lie in float64 in between."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y = arrays[0].reshape(-1), outputs[0].reshape(-1)
        for walk in g.passes[:-1]:
            sums = new_like(y, (walk.outer * walk.inner,), np.float64)
            sum_rows(x, sums, walk)
            x = sums
        sum_rows(x, y, g.passes[-1], g.scale)

    return run


def build(g: Reduction) -> Run:
    """Prepare the launches."""
    return in_passes(g, sum_rows)
