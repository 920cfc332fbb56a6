"""Rows of squared differences of bytes, as vector code: what the integer variant of non-local means is made of.

`update_columns` keeps, for one offset of the search window, the sums down each column of a patch. From one row of
patches to the next a sum gains the row that comes in below and loses the one that goes out above:

    sum += new * new - old * old          of the differences ``new`` and ``old`` at both rows

Both differences of a column lie side by side in one 32-bit word, because the words of the image are pairs of pixels
that are ``patch`` rows apart; one subtraction of 16-bit halves makes them, and one multiply-add of halves,
``(new, old) . (new, -old)``, the whole right-hand side.

`add_weighted` turns column sums into weights and adds the weighted pixels, for all horizontal offsets in turn while
the sums of a block of pixels stay in registers. A patch's sum over its columns comes from sums of 2, 4, ... columns,
each made of the former by one shuffle and one addition. The weight of a distance is a polynomial, or looked up where
the polynomial does not give the table's integers (see weights.py). Where all weights of a block are 0, as in busy
parts of an image, the block ends there.
"""

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.processor import lanes

_I64, _I32, _I16, _F32 = ir.IntType(64), ir.IntType(32), ir.IntType(16), ir.FloatType()
_MAGIC = 1.5 * 2.0**23  # a float32 sum with it has no bits for a fraction

BLOCK_VECTORS = 2
"""Vectors of 32-bit words in a block of pixels."""

DEGREE = 6
"""Of the polynomial."""


class _Words:
    """Emits instructions on vectors of 32-bit words."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.b = builder
        self.lanes = lanes(4)
        self.words = ir.VectorType(_I32, self.lanes)
        self.halves = ir.VectorType(_I16, 2 * self.lanes)
        self.floats = ir.VectorType(_F32, self.lanes)

    def intrinsic(self, name: str, result: ir.Type, *arguments: ir.Type) -> ir.Function:
        return cgutils.get_or_insert_function(self.b.module, ir.FunctionType(result, arguments), name)

    def address(self, base: ir.Value, words: ir.Value) -> ir.Value:
        """``base`` and that many words."""
        return self.b.add(base, self.b.mul(words, _I64(4)))

    def load(self, address: ir.Value) -> ir.Value:
        loaded = self.b.load(self.b.inttoptr(address, self.words.as_pointer()))
        loaded.align = 4
        return loaded

    def store(self, value: ir.Value, address: ir.Value) -> None:
        self.b.store(value, self.b.inttoptr(address, self.words.as_pointer())).align = 4

    def splat(self, number: ir.Value) -> ir.Value:
        vector = ir.VectorType(number.type, self.lanes)
        undefined = ir.Constant(vector, ir.Undefined)
        first = self.b.insert_element(undefined, number, _I32(0))
        return self.b.shuffle_vector(first, undefined, ir.Constant(self.words, [0] * self.lanes))

    def constant(self, kind: ir.VectorType, value: float) -> ir.Constant:
        return ir.Constant(kind, [value] * kind.count)

    def fma(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        kind = self.floats
        return self.b.call(self.intrinsic(f"llvm.fma.v{self.lanes}f32", kind, kind, kind, kind), [x, y, z])

    def multiply_add_halves(self, x: ir.Value, y: ir.Value) -> ir.Value:
        """In each word, the product of the low halves and that of the high halves, added: one instruction on x86."""
        b, wide = self.b, ir.VectorType(_I32, 2 * self.lanes)
        product = b.mul(b.sext(x, wide), b.sext(y, wide))
        undefined = ir.Constant(wide, ir.Undefined)
        low, high = (
            b.shuffle_vector(product, undefined, ir.Constant(self.words, list(range(first, 2 * self.lanes, 2))))
            for first in (0, 1)
        )
        return b.add(low, high)

    def moved(self, vectors: list[ir.Value], index: int, by: int) -> ir.Value:
        """Vector ``index`` of a row of vectors that begins ``by`` lanes further on; beyond the row it is undefined."""
        first, lane = index + by // self.lanes, by % self.lanes
        if lane == 0:
            return vectors[first]
        following = vectors[first + 1] if first + 1 < len(vectors) else ir.Constant(self.words, ir.Undefined)
        places = ir.Constant(self.words, list(range(lane, lane + self.lanes)))
        return self.b.shuffle_vector(vectors[first], following, places)

    def sums_of(self, columns: list[ir.Value], taps: int) -> list[ir.Value]:
        """For each of the first `BLOCK_VECTORS` vectors, sums of ``taps`` neighbouring columns from each lane on."""
        totals: list[ir.Value | None] = [None] * BLOCK_VECTORS
        power, sums, offset = 1, columns, 0
        while power <= taps:
            if taps & power:  # binary digits of taps, each a run of columns behind the one before
                for v in range(BLOCK_VECTORS):
                    run = self.moved(sums, v, offset)
                    totals[v] = run if totals[v] is None else self.b.add(totals[v], run)
                offset += power
            if 2 * power <= taps:
                reach = len(sums) - power // self.lanes
                sums = [self.b.add(sums[v], self.moved(sums, v, power)) for v in range(reach)]
            power *= 2
        return totals


@intrinsic(prefer_literal=True)
def update_columns(typingctx, first, base, shifted, planes, pitch, target, words):
    """Add to the ``words`` sums at ``target`` what the rows of pairs at ``base`` and at ``shifted`` bring and take.

    There are ``planes`` channels, ``pitch`` bytes apart. With ``first``, a constant, nothing goes out.
    """
    if not isinstance(first, types.IntegerLiteral):
        return None
    entering = bool(first.literal_value)

    def codegen(context, builder, signature, args):
        _, base, shifted, planes, pitch, target, words = args
        e = _Words(builder)
        odd = ir.Constant(ir.VectorType(ir.IntType(1), 2 * e.lanes), [False, True] * e.lanes)
        low = e.constant(e.words, 0xFFFF)
        with cgutils.for_range(builder, planes) as plane:
            offset = builder.mul(plane.index, pitch)
            one, other = builder.add(base, offset), builder.add(shifted, offset)
            steps = builder.udiv(builder.add(words, _I64(e.lanes - 1)), _I64(e.lanes))
            with cgutils.for_range(builder, steps) as loop:
                place = builder.mul(loop.index, _I64(4 * e.lanes))
                pair = [builder.bitcast(e.load(builder.add(a, place)), e.halves) for a in (one, other)]
                difference = builder.sub(*pair)
                if entering:
                    difference = builder.bitcast(builder.and_(builder.bitcast(difference, e.words), low), e.halves)
                    opposite = difference
                else:
                    opposite = builder.select(odd, builder.neg(difference), difference)
                sums = builder.add(target, place)
                e.store(builder.add(e.load(sums), e.multiply_add_halves(difference, opposite)), sums)
        return context.get_dummy_value()

    return types.void(first, *[types.int64] * 6), codegen


def add_weighted(taps: int, channels: int, polynomial: bool) -> Callable[..., None]:
    """An intrinsic for patches of ``taps`` columns.

    ``add(columns, pitch, offsets, pixels, plane, sums, gap, table, length, shift)`` does one block of pixels: rows of
    column sums lie ``pitch`` bytes apart, one for each of the ``offsets`` neighbouring horizontal offsets; the pixel
    of the first offset is the high half of the word at ``pixels``, that of the next offset in the next word, other
    channels ``plane`` bytes behind. The totals of each channel lie ``gap`` bytes apart at ``sums``, and behind them
    those of the weights. At ``table`` are the weights, or with ``polynomial`` the float32 rate (negative) and the
    coefficients, highest degree first.
    """
    width = lanes(4)
    reach = BLOCK_VECTORS + -(-(taps - 1) // width)

    @intrinsic
    def add(typingctx, columns, pitch, offsets, pixels, plane, sums, gap, table, length, shift):
        def codegen(context, builder, signature, args):
            columns, pitch, offsets, pixels, plane, sums, gap, table, length, shift = args
            e = _Words(builder)

            def places(channel: int, v: int) -> ir.Value:
                start = builder.add(sums, builder.mul(gap, _I64(channel)))
                return builder.add(start, _I64(4 * width * v))

            totals = [
                [cgutils.alloca_once(builder, e.words) for _ in range(BLOCK_VECTORS)] for _ in range(channels + 1)
            ]
            for channel, row in enumerate(totals):
                for v, total in enumerate(row):
                    builder.store(e.load(places(channel, v)), total)
            limit, bits = e.splat(builder.trunc(length, _I32)), e.splat(builder.trunc(shift, _I32))
            weigh = _polynomial(e, table) if polynomial else _lookup(e, table)

            with cgutils.for_range(builder, offsets) as loop:
                row = builder.add(columns, builder.mul(loop.index, pitch))
                loaded = [e.load(builder.add(row, _I64(4 * width * v))) for v in range(reach)]
                distances = [builder.lshr(d, bits) for d in e.sums_of(loaded, taps)]
                inside = [builder.icmp_unsigned("<", d, limit) for d in distances]
                some = builder.bitcast(_any(builder, inside), ir.IntType(width))
                with builder.if_then(builder.icmp_unsigned("!=", some, ir.IntType(width)(0))):
                    for v in range(BLOCK_VECTORS):
                        weight = weigh(distances[v], inside[v])
                        _accumulate(builder, totals[channels][v], weight)
                        for channel in range(channels):
                            start = builder.add(pixels, builder.mul(plane, _I64(channel)))
                            word = e.load(builder.add(e.address(start, loop.index), _I64(4 * width * v)))
                            pixel = builder.lshr(word, e.constant(e.words, 16))
                            _accumulate(builder, totals[channel][v], builder.mul(weight, pixel))

            for channel, row in enumerate(totals):
                for v, total in enumerate(row):
                    e.store(builder.load(total), places(channel, v))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 10), codegen

    return add


def _any(builder: ir.IRBuilder, masks: list[ir.Value]) -> ir.Value:
    found = masks[0]
    for mask in masks[1:]:
        found = builder.or_(found, mask)
    return found


def _accumulate(builder: ir.IRBuilder, place: ir.Value, value: ir.Value) -> None:
    builder.store(builder.add(builder.load(place), value), place)


def _polynomial(e: _Words, table: ir.Value) -> Callable[[ir.Value, ir.Value], ir.Value]:
    """Weights ``rint(2**(rate * d))``, the largest weight being a factor of the coefficients."""
    b = e.b

    def number(index: int) -> ir.Value:
        return e.splat(b.load(b.inttoptr(b.add(table, _I64(4 * index)), _F32.as_pointer())))

    rate, coefficients = number(0), [number(1 + i) for i in range(DEGREE + 1)]
    magic = e.constant(e.floats, _MAGIC)

    def weigh(distance: ir.Value, inside: ir.Value) -> ir.Value:
        d = b.sitofp(distance, e.floats)
        t = e.fma(d, rate, magic)  # its lowest bits are the exponent, an integer
        rest = e.fma(d, rate, b.fneg(b.fsub(t, magic)))
        value = coefficients[0]
        for coefficient in coefficients[1:]:
            value = e.fma(value, rest, coefficient)
        exponent = b.shl(b.bitcast(t, e.words), e.constant(e.words, 23))
        scaled = b.bitcast(b.add(b.bitcast(value, e.words), exponent), e.floats)
        rounded = b.and_(b.bitcast(b.fadd(scaled, magic), e.words), e.constant(e.words, (1 << 22) - 1))
        return b.select(inside, rounded, e.constant(e.words, 0))

    return weigh


def _lookup(e: _Words, table: ir.Value) -> Callable[[ir.Value, ir.Value], ir.Value]:
    """Weights read from the table, lane by lane or by the processor's gather."""
    b = e.b
    addresses = ir.VectorType(_I64, e.lanes)
    pointers = ir.VectorType(_I32.as_pointer(), e.lanes)
    gather = e.intrinsic(
        f"llvm.masked.gather.v{e.lanes}i32.v{e.lanes}p0",
        *(e.words, pointers, _I32, ir.VectorType(ir.IntType(1), e.lanes), e.words),
    )

    def weigh(distance: ir.Value, inside: ir.Value) -> ir.Value:
        offsets = b.shl(b.zext(distance, addresses), e.constant(addresses, 2))
        places = b.inttoptr(b.add(e.splat(table), offsets), pointers)
        return b.call(gather, [places, _I32(4), inside, e.constant(e.words, 0)])

    return weigh
