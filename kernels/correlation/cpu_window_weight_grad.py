"""Variant "rows" of correlate2d_weight_grad: products of rows of gy with padded rows of x, shifted.

    gw[r, s] = sum over p of  gy row p . (padded row p + r of x, shifted by s pixels)

The padded rows lie in a ring, as in cpu_window.py. The image's rows are cut into at most 16 shares; each share adds
its R * S products in float64, row after row, and the shares are added in order, so the result does not depend on how
many threads there are.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.threads import launch, num_threads
from ..operation import Run
from .cpu_window import LINE, edges, padded_row
from .window_geometry import WindowGeometry, work_ns

_SHARES = 16


@kernel()
def _shares(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    load = padded_row(number, number)

    def work(begin, end, slot, block):
        gy, x = block[0], block[1]
        rows, pads = pointer(block[2], types.int64), pointer(block[3], types.int64)
        h, w, inner, r, s, before = block[6], block[7], block[8], block[9], block[10], block[11]
        cval = number(float_bits(block[12]))
        lines, shares, pitch, line_pitch = block[13], block[14], block[15], block[16]
        ring = (block[5] + LINE - 1) // LINE * LINE + slot * pitch
        line, after = w * inner, s - 1 - before
        for task in range(begin, end):
            sums = pointer(block[4] + task * r * s * 8, types.float64)
            for i in range(r * s):
                sums[i] = 0.0
            first = lines * task // shares
            for t in range(first, lines * (task + 1) // shares):
                image, p = t // h, t % h
                for e in range(p if p == 0 or t == first else p + r - 1, p + r):
                    k = rows[e]
                    row = x + (image * h + k) * line * size
                    load(ring + e % r * line_pitch, 0 if k < 0 else row, pads, cval, w, inner, before, after)
                a = pointer(gy + t * line * size, number)
                for i in range(r):
                    for j in range(s):
                        b = pointer(ring + (p + i) % r * line_pitch + j * inner * size, number)
                        product = number(0)
                        for m in range(line):
                            product += a[m] * b[m]
                        sums[i * s + j] += product

    return work


def build(g: WindowGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: outputs[0].fill(0)
    rows, pads = g.rows(), edges(g.columns(), g.w, g.before[1])
    lines = g.n * g.h
    shares = min(lines, _SHARES)
    line_pitch = -(-(g.w + g.s - 1) * g.c * g.dtype.itemsize // LINE) * LINE
    pitch = g.r * line_pitch
    constants = (word_of(g.cval), lines, shares, pitch, line_pitch)
    template = Template(6, (g.h, g.w, g.c, g.r, g.s, g.before[1], *constants))
    worker = _shares.address(g.dtype.name)
    ns = work_ns(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        sums = np.zeros((shares, g.r, g.s))
        buffer = empty((num_threads() * pitch + LINE,), np.uint8)
        block = template.filled(*arrays, rows, pads, sums, buffer)
        launch(worker, shares, addressof(block), ns)
        outputs[0][...] = sums.sum(axis=0)

    return run
