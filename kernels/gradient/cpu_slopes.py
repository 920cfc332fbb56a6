"""Variant "slopes" of 8-bit derivatives: (-1, 0, 1) along one axis and (a, b, a) across it, in 16 bits.

Sobel's, Scharr's and Prewitt's derivatives of 3 pixels are of that form, and then

    slope along the row      a (above + below) + b here, into a padded row; each of its samples less the one two before
    slope down the column    below - above, into a padded row; a (left + right) + b middle

takes one difference and two products for a pixel, where the general loop of cpu_rows.py takes five products. Borders
are as there.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.integers import I64, Integers, over
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..operation import Run
from .cpu_rows import pads_of, positions
from .geometry import SLOPE_ALONG, SLOPE_DOWN, GradientGeometry

_LINE = 64  # bytes: scratch of different threads shares no cache line


def _pass(bits: int, slope: bool) -> Any:
    """``combine(first, middle, last, a, b, target, ahead, count)`` of three rows of numbers of 8 or 16 bits.

    The pass over 8-bit rows has the cache fetch the row ``ahead``, of 16-bit numbers, into which the other one writes.
    """

    @intrinsic
    def combine(typingctx, first, middle, last, a, b, target, ahead, count):
        def codegen(context, builder, signature, args):
            *rows, a, b, target, ahead, count = args

            def body(e: Integers, start: ir.Value) -> None:
                def row(address: ir.Value) -> ir.Value:
                    numbers = e.load(address, start, bits)
                    return e.unsigned(numbers, 16) if bits == 8 else numbers

                if bits == 8 and e.lanes > 1:
                    for line in range(0, 2 * e.lanes, _LINE):
                        e.prefetch(builder.add(ahead, I64(line)), start, 16)
                if slope:
                    e.store(builder.sub(row(rows[2]), row(rows[0])), target, start)
                    return
                ends = builder.mul(builder.add(row(rows[0]), row(rows[2])), e.splat(a, 16))
                e.store(builder.add(ends, builder.mul(row(rows[1]), e.splat(b, 16))), target, start)

            over(builder, count, lanes(1), body)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 8), codegen

    return combine


@kernel()
def _slopes(slope_along: bool) -> Any:
    down, along = _pass(8, not slope_along), _pass(16, slope_along)

    def work(begin, end, slot, block):
        x, y, rows, pads, constant = block[0], block[1], pointer(block[2], types.int64), block[3], block[4]
        h, line, inner, pitch, a, b = block[6], block[7], block[8], block[9], block[10], block[11]
        outside, sides = block[12], pointer(pads, types.int64)
        padded = (block[5] + _LINE - 1) // _LINE * _LINE + slot * pitch
        middle = padded + 2 * inner
        samples = pointer(middle, types.int16)
        for task in range(begin, end):
            p, image = task % h, task // h
            above, below = rows[p], rows[p + 2]
            here = x + (image * h + p) * line
            first = constant if above < 0 else x + (image * h + above) * line
            last = constant if below < 0 else x + (image * h + below) * line
            result = y + (image * h + p) * line * 2
            down(first, here, last, a, b, middle, result, line)
            for c in range(inner):
                samples[c - inner] = outside if sides[0] < 0 else samples[sides[0] * inner + c]
                samples[line + c] = outside if sides[1] < 0 else samples[sides[1] * inner + c]
            along(padded, middle, middle + 2 * inner, a, b, result, result, line)

    return work


def rejects(g: GradientGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.form not in (SLOPE_ALONG, SLOPE_DOWN):
        return "takes weights (-1, 0, 1) and (a, b, a) whose sums fit in 16 bits"
    return None


def build(g: GradientGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    line, slope_along = g.w * g.inner, g.form == SLOPE_ALONG
    rows, pads = positions(g.h, 3, g.mode), pads_of(g.w, 3, g.mode)
    constant = np.full(line, g.cval, np.uint8)
    pitch = (2 * (line + 2 * g.inner) // _LINE + 2) * _LINE
    template = Template(6, (g.h, line, g.inner, pitch, 0, 0, 0), {2: rows, 3: pads, 4: constant})
    worker = _slopes.address(slope_along)
    ns = g.pixels * 0.12

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, column, row = arrays
        a, b, _ = (column if slope_along else row).tolist()
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(x, outputs[0], None, None, None, buffer)
        block[10], block[11], block[12] = a, b, int(g.cval) * (2 * a + b) if slope_along else 0
        launch(worker, g.outer * g.h, addressof(block), ns)

    return run
