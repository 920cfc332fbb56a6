"""Variant "rows" of correlate_fixed2d: a row of the result at a time, all in 16-bit integers and their products.

    down      the rows under the column's taps are summed in 16 bits, which hold 255 * 256
    borders   the samples left and right are copied from inside
    across    pairs of shifted rows are multiplied and added in 32 bits (machine/pairs.py), and the upper half is kept

The second pass multiplies signed integers, so the sums of the first begin with 32768, which flips their highest bit:
read as signed, every one is less by 32768. The sum of the row's weights times 32768 makes up for it, in the number that
the sums of the second begin with, beside the half that rounds.
"""

import functools
from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pairs import paired_sums
from ..machine.pointers import pointer
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .cpu_window import LINE, edges
from .geometry import CorrelationGeometry, positions

_FLIP = 0x8000


@kernel()
def _rows(adjacent: bool) -> Any:
    down, across = weighted_sums(types.uint8, types.uint16, start=_FLIP), paired_sums(adjacent=adjacent)

    def work(begin, end, slot, block):
        x, y, column_weights, row_weights = block[0], block[1], block[2], block[3]
        rows, pads, constant = pointer(block[4], types.int64), pointer(block[5], types.int64), block[6]
        words = pointer(block[7], types.int64)  # what depends on the weights: the bias, and the sums outside
        h, w, inner, column, row, before = block[9], block[10], block[11], block[12], block[13], block[14]
        pitch = block[15]
        table = (block[8] + LINE - 1) // LINE * LINE + slot * pitch
        addresses = pointer(table, types.int64)
        shifts = table + 8 * column
        shifted = pointer(shifts, types.int64)
        pairs = (row + 1) // 2
        inside = (shifts + 16 * pairs + 2 * before * inner + LINE - 1) // LINE * LINE
        padded = inside - 2 * before * inner
        samples, line = pointer(padded, types.uint16), w * inner
        outside = types.uint16(words[1])
        for t in range(2 * pairs):
            shifted[t] = padded + 2 * min(t, row - 1) * inner
        for task in range(begin, end):
            p, image = task % h, task // h
            for t in range(column):
                k = rows[p + t]
                addresses[t] = constant if k < 0 else x + (image * h + k) * line
            down(table, column_weights, column, 0, inside, 0, line)
            for t in range(row - 1):
                place = (t if t < before else t + w) * inner
                for c in range(inner):
                    samples[place + c] = outside if pads[t] < 0 else samples[(before + pads[t]) * inner + c]
            across(shifts, row_weights, pairs, y + task * line, words[0], line)

    return work


@functools.lru_cache(maxsize=64)
def _packed(column: bytes, row: bytes, cval: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (int64) as the worker takes them: down, along in pairs, and the words that depend on them."""
    down, along = np.frombuffer(column, np.int64), np.frombuffer(row, np.int64)
    pairs = np.zeros((along.size + 1) // 2 * 2, np.int16)
    pairs[: along.size] = along
    words = np.array([int(along.sum()) * _FLIP + 32768, int(cval * down.sum()) ^ _FLIP], np.int64)
    return down.astype(np.uint16), pairs, words


def build(g: CorrelationGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    above, before = g.column // 2, g.row // 2
    rows = positions(g.h, above, g.column - 1 - above, g.mode)
    across = positions(g.w, before, g.row - 1 - before, g.mode)
    pads = edges(across, g.w, before)
    line = g.w * g.inner
    constant = np.full(line, g.cval, np.uint8)
    pitch = (8 * g.column + 8 * (g.row + 1) + 2 * (line + (g.row - 1) * g.inner)) // LINE * LINE + 3 * LINE
    template = Template(9, (g.h, g.w, g.inner, g.column, g.row, before, pitch), {4: rows, 5: pads, 6: constant})
    worker = _rows.address(g.inner == 1)
    ns = g.pixels * (g.column + g.row + 2) / 70

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, column, row = arrays
        down, pairs, words = _packed(column.tobytes(), row.tobytes(), g.cval)
        buffer = empty((num_threads() * pitch + LINE,), np.uint8)
        block = template.filled(x, outputs[0], down, pairs, None, None, None, words, buffer)
        launch(worker, g.outer * g.h, addressof(block), ns)

    return run
