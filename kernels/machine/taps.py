"""Weighted sums of rows: the inner loop of every separable filter.

    target[k, j] = sum over t < taps of  weights[t] * product k of the sources' rows  at column j

A filter's vertical pass sums image rows; its horizontal pass sums one padded row with itself, shifted. Both are this
loop: *where* each tap reads is a table of addresses, so borders are a matter of the table and not of the arithmetic.
Products other than the row itself serve statistics: with two sources and the products x, y, xx, yy, xy one walk over
the taps gives all local means and moments.

Integers are summed in integers. Where all weights are 1 they can be left out.

The sums of a block of columns stay in vector registers from the first tap to the last. LLVM's vectorisers do not find
that in a loop nest (they would take the taps as the inner loop, or keep the sums in memory), so the block is emitted
as straight-line vector code inside one loop over the taps.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from .processor import lanes

Products = tuple[tuple[int, ...], ...]

ROW: Products = ((0,),)
"""The row itself: a correlation."""

MOMENTS: Products = ((0,), (1,), (0, 0), (1, 1), (0, 1))
"""x, y, x x, y y and x y of two sources."""

_I64, _I32 = ir.IntType(64), ir.IntType(32)


class _Emitter:
    """Loads, broadcasts and multiply-adds on vectors of one width."""

    def __init__(self, builder: ir.IRBuilder, source: Any, total: ir.Type, width: int) -> None:
        self.b = builder
        self.source, self.total, self.width = _memory_type(source), total, width
        self.signed = isinstance(source, types.Integer) and source.signed
        self.vector = ir.VectorType(total, width)

    def load(self, address: ir.Value, element: ir.Type) -> ir.Value:
        pointer = self.b.inttoptr(address, ir.VectorType(element, self.width).as_pointer())
        loaded = self.b.load(pointer)
        loaded.align = 1
        return loaded

    def widened(self, address: ir.Value) -> ir.Value:
        """A vector of the source in the type of the sums."""
        loaded = self.load(address, self.source)
        if isinstance(self.source, ir.IntType):
            if isinstance(self.total, ir.IntType):
                widen = self.b.sext if self.signed else self.b.zext
                return loaded if self.source == self.total else widen(loaded, self.vector)
            return (self.b.sitofp if self.signed else self.b.uitofp)(loaded, self.vector)
        return loaded if self.source == self.total else self.b.fpext(loaded, self.vector)

    def broadcast(self, address: ir.Value) -> ir.Value:
        number = self.b.load(self.b.inttoptr(address, self.total.as_pointer()))
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.b.insert_element(undefined, number, _I32(0))
        return self.b.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_I32, self.width), [0] * self.width))

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.b.add(a, b) if isinstance(self.total, ir.IntType) else self.b.fadd(a, b)

    def multiply_add(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        if isinstance(self.total, ir.IntType):
            return self.b.add(self.b.mul(a, b), c)
        name = f"llvm.fmuladd.v{self.width}{'f32' if isinstance(self.total, ir.FloatType) else 'f64'}"
        function = cgutils.get_or_insert_function(self.b.module, ir.FunctionType(self.vector, [self.vector] * 3), name)
        return self.b.call(function, [a, b, c])


Finish = Callable[[ir.IRBuilder, ir.Value, ir.Value], ir.Value]
"""``finish(builder, sums, constants)`` emits what becomes of a vector of sums; ``constants`` is an address."""


def _block(
    source: Any,
    total: Any,
    products: Products,
    vectors: int,
    width: int,
    weighted: bool,
    start: int,
    finish: Finish | None,
) -> Callable[..., None]:
    """An intrinsic that computes ``vectors * width`` columns of all the products."""
    sources = 1 + max(factor for product in products for factor in product)
    source_bytes, total_bytes = source.bitwidth // 8, total.bitwidth // 8

    @intrinsic
    def block(typingctx, table, weights, taps, offset, target, pitch):
        def codegen(context, builder, signature, args):
            table, weights, taps, offset, target, pitch = args
            emit = _Emitter(builder, source, context.get_value_type(total), width)
            zero = ir.Constant(emit.vector, [start if isinstance(total, types.Integer) else float(start)] * width)
            sums = [
                [cgutils.alloca_once_value(builder, zero) for _ in range(vectors)] for _ in products
            ]  # promoted to registers by LLVM
            for row in sums:
                for place in row:
                    builder.store(zero, place)
            with cgutils.for_range(builder, taps) as loop:
                place = builder.add(weights, builder.mul(loop.index, _I64(total_bytes)))
                weight = emit.broadcast(place) if weighted else None
                starts = []
                for s in range(sources):
                    entry = builder.add(loop.index, builder.mul(taps, _I64(s)))
                    place = builder.add(table, builder.mul(entry, _I64(8)))
                    address = builder.load(builder.inttoptr(place, _I64.as_pointer()))
                    starts.append(builder.add(address, builder.mul(offset, _I64(source_bytes))))
                for v in range(vectors):
                    step = _I64(v * width * source_bytes)
                    factors = [emit.widened(builder.add(place, step)) for place in starts]
                    scaled = [builder.fmul(weight, factor) if len(products) > 1 else weight for factor in factors]
                    for k, product in enumerate(products):
                        first = weight if len(product) == 1 else scaled[product[0]]
                        before, last = builder.load(sums[k][v]), factors[product[-1]]
                        total_now = emit.multiply_add(first, last, before) if weighted else emit.add(before, last)
                        builder.store(total_now, sums[k][v])
            for k in range(len(products)):
                for v in range(vectors):
                    place = builder.add(target, builder.mul(pitch, _I64(k))) if k else target
                    result = builder.load(sums[k][v])
                    if finish is not None:
                        result = finish(builder, result, pitch)
                    place = builder.add(place, _I64(v * width * _bytes_of(result)))
                    stored = builder.store(result, builder.inttoptr(place, result.type.as_pointer()))
                    stored.align = 1
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), codegen

    return block


def _memory_type(dtype: Any) -> ir.Type:
    """The LLVM type of a number in memory."""
    if isinstance(dtype, types.Integer):
        return ir.IntType(dtype.bitwidth)
    return ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()


def _bytes_of(vector: ir.Value) -> int:
    """The size of one number of a vector of integers or floating-point numbers."""
    element = vector.type.element
    if isinstance(element, ir.IntType):
        return element.width // 8
    return 4 if isinstance(element, ir.FloatType) else 8


def weighted_sums(
    source: Any,
    total: Any,
    products: Products = ROW,
    weighted: bool = True,
    start: int = 0,
    finish: Finish | None = None,
    result: Any = None,
) -> Callable[..., None]:
    """The loop for one pair of types, as a function that workers call.

    Parameters
    ----------
    source, total
        Numba types of the rows (float32, float64, or integers) and of weights and sums (float32, float64, or
        for `ROW` integers).
    products
        For each result the sources that are multiplied: `ROW` or `MOMENTS`.
    weighted
        False for weights of 1 under `ROW`, which are not read then.
    start
        The number that every sum begins with.
    finish, result
        What the sums of `ROW` become before they are stored, and the Numba type that they have then.

    Returns
    -------
    ``sums(table, weights, taps, offset, target, pitch, count)``: ``table`` is the address of ``taps`` addresses of
    rows, for each source in turn; columns ``offset .. offset + count - 1`` of them are read, and result k is written
    to the ``count`` numbers at ``target + k * pitch`` (bytes; where there is a ``finish``, the word is its constants).
    The target must overlap no source, as columns may be done twice.
    """
    width = lanes(total.bitwidth // 8)
    vectors = 4 if len(products) == 1 else 2
    many = _block(source, total, products, vectors, width, weighted, start, finish)
    one = _block(source, total, products, 1, width, weighted, start, finish)
    single = _block(source, total, products, 1, 1, weighted, start, finish)
    size, block = (result or total).bitwidth // 8, vectors * width

    @register_jitable
    def sums(table, weights, taps, offset, target, pitch, count):
        j = 0
        while j + block <= count:
            many(table, weights, taps, offset + j, target + j * size, pitch)
            j += block
        while j + width <= count:
            one(table, weights, taps, offset + j, target + j * size, pitch)
            j += width
        if j < count and count >= width:  # the last vector overlaps the one before it
            j = count - width
            one(table, weights, taps, offset + j, target + j * size, pitch)
            j = count
        while j < count:
            single(table, weights, taps, offset + j, target + j * size, pitch)
            j += 1

    return sums
