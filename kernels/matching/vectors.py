"""The inner loops of template matching, one vector at a time: LLVM finds none of them where arrays may overlap.

Each is an intrinsic that works on one vector at given addresses; the loops around them stand with the kernels.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..machine.vectors import Vectors

_TYPES = {"float32": ir.FloatType(), "float64": ir.DoubleType(), "uint8": ir.IntType(8)}


class _Mixed(Vectors):
    """Vectors of one type, from and to memory that holds another."""

    def load_as(self, address: ir.Value, stored: str) -> ir.Value:
        """Numbers of the type ``stored``, in the type of the vectors."""
        kind = _TYPES[stored]
        loaded = self.b.load(self.b.inttoptr(address, ir.VectorType(kind, self.lanes).as_pointer()))
        loaded.align = 1
        if isinstance(kind, ir.IntType):
            return self.b.uitofp(loaded, self.vector)
        if kind == self.scalar:
            return loaded
        return self.b.fpext(loaded, self.vector) if kind == ir.FloatType() else self.b.fptrunc(loaded, self.vector)

    def store_as(self, value: ir.Value, address: ir.Value, stored: str) -> None:
        kind = _TYPES[stored]
        if kind != self.scalar:
            wide = ir.VectorType(kind, self.lanes)
            value = self.b.fpext(value, wide) if kind == ir.DoubleType() else self.b.fptrunc(value, wide)
        self.b.store(value, self.b.inttoptr(address, value.type.as_pointer())).align = 1

    def unary(self, name: str, x: ir.Value) -> ir.Value:
        return self.b.call(self.intrinsic(f"llvm.{name}.{self.suffix}", self.vector, self.vector), [x])


def read_vector(dtype: str, working: str) -> Any:
    """``read(source, level, target, squares)``: numbers less a level, 0 where not finite; squares are added up."""
    size, largest = (4, 3.4028234663852886e38) if working == "float32" else (8, 1.7976931348623157e308)

    @intrinsic
    def read(typingctx, source, level, target, squares):
        def codegen(context, builder, signature, args):
            v = _Mixed(builder, size)
            level = builder.fptrunc(args[1], v.scalar) if size == 4 else args[1]
            value = v.sub(v.load_as(args[0], dtype), v.splat(level))
            finite = builder.fcmp_ordered("<=", v.unary("fabs", value), v.constant(largest))
            value = builder.select(finite, value, v.constant(0.0))
            v.store_as(value, args[2], working)
            v.store_as(v.fma(value, value, v.load_as(args[3], working)), args[3], working)
            return context.get_dummy_value()

        return types.void(types.int64, types.float64, types.int64, types.int64), codegen

    return read


def score_vector(dtype: str, working: str, result: str) -> Any:
    """``score(products, scales, target, squares, largest)``: products times scales, kept inside [-1, 1].

    The products' squares are added up, and the largest scale is kept, lane by lane. Products of uint8 are integers.
    """
    size = 4 if working == "float32" else 8

    @intrinsic
    def score(typingctx, products, scales, target, squares, largest):
        def codegen(context, builder, signature, args):
            v = _Mixed(builder, size)
            value, factor = v.load_as(args[0], working), v.load_as(args[1], result)
            if dtype == "uint8":
                value = v.unary("rint", value)
            v.store_as(v.fma(value, value, v.load_as(args[3], working)), args[3], working)
            most = v.load_as(args[4], working)
            v.store_as(builder.select(builder.fcmp_ordered(">", factor, most), factor, most), args[4], working)
            value = builder.fmul(value, factor)
            for bound, side in ((1.0, ">"), (-1.0, "<")):
                value = builder.select(builder.fcmp_ordered(side, value, v.constant(bound)), v.constant(bound), value)
            v.store_as(value, args[2], result)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), codegen

    return score


def window_vectors(dtype: str, alone: bool) -> tuple[Any, Any]:
    """``start`` and ``slide`` add a vector of an image's row, less its levels, to sums and, ``half`` bytes on, squares.

    ``start(row, levels, old, new, half)`` writes ``new = old + row``; ``slide(row, levels, old, new, other, total,
    half)`` also ``total = new + other``. Squares may be ``alone``.
    """

    def added(v: _Mixed, row: ir.Value, levels: ir.Value, old: ir.Value, new: ir.Value, half: ir.Value) -> Any:
        value = v.sub(v.load_as(row, dtype), v.load_as(levels, "float64"))
        sums = None if alone else v.add(v.load_as(old, "float64"), value)
        squares = v.fma(value, value, v.load_as(v.b.add(old, half), "float64"))
        if not alone:
            v.store_as(sums, new, "float64")
        v.store_as(squares, v.b.add(new, half), "float64")
        return sums, squares

    @intrinsic
    def start(typingctx, row, levels, old, new, half):
        def codegen(context, builder, signature, args):
            added(_Mixed(builder, 8), *args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), codegen

    @intrinsic
    def slide(typingctx, row, levels, old, new, other, total, half):
        def codegen(context, builder, signature, args):
            v = _Mixed(builder, 8)
            row, levels, old, new, other, total, half = args
            for value, offset in zip(added(v, row, levels, old, new, half), (ir.IntType(64)(0), half), strict=True):
                if value is None:
                    continue
                both = v.add(value, v.load_as(builder.add(other, offset), "float64"))
                v.store_as(both, builder.add(total, offset), "float64")
            return context.get_dummy_value()

        return types.void(*[types.int64] * 7), codegen

    return start, slide


@intrinsic(prefer_literal=True)
def neighbours(typingctx, count, fresh, source, gap, target):
    """The sum of ``count`` float64 vectors that begin ``gap`` bytes apart, written to or, if not ``fresh``, added.

    ``count`` and ``fresh`` are constants.
    """
    if not all(isinstance(t, types.IntegerLiteral) for t in (count, fresh)):
        return None
    many, new = count.literal_value, fresh.literal_value

    def codegen(context, builder, signature, args):
        v = _Mixed(builder, 8)
        place = args[2]
        total = v.load_as(place, "float64")
        if not new:
            total = v.add(total, v.load_as(args[4], "float64"))
        for _ in range(many - 1):
            place = builder.add(place, args[3])
            total = v.add(total, v.load_as(place, "float64"))
        v.store_as(total, args[4], "float64")
        return context.get_dummy_value()

    return types.void(count, fresh, *[types.int64] * 3), codegen
