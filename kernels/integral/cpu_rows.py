"""Variant "rows": the sums of columns grow by a row, and running across them gives a row of the result.

    down      t[k] = t[k - 1] + x[k]        whole vectors, whatever the number of channels
    across    y[k, j] = y[k, j - C] + t[k, j]

Down nothing waits but for the row above. Across, each sum waits for the one before it, four cycles for a floating-point
addition; so four rows of t are kept, and four sums grow side by side:

            t0   a b c d ...       y0 += a   y1 += e   y2 += i   y3 += m       no one waits for another
            t1   e f g h ...       y0 += b   y1 += f   y2 += j   y3 += n
            t2   i j k l ...
            t3   m n o p ...       scratch of four rows, which stays in the first or second cache

Every number is read once and every sum written once, which bounds it together with the additions across. A task is one
image: a row cannot begin before the one above is done.
"""

from ctypes import addressof
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.streams import read, write
from ..machine.threads import launch, num_threads
from ..operation import Run

if TYPE_CHECKING:
    from . import Integral

_ROWS = 4
_LINE = 64  # bytes: scratch of different threads shares no cache line
_NS_PER_NUMBER = 0.5


@kernel()
def _integral(dtype: str, result: str, working: str) -> Any:
    number, out, kind = getattr(types, dtype), getattr(types, result), getattr(types, working)
    bytes_in, bytes_out = number.bitwidth // 8, out.bitwidth // 8

    @register_jitable
    def down(x, above, below, count):
        """One row of sums of columns from that above it; both may be the same row."""
        row, old, new = pointer(x, number), pointer(above, kind), pointer(below, kind)
        for k in range(count):
            write(new, k, kind(read(old, k) + kind(read(row, k))))

    @register_jitable
    def across(sums, pitch, y, W, C):
        """Four rows of the result, whose first pixels are zero."""
        line = (W + 1) * C
        t0, t1, t2, t3 = (
            pointer(sums, kind), pointer(sums + pitch, kind), pointer(sums + 2 * pitch, kind),
            pointer(sums + 3 * pitch, kind),
        )  # fmt: skip
        y0, y1, y2, y3 = (
            pointer(y, out), pointer(y + line * bytes_out, out), pointer(y + 2 * line * bytes_out, out),
            pointer(y + 3 * line * bytes_out, out),
        )  # fmt: skip
        for c in range(C):
            s0, s1, s2, s3 = kind(0), kind(0), kind(0), kind(0)
            write(y0, c, out(0))
            write(y1, c, out(0))
            write(y2, c, out(0))
            write(y3, c, out(0))
            for k in range(c, W * C, C):
                s0, s1 = kind(s0 + read(t0, k)), kind(s1 + read(t1, k))
                s2, s3 = kind(s2 + read(t2, k)), kind(s3 + read(t3, k))
                write(y0, k + C, out(s0))
                write(y1, k + C, out(s1))
                write(y2, k + C, out(s2))
                write(y3, k + C, out(s3))

    @register_jitable
    def across_one(sums, y, W, C):
        t, row = pointer(sums, kind), pointer(y, out)
        for c in range(C):
            total = kind(0)
            write(row, c, out(0))
            for k in range(c, W * C, C):
                total = kind(total + read(t, k))
                write(row, k + C, out(total))

    def work(begin, end, slot, block):
        H, W, C, pitch = block[3], block[4], block[5], block[6]
        sums = (block[2] + _LINE - 1) // _LINE * _LINE + slot * _ROWS * pitch
        line = (W + 1) * C * bytes_out
        for image in range(begin, end):
            x, y = block[0] + image * H * W * C * bytes_in, block[1] + image * (H + 1) * line
            first, last = pointer(y, out), pointer(sums + (_ROWS - 1) * pitch, kind)
            for k in range((W + 1) * C):
                first[k] = out(0)
            for k in range(W * C):
                last[k] = kind(0)
            i = 0
            while i + _ROWS <= H:
                for k in range(_ROWS):
                    above = sums + (k + _ROWS - 1) % _ROWS * pitch
                    down(x + (i + k) * W * C * bytes_in, above, sums + k * pitch, W * C)
                across(sums, pitch, y + (i + 1) * line, W, C)
                i += _ROWS
            while i < H:
                down(x + i * W * C * bytes_in, sums + (_ROWS - 1) * pitch, sums + (_ROWS - 1) * pitch, W * C)
                across_one(sums + (_ROWS - 1) * pitch, y + (i + 1) * line, W, C)
                i += 1

    return work


def build(g: "Integral") -> Run:
    """One task for each image."""
    worker = _integral.address(g.dtype.name, g.outputs[0][1].name, g.working.name)
    # A line more, so that rows of a power of two do not begin at one line of the cache.
    pitch = (g.w * g.c * g.working.itemsize // _LINE + 2) * _LINE
    template = Template(3, (g.h, g.w, g.c, pitch))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * _ROWS * pitch + _LINE,), np.dtype(np.uint8))
        block = template.filled(arrays[0], outputs[0], buffer)
        launch(worker, g.n, addressof(block), _NS_PER_NUMBER * g.numbers)

    return run
