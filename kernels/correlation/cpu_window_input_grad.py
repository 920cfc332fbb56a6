"""Variant "rows" of correlate2d_input_grad: a correlation with the flipped weights, folded back at the borders.

Forward, the image is extended by its border and correlated; so backward, the gradient is spread over the *extended*
image, and each extended pixel's share is added to the pixel that it was a copy of. Of the extended image only one row
exists at a time:

    spread   extended row e gets  weights[r, s] * gy[e - r, f - s]:  one weighted sum (machine/taps.py) of R * S rows,
             which are the rows e - R + 1 .. e of gy, with zeros around them, shifted by S - 1 .. 0 pixels
    fold     its W inner pixels are added to row p of gx, those left and right of them to the columns that they copied

Row p of gx is made of the extended rows that stand for it: itself and, near the border, its copies. The padded rows of
gy lie in a ring as in cpu_window.py; a tag says which row each place of the ring holds, since copies come out of order.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .cpu_window import BAND, LINE, edges, padded_row
from .window_geometry import WindowGeometry, work_ns


@kernel()
def _rows(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    sums, load = weighted_sums(number, number), padded_row(number, number)

    def work(begin, end, slot, block):
        gy, gx, weights = block[0], block[1], block[2]
        starts, copies = pointer(block[3], types.int64), pointer(block[4], types.int64)
        pads, outside = pointer(block[5], types.int64), pointer(block[6], types.int64)
        h, w, inner, r, s, before = block[8], block[9], block[10], block[11], block[12], block[13]
        bands, pitch, line_pitch = block[14], block[15], block[16]
        table = (block[7] + LINE - 1) // LINE * LINE + slot * pitch
        addresses = pointer(table, types.int64)
        tags = pointer(table + 8 * r * s, types.int64)
        ring = table + (8 * r * (s + 1) + LINE - 1) // LINE * LINE
        between = ring + r * line_pitch
        spread = pointer(between, number)
        line, pixel, margin = w * inner, inner * size, s - 1
        zero = number(0)
        for task in range(begin, end):
            image, band = task // bands, task % bands
            for i in range(r):
                tags[i] = -1
            for p in range(band * BAND, min(band * BAND + BAND, h)):
                target = pointer(gx + (image * h + p) * line * size, number)
                for j in range(line):
                    target[j] = zero
                for c in range(starts[p], starts[p + 1]):
                    e = copies[c]
                    first, last = max(0, e - h + 1), min(r - 1, e)
                    taps = 0
                    for i in range(first, last + 1):
                        g = e - i
                        place = ring + g % r * line_pitch
                        if tags[g % r] != g:
                            tags[g % r] = g
                            load(place, gy + (image * h + g) * line * size, outside, zero, w, inner, margin, margin)
                        for j in range(s):
                            addresses[taps] = place + (margin - j) * pixel
                            taps += 1
                    sums(table, weights + first * s * size, taps, 0, between, 0, (w + margin) * inner)
                    shift = before * inner
                    for j in range(line):
                        target[j] += spread[j + shift]
                    for t in range(margin):
                        column, source = pads[t] * inner, (t if t < before else t + w) * inner
                        if column >= 0:
                            for k in range(inner):
                                target[column + k] += spread[source + k]

    return work


def build(g: WindowGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    rows, pads = g.rows(), edges(g.columns(), g.w, g.before[1])
    order = np.argsort(rows, kind="stable")
    copies = order[np.searchsorted(rows[order], 0) :].astype(np.int64)  # those of the constant stand for no row
    starts = np.searchsorted(rows[copies], np.arange(g.h + 1)).astype(np.int64)
    outside = np.full(2 * (g.s - 1), -1, np.int64)
    bands = -(-g.h // BAND)
    line_pitch = -(-(g.w + 2 * (g.s - 1)) * g.c * g.dtype.itemsize // LINE) * LINE
    pitch = (8 * g.r * (g.s + 1) // LINE + 2) * LINE + (g.r + 1) * line_pitch
    template = Template(8, (g.h, g.w, g.c, g.r, g.s, g.before[1], bands, pitch, line_pitch))
    worker = _rows.address(g.dtype.name)
    ns = work_ns(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        weights = arrays[1].astype(g.dtype)
        buffer = empty((num_threads() * pitch + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], weights, starts, copies, pads, outside, buffer)
        launch(worker, g.n * bands, addressof(block), ns)

    return run
