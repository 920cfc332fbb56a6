"""Variant "integer": non-local means of bytes, exact, in tiles that stay in the second-level cache.

    tile      the image around a tile is copied as 32-bit words that hold two pixels, ``patch`` rows apart; the border
              is mirrored by two tables of which row and column each position reads
    offsets   for each vertical offset and each row of the tile, all horizontal offsets together: their column sums
              are updated (integer_rows.py has both steps), and then, block by block, become weights and weighted sums
    result    the weighted sums divided by the weights', rounded half up

The column sums of all horizontal offsets, a kilobyte each, lie in the first-level cache, and a block's totals are read
and written once for all of them. Tiles are cut from the shape alone and computed alone.

Positions in a tile count from the upper left pixel of the patch around its first pixel.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..correlation.reference import MIRROR, border
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.streams import read, write
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import IntegerGeometry
from .integer_rows import BLOCK_VECTORS, add_weighted, update_columns
from .weights import rate_of, scaled_coefficients, weights_of

_TILE_ROWS = 64
_TILE_BLOCKS = 8
_LINE = 64
# The totals of a patch of this many pixels and four channels still fit a word.
_MOST_PIXELS = (2**31 - 1) // (4 * 255 * 255)


@kernel(fastmath=False)
def _tiles(patch: int, channels: int, polynomial: bool) -> Any:
    width = BLOCK_VECTORS * lanes(4)
    add = add_weighted(patch, channels, polynomial)
    before = patch // 2

    def work(begin, end, slot, block):
        x, table = pointer(block[0], types.uint8), block[4]
        rows, columns = pointer(block[2], types.int64), pointer(block[3], types.int64)
        h, w, reach, length, shift = block[6], block[7], block[8], block[9], block[10]
        across, down, blocks, outside = block[11], block[12], block[13], block[14]
        plane, gap, pitch, words_pitch = block[15], block[16], block[17], block[18]
        words = (block[5] + _LINE - 1) // _LINE * _LINE + slot * block[19]
        sums = words + channels * plane
        column_sums = sums + (channels + 1) * gap
        offsets = 2 * reach + 1
        origin = patch + reach  # the row of words that holds position 0 in its high halves

        for task in range(begin, end):
            tile, image = task % (across * down), task // (across * down)
            first, last = tile % across * blocks // across, (tile % across + 1) * blocks // across
            top, bottom = tile // across * h // down, (tile // across + 1) * h // down
            left, high, wide = first * width, bottom - top, (last - first) * width
            line = wide + patch - 1

            for channel in range(channels):
                for i in range(high + patch + before + 2 * reach):
                    old = (image * h + rows[outside + top - before - origin + i]) * w
                    new = (image * h + rows[outside + top - before - reach + i]) * w
                    target = pointer(words + channel * plane + i * words_pitch, types.int32)
                    for j in range(line + 2 * reach):
                        column = columns[outside + left - before - reach + j]
                        pair = x[(old + column) * channels + channel] << 16
                        write(target, j, types.int32(pair | x[(new + column) * channels + channel]))

            total = pointer(sums, types.int32)
            for j in range((channels + 1) * gap // 4):
                total[j] = 0

            for dy in range(-reach, reach + 1):
                clear = pointer(column_sums, types.int32)
                for j in range(offsets * pitch // 4):
                    clear[j] = 0
                for p in range(high):
                    for dx in range(offsets):
                        target = column_sums + dx * pitch
                        if p == 0:
                            for i in range(-patch, 0):
                                base = words + (origin + i) * words_pitch
                                update_columns(
                                    1, base + reach * 4, base + dy * words_pitch + dx * 4, channels, plane, target, line
                                )
                        else:
                            base = words + (origin + p - 1) * words_pitch
                            update_columns(
                                0, base + reach * 4, base + dy * words_pitch + dx * 4, channels, plane, target, line
                            )
                    pixels = words + (origin + before + p + dy) * words_pitch + before * 4
                    place = sums + p * (_TILE_BLOCKS * width) * 4
                    for q in range(0, wide, width):
                        add(
                            column_sums + q * 4, pitch, offsets, pixels + q * 4, plane, place + q * 4, gap,
                            table, length, shift,
                        )  # fmt: skip

            for p in range(high):
                count = min(wide, w - left)
                weight = pointer(sums + channels * gap + p * (_TILE_BLOCKS * width) * 4, types.int32)
                for channel in range(channels):
                    weighted = pointer(sums + channel * gap + p * (_TILE_BLOCKS * width) * 4, types.int32)
                    target = pointer(block[1] + (((image * h + top + p) * w + left) * channels + channel), types.uint8)
                    for q in range(count):
                        # Both are below 2**31, so a float64 quotient never reaches the next integer by rounding.
                        divisor = read(weight, q)
                        quotient = types.float64(types.int64(read(weighted, q)) + (divisor >> 1)) / divisor
                        target[q * channels] = types.uint8(types.int32(quotient))

    return work


def rejects(g: IntegerGeometry) -> str | None:
    """Column sums are 32-bit integers."""
    if g.patch**2 > _MOST_PIXELS:
        return f"takes patches of at most {_MOST_PIXELS} pixels"
    return None


def _positions(n: int, outside: int, more: int) -> np.ndarray:
    """Which sample each position from ``-outside`` to ``n + outside + more - 1`` stands for."""
    return np.array([border(i, n, MIRROR) for i in range(-outside, n + outside + more)], np.int64)


def build(g: IntegerGeometry) -> Run:
    """Tables and sizes of one geometry."""
    n, h, w, channels = g.shape
    if n * h * w == 0:
        return lambda arrays, outputs: None
    vector = lanes(4)
    width = BLOCK_VECTORS * vector
    blocks = -(-w // width)
    across, down = -(-blocks // _TILE_BLOCKS), -(-h // _TILE_ROWS)
    outside = g.distance + 2 * g.patch
    rows = _positions(h, outside, 0)
    columns = _positions(w, outside, width)

    line = _TILE_BLOCKS * width + g.patch - 1
    words_pitch = 4 * (line + 2 * g.distance + 2 * vector)
    plane = words_pitch * (_TILE_ROWS + g.patch + g.patch // 2 + 2 * g.distance + 1)
    gap = 4 * _TILE_ROWS * _TILE_BLOCKS * width
    pitch = -(-4 * (line + 2 * vector) // _LINE) * _LINE
    plane = -(-plane // _LINE) * _LINE
    scratch = channels * plane + (channels + 1) * gap + (2 * g.distance + 1) * pitch + _LINE

    table, shift, largest = weights_of(*g.key)
    rate = rate_of(*g.key)
    used = table
    if rate is not None:
        used = np.array([-rate, *scaled_coefficients(largest)[::-1]], np.float32)
    tasks = n * across * down
    ns = n * h * w * (2 * g.distance + 1) ** 2 * 0.3
    sizes = (
        h, w, g.distance, len(table), shift, across, down, blocks, outside, plane, gap, pitch, words_pitch, scratch,
    )  # fmt: skip
    template = Template(6, sizes)
    worker = _tiles.address(g.patch, channels, rate is not None)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], rows, columns, used, buffer)
        launch(worker, tasks, addressof(block), ns)

    return run
