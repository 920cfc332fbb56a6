"""Variant "rows": one row of the result at a time, both passes fused.

    vertical    the rows under the column's taps are summed into one padded row that stays in the first-level cache
    borders     the few samples left and right of it are copied from inside
    horizontal  the padded row, shifted by each tap, is summed into the result

so the image between the passes is never written. The vertical border costs nothing: it is a table of which row each
tap reads. Where only a long-strided axis is filtered, the vertical pass alone writes the result, in segments short
enough that the rows under the taps stay in cache. All channels of a pixel lie in the row, so channels and columns are
one vectorised axis.

Rows are computed alone, so the result does not depend on how threads share them.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import CorrelationGeometry, positions

_SEGMENT = 1024  # columns of a vertical pass at a time
_LINE = 64  # bytes: scratch of different threads shares no cache line


@kernel()
def _rows(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    sums = weighted_sums(number, number)

    def work(begin, end, slot, block):
        x, y, column_weights, row_weights = block[0], block[1], block[2], block[3]
        rows, pads, constant = pointer(block[4], types.int64), pointer(block[5], types.int64), block[6]
        h, line, inner, column, row, left, right = (
            block[8], block[9], block[10], block[11], block[12], block[13], block[14],
        )  # fmt: skip
        segment, segments, pitch = block[15], block[16], block[17]
        cval = pointer(constant, number)[0]
        table = (block[7] + _LINE - 1) // _LINE * _LINE + slot * pitch
        addresses = pointer(table, types.int64)
        shifts = table + 8 * column
        shifted = pointer(shifts, types.int64)
        inside = (shifts + 8 * row + left * inner * size + _LINE - 1) // _LINE * _LINE
        padded = inside - left * inner * size
        samples = pointer(padded, number)
        for t in range(row):
            shifted[t] = padded + t * inner * size

        for task in range(begin, end):
            p, image = task % h, task // h
            first = image % segments * segment
            image = image // segments
            count = min(segment, line - first)
            for t in range(column):
                k = rows[p + t]
                addresses[t] = constant if k < 0 else x + (image * h + k) * line * size
            target = y + ((image * h + p) * line + first) * size
            if row == 0:
                sums(table, column_weights, column, first, target, 0, count)
                continue
            sums(table, column_weights, column, 0, inside, 0, line)
            for t in range(left + right):
                place = (t if t < left else t + line // inner) * inner
                for c in range(inner):
                    samples[place + c] = cval if pads[t] < 0 else samples[(left + pads[t]) * inner + c]
            sums(shifts, row_weights, row, 0, target, 0, line)

    return work


def build(g: CorrelationGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    if g.column == 0 and g.inner >= lanes(g.dtype.itemsize):
        return _build(g, h=g.w, w=g.inner, inner=1, column=g.row, row=0)
    return _build(g, h=g.h, w=g.w, inner=g.inner, column=g.column, row=g.row)


def _build(g: CorrelationGeometry, h: int, w: int, inner: int, column: int, row: int) -> Run:
    """``column`` taps down h rows, then ``row`` taps along w pixels of ``inner`` channels; 0 taps leave a pass out."""
    lone = column == 0  # a horizontal pass alone begins with a vertical one of a single tap of weight 1: the copy
    taps = 1 if lone else column
    above = 0 if lone else column // 2 + (g.origin if row == 0 else 0)
    left = row // 2 + g.origin if row else 0
    right = row - 1 - left if row else 0
    across = positions(w, left, right, g.mode)
    rows = positions(h, above, taps - 1 - above, g.mode)
    pads = np.concatenate([across[:left], across[left + w :]])
    line = w * inner
    constant = np.full(line, g.cval, g.dtype)
    segment = line if row else min(line, _SEGMENT)
    segments = -(-line // segment)
    scratch = 8 * (taps + row) + ((line + (left + right) * inner) * g.dtype.itemsize if row else 0)
    pitch = (scratch // _LINE + 3) * _LINE
    tasks = g.outer * segments * h
    ns = g.pixels * (taps + row) * g.dtype.itemsize / 80
    ones = np.ones(1, g.dtype)
    words = (h, line, inner, taps, row, left, right, segment, segments, pitch)
    template = Template(8, words, {4: rows, 5: pads, 6: constant})
    worker = _rows.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        weights = [a.astype(g.dtype) for a in arrays[1:]]
        down = ones if lone else weights[0]
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], down, weights[-1], None, None, None, buffer)
        launch(worker, tasks, addressof(block), ns)

    return run
