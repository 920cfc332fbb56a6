"""Straight-line vector code on integers, emitted as LLVM IR.

Filters of 8-bit images that are exact live on integers of 8 and 16 bits, of which a vector register holds four or two
times as many as of float32. The number of lanes is fixed for a whole body; a vector of wider integers simply takes
several registers.

`over` is a loop over contiguous numbers: whole vectors, of which the last one overlaps the one before it, or single
numbers where there are fewer than one vector. So a body must not read what it writes.
"""

from collections.abc import Callable

from llvmlite import ir
from numba.core import cgutils

I64, I32 = ir.IntType(64), ir.IntType(32)


class Integers:
    """Emits instructions on vectors of ``lanes`` integers of any width."""

    def __init__(self, builder: ir.IRBuilder, lanes: int) -> None:
        self.b = builder
        self.lanes = lanes

    def kind(self, bits: int) -> ir.VectorType:
        return ir.VectorType(ir.IntType(bits), self.lanes)

    def _place(self, base: ir.Value, index: ir.Value, bits: int, offset: ir.Value | int) -> ir.Value:
        """Number ``index + offset`` of an array of integers of that width."""
        index = self.b.add(index, I64(offset) if isinstance(offset, int) else offset)
        address = self.b.add(base, self.b.mul(index, I64(bits // 8)))
        return self.b.inttoptr(address, self.kind(bits).as_pointer())

    def load(self, base: ir.Value, index: ir.Value, bits: int, offset: ir.Value | int = 0) -> ir.Value:
        loaded = self.b.load(self._place(base, index, bits, offset))
        loaded.align = 1
        return loaded

    def store(self, value: ir.Value, base: ir.Value, index: ir.Value) -> None:
        self.b.store(value, self._place(base, index, value.type.element.width, 0)).align = 1

    def prefetch(self, base: ir.Value, index: ir.Value, bits: int) -> None:
        """Have the cache fetch the line of number ``index``, which is to be written soon."""
        pointer = self.b.bitcast(self._place(base, index, bits, 0), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, I32, I32, I32])
        self.b.call(
            cgutils.get_or_insert_function(self.b.module, kind, "llvm.prefetch.p0"), [pointer, I32(1), I32(3), I32(1)]
        )

    def unsigned(self, value: ir.Value, bits: int) -> ir.Value:
        """Wider, filled with zeros."""
        return self.b.zext(value, self.kind(bits))

    def signed(self, value: ir.Value, bits: int) -> ir.Value:
        """Wider, filled with the sign; the value itself if it is that wide."""
        return value if value.type.element.width == bits else self.b.sext(value, self.kind(bits))

    def narrow(self, value: ir.Value, bits: int) -> ir.Value:
        return self.b.trunc(value, self.kind(bits))

    def constant(self, number: int, bits: int) -> ir.Constant:
        return ir.Constant(self.kind(bits), [number] * self.lanes)

    def splat(self, number: ir.Value, bits: int) -> ir.Value:
        """A vector of the low bits of one number."""
        number = number if number.type.width == bits else self.b.trunc(number, ir.IntType(bits))
        undefined = ir.Constant(self.kind(bits), ir.Undefined)
        first = self.b.insert_element(undefined, number, I32(0))
        return self.b.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes))

    def shift(self, value: ir.Value, left: int) -> ir.Value:
        return self.b.shl(value, self.constant(left, value.type.element.width))

    def binary(self, name: str, x: ir.Value, y: ir.Value) -> ir.Value:
        """``llvm.<name>``: smax, smin, umax, umin, ..."""
        kind = ir.FunctionType(x.type, [x.type, x.type])
        suffix = f"v{self.lanes}i{x.type.element.width}"
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, f"llvm.{name}.{suffix}"), [x, y])

    def absolute(self, value: ir.Value) -> ir.Value:
        return self.binary("smax", value, self.b.sub(self.constant(0, value.type.element.width), value))

    def mask(self, condition: ir.Value) -> ir.Value:
        """The lanes of a comparison as the bits of a 64-bit word, the first lowest."""
        word = self.b.bitcast(condition, ir.IntType(self.lanes))
        return word if self.lanes == 64 else self.b.zext(word, I64)

    def weighted(self, terms: list[ir.Value], weights: tuple[int, ...]) -> ir.Value:
        """The sum of the terms times constants; LLVM makes shifts and differences of the small ones."""
        total = None
        for term, weight in zip(terms, weights, strict=True):
            if weight:
                product = self.b.mul(term, self.constant(weight, term.type.element.width))
                total = product if total is None else self.b.add(total, product)
        return total


def over(builder: ir.IRBuilder, count: ir.Value, lanes: int, body: Callable[[Integers, ir.Value], None]) -> None:
    """Emit ``body(emitter, first)`` for ``count`` numbers."""
    width = I64(lanes)
    with builder.if_else(builder.icmp_signed(">=", count, width)) as (vectors, singles):
        with vectors:
            last = builder.sub(count, width)
            steps = builder.udiv(builder.add(count, I64(lanes - 1)), width)
            with cgutils.for_range(builder, steps) as loop:
                first = builder.mul(loop.index, width)
                within = builder.icmp_signed("<", first, last)
                body(Integers(builder, lanes), builder.select(within, first, last))
        with singles, cgutils.for_range(builder, count) as loop:
            body(Integers(builder, 1), loop.index)


def over_padded(builder: ir.IRBuilder, count: ir.Value, lanes: int, body: Callable[[Integers, ir.Value], None]) -> None:
    """Emit ``body(emitter, first)`` for ``count`` numbers and those that fill the last vector."""
    steps = builder.udiv(builder.add(count, I64(lanes - 1)), I64(lanes))
    with cgutils.for_range(builder, steps) as loop:
        body(Integers(builder, lanes), builder.mul(loop.index, I64(lanes)))
