"""Variant "rows" of derivatives: one row of the result at a time, both passes fused.

    down      the rows under the column's taps are summed into one padded row that stays in the first-level cache
    borders   the few samples left and right of it are copied from inside
    along     the padded row, shifted by each tap, is summed into the result

The vertical border costs nothing: it is a table of which row each tap reads. All channels of a pixel lie in the row, so
channels and columns are one vectorised axis. The magnitude does it twice from the same source rows, smoothed and
sloped, and both derivatives meet in the cache. Rows are computed alone, so the result does not depend on how threads
share them.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..correlation.reference import MODES, border
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.integer_taps import integer_sums
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import WIDE, GradientGeometry

_LINE = 64  # bytes: scratch of different threads shares no cache line


def positions(n: int, taps: int, mode: str) -> np.ndarray:
    """Which sample each position from ``-(taps // 2)`` on stands for, so many that every sample has all its taps."""
    return np.array([border(i - taps // 2, n, MODES[mode]) for i in range(n + taps - 1)], np.int64)


def pads_of(n: int, taps: int, mode: str) -> np.ndarray:
    """The samples that stand left and right of a row."""
    across = positions(n, taps, mode)
    return np.concatenate([across[: taps // 2], across[taps // 2 + n :]])


@kernel()
def _derivative(wide: bool) -> Any:
    bits = 32 if wide else 16
    size = bits // 8
    number = types.int32 if wide else types.int16
    down, along = integer_sums(8, bits, bits), integer_sums(bits, bits, 16)

    def work(begin, end, slot, block):
        x, y, column, row = block[0], block[1], block[2], block[3]
        column_taps, row_taps = pointer(block[4], types.int64), pointer(block[5], types.int64)
        rows, pads, constant = pointer(block[6], types.int64), pointer(block[7], types.int64), block[8]
        h, line, inner, left, right, pitch = block[10], block[11], block[12], block[13], block[14], block[15]
        r, s, outside = block[16], block[17], block[18]
        table = (block[9] + _LINE - 1) // _LINE * _LINE + slot * pitch
        addresses, shifts = pointer(table, types.int64), table + 8 * r
        shifted = pointer(shifts, types.int64)
        padded = shifts + 8 * s
        samples = pointer(padded, number)
        for t in range(s):
            shifted[t] = padded + row_taps[t] * inner * size
        for task in range(begin, end):
            p, image = task % h, task // h
            for t in range(r):
                k = rows[p + column_taps[t]]
                addresses[t] = constant if k < 0 else x + (image * h + k) * line
            down(table, column, r, 0, padded + left * inner * size, line)
            for t in range(left + right):
                place = (t if t < left else t + line // inner) * inner
                for c in range(inner):
                    samples[place + c] = outside if pads[t] < 0 else samples[(left + pads[t]) * inner + c]
            along(shifts, row, s, 0, y + (image * h + p) * line * 2, line)

    return work


def _taps(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The taps that are not zero, at least one, and their weights."""
    taps = [(t, weight) for t, weight in enumerate(weights.tolist()) if weight] or [(0, 0)]
    return np.array([t for t, _ in taps]), np.array([weight for _, weight in taps], np.int32)


def build_derivative(g: GradientGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    line, left, wide = g.w * g.inner, g.row // 2, g.form == WIDE
    right = g.row - 1 - left
    rows, pads = positions(g.h, g.column, g.mode), pads_of(g.w, g.row, g.mode)
    constant = np.full(line, g.cval, np.uint8)
    scratch = 8 * (g.column + g.row) + (line + (left + right) * g.inner) * (4 if wide else 2)
    pitch = (scratch // _LINE + 2) * _LINE
    template = Template(10, (g.h, line, g.inner, left, right, pitch, 0, 0, 0))
    worker = _derivative.address(wide)
    ns = g.pixels * (g.column + g.row) * (0.03 if wide else 0.015)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, column, row = arrays
        (column_taps, down), (row_taps, along) = _taps(column), _taps(row)
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(
            x, outputs[0], down, along, column_taps, row_taps, rows, pads, constant, buffer
        )  # fmt: skip
        block[16], block[17], block[18] = len(column_taps), len(row_taps), int(g.cval * int(column.sum()))
        launch(worker, g.outer * g.h, addressof(block), ns)

    return run


def lengths(dtype: str) -> Any:
    """``length(table, room, line, inner, weights, outsides, pads, divisor, target)``: a row of lengths of the gradient.

    ``table`` lists the rows under the taps; ``weights`` are smooth, slope and their number. ``room`` has space for the
    addresses of the taps, a padded row, and a row of each derivative.
    """
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    sums = weighted_sums(number, number)

    @register_jitable
    def length(table, room, line, inner, weights, outsides, pads, divisor, target):
        smooth, slope, taps = weights
        shifted, padded = pointer(room, types.int64), room + 8 * taps
        radius, other = taps // 2, taps - 1 - taps // 2
        across = padded + (line + (taps - 1) * inner) * size  # a row of one derivative, and after it of the other
        samples, along = pointer(padded, number), pointer(across, number)
        down, result = pointer(across + line * size, number), pointer(target, number)
        for t in range(taps):
            shifted[t] = padded + t * inner * size
        for turn in range(2):  # smoothed down and sloped along, then the other way round
            sums(table, smooth if turn == 0 else slope, taps, 0, padded + radius * inner * size, 0, line)
            for t in range(radius + other):
                place = (t if t < radius else t + line // inner) * inner
                for c in range(inner):
                    samples[place + c] = outsides[turn] if pads[t] < 0 else samples[(radius + pads[t]) * inner + c]
            sums(room, slope if turn == 0 else smooth, taps, 0, across + turn * line * size, 0, line)
        for j in range(line):
            result[j] = np.sqrt(along[j] * along[j] + down[j] * down[j]) / divisor

    return length


@kernel()
def _magnitude(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    length = lengths(dtype)

    def work(begin, end, slot, block):
        x, y, smooth, slope = block[0], block[1], block[2], block[3]
        rows, pads, constant = pointer(block[4], types.int64), pointer(block[5], types.int64), block[6]
        h, line, inner, taps, pitch = block[8], block[9], block[10], block[11], block[12]
        outsides, divisor = pointer(block[13], number), number(float_bits(block[14]))
        table = (block[7] + _LINE - 1) // _LINE * _LINE + slot * pitch
        addresses, weights = pointer(table, types.int64), (smooth, slope, taps)
        for task in range(begin, end):
            p, image = task % h, task // h
            for t in range(taps):
                k = rows[p + t]
                addresses[t] = constant if k < 0 else x + (image * h + k) * line * size
            target = y + (image * h + p) * line * size
            length(table, table + 8 * taps, line, inner, weights, outsides, pads, divisor, target)

    return work


def rejects(g: GradientGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    return "blurs nothing" if g.blur else None


def build_magnitude(g: GradientGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    line, size = g.w * g.inner, g.dtype.itemsize
    rows, pads = positions(g.h, g.column, g.mode), pads_of(g.w, g.column, g.mode)
    constant = np.full(line, g.cval, g.dtype)
    padding = (line + (g.column - 1) * g.inner) * size
    pitch = ((16 * g.column + padding + 2 * line * size) // _LINE + 2) * _LINE
    divisor = word_of(float(np.sqrt(2, dtype=g.dtype)))
    template = Template(8, (g.h, line, g.inner, g.column, pitch, 0, divisor))
    worker = _magnitude.address(g.dtype.name)
    ns = g.pixels * (4 * g.column + 8) * size / 80

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, smooth, slope = arrays[0], *[weights.astype(g.dtype) for weights in arrays[1:3]]
        outsides = g.cval * np.array([smooth.sum(), slope.sum()], g.dtype)
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(x, outputs[0], smooth, slope, rows, pads, constant, buffer)
        block[13] = outsides.ctypes.data
        launch(worker, g.outer * g.h, addressof(block), ns)

    return run
