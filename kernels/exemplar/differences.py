"""Sums of squared differences for a block of neighbouring candidates: the inner loop of the search.

Candidate patches that begin at neighbouring columns read neighbouring pixels. So a vector holds the sums of as many
candidates as it has lanes, and each compared pixel of the target is one broadcast number that is subtracted from a
vector of the image:

    sums[q] += (image[offset + q] - value) ** 2        for every column q of the block

The sums of four vectors stay in registers while the pixels pass by.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.processor import lanes
from ..machine.vectors import Vectors

_VECTORS = 4
_I64 = ir.IntType(64)


def block_of(itemsize: int) -> int:
    """How many candidates are compared side by side."""
    return _VECTORS * lanes(itemsize)


def squared_differences(itemsize: int) -> Callable[..., None]:
    """``add(image, offsets, values, begin, end, sums)``: pixels ``begin .. end - 1`` of the target are added.

    All arguments are addresses, but for ``begin`` and ``end``; ``offsets`` are int64 in elements, ``image`` is where
    offset 0 of the first candidate lies.
    """

    @intrinsic
    def add(typingctx, image, offsets, values, begin, end, sums):
        def codegen(context, builder, signature, args):
            image, offsets, values, begin, end, sums = args
            v = Vectors(builder, itemsize)
            start, totals = v.pointer(image), v.pointer(sums)
            places = [v.at(totals, _I64(k * v.lanes)) for k in range(_VECTORS)]
            kept = [cgutils.alloca_once_value(builder, v.constant(0.0)) for _ in places]  # registers, after LLVM
            for place, register in zip(places, kept, strict=True):
                builder.store(v.load(place), register)
            with cgutils.for_range(builder, end, start=begin) as loop:
                offset = builder.load(builder.gep(builder.inttoptr(offsets, _I64.as_pointer()), [loop.index]))
                value = v.broadcast(v.at(v.pointer(values), loop.index))
                row = v.at(start, offset)
                for k, register in enumerate(kept):
                    difference = v.sub(v.load(v.at(row, _I64(k * v.lanes))), value)
                    builder.store(v.fma(difference, difference, builder.load(register)), register)
            for place, register in zip(places, kept, strict=True):
                v.store(builder.load(register), place)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), codegen

    return add


def number_type(itemsize: int) -> Any:
    return types.float64 if itemsize == 8 else types.float32
