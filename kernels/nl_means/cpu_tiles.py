"""Variant "tiles": non-local means of floating-point numbers, in tiles that stay in the second-level cache.

    tile        the image around a tile is copied, one plane a channel; two tables mirror the border
    offsets     for each offset of the search window, the squared differences of the tile and the tile moved by it:
                one row of them at a time comes into a ring of as many rows as a patch has
    distances   the ring's rows are summed by the weights into one row, and that row, shifted, into the distances
    result      powers of two of the distances weigh the moved pixels; totals are divided at the end

A patch's weights are a product along the two axes, so that a distance costs twice as many products as a patch has rows,
not their square. Nothing runs on from row to row but what the ring holds, so no rounding builds up.

Tiles are cut from the shape alone and computed alone. Positions in a tile count from the upper left pixel of the patch
around its first pixel.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..correlation.reference import MIRROR, border
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import exp2_weight32, exp2_weight64, select
from ..machine.streams import read, whole_vectors, write
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import MeansGeometry

_TILE_ROWS = 32
_TILE_COLUMNS = 512
_LINE = 64


@kernel(fastmath=False)
def _tiles(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    sums = weighted_sums(number, number)
    exp2_weight = exp2_weight32 if size == 4 else exp2_weight64

    @register_jitable
    def squares(target, one, other, planes, plane, count):
        """Squared differences of two rows, added up over the channels."""
        whole_vectors()
        d = pointer(target, number)
        for channel in range(planes):
            a, b = pointer(one + channel * plane, number), pointer(other + channel * plane, number)
            if channel == 0:
                for j in range(count):
                    difference = read(a, j) - read(b, j)
                    write(d, j, difference * difference)
            else:
                for j in range(count):
                    difference = read(a, j) - read(b, j)
                    write(d, j, d[j] + difference * difference)

    def work(begin, end, slot, block):
        whole_vectors()
        x, y, weights = pointer(block[0], number), pointer(block[1], number), block[2]
        rows, columns = pointer(block[3], types.int64), pointer(block[4], types.int64)
        h, w, channels, taps, before, reach = block[6], block[7], block[8], block[9], block[10], block[11]
        inside, across, down = block[12], block[13], block[14]
        rate, noise, cutoff = float_bits(block[15]), float_bits(block[16]), float_bits(block[17])
        plane, pitch, gap = block[18], block[19], block[20]
        planes = (block[5] + _LINE - 1) // _LINE * _LINE + slot * block[21]
        totals = planes + channels * plane
        ring = totals + (channels + 1) * gap
        column = ring + taps * pitch
        row = column + pitch
        table = row + pitch
        addresses, shifts = pointer(table, types.int64), table + 8 * taps
        shifted = pointer(shifts, types.int64)
        distance, weight = pointer(row, number), pointer(column, number)
        for t in range(taps):
            shifted[t] = column + t * size
        rate, noise, cutoff, zero = number(rate), number(noise), number(cutoff), number(0)

        for task in range(begin, end):
            tile, image = task % (across * down), task // (across * down)
            left, end_column = tile % across * w // across, (tile % across + 1) * w // across
            top, bottom = tile // across * h // down, (tile // across + 1) * h // down
            high, wide = bottom - top, end_column - left
            line = wide + taps - 1

            for channel in range(channels):
                for i in range(high + taps - 1 + 2 * reach):
                    source = (image * h + rows[top + i]) * w
                    target = pointer(planes + channel * plane + i * pitch, number)
                    for j in range(line + 2 * reach):
                        target[j] = x[(source + columns[left + j]) * channels + channel]
            total = pointer(totals, number)
            for j in range((channels + 1) * gap // size):
                total[j] = zero

            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    start = planes + reach * pitch + reach * size
                    moved = start + dy * pitch + dx * size
                    first = max(0, -(left + dx)) if inside else 0
                    count = (min(wide, w - left - dx) if inside else wide) - first
                    for p in range(-(taps - 1), high):
                        below = p + taps - 1
                        squares(
                            ring + below % taps * pitch, start + below * pitch, moved + below * pitch, channels, plane,
                            line,
                        )  # fmt: skip
                        if p < 0 or count <= 0 or (inside and not 0 <= top + p + dy < h):
                            continue
                        for t in range(taps):
                            addresses[t] = ring + (p + t) % taps * pitch
                        sums(table, weights, taps, 0, column, 0, line)
                        sums(shifts, weights, taps, first, row, 0, count)
                        for j in range(count):
                            d = read(distance, j) - noise
                            power = exp2_weight(select(d > zero, d, zero) * rate)
                            write(weight, j, select(d <= cutoff, power, zero))
                        place = totals + (p * wide + first) * size
                        total = pointer(place + channels * gap, number)
                        for j in range(count):
                            write(total, j, total[j] + weight[j])
                        for channel in range(channels):
                            pixel = pointer(
                                moved + channel * plane + (p + before) * pitch + (first + before) * size, number
                            )
                            total = pointer(place + channel * gap, number)
                            for j in range(count):
                                write(total, j, total[j] + weight[j] * read(pixel, j))

            for p in range(high):
                divisor = pointer(totals + channels * gap + p * wide * size, number)
                for channel in range(channels):
                    total = pointer(totals + channel * gap + p * wide * size, number)
                    target = ((image * h + top + p) * w + left) * channels + channel
                    for j in range(wide):
                        y[target + j * channels] = total[j] / divisor[j]

    return work


def _positions(n: int, before: int, after: int) -> np.ndarray:
    """Which sample each position from ``-before`` to ``n + after - 1`` stands for."""
    return np.array([border(i, n, MIRROR) for i in range(-before, n + after)], np.int64)


def build(g: MeansGeometry) -> Run:
    """Tables and sizes of one geometry."""
    n, h, w, channels = g.shape
    if n * h * w * channels == 0:
        return lambda arrays, outputs: None
    size = g.dtype.itemsize
    reach, after = g.distance, g.taps - 1 - g.before
    rows = _positions(h, g.before + reach, after + reach)
    columns = _positions(w, g.before + reach, after + reach)
    across, down = -(-w // _TILE_COLUMNS), -(-h // _TILE_ROWS)
    pitch = -(-(min(w, _TILE_COLUMNS) + g.taps + 2 * reach) * size // _LINE) * _LINE
    plane = pitch * (_TILE_ROWS + g.taps + 2 * reach)
    gap = -(-_TILE_ROWS * min(w, _TILE_COLUMNS) * size // _LINE) * _LINE
    scratch = channels * plane + (channels + 1) * gap + (g.taps + 2) * pitch + 16 * g.taps
    scratch = -(-scratch // _LINE) * _LINE + _LINE
    tasks = n * across * down
    ns = g.flops / 8
    worker = _tiles.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        weights = arrays[1].astype(g.dtype)
        noise = g.offset * channels * float(arrays[1].sum()) ** 2
        # Distances in the kernel lack the factor g.scale; a scale of 0 finds all patches alike.
        cutoff = g.cutoff / g.scale if g.scale else (math.inf if g.cutoff >= 0 else -math.inf)
        sizes = (
            h, w, channels, g.taps, g.before, reach, g.inside, across, down,
            *map(word_of, (-g.scale / math.log(2), noise, cutoff)), plane, pitch, gap, scratch,
        )  # fmt: skip
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        block = Template(6, sizes).filled(arrays[0], outputs[0], weights, rows, columns, buffer)
        launch(worker, tasks, addressof(block), ns)

    return run
