"""Variant "rows" of correlate2d: one row of the result at a time, from padded rows.

Every row of the image is copied once into scratch, in the type of the sums, with what the border puts left and right
of it. A row of the result is then one weighted sum (machine/taps.py) of R * S rows, which are R padded rows, each
shifted by 0 .. S - 1 pixels:

    padded row r      b b a b c d e f f f        table[r, s] = address of padded row r, plus s pixels
                          ^ pixel 0

The next row of the result needs one padded row more and one less, so R of them lie in a ring: row e of the extended
image is kept in place ``e % R``. The border above and below is a table of which row of the image each e stands for.

A task is a band of rows, so that the ring is filled once for many; sums of another type than the result's, or with a
``delta``, go through one more row of scratch. All channels of a pixel lie in the row: channels and columns are one
vectorised axis.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.rounding import saturating
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .window_geometry import WindowGeometry, work_ns

BAND = 32  # rows of a task
LINE = 64  # bytes: scratch of different threads shares no cache line


def padded_row(source: Any, total: Any) -> Callable[..., None]:
    """The function that copies one row into scratch, with ``before`` pixels left of it and ``after`` right of it.

    ``load(target, row, pads, cval, w, inner, before, after)``: ``row`` is the row's address, 0 for one that the border
    makes of ``cval``; ``pads`` has the column that each pixel left and right stands for, -1 for ``cval``.
    """
    size = total.bitwidth // 8

    @register_jitable
    def load(target, row, pads, cval, w, inner, before, after):
        to = pointer(target, total)
        if row == 0:
            for i in range((before + w + after) * inner):
                to[i] = cval
            return
        samples = pointer(row, source)
        inside = pointer(target + before * inner * size, total)
        for i in range(w * inner):
            inside[i] = total(samples[i])
        for t in range(before + after):
            place = (t if t < before else t + w) * inner
            for c in range(inner):
                to[place + c] = cval if pads[t] < 0 else total(samples[pads[t] * inner + c])

    return load


@kernel()
def _rows(source: str, total: str, target: str) -> Any:
    given, number, result = getattr(types, source), getattr(types, total), getattr(types, target)
    size, result_size, source_size = number.bitwidth // 8, result.bitwidth // 8, given.bitwidth // 8
    sums, load, converted = weighted_sums(number, number), padded_row(given, number), saturating(number, result)
    same = number == result

    def work(begin, end, slot, block):
        x, y, weights = block[0], block[1], block[2]
        rows, pads = pointer(block[3], types.int64), pointer(block[4], types.int64)
        h, w, inner, r, s, before = block[6], block[7], block[8], block[9], block[10], block[11]
        cval, delta = number(float_bits(block[12])), number(float_bits(block[13]))
        bands, pitch, line_pitch, direct = block[14], block[15], block[16], block[17]
        table = (block[5] + LINE - 1) // LINE * LINE + slot * pitch
        addresses = pointer(table, types.int64)
        ring = table + (8 * r * s + LINE - 1) // LINE * LINE
        between = ring + r * line_pitch
        line, after, pixel = w * inner, s - 1 - before, inner * size
        for task in range(begin, end):
            image, band = task // bands, task % bands
            first, last = band * BAND, min(band * BAND + BAND, h)
            for e in range(first, last + r - 1):
                k = rows[e]
                row = x + (image * h + k) * line * source_size
                load(ring + e % r * line_pitch, 0 if k < 0 else row, pads, cval, w, inner, before, after)
                p = e - (r - 1)
                if p < first:
                    continue
                for i in range(r):
                    start = ring + (p + i) % r * line_pitch
                    for j in range(s):
                        addresses[i * s + j] = start + j * pixel
                out = y + (image * h + p) * line * result_size
                if same and direct != 0:
                    sums(table, weights, r * s, 0, out, 0, line)
                    continue
                sums(table, weights, r * s, 0, between, 0, line)
                summed, results = pointer(between, number), pointer(out, result)
                for i in range(line):
                    results[i] = converted(summed[i] + delta)

    return work


def edges(columns: np.ndarray, w: int, before: int) -> np.ndarray:
    """Of the columns that an extended row stands for, those left and right of the image."""
    return np.concatenate([columns[:before], columns[before + w :]])


def build(g: WindowGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    rows, pads = g.rows(), edges(g.columns(), g.w, g.before[1])
    bands = -(-g.h // BAND)
    line_pitch = -(-(g.w + g.s - 1) * g.c * g.total.itemsize // LINE) * LINE
    pitch = (8 * g.r * g.s // LINE + 2) * LINE + (g.r + 1) * line_pitch
    constants = (word_of(g.cval), word_of(g.delta), bands, pitch, line_pitch, int(g.delta == 0))
    template = Template(6, (g.h, g.w, g.c, g.r, g.s, g.before[1], *constants), {3: rows, 4: pads})
    worker = _rows.address(g.source.name, g.total.name, g.dtype.name)
    ns = work_ns(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        weights = arrays[1].astype(g.total)
        buffer = empty((num_threads() * pitch + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], weights, None, None, buffer)
        launch(worker, g.n * bands, addressof(block), ns)

    return run
