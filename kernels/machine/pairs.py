"""Weighted sums of rows of 16-bit integers in 32 bits, two rows at a time.

    target[j] = (bias + sum over t of  weights[2 t] * row 2 t [j] + weights[2 t + 1] * row 2 t + 1 [j]) >> 16

Processors multiply pairs of 16-bit integers and add the two 32-bit products in one instruction (x86's ``pmaddwd``).
It takes pairs that lie side by side, so two rows are interleaved first, in the order in which the instruction for that
keeps them inside 128-bit parts; taken apart again at the end, columns are back in their places. Written as shuffles,
products and sums, LLVM finds the instructions of each processor.

Where each row is the one before from its second column on, pairs lie side by side already: those of even columns from
the first on, those of odd columns from the second. Their sums alternate at the end.
"""

import sys
from collections.abc import Callable, Sequence

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from .pointers import pointer
from .processor import lanes

_I64, _I32, _I16, _I8 = ir.IntType(64), ir.IntType(32), ir.IntType(16), ir.IntType(8)
_PART = 8  # 16-bit numbers in 128 bits
_VECTORS = 4  # of columns, in registers together


def _order(indices: Sequence[int]) -> ir.Constant:
    return ir.Constant(ir.VectorType(_I32, len(indices)), list(indices))


def _halves(width: int, half: int) -> list[int]:
    """Which numbers of two vectors, one behind the other, interleaving the first or second half of each part takes."""
    starts = [part + half * _PART // 2 + k for part in range(0, width, _PART) for k in range(_PART // 2)]
    return [place for start in starts for place in (start, width + start)]


def _uppers(width: int) -> list[int]:
    """The inverse, for sums seen as 16-bit numbers: where the upper halves of columns 0, 1, 2 ... lie."""
    parts = range(0, width, _PART)
    high = int(sys.byteorder == "little")
    return [half * width + part + 2 * k + high for part in parts for half in (0, 1) for k in range(_PART // 2)]


def _alternating(width: int) -> list[int]:
    """The same of sums of even columns and sums of odd ones."""
    high = int(sys.byteorder == "little")
    return [half * width + 2 * k + high for k in range(width // 2) for half in (0, 1)]


def _block(width: int, vectors: int, adjacent: bool) -> Callable[..., None]:
    """An intrinsic that computes ``vectors * width`` columns."""
    rows, wide = ir.VectorType(_I16, width), ir.VectorType(_I32, width)
    half = ir.VectorType(_I32, width // 2)
    even, odd = _order(range(0, width, 2)), _order(range(1, width, 2))

    @intrinsic
    def block(typingctx, table, weights, pairs, offset, target, bias):
        def codegen(context, builder, signature, args):
            table, weights, pairs, offset, target, bias = args

            def splat(number: ir.Value) -> ir.Value:
                undefined = ir.Constant(half, ir.Undefined)
                first = builder.insert_element(undefined, number, _I32(0))
                return builder.shuffle_vector(first, undefined, _order([0] * (width // 2)))

            def row(index: ir.Value) -> ir.Value:
                place = builder.add(table, builder.mul(index, _I64(8)))
                start = builder.load(builder.inttoptr(place, _I64.as_pointer()))
                return builder.add(start, builder.mul(offset, _I64(2)))

            def read(address: ir.Value) -> ir.Value:
                loaded = builder.load(builder.inttoptr(address, rows.as_pointer()))
                loaded.align = 1
                return loaded

            begin = splat(builder.trunc(bias, _I32))
            sums = [[cgutils.alloca_once(builder, half) for _ in range(2)] for _ in range(vectors)]
            for place in (place for two in sums for place in two):
                builder.store(begin, place)
            with cgutils.for_range(builder, pairs) as loop:
                word = builder.inttoptr(builder.add(weights, builder.mul(loop.index, _I64(4))), _I32.as_pointer())
                factors = builder.sext(builder.bitcast(splat(builder.load(word)), rows), wide)
                first = builder.mul(loop.index, _I64(2))
                start = row(first)
                starts = start, builder.add(start, _I64(2)) if adjacent else row(builder.add(first, _I64(1)))
                for v in range(vectors):
                    a, b = (read(builder.add(start, _I64(2 * v * width))) for start in starts)
                    for h in range(2):
                        pairs_of = (a, b)[h] if adjacent else builder.shuffle_vector(a, b, _order(_halves(width, h)))
                        product = builder.mul(builder.sext(pairs_of, wide), factors)
                        left, right = (builder.shuffle_vector(product, product, places) for places in (even, odd))
                        total = builder.add(builder.load(sums[v][h]), builder.add(left, right))
                        builder.store(total, sums[v][h])
            for v in range(vectors):
                halves = [builder.bitcast(builder.load(s), rows) for s in sums[v]]
                upper = builder.shuffle_vector(*halves, _order(_alternating(width) if adjacent else _uppers(width)))
                narrow = builder.trunc(upper, ir.VectorType(_I8, width))
                place = builder.inttoptr(builder.add(target, _I64(v * width)), narrow.type.as_pointer())
                builder.store(narrow, place).align = 1
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), codegen

    return block


def paired_sums(*, adjacent: bool = False) -> Callable[..., None]:
    """The loop as a function that workers call.

    ``adjacent`` says that row t + 1 is row t from its second column on. Then one number behind the last column of the
    last row is read as well, of no weight.

    ``sums(table, weights, pairs, target, bias, count)``: ``table`` is the address of ``2 * pairs`` addresses of rows of
    int16, ``weights`` of as many int16; ``count`` results of the low 8 bits are written to ``target``, which must
    overlap no row, as columns may be done twice.
    """
    width = lanes(2)
    many, one = _block(width, _VECTORS, adjacent), _block(width, 1, adjacent)
    block = _VECTORS * width

    @register_jitable
    def sums(table, weights, pairs, target, bias, count):
        j = 0
        while j + block <= count:
            many(table, weights, pairs, j, target + j, bias)
            j += block
        while j + width <= count:
            one(table, weights, pairs, j, target + j, bias)
            j += width
        if j < count and count >= width:  # the last vector overlaps the one before it
            one(table, weights, pairs, count - width, target + count - width, bias)
            return
        addresses, factors, results = (
            pointer(table, types.int64),
            pointer(weights, types.int16),
            pointer(target, types.uint8),
        )
        while j < count:
            total = bias
            for t in range(2 * pairs):
                total += types.int64(factors[t]) * types.int64(pointer(addresses[t], types.int16)[j])
            results[j] = types.uint8(total >> 16)
            j += 1

    return sums
