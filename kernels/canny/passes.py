"""The loops of Canny's fused pass, as vector code: derivatives down, derivatives along, and suppression.

All rows are 16-bit integers, and so are norms |dx| + |dy| of the apertures' gradients, at most 24480; norms
dx dx + dy dy have 32 bits. One vector register of 16-bit numbers is the step everywhere.

The test of directions compares ``|dy| << 15`` with ``|dx| * 13573``, which takes 32 bits. In 16 bits it is a test of
``q = (2 |dx| * 13573) >> 16``, which is ``|dx| tan(22.5 degrees)`` rounded down:

    |dy| < |dx| tan(22.5)  is  |dy| <= q            what is rounded is no whole number, since 13573 is odd, but for
    |dy| > |dx| tan(67.5)  is  |dy| - 2 |dx| > q    dx = 0; and then dy = 0 too, the norm is 0 and no maximum
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..hysteresis.reference import STRONG, WEAK
from ..machine.integers import I64, Integers, over, over_padded
from ..machine.processor import lanes
from .apertures import DIVIDED, SLOPE, SMOOTH
from .reference import TAN_22


def column_pass(aperture: int) -> Any:
    """``columns(table, smooth, slope, count)``: the rows of 8-bit numbers that ``table`` lists, smoothed and sloped."""

    @intrinsic
    def columns(typingctx, table, smooth, slope, count):
        def codegen(context, builder, signature, args):
            table, smooth, slope, count = args
            places = [builder.add(table, I64(8 * t)) for t in range(len(SMOOTH[aperture]))]
            rows = [builder.load(builder.inttoptr(place, I64.as_pointer())) for place in places]

            def body(e: Integers, first: ir.Value) -> None:
                numbers = [e.unsigned(e.load(row, first, 8), 16) for row in rows]
                e.store(e.weighted(numbers, SMOOTH[aperture]), smooth, first)
                e.store(e.weighted(numbers, SLOPE[aperture]), slope, first)

            over(builder, count, lanes(2), body)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), codegen

    return columns


def _norm(e: Integers, dx: ir.Value, dy: ir.Value, squared: bool, bits: int) -> ir.Value:
    x, y = e.signed(dx, bits), e.signed(dy, bits)
    return e.b.add(e.b.mul(x, x), e.b.mul(y, y)) if squared else e.b.add(e.absolute(x), e.absolute(y))


def row_pass(aperture: int, squared: bool) -> Any:
    """``rows(smooth, slope, step, dx, dy, norms, count)``: the other halves of both derivatives, and their norm.

    Pixels are ``step`` numbers apart. A whole number of vectors is read and written.
    """
    radius = len(SMOOTH[aperture]) // 2

    def derivative(e: Integers, row: ir.Value, first: ir.Value, step: ir.Value, weights: tuple[int, ...]) -> ir.Value:
        shifts = [e.b.mul(step, I64(t - radius)) for t in range(2 * radius + 1)]
        taps = [e.load(row, first, 16, shift) for shift in shifts]
        if aperture != DIVIDED:
            return e.weighted(taps, weights)
        total = e.weighted([e.signed(tap, 32) for tap in taps], weights)
        odd = e.b.and_(e.b.ashr(total, e.constant(4, 32)), e.constant(1, 32))
        total = e.b.add(e.b.add(total, e.constant(7, 32)), odd)
        return e.narrow(e.b.ashr(total, e.constant(4, 32)), 16)

    @intrinsic
    def rows(typingctx, smooth, slope, step, dx, dy, norms, count):
        def codegen(context, builder, signature, args):
            smooth, slope, step, to_x, to_y, norms, count = args

            def body(e: Integers, first: ir.Value) -> None:
                dx = derivative(e, smooth, first, step, SLOPE[aperture])
                dy = derivative(e, slope, first, step, SMOOTH[aperture])
                e.store(dx, to_x, first)
                e.store(dy, to_y, first)
                e.store(_norm(e, dx, dy, squared, 32 if squared else 16), norms, first)

            over_padded(builder, count, lanes(2), body)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 7), codegen

    return rows


def copying_pass(squared: bool) -> Any:
    """``copy(from_x, from_y, dx, dy, norms, count)``: a row of given gradients, and its norms in 32 bits."""

    @intrinsic
    def copy(typingctx, from_x, from_y, dx, dy, norms, count):
        def codegen(context, builder, signature, args):
            from_x, from_y, to_x, to_y, norms, count = args

            def body(e: Integers, first: ir.Value) -> None:
                dx, dy = e.load(from_x, first, 16), e.load(from_y, first, 16)
                e.store(dx, to_x, first)
                e.store(dy, to_y, first)
                # Of (-32768, -32768) alone the square is one more than fits, and greater than all others even so.
                largest = e.constant(2**31 - 1, 32)
                e.store(e.binary("umin", _norm(e, dx, dy, squared, 32), largest), norms, first)

            over(builder, count, lanes(2), body)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), codegen

    return copy


def _directions(e: Integers, dx: ir.Value, dy: ir.Value, bits: int) -> tuple[ir.Value, ir.Value]:
    """Whether the gradient lies along a row, and whether along a column."""
    b, x, y = e.b, e.absolute(e.signed(dx, bits)), e.absolute(e.signed(dy, bits))
    if bits == 16:
        product = b.mul(e.unsigned(e.shift(x, 1), 32), e.constant(TAN_22, 32))
        q = e.narrow(b.lshr(product, e.constant(16, 32)), 16)
        return b.icmp_signed("<=", y, q), b.icmp_signed(">", b.sub(y, e.shift(x, 1)), q)
    product, y = b.mul(x, e.constant(TAN_22, 32)), e.shift(y, 15)
    return b.icmp_unsigned("<", y, product), b.icmp_unsigned(">", y, b.add(product, e.shift(x, 16)))


def suppression(bits: int) -> Any:
    """``suppress(above, here, below, dx, dy, cells, low, high, count)``: the classes of a row of pixels.

    The first three are rows of norms of ``bits`` bits. A whole number of vectors is written; a norm of 0 gives the
    class 0.
    """

    @intrinsic
    def suppress(typingctx, above, here, below, dx, dy, cells, low, high, count):
        def codegen(context, builder, signature, args):
            above, here, below, from_x, from_y, cells, low, high, count = args
            b = builder

            def body(e: Integers, first: ir.Value) -> None:
                dx, dy = e.load(from_x, first, 16), e.load(from_y, first, 16)
                along, down = _directions(e, dx, dy, bits)
                opposite = b.icmp_signed("<", b.xor(dx, dy), e.constant(0, 16))
                norm = e.load(here, first, bits)
                one = b.select(opposite, e.load(above, first, bits, 1), e.load(above, first, bits, -1))
                two = b.select(opposite, e.load(below, first, bits, -1), e.load(below, first, bits, 1))
                one = b.select(down, e.load(above, first, bits), one)
                two = b.select(down, e.load(below, first, bits), two)
                one = b.select(along, e.load(here, first, bits, -1), one)
                two = b.select(along, e.load(here, first, bits, 1), two)
                # Along rows and columns the second neighbour may be equal: then it is made less by one.
                two = b.add(two, b.sext(b.or_(along, down), e.kind(bits)))
                maximum = b.and_(b.icmp_signed(">", norm, one), b.icmp_signed(">", norm, two))
                weak = b.and_(maximum, b.icmp_signed(">", norm, e.splat(low, bits)))
                strong = b.and_(weak, b.icmp_signed(">", norm, e.splat(high, bits)))
                classes = b.select(weak, e.constant(WEAK, 8), e.constant(0, 8))
                e.store(b.select(strong, e.constant(STRONG, 8), classes), cells, first)

            over_padded(builder, count, lanes(2), body)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 9), codegen

    return suppress
