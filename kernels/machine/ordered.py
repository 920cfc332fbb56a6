"""Vectors of any real type that are only compared: what minima, maxima, medians and other ranks are made of.

Integers of 8 to 64 bits, signed or not, and floats; one vector fills a register, so a byte image goes 64 pixels at a
time where a float32 one goes 16. LLVM's own vectoriser widens bytes to the type of the loop's arithmetic; here they
stay bytes.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .processor import lanes

_I64, _I32, _I8 = ir.IntType(64), ir.IntType(32), ir.IntType(8)


class Ordered:
    """Emits loads, stores, minima and maxima on vectors of the processor's full width, or of another."""

    def __init__(self, builder: ir.IRBuilder, number: Any, width: int | None = None) -> None:
        self.b = builder
        self.size = number.bitwidth // 8
        self.lanes = width or lanes(self.size)
        self.floating = isinstance(number, types.Float)
        self.signed = self.floating or number.signed
        if self.floating:
            self.scalar = ir.FloatType() if self.size == 4 else ir.DoubleType()
        else:
            self.scalar = ir.IntType(number.bitwidth)
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.suffix = f"v{self.lanes}{'f' if self.floating else 'i'}{8 * self.size}"

    def at(self, address: ir.Value, vectors: int) -> ir.Value:
        """The address some vectors further on."""
        return self.b.add(address, _I64(vectors * self.lanes * self.size))

    def load(self, address: ir.Value) -> ir.Value:
        loaded = self.b.load(self.b.inttoptr(address, self.vector.as_pointer()))
        loaded.align = self.size
        return loaded

    def store(self, value: ir.Value, address: ir.Value) -> None:
        self.b.store(value, self.b.inttoptr(address, self.vector.as_pointer())).align = self.size

    def store_first(self, value: ir.Value, address: ir.Value, count: ir.Value) -> None:
        """Store the first ``count`` lanes, fewer than all."""
        numbers = ir.VectorType(_I8, self.lanes)
        mask = self.b.icmp_unsigned(
            "<", ir.Constant(numbers, list(range(self.lanes))), self.splat_of(self.b.trunc(count, _I8), numbers)
        )
        place = self.b.inttoptr(address, self.vector.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [self.vector, place.type, _I32, mask.type])
        function = cgutils.get_or_insert_function(self.b.module, kind, f"llvm.masked.store.{self.suffix}.p0")
        self.b.call(function, [value, place, _I32(self.size), mask])

    def splat_of(self, number: ir.Value, kind: ir.VectorType) -> ir.Value:
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.b.insert_element(undefined, number, _I32(0))
        return self.b.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_I32, kind.count), [0] * kind.count))

    def splat(self, number: ir.Value) -> ir.Value:
        """A vector of one number in every lane."""
        return self.splat_of(number, self.vector)

    def constant(self, value: int) -> ir.Constant:
        return ir.Constant(self.vector, [value] * self.lanes)

    def less(self, x: ir.Value, y: ir.Value) -> ir.Value:
        """Where x < y; where one is NaN, it is not."""
        if self.floating:
            return self.b.fcmp_ordered("<", x, y)
        return (self.b.icmp_signed if self.signed else self.b.icmp_unsigned)("<", x, y)

    def minimum(self, x: ir.Value, y: ir.Value) -> ir.Value:
        """The lesser number; where one is NaN, y. One instruction."""
        return self.b.select(self.less(x, y), x, y)

    def maximum(self, x: ir.Value, y: ir.Value) -> ir.Value:
        """The greater number; where one is NaN, y. One instruction."""
        return self.b.select(self.less(y, x), x, y)

    def not_a_number(self, x: ir.Value, y: ir.Value) -> ir.Value:
        """Where x or y is NaN."""
        return self.b.fcmp_unordered("uno", x, y)

    def extreme(self, x: ir.Value, y: ir.Value, greatest: bool) -> ir.Value:
        """The lesser or the greater number; NaN where one is NaN."""
        found = self.maximum(x, y) if greatest else self.minimum(x, y)
        return self.b.select(self.not_a_number(x, x), x, found) if self.floating else found

    def counted(self, count: ir.Value, mask: ir.Value, one: ir.Value) -> ir.Value:
        """``count`` and 1 more where the mask is set. ``one`` is a vector of ones that came from outside.

        AVX-512 adds under a mask. LLVM does so where it does not know what is added; of a 1 it makes a vector from the
        mask first, which takes one instruction more. Narrower registers have masks that are vectors of -1 already.
        """
        if self.lanes * self.size == 64:
            return self.b.select(mask, self.b.add(count, one), count)
        return self.b.sub(count, self.b.sext(mask, self.vector))

    def any(self, mask: ir.Value) -> ir.Value:
        """1 where a mask has a lane, else 0, as a 64-bit number."""
        bits = ir.IntType(self.lanes)
        return self.b.zext(self.b.icmp_unsigned("!=", self.b.bitcast(mask, bits), bits(0)), _I64)
