"""Variant "rows" of the Laplacian of 8-bit images: a row of the result from three rows of the image, in 16 bits.

    corners False    above, below: loaded as they are; left, right: from a copy of the row with a pixel more at its ends
    corners True     all four from such copies of the rows above and below

One walk, no sum between: each result is added up in registers and written once.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.integers import I64, Integers, over
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..operation import Run
from .cpu_rows import pads_of, positions
from .geometry import LaplacianGeometry

_LINE = 64  # bytes: scratch of different threads shares no cache line


def _differences(corners: bool) -> Any:
    """``combine(above, here, below, first, last, inner, target, count)``: neighbours lie in ``first`` and ``last``,
    padded by ``inner`` numbers on each side, or above and below.
    """

    @intrinsic
    def combine(typingctx, above, here, below, first, last, inner, target, count):
        def codegen(context, builder, signature, args):
            above, here, below, first, last, inner, target, count = args

            def body(e: Integers, start: ir.Value) -> None:
                def row(address: ir.Value, offset: ir.Value | int = 0) -> ir.Value:
                    return e.unsigned(e.load(address, start, 8, offset), 16)

                right = builder.mul(inner, I64(2))
                if corners:
                    four = [row(first), row(first, right), row(last), row(last, right)]
                else:
                    four = [row(above), row(below), row(first), row(first, right)]
                total = builder.add(builder.add(four[0], four[1]), builder.add(four[2], four[3]))
                total = builder.sub(total, e.shift(row(here), 2))
                e.store(e.shift(total, 1) if corners else total, target, start)

            over(builder, count, lanes(1), body)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 8), codegen

    return combine


@register_jitable
def _padded(row, target, line, inner, pads, outside):
    """A row with a pixel more on each side."""
    source, copy = pointer(row, types.uint8), pointer(target, types.uint8)
    for j in range(line):
        copy[inner + j] = source[j]
    for c in range(inner):
        copy[c] = outside if pads[0] < 0 else source[pads[0] * inner + c]
        copy[inner + line + c] = outside if pads[1] < 0 else source[pads[1] * inner + c]


@kernel()
def _rows(corners: bool) -> Any:
    combine = _differences(corners)

    def work(begin, end, slot, block):
        x, y, rows, pads, constant = block[0], block[1], pointer(block[2], types.int64), block[3], block[4]
        h, line, inner, pitch, outside = block[6], block[7], block[8], block[9], block[10]
        sides = pointer(pads, types.int64)
        first = (block[5] + _LINE - 1) // _LINE * _LINE + slot * 2 * pitch
        last = first + pitch
        for task in range(begin, end):
            p, image = task % h, task // h
            here = x + (image * h + p) * line
            above = constant if rows[p] < 0 else x + (image * h + rows[p]) * line
            below = constant if rows[p + 2] < 0 else x + (image * h + rows[p + 2]) * line
            if corners:
                _padded(above, first, line, inner, sides, outside)
                _padded(below, last, line, inner, sides, outside)
            else:
                _padded(here, first, line, inner, sides, outside)
            combine(above, here, below, first, last, inner, y + (image * h + p) * line * 2, line)

    return work


def build(g: LaplacianGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    line = g.w * g.inner
    rows, pads = positions(g.h, 3, g.mode), pads_of(g.w, 3, g.mode)
    constant = np.full(line, g.cval, np.uint8)
    pitch = ((line + 2 * g.inner) // _LINE + 2) * _LINE
    template = Template(6, (g.h, line, g.inner, pitch, g.cval), {2: rows, 3: pads, 4: constant})
    worker, ns = _rows.address(g.corners), g.pixels * 0.1

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * 2 * pitch + _LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], None, None, None, buffer)
        launch(worker, g.outer * g.h, addressof(block), ns)

    return run
