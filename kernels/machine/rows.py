"""Rows of contiguous numbers combined in vector registers: sums, maxima with their places, sums of what was chosen.

The rows are the channels of pixels, or whole lines of pixels. Short rows are the rule there (16 to 64 channels), and a
loop that LLVM has vectorised and unrolled does short rows one number at a time, in its remainder. So the vectors are
emitted here: four at a time, then one at a time, then one of which only some lanes are read and written.

All addresses are 64-bit words. Up to four rows are combined at once; the callers go over longer lists four by four.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import float32, float64, types
from numba.core import cgutils
from numba.extending import intrinsic

from .vectors import Vectors

WEIGHTED, ADDED, SCALED, PLACES = 1, 2, 4, 8
"""Bits of a mode: each row has its weight; what is in the target takes part; the sum is scaled; places are kept."""

_I64, _I32, _I1 = ir.IntType(64), ir.IntType(32), ir.IntType(1)
_UNROLL = 4


class _Columns(Vectors):
    """One vector of columns; of the last one of a row, perhaps, only some lanes."""

    def __init__(self, builder: ir.IRBuilder, itemsize: int) -> None:
        super().__init__(builder, itemsize)
        self.first: ir.Value = _I64(0)
        self.mask: ir.Value | None = None
        self.places = ir.VectorType(_I32, self.lanes)

    def _place(self, address: ir.Value, itemsize: int, kind: ir.Type) -> ir.Value:
        return self.b.inttoptr(self.b.add(address, self.b.mul(self.first, _I64(itemsize))), kind.as_pointer())

    def _load(self, address: ir.Value, itemsize: int, kind: ir.Type, suffix: str) -> ir.Value:
        place = self._place(address, itemsize, kind)
        if self.mask is None:
            loaded = self.b.load(place)
            loaded.align = itemsize
            return loaded
        function = self.intrinsic(f"llvm.masked.load.{suffix}.p0", kind, place.type, _I32, self.mask.type, kind)
        return self.b.call(function, [place, _I32(itemsize), self.mask, ir.Constant(kind, None)])

    def _store(self, value: ir.Value, address: ir.Value, itemsize: int, suffix: str) -> None:
        place = self._place(address, itemsize, value.type)
        if self.mask is None:
            self.b.store(value, place).align = itemsize
            return
        function = self.intrinsic(
            f"llvm.masked.store.{suffix}.p0", ir.VoidType(), value.type, place.type, _I32, self.mask.type
        )
        self.b.call(function, [value, place, _I32(itemsize), self.mask])

    def read(self, address: ir.Value) -> ir.Value:
        return self._load(address, self.align, self.vector, self.suffix)

    def write(self, value: ir.Value, address: ir.Value) -> None:
        self._store(value, address, self.align, self.suffix)

    def read_places(self, address: ir.Value) -> ir.Value:
        return self._load(address, 4, self.places, f"v{self.lanes}i32")

    def write_places(self, value: ir.Value, address: ir.Value) -> None:
        self._store(value, address, 4, f"v{self.lanes}i32")

    def splat_place(self, number: ir.Value) -> ir.Value:
        undefined = ir.Constant(self.places, ir.Undefined)
        first = self.b.insert_element(undefined, number, _I32(0))
        return self.b.shuffle_vector(first, undefined, ir.Constant(self.places, [0] * self.lanes))

    def lanes_below(self, count: ir.Value) -> ir.Value:
        numbers = ir.Constant(self.places, list(range(self.lanes)))
        return self.b.icmp_signed("<", numbers, self.splat_place(self.b.trunc(count, _I32)))


def _over_columns(e: _Columns, count: ir.Value, body: Callable[[], None]) -> None:
    """Emit ``body`` for all columns; it reads and writes at ``e.first``."""
    b, width = e.b, e.lanes
    whole = b.udiv(count, _I64(width))
    fours = b.udiv(whole, _I64(_UNROLL))
    with cgutils.for_range(b, fours) as loop:
        start = b.mul(loop.index, _I64(_UNROLL * width))
        for v in range(_UNROLL):
            e.first = b.add(start, _I64(v * width))
            body()
    with cgutils.for_range(b, whole, start=b.mul(fours, _I64(_UNROLL))) as loop:
        e.first = b.mul(loop.index, _I64(width))
        body()
    e.first = b.mul(whole, _I64(width))
    rest = b.sub(count, e.first)
    with b.if_then(b.icmp_signed(">", rest, _I64(0))):
        e.mask = e.lanes_below(rest)
        body()


def _literals(*kinds: Any) -> list[int] | None:
    if all(isinstance(kind, types.IntegerLiteral) for kind in kinds):
        return [kind.literal_value for kind in kinds]
    return None


@intrinsic(prefer_literal=True)
def sum_rows(typingctx, itemsize, taps, mode, target, a, b, c, d, wa, wb, wc, wd, scale, count):
    """``target = a + b + c + d`` over ``count`` columns, of which the first ``taps`` rows are taken.

    ``itemsize``, ``taps`` and ``mode`` (`WEIGHTED`, `ADDED`, `SCALED`) are constants.
    """
    constants = _literals(itemsize, taps, mode)
    if constants is None:
        return None
    size, many, bits = constants
    real = float32 if size == 4 else float64

    def codegen(context, builder, signature, args):
        target, count = args[3], args[13]
        sources: Sequence[ir.Value] = args[4 : 4 + many]
        e = _Columns(builder, size)
        weights = [e.splat(w) for w in args[8 : 8 + many]] if bits & WEIGHTED else []
        factor = e.splat(args[12]) if bits & SCALED else None

        def body() -> None:
            total = e.read(target) if bits & ADDED else None
            for index, source in enumerate(sources):
                row = e.read(source)
                if weights:
                    total = builder.fmul(weights[index], row) if total is None else e.fma(weights[index], row, total)
                else:
                    total = row if total is None else e.add(total, row)
            e.write(total if factor is None else builder.fmul(total, factor), target)

        _over_columns(e, count, body)
        return context.get_dummy_value()

    words = (types.int64,) * 5
    return types.void(itemsize, taps, mode, *words, *[real] * 5, types.int64), codegen


@intrinsic(prefer_literal=True)
def max_rows(typingctx, itemsize, taps, mode, target, places, a, b, c, d, at_a, at_b, at_c, at_d, count):
    """``target = max(a, b, c, d)`` of the first ``taps`` rows; NaN is greatest, of equals the first is taken.

    Where ``mode`` has `PLACES`, the places ``at_a`` ... of the greatest are kept as int32; with `ADDED` what is in
    ``target`` and ``places`` comes before the rows.
    """
    constants = _literals(itemsize, taps, mode)
    if constants is None:
        return None
    size, many, bits = constants

    def codegen(context, builder, signature, args):
        target, places, count = args[3], args[4], args[13]
        e = _Columns(builder, size)
        numbers = [e.splat_place(builder.trunc(place, _I32)) for place in args[9 : 9 + many]] if bits & PLACES else []

        def body() -> None:
            rows = list(args[5 : 5 + many])
            at: Any = None
            if bits & ADDED:
                best, at = e.read(target), e.read_places(places) if numbers else None
                ahead = list(zip(rows, numbers or rows, strict=True))
            else:
                best, at = e.read(rows[0]), numbers[0] if numbers else None
                ahead = list(zip(rows[1:], (numbers or rows)[1:], strict=True))
            for row, number in ahead:
                value = e.read(row)
                greater = builder.fcmp_ordered(">", value, best)
                taken = builder.or_(greater, builder.fcmp_unordered("uno", value, value))
                best = builder.select(taken, value, best)
                at = builder.select(taken, number, at) if numbers else None
            e.write(best, target)
            if numbers:
                e.write_places(at, places)

        _over_columns(e, count, body)
        return context.get_dummy_value()

    return types.void(itemsize, taps, mode, *[types.int64] * 11), codegen


@intrinsic(prefer_literal=True)
def sum_chosen(typingctx, itemsize, taps, mode, target, a, b, c, d, of_a, of_b, of_c, of_d, place, count):
    """``target =`` the sum of those of the rows ``a`` ... whose places, in the rows ``of_a`` ..., are ``place``."""
    constants = _literals(itemsize, taps, mode)
    if constants is None:
        return None
    size, many, bits = constants

    def codegen(context, builder, signature, args):
        target, count = args[3], args[13]
        e = _Columns(builder, size)
        wanted = e.splat_place(builder.trunc(args[12], _I32))

        def body() -> None:
            total = e.read(target) if bits & ADDED else None
            for row, places in zip(args[4 : 4 + many], args[8 : 8 + many], strict=True):
                chosen = builder.icmp_signed("==", e.read_places(places), wanted)
                value = builder.select(chosen, e.read(row), e.constant(0.0))
                total = value if total is None else e.add(total, value)
            e.write(total, target)

        _over_columns(e, count, body)
        return context.get_dummy_value()

    return types.void(itemsize, taps, mode, *[types.int64] * 11), codegen


@intrinsic(prefer_literal=True)
def spread_chosen(typingctx, itemsize, row, places, a, b, c, d, at_a, at_b, at_c, at_d, count):
    """Each of the rows ``a`` ... takes what of ``row`` has its place, ``at_a`` ..., in ``places``, and 0 elsewhere."""
    constants = _literals(itemsize)
    if constants is None:
        return None
    (size,) = constants

    def codegen(context, builder, signature, args):
        row, places, targets, count = args[1], args[2], args[3:7], args[11]
        e = _Columns(builder, size)
        wanted = [e.splat_place(builder.trunc(place, _I32)) for place in args[7:11]]

        def body() -> None:
            numbers, found = e.read(row), e.read_places(places)
            for target, place in zip(targets, wanted, strict=True):
                e.write(builder.select(builder.icmp_signed("==", found, place), numbers, e.constant(0.0)), target)

        _over_columns(e, count, body)
        return context.get_dummy_value()

    return types.void(itemsize, *[types.int64] * 11), codegen
