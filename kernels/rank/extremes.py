"""Minima or maxima of rows, column by column: what flat erosion and dilation are made of.

*Where* each tap reads is a table: rows of the image, one padded row shifted by each tap of a window's row, or the
pixels of a window of any shape in a tile. The extremes of a block of columns stay in vector registers from the first
tap to the last.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from ..machine.ordered import Ordered
from ..machine.processor import lanes

_VECTORS = 4

_I64 = ir.IntType(64)


def _block(number: Any, greatest: bool, vectors: int, width: int) -> Callable[..., None]:
    @intrinsic
    def block(typingctx, table, taps, offset, target):
        def codegen(context, b, signature, args):
            table, taps, offset, target = args
            e = Ordered(b, number, width)

            def start(tap: ir.Value) -> ir.Value:
                place = b.inttoptr(b.add(table, b.mul(tap, _I64(8))), _I64.as_pointer())
                return b.add(b.load(place), offset)

            first = start(_I64(0))
            found = [cgutils.alloca_once_value(b, e.load(e.at(first, v))) for v in range(vectors)]
            for v, place in enumerate(found):
                b.store(e.load(e.at(first, v)), place)
            with cgutils.for_range(b, taps, start=_I64(1)) as loop:
                address = start(loop.index)
                for v, place in enumerate(found):
                    b.store(e.extreme(b.load(place), e.load(e.at(address, v)), greatest), place)
            for v, place in enumerate(found):
                e.store(b.load(place), e.at(target, v))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), codegen

    return block


def extremes_of_rows(number: Any, greatest: bool) -> Callable[..., None]:
    """``extremes(table, taps, offset, target, count)``: of the numbers at ``table[t] + offset``, t below ``taps``.

    ``count`` columns are done and ``offset`` is in bytes. The target may be one of the rows, as columns may be done
    twice: no other number than a column's own has any part in it.
    """
    width, size = lanes(number.bitwidth // 8), number.bitwidth // 8
    many, one, single = (
        _block(number, greatest, _VECTORS, width), _block(number, greatest, 1, width), _block(number, greatest, 1, 1),
    )  # fmt: skip
    block = _VECTORS * width

    @register_jitable
    def extremes(table, taps, offset, target, count):
        j = 0
        while j + block <= count:
            many(table, taps, offset + j * size, target + j * size)
            j += block
        while j + width <= count:
            one(table, taps, offset + j * size, target + j * size)
            j += width
        if j < count and count >= width:  # the last vector overlaps the one before it
            j = count - width
            one(table, taps, offset + j * size, target + j * size)
            j = count
        while j < count:
            single(table, taps, offset + j * size, target + j * size)
            j += 1

    return extremes


def widener(number: Any, greatest: bool) -> Callable[..., None]:
    """``widen(line, shift, count)``: each number becomes the extreme of itself and the one ``shift`` bytes on.

    In place, in whole vectors: the line must have room behind ``count`` numbers for one vector and the shift.
    """
    width, size = lanes(number.bitwidth // 8), number.bitwidth // 8

    @intrinsic
    def step(typingctx, place, shift):
        def codegen(context, b, signature, args):
            e = Ordered(b, number)
            e.store(e.extreme(e.load(args[0]), e.load(b.add(*args)), greatest), args[0])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    @register_jitable
    def widen(line, shift, count):
        for i in range(0, count, width):
            step(line + i * size, shift)

    return widen
