"""Weighted sums of rows of integers: taps.py for 8-bit images, exact.

    target[j] = sum over t < taps of  weights[t] * source row t at column j

Where each tap reads is a table of addresses. Sums have 16 bits where no sum of products can leave them, which is for
the caller to know, else 32. The sums of a block of columns stay in vector registers from the first tap to the last.
"""

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from .integers import I32, I64, Integers
from .processor import lanes

_VECTORS = 4


def _block(source: int, total: int, target: int, vectors: int, width: int) -> Callable[..., None]:
    """An intrinsic that computes ``vectors * width`` columns."""

    @intrinsic
    def block(typingctx, table, weights, taps, offset, place):
        def codegen(context, builder, signature, args):
            table, weights, taps, offset, place = args
            e = Integers(builder, width)
            zero = e.constant(0, total)
            sums = [cgutils.alloca_once_value(builder, zero) for _ in range(vectors)]  # LLVM makes registers of them
            for s in sums:
                builder.store(zero, s)
            with cgutils.for_range(builder, taps) as loop:
                at = builder.add(weights, builder.mul(loop.index, I64(4)))
                weight = e.splat(builder.load(builder.inttoptr(at, I32.as_pointer())), total)
                at = builder.add(table, builder.mul(loop.index, I64(8)))
                row = builder.load(builder.inttoptr(at, I64.as_pointer()))
                for v, s in enumerate(sums):
                    numbers = e.load(row, offset, source, v * width)
                    numbers = e.unsigned(numbers, total) if source == 8 else e.signed(numbers, total)
                    builder.store(builder.add(builder.load(s), builder.mul(weight, numbers)), s)
            for v, s in enumerate(sums):
                result = builder.load(s)
                if target < total:
                    result = e.binary("smin", result, e.constant(2 ** (target - 1) - 1, total))
                    result = e.binary("smax", result, e.constant(-(2 ** (target - 1)), total))
                    result = e.narrow(result, target)
                e.store(result, place, I64(v * width))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), codegen

    return block


def integer_sums(source: int, total: int, target: int) -> Any:
    """The loop for one choice of widths, as a function that workers call.

    Parameters
    ----------
    source, total, target
        Bits of the rows (8 is unsigned, 16 and 32 are signed), of the sums, and of the results: where those have fewer
        than the sums, they are the nearest number that there is.

    Returns
    -------
    ``sums(table, weights, taps, offset, target, count)``: columns ``offset .. offset + count - 1`` of the rows in
    ``table``, with ``weights`` of 32 bits. The target must overlap no source, as columns may be done twice.
    """
    width = lanes(2)
    many = _block(source, total, target, _VECTORS, width)
    one = _block(source, total, target, 1, width)
    single = _block(source, total, target, 1, 1)
    size, block = target // 8, _VECTORS * width

    @register_jitable
    def sums(table, weights, taps, offset, target, count):
        j = 0
        while j + block <= count:
            many(table, weights, taps, offset + j, target + j * size)
            j += block
        while j + width <= count:
            one(table, weights, taps, offset + j, target + j * size)
            j += width
        if j < count and count >= width:  # the last vector overlaps the one before it
            j = count - width
            one(table, weights, taps, offset + j, target + j * size)
            j = count
        while j < count:
            single(table, weights, taps, offset + j, target + j * size)
            j += 1

    return sums
