"""jpeg "naive" on CUDA: in every step a thread has one pixel, or one line of eight.

    colour       each thread writes Y, Cb and Cr of a pixel; those beyond the edge repeat the last ones
    subsampling  each thread writes one mean of Cb or Cr
    rows         each thread transforms a row of eight to frequencies, in place
    columns      each thread transforms a column of eight, rounds its frequencies to the table's, and goes back
    rows back    each thread goes back along a row
    pixels       each thread writes the colours of a pixel of the result

Images of floating-point numbers become levels where colour reads them, and numbers again where pixels are written.

The idea: what the definition does one after the other is the same for all pixels, or all lines, so each of its loops is
a launch. All is arithmetic of the definition's own functions (reference.py), and has its bits.

Index arithmetic: threads are numbered as pixels lie in memory; the threads of rows have every eighth number, so that a
warp reads 32 lines of 32 bytes, which lie side by side. Threads of columns read neighbouring numbers eight times.

Memory traffic, which bounds it: 4 bytes for each number, written and read again between the steps, some 40 for each
number of the image. cpu_blocks.py keeps blocks in registers.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import beside, new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import JPEGGeometry
from .reference import (
    BITS,
    EXTRA,
    backward8,
    blue,
    blueness,
    clamp,
    forward8,
    green,
    level,
    luma,
    quantised,
    red,
    redness,
    upsampled,
)  # fmt: skip


@cuda.jit
def jpeg_colour(x, light, colours, scale):
    """Each thread converts one pixel; ``light`` is (N, 1, height, width) of whole blocks, ``colours`` (N, 2, ...)."""
    index = cuda.grid(1)
    if index >= light.size:
        return
    _, H, W, C = x.shape
    _, _, height, width = light.shape
    n, p, q = index // (width * height), index // width % height, index % width
    i, j = min(p, H - 1), min(q, W - 1)
    if C == 1:
        light[n, 0, p, q] = level(x[n, i, j, 0], scale)
        return
    r, g, b = level(x[n, i, j, 0], scale), level(x[n, i, j, 1], scale), level(x[n, i, j, 2], scale)
    light[n, 0, p, q] = luma(r, g, b)
    colours[n, 0, p, q] = blueness(r, g, b)
    colours[n, 1, p, q] = redness(r, g, b)


@cuda.jit
def jpeg_subsampling(colours, means, rows, across, down):
    """Each thread computes one mean; those below the last one of pixels of the image repeat it."""
    index = cuda.grid(1)
    if index >= means.size:
        return
    _, _, height, width = means.shape
    n, c, p, q = index // (2 * width * height), index // (width * height) % 2, index // width % height, index % width
    row = min(p, rows - 1)
    total = 0
    for i in range(down):
        for j in range(across):
            total += colours[n, c, down * row + i, across * q + j]
    count = across * down  # 1, 2 or 4; halves go down and up by turns
    means[n, c, p, q] = total if count == 1 else (total + count // 4 + q % 2) // count


@cuda.jit(device=True)
def row_of(planes, index):
    """The row of a plane in which row number ``index`` of all blocks lies, and the column where it begins."""
    _, channels, height, width = planes.shape
    lines = width // 8
    n, c = index // (channels * height * lines), index // (height * lines) % channels
    return planes[n, c, index // lines % height], index % lines * 8


@cuda.jit
def jpeg_rows(planes):
    """Each thread transforms one row of a block."""
    index = cuda.grid(1)
    if index >= planes.size // 8:
        return
    x, q = row_of(planes, index)
    y = forward8(
        x[q] - 128, x[q + 1] - 128, x[q + 2] - 128, x[q + 3] - 128,
        x[q + 4] - 128, x[q + 5] - 128, x[q + 6] - 128, x[q + 7] - 128, -EXTRA, BITS - EXTRA,
    )  # fmt: skip
    for k in range(8):
        x[q + k] = y[k]


@cuda.jit
def jpeg_columns(planes, table):
    """Each thread transforms one column of a block, rounds its frequencies, and goes back."""
    index = cuda.grid(1)
    if index >= planes.size // 8:
        return
    _, channels, height, width = planes.shape
    bands = height // 8
    n, c = index // (channels * bands * width), index // (bands * width) % channels
    p, q = index // width % bands * 8, index % width
    x = planes[n, c, p : p + 8, q]
    y = forward8(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], EXTRA, BITS + EXTRA)
    for k in range(8):
        x[k] = quantised(y[k], table[k, q % 8])
    y = backward8(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], BITS - EXTRA)
    for k in range(8):
        x[k] = y[k]


@cuda.jit
def jpeg_rows_back(planes):
    """Each thread takes one row of a block back to pixels."""
    index = cuda.grid(1)
    if index >= planes.size // 8:
        return
    x, q = row_of(planes, index)
    y = backward8(
        x[q], x[q + 1], x[q + 2], x[q + 3], x[q + 4], x[q + 5], x[q + 6], x[q + 7], BITS + EXTRA + 3
    )  # fmt: skip
    for k in range(8):
        x[q + k] = clamp(y[k] + 128)


@cuda.jit
def jpeg_pixels(light, means, y, across, down, scale):
    """Each thread writes one pixel."""
    index = cuda.grid(1)
    N, H, W, C = y.shape
    if index >= N * H * W:
        return
    n, p, q = index // (W * H), index // W % H, index % W
    luminance = np.int64(light[n, 0, p, q])
    if C == 1:
        y[n, p, q, 0] = luminance / scale
        return
    rows, columns = (H + down - 1) // down, (W + across - 1) // across
    cb = np.int64(upsampled(means[n, 0], p, q, rows, columns, across, down))
    cr = np.int64(upsampled(means[n, 1], p, q, rows, columns, across, down))
    y[n, p, q, 0] = red(luminance, cr) / scale
    y[n, p, q, 1] = green(luminance, cb, cr) / scale
    y[n, p, q, 2] = blue(luminance, cb) / scale


def _through_blocks(planes: Any, table: Any) -> None:
    lines = planes.size // 8
    launch_each(jpeg_rows, lines, planes)
    launch_each(jpeg_columns, lines, planes, table)
    launch_each(jpeg_rows_back, lines, planes)


def build(g: JPEGGeometry) -> Run:
    """Prepare the launches: nine for colours, five for gray."""
    tables, (n, h, w, channels), across, down, scale = g.constants
    height, width = g.size

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        if not x.size:
            return
        light = new_like(x, (n, 1, height, width), np.int32)
        colours = new_like(x, (n, 2, height, width) if channels == 3 else (0, 2, 8, 8), np.int32)
        means = new_like(x, (*colours.shape[:2], height // down, width // across), np.int32)
        launch_each(jpeg_colour, light.size, x, light, colours, scale)
        _through_blocks(light, beside(x, tables[0]))
        if channels == 3:
            launch_each(jpeg_subsampling, means.size, colours, means, -(-h // down), across, down)
            _through_blocks(means, beside(x, tables[1]))
        launch_each(jpeg_pixels, n * h * w, light, means, y, across, down, scale)

    return run
