"""correlate_separable2d "tiled" on CUDA: a block shares a tile of the image, and then the sums down its columns.

The idea: the outputs of a tile read nearly the same pixels, and all outputs of a row whose windows cross a column use
the same sum down that column. A block fetches its tile with a *halo* of R // 2 rows and S // 2 columns into shared
memory, borders included; sums down the columns of the tile, halo columns too, into a second shared array; and sums
across from there. The image between the passes never leaves the multiprocessor.

    x_tile                        sums down                 outputs
    h h h h h h h h
    h x x x x x x h               h d d d d d d h           . y y y y y y .
    h x x x x x x h      ->       h d d d d d d h    ->     . y y y y y y .
    h h h h h h h h

Index arithmetic: the block's first output is (p0, q0), so place (i, j) of the tile is pixel (p0 + i - R // 2,
q0 + j - S // 2) of the image, or the one that the border names for it. Sum (i, j) adds places (i .. i + R - 1, j);
output (i, j) adds sums (i, j .. j + S - 1). The threads, in one row, take the places of each array in turn, neighbours
side by side: reads of shared memory come from different banks. Outside the image in the mode "constant" the image
*between* the passes is the constant too, so there the sum is not computed.

Memory traffic: with 5 x 5 taps a tile of 8 x 16 outputs reads 12 x 20 pixels, not quite two for an output, where the
naive kernel reads 25; and an output costs 5 * 20 / 16 + 5 = 11 multiply-adds instead of 30. Of images with channels a
block takes one, and its reads are as far apart as there are channels: for those, a tile that holds them all would be
the next step.

Two barriers: no sum before the tile is there, no output before the sums are.

Takes up to 17 taps on an axis (the shared arrays have a fixed size); every border, any number of channels, float32 and
float64.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch
from ..operation import Run
from .cuda_naive import border_on_device
from .geometry import CorrelationGeometry
from .reference import MODES

TILE_ROWS, TILE_COLUMNS = 8, 16
THREADS = TILE_ROWS * TILE_COLUMNS
LARGEST = 17
X_TILE = (TILE_ROWS + LARGEST - 1, TILE_COLUMNS + LARGEST - 1)
SUMS = (TILE_ROWS, TILE_COLUMNS + LARGEST - 1)


@cuda.jit
def correlate_separable2d_tiled(x, column, row, y, mode, cval):
    """Each block computes a tile of y; x and y are (outer, H, W, inner)."""
    x_tile = cuda.shared.array(X_TILE, x.dtype)
    sums = cuda.shared.array(SUMS, x.dtype)
    _, H, W, C = x.shape
    R, S = column.size, row.size

    # Which tile: blocks count channels, then tiles across, tiles down, images.
    across, down = (W + TILE_COLUMNS - 1) // TILE_COLUMNS, (H + TILE_ROWS - 1) // TILE_ROWS
    block, thread = cuda.blockIdx.x, cuda.threadIdx.x
    c = block % C
    q0 = block // C % across * TILE_COLUMNS
    p0 = block // (C * across) % down * TILE_ROWS
    o = block // (C * across * down)

    rows, columns = TILE_ROWS + R - 1, TILE_COLUMNS + S - 1
    for index in range(thread, rows * columns, THREADS):
        i, j = index // columns, index % columns
        k = border_on_device(p0 + i - R // 2, H, mode)
        m = border_on_device(q0 + j - S // 2, W, mode)
        x_tile[i, j] = cval if k < 0 or m < 0 else x[o, k, m, c]
    cuda.syncthreads()

    zero = cval - cval
    for index in range(thread, TILE_ROWS * columns, THREADS):
        i, j = index // columns, index % columns
        total = cval
        if border_on_device(q0 + j - S // 2, W, mode) >= 0:
            total = zero
            for r in range(R):
                total += column[r] * x_tile[i + r, j]
        sums[i, j] = total
    cuda.syncthreads()

    # Threads beyond the edge have helped to fetch and to sum; they have nothing to store.
    i, j = thread // TILE_COLUMNS, thread % TILE_COLUMNS
    if p0 + i < H and q0 + j < W:
        total = zero
        for s in range(S):
            total += row[s] * sums[i, j + s]
        y[o, p0 + i, q0 + j, c] = total


def rejects(geometry: CorrelationGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if max(geometry.column, geometry.row) > LARGEST:
        return f"takes up to {LARGEST} taps on an axis but got {geometry.column} and {geometry.row}"
    return None


def build(geometry: CorrelationGeometry) -> Run:
    """Prepare the launch: a block for each tile of each channel."""
    g = geometry
    shape = g.outer, g.h, g.w, g.inner
    blocks = g.outer * -(-g.h // TILE_ROWS) * -(-g.w // TILE_COLUMNS) * g.inner

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, column, row), (y,) = arrays, outputs
        column, row = column.astype(g.dtype), row.astype(g.dtype)
        border_of = MODES[g.mode], g.dtype.type(g.cval)
        if blocks:
            launch(
                correlate_separable2d_tiled, (blocks,), (THREADS,), x.reshape(shape), column, row, y.reshape(shape),
                *border_of,
            )  # fmt: skip

    return run
