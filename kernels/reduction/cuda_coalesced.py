"""Sums and means "coalesced" on CUDA: one block, 32 neighbouring sums.

The idea: where sums lie side by side, as those over pixels for each channel do, the naive kernel's threads read words
that are ``inner`` apart: a transaction of 32 bytes for each. Here the threads of a warp take 32 neighbouring sums, so
that a row of theirs is one run in memory, and the four warps of a block take rows by turns:

                 sum i   i+1  i+2  ...  i+31
    row 0         w0     w0   w0         w0       read by warp 0 at once
    row 1         w1     w1   w1         w1
    row 2         w2     w2   w2         w2       each thread adds up its column of every fourth row;
    row 3         w3     w3   w3         w3
    row 4         w0     w0   w0         w0       warp 0 adds the four, from shared memory

Index arithmetic: block b has the sums from ``32 * (b % across)`` on of (outer, chunk) number ``b // across``. Thread
(lane, warp) reads ``x[outer, row, 32 b + lane]`` for row = warp, warp + 4, ....

Memory traffic: each number once, in whole transactions. The four numbers in shared memory cost nothing beside. More
than `CHUNK` rows are cut into chunks, whose sums a second launch adds.

Sums are float64 in an order that the shape alone decides. Takes everything; but where fewer than 32 sums lie side by
side, as of a whole array, lanes have nothing to do, and the naive kernel's way is the coalesced one.
"""

from typing import Any

import numpy as np
from numba import cuda, float64

from ..arrays import new_like
from ..machine.cuda_numba import launch
from ..operation import Run
from .cuda_naive import in_passes
from .geometry import Pass, Reduction

LANES, WARPS = 32, 4
CHUNK = 1024


@cuda.jit
def sum_coalesced(x, y, rows, inner, chunks, scale):
    """Each block sums one chunk of rows for 32 neighbours; y is (outer, chunks, inner)."""
    sums = cuda.shared.array((WARPS, LANES), float64)
    lane, warp = cuda.threadIdx.x, cuda.threadIdx.y
    across = (inner + LANES - 1) // LANES
    place = cuda.blockIdx.x // across  # outer * chunks + chunk
    chunk, outer = place % chunks, place // chunks
    i = cuda.blockIdx.x % across * LANES + lane
    length = (rows + chunks - 1) // chunks

    total = 0.0
    if i < inner:
        for row in range(chunk * length + warp, min(rows, (chunk + 1) * length), WARPS):
            total += x[(outer * rows + row) * inner + i]
    sums[warp, lane] = total
    cuda.syncthreads()
    if warp == 0 and i < inner:
        total = 0.0
        for other in range(WARPS):
            total += sums[other, lane]
        y[place * inner + i] = total * scale


def sum_rows(x: Any, y: Any, walk: Pass, scale: float = 1.0) -> None:
    """Launch ``y[outer, inner] = scale * sum over rows of x[outer, row, inner]``, for flat x and y."""
    outer, rows, inner = walk
    chunks, across = -(-rows // CHUNK), -(-inner // LANES)
    if chunks > 1:
        parts = new_like(y, (outer * chunks * inner,), np.float64)
        launch(sum_coalesced, (outer * chunks * across,), (LANES, WARPS), x, parts, rows, inner, chunks, 1.0)
        sum_rows(parts, y, Pass(outer, chunks, inner), scale)
    elif outer * inner:
        launch(sum_coalesced, (outer * across,), (LANES, WARPS), x, y, rows, inner, 1, scale)


def build(g: Reduction) -> Run:
    """Prepare the launches."""
    return in_passes(g, sum_rows)
