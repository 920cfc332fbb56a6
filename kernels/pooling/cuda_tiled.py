"""Max pooling "tiled" on CUDA: a block shares the pixels under 4 x 8 windows.

The idea: windows of 3 x 3 pixels two apart, as networks have them, see most pixels twice, and those one apart nine
times. A block fetches the pixels under its windows into shared memory, once for all of them, and every window looks for
its greatest number there.

    x_tile, of windows of 3 x 3 pixels, stride 2
    a a a . . . .            the first window
    a a b b b . .            the second: its first column of pixels is the last of the first window's
    a a b b b . .
    . . b b b . .

Index arithmetic: the block's first window is (p0, q0), so place (i, j) of the tile is pixel (p0 * stride - padding + i,
q0 * stride - padding + j) of the image; beyond the border stands minus infinity, which is never the greatest number. A
block has 16 channels, the fastest index in memory and of its threads: each group of 16 threads reads one run.

Memory traffic: each pixel of the tile once; of windows of 3 x 3 and stride 1 that is 1.9 numbers for an output instead
of 9. Windows that do not overlap read nothing twice: for them the tile is a detour.

One barrier: no window looks before all pixels are there. NaN is greater than all. Takes windows of a fixed size, of
which 4 x 8 see no more than 240 pixels, and gives no places.
"""

import math
from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch
from ..operation import Run
from .geometry import Pooling

TILE_ROWS, TILE_COLUMNS = 4, 8
CHANNELS, TEAMS = 16, 8
PIXELS = 240


@cuda.jit
def max_pool_tiled(x, y, kernel, stride, padding, dilation):
    """Each block computes a tile of y, of 16 channels; x and y are (N, H, W, C) and (N, P, Q, C)."""
    x_tile = cuda.shared.array((PIXELS, CHANNELS), x.dtype)
    lane, team = cuda.threadIdx.x, cuda.threadIdx.y
    _, H, W, C = x.shape
    _, P, Q, _ = y.shape

    # Which tile: blocks count groups of channels, then tiles across, tiles down, images.
    groups, across = (C + CHANNELS - 1) // CHANNELS, (Q + TILE_COLUMNS - 1) // TILE_COLUMNS
    down = (P + TILE_ROWS - 1) // TILE_ROWS
    block = cuda.blockIdx.x
    c = block % groups * CHANNELS + lane
    q0 = block // groups % across * TILE_COLUMNS
    p0 = block // (groups * across) % down * TILE_ROWS
    n = block // (groups * across * down)

    rows = (TILE_ROWS - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
    columns = (TILE_COLUMNS - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1
    for i in range(team, rows * columns, TEAMS):
        h, w = p0 * stride[0] - padding[0] + i // columns, q0 * stride[1] - padding[1] + i % columns
        x_tile[i, lane] = x[n, h, w, c] if 0 <= h < H and 0 <= w < W and c < C else -math.inf
    cuda.syncthreads()

    for window in range(team, TILE_ROWS * TILE_COLUMNS, TEAMS):
        p, q = window // TILE_COLUMNS, window % TILE_COLUMNS
        if p0 + p < P and q0 + q < Q and c < C:
            greatest = x_tile[p * stride[0] * columns + q * stride[1], lane]
            for r in range(kernel[0]):
                for s in range(kernel[1]):
                    i, j = p * stride[0] + r * dilation[0], q * stride[1] + s * dilation[1]
                    number = x_tile[i * columns + j, lane]
                    if number > greatest or number != number:
                        greatest = number
            y[n, p0 + p, q0 + q, c] = greatest


def rejects(g: Pooling) -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.kernel is None or len(g.outputs) > 1:
        return "takes windows of a fixed size, and gives no places"
    sides = [
        (tile - 1) * stride + (kernel - 1) * dilation + 1
        for tile, stride, kernel, dilation in zip(
            (TILE_ROWS, TILE_COLUMNS), g.stride, g.kernel, g.dilation, strict=True
        )
    ]
    pixels = sides[0] * sides[1]
    return f"takes windows of which 4 x 8 see {PIXELS} pixels or less but got {pixels}" if pixels > PIXELS else None


def build(g: Pooling) -> Run:
    """Prepare the launch: a block for each tile of each 16 channels of each image."""
    N, _, _, C = g.image
    tiles = -(-g.p // TILE_ROWS) * -(-g.q // TILE_COLUMNS)
    blocks = N * tiles * -(-C // CHANNELS)
    constants = (g.kernel, g.stride, g.padding, g.dilation)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if blocks:
            launch(max_pool_tiled, (blocks,), (CHANNELS, TEAMS), *arrays, *outputs, *constants)

    return run
