"""Variant "rows": from the image to the classes of its pixels in one walk, so that nothing between is ever written.

    smoothing     down the columns into one padded row, along it into a ring of three smoothed rows
    gradient      of the row in the middle of the ring; its norms go into a second ring of three rows
    suppression   of the row in the middle of that

    row y      smoothed       a band of 64 rows computes two more rows on each side of it, 6 % more work, and bands do
    row y - 1  gradient       not wait for one another; they are a matter of the shape, so that the result does not
    row y - 2  classes        depend on how threads share them

Arithmetic is in the order of the definition and without contraction, so that all bits are the definition's: loops run
over columns, where nothing has to be reordered for the vectoriser.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..correlation.reference import MODES, border
from ..hysteresis.reference import NOTHING, STRONG, WEAK
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import SmoothedEdgesGeometry
from .reference import CLASSES, NORMS, SMOOTHED, divisor_row

_LINE = 64  # bytes: scratch of different threads shares no cache line
_BAND = 64  # rows


def _smoothing(source: Any, number: Any) -> Any:
    """``smooth(block, image, y, sums, padded, target)``: a row of the smoothed image into ``target``."""
    scaled, size = source != number, source.bitwidth // 8  # integers are scaled

    @register_jitable
    def at(samples, j, scale):
        return types.float64(samples[j]) * scale if scaled else types.float64(samples[j])

    @register_jitable
    def smooth(block, image, y, sums, padded, target):
        column, row = pointer(block[1], types.float64), pointer(block[2], types.float64)
        rows, pads = pointer(block[6], types.int64), pointer(block[7], types.int64)
        h, w, r, s = block[9], block[10], block[11], block[12]
        cval, scale = float_bits(block[13]), float_bits(block[14])
        start = block[0] + image * h * w * size
        pitch = w * size
        weight, middle = column[r], pointer(start + y * pitch, source)
        for j in range(w):
            sums[j] = at(middle, j, scale) * weight
        for t in range(r):
            weight = column[t]
            # Sums are symmetric: which of the two rows lies outside makes no difference.
            one, two = max(rows[y + t], rows[y + 2 * r - t]), min(rows[y + t], rows[y + 2 * r - t])
            first, second = pointer(start + one * pitch, source), pointer(start + two * pitch, source)
            if two >= 0:
                for j in range(w):
                    sums[j] += (at(first, j, scale) + at(second, j, scale)) * weight
            elif one >= 0:
                for j in range(w):
                    sums[j] += (at(first, j, scale) + cval) * weight
            else:
                for j in range(w):
                    sums[j] += (cval + cval) * weight
        for j in range(w):
            padded[s + j] = types.float64(number(sums[j]))
        for t in range(s):
            padded[t] = cval if pads[t] < 0 else padded[s + pads[t]]
            padded[s + w + t] = cval if pads[s + t] < 0 else padded[s + pads[s + t]]
        weight = row[s]
        for j in range(w):
            sums[j] = padded[s + j] * weight
        for t in range(s):
            weight = row[t]
            for j in range(w):
                sums[j] += (padded[j + t] + padded[j + 2 * s - t]) * weight
        for j in range(w):
            target[j] = number(sums[j])
        if block[15] > 0:
            place = image * block[16] + divisor_row(y, h, block[15])
            divisor = pointer(block[3], number)
            for j in range(w):
                target[j] = target[j] / divisor[place * w + j]

    return smooth


def _gradient(number: Any) -> Any:
    """``gradient(above, here, below, w, slope, down, along, norms)``: derivatives of a smoothed row, and their norm."""

    @register_jitable
    def smoothed_slope(slope, w, target):
        for j in range(1, w - 1):
            target[j] = types.float64(slope[j]) * 2.0 + (types.float64(slope[j - 1]) + types.float64(slope[j + 1]))
        last = w - 1
        next_to_first, next_to_last = slope[min(1, last)], slope[max(last - 1, 0)]
        target[last] = types.float64(slope[last]) * 2.0 + (types.float64(next_to_last) + types.float64(slope[last]))
        if last > 0:
            target[0] = types.float64(slope[0]) * 2.0 + (types.float64(slope[0]) + types.float64(next_to_first))

    @register_jitable
    def slope_of(row, j, left, right):
        return number(types.float64(row[j]) * 0.0 + (types.float64(row[left]) - types.float64(row[right])) * -1.0)

    @register_jitable
    def across(above, here, below, j, left, right):
        ends = types.float64(slope_of(above, j, left, right)) + types.float64(slope_of(below, j, left, right))
        return number(types.float64(slope_of(here, j, left, right)) * 2.0 + ends)

    @register_jitable
    def gradient(above, here, below, w, slope, down, along, norms):
        for j in range(w):
            difference = types.float64(above[j]) - types.float64(below[j])
            slope[j] = types.float64(here[j]) * 0.0 + difference * -1.0
        smoothed_slope(slope, w, down)
        along[0] = across(above, here, below, 0, 0, min(1, w - 1))
        for j in range(1, w - 1):
            along[j] = across(above, here, below, j, j - 1, j + 1)
        along[w - 1] = across(above, here, below, w - 1, max(w - 2, 0), w - 1)
        for j in range(w):
            norms[j] = np.sqrt(down[j] * down[j] + along[j] * along[j])

    return gradient


@register_jitable
def _suppress(above, here, below, down, along, w, low, high, within, masked, classes):
    """The classes of a row that is neither the first nor the last."""
    classes[0] = classes[w - 1] = NOTHING
    for j in range(1, w - 1):
        classes[j] = NOTHING
        norm = here[j]
        if not (norm >= low and norm > 0) or (masked and within[j] == 0):
            continue
        y, x = abs(down[j]), abs(along[j])
        step = 1 if (down[j] > 0) == (along[j] > 0) else -1
        if y > x or (y == x and step < 0):
            part = x / y
            near_a, far_a, near_b, far_b = below[j], below[j + step], above[j], above[j - step]
        else:
            part = y / x
            near_a, far_a, near_b, far_b = here[j + step], below[j + step], here[j - step], above[j - step]
        rest = 1.0 - types.float64(part)
        if far_a * part + near_a * rest <= norm and far_b * part + near_b * rest <= norm:
            classes[j] = STRONG if norm >= high else WEAK


@kernel(fastmath=False)
def _rows(dtype: str) -> Any:
    source = getattr(types, dtype)
    number = types.float32 if dtype == "float32" else types.float64
    size, height = number.bitwidth // 8, _BAND
    smooth, gradient = _smoothing(source, number), _gradient(number)

    def work(begin, end, slot, block):
        h, w, bands, pitch = block[9], block[10], block[17], block[18]
        masked, row, row_of_doubles, y_address, stage = block[19], block[21], block[22], block[23], block[24]
        halo = 0 if stage == SMOOTHED else 1 if stage == NORMS else 2
        scratch = (block[8] + 63) // 64 * 64 + slot * pitch
        sums = pointer(scratch, types.float64)
        padded = pointer(scratch + row_of_doubles, types.float64)
        slope = pointer(scratch + 2 * row_of_doubles, number)
        rings = scratch + 2 * row_of_doubles + row
        for task in range(begin, end):
            band, image = task % bands, task // bands
            thresholds = pointer(block[5] + 16 * image, types.float64)
            first, last = band * height, min(band * height + height, h)
            for y in range(max(first - halo, 0), last + halo):
                if y < h:
                    smooth(block, image, y, sums, padded, pointer(rings + y % 3 * row, number))
                p = y - 1
                if stage != SMOOTHED and max(first - 1, 0) <= p < min(last + 1, h):
                    above, here = rings + max(p - 1, 0) % 3 * row, rings + p % 3 * row
                    below = rings + min(p + 1, h - 1) % 3 * row
                    gradient(
                        pointer(above, number), pointer(here, number), pointer(below, number), w, slope,
                        pointer(rings + (6 + p % 2) * row, number), pointer(rings + (8 + p % 2) * row, number),
                        pointer(rings + (3 + p % 3) * row, number),
                    )  # fmt: skip
                q = y - halo
                if not first <= q < last:
                    continue
                place = (image * h + q) * w
                if stage == CLASSES:
                    classes = pointer(y_address + place, types.uint8)
                    if q == 0 or q == h - 1:
                        for j in range(w):
                            classes[j] = NOTHING
                        continue
                    _suppress(
                        pointer(rings + (3 + (q - 1) % 3) * row, number), pointer(rings + (3 + q % 3) * row, number),
                        pointer(rings + (3 + (q + 1) % 3) * row, number),
                        pointer(rings + (6 + q % 2) * row, number), pointer(rings + (8 + q % 2) * row, number),
                        w, thresholds[0], thresholds[1],
                        pointer(block[4] + (image * block[20] + q) * w, types.uint8), masked, classes,
                    )  # fmt: skip
                    continue
                result = pointer(rings + ((3 if stage == NORMS else 0) + q % 3) * row, number)
                target = pointer(y_address + place * size, number)
                for j in range(w):
                    target[j] = result[j]

    return work


def _positions(n: int, radius: int, mode: str) -> list[int]:
    """Which sample each position from ``-radius`` to ``n - 1 + radius`` stands for."""
    return [border(i, n, MODES[mode]) for i in range(-radius, n + radius)]


def build(g: SmoothedEdgesGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    r, s, bands = g.column // 2, g.row // 2, -(-g.h // _BAND)
    rows, across = np.array(_positions(g.h, r, g.mode), np.int64), _positions(g.w, s, g.mode)
    pads = np.array([*across[:s], *across[s + g.w :], 0], np.int64)
    row = -(-g.w * g.kind.itemsize // _LINE) * _LINE
    doubles = -(-8 * (g.w + 2 * s) // _LINE) * _LINE
    pitch = 2 * doubles + 11 * row + _LINE
    shared = (g.divisor[1] if g.divisor[0] > 1 else 0, g.h if g.inside[0] > 1 else 0)
    words = (
        g.h, g.w, r, s, word_of(g.cval), word_of(g.scale), g.divisor[1], shared[0], bands, pitch,
        int(g.inside[0] > 0), shared[1], row, doubles, 0, g.stage,
    )  # fmt: skip
    template = Template(9, words)
    worker = _rows.address(g.dtype.name)
    ns = g.pixels * (g.column + g.row + 10) * 0.3

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(*arrays, rows, pads, buffer)
        block[23] = outputs[0].ctypes.data
        launch(worker, g.n * bands, addressof(block), ns)

    return run
