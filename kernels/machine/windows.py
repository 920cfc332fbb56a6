"""Sums of taps that lie near each other for neighbouring results: permuted in registers instead of gathered.

Result j of a line takes a few numbers of it, from places that grow with j. A vector of results so takes them all from a
*window* of the line, which two registers hold where the results lie no more than twice as far apart as the numbers:

    line        ... [ l0 l1 l2 ... l15 | l16 ... l31 ] ...        the window of results 16 v .. 16 v + 15
    tap t       l2 l3 l5 l6 ...                                   one instruction: any 16 of those 32

A gather reads one number after another; this reads the window once for all taps. Tables say where each window begins,
and of each tap which of its numbers (bytes, four times as many to a line of the cache as 32 bits) times what. The last
vector of results overlaps the one before it, and the last windows are moved back to end with the line.

Processors: AVX-512 permutes two registers by one instruction, AVX2 needs three, and for float32 only. Elsewhere
`two_registers` is False.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from .pointers import pointer
from .processor import lanes, target, vector_bytes
from .vectors import Vectors

_I64, _I32, _I8 = ir.IntType(64), ir.IntType(32), ir.IntType(8)


def two_registers(itemsize: int) -> bool:
    """Whether this processor picks numbers of that size out of two registers."""
    if not target()[0].startswith("x86_64"):
        return False
    return vector_bytes() == 64 or (vector_bytes() == 32 and itemsize == 4)


class Windows(NamedTuple):
    """Where each window begins, and (windows, taps, lanes) places in it and weights."""

    begins: np.ndarray
    places: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, indices: np.ndarray, weights: np.ndarray, inputs: int, itemsize: int) -> "Windows | None":
        """Of tables (taps, results) that name numbers of a line of ``inputs``; None where one is not enough."""
        width, results = lanes(itemsize), indices.shape[1]
        if not two_registers(itemsize) or results < width or inputs < 2 * width:
            return None
        firsts = np.minimum(np.arange(0, results, width), results - width)
        lanes_of = firsts[:, None] + np.arange(width)
        taken, factors = (np.moveaxis(table[:, lanes_of], 0, 1) for table in (indices, weights))
        begins = np.minimum(taken.min(axis=(1, 2)), inputs - 2 * width)
        places = taken - begins[:, None, None]
        if places.max() >= 2 * width:
            return None
        tables = begins.astype(np.int32), places.astype(np.uint8), factors
        return cls(*map(np.ascontiguousarray, tables))


def _picked(e: Vectors, low: ir.Value, high: ir.Value, places: ir.Value) -> ir.Value:
    """The numbers of two registers that ``places`` (32-bit integers, of float64 64-bit ones) name."""
    b, kind = e.b, e.vector
    if e.lanes * e.align == 64:
        name = "ps" if e.align == 4 else "pd"
        permute = e.intrinsic(f"llvm.x86.avx512.vpermi2var.{name}.512", kind, kind, places.type, kind)
        return b.call(permute, [low, places, high])
    permute = e.intrinsic("llvm.x86.avx2.permps", kind, kind, places.type)
    beyond = b.icmp_unsigned(">=", places, ir.Constant(places.type, [e.lanes] * e.lanes))
    return b.select(beyond, b.call(permute, [high, places]), b.call(permute, [low, places]))


def _stored(e: Vectors, value: ir.Value, address: ir.Value, result: Any) -> None:
    """A vector in memory, integers rounded to the nearest, halves to even, and kept in their range."""
    b = e.b
    if isinstance(result, types.Integer):
        info = np.iinfo(result.name)
        for bound, order in ((info.min, ">"), (info.max, "<")):
            limit = e.constant(float(bound))
            value = b.select(b.fcmp_ordered(order, value, limit), value, limit)
        value = b.call(e.intrinsic(f"llvm.rint.{e.suffix}", e.vector, e.vector), [value])
        value = b.fptosi(value, ir.VectorType(_I32, e.lanes))
        value = b.trunc(value, ir.VectorType(ir.IntType(result.bitwidth), e.lanes))
    b.store(value, b.inttoptr(address, value.type.as_pointer())).align = result.bitwidth // 8


def windowed_sums(number: Any, result: Any) -> Callable[..., None]:
    """The loop over windows for sums of one type and results of another.

    ``sums(line, target, begins, places, weights, windows, taps, count)``: addresses, and the numbers of windows, of
    taps and of results.
    """
    size, width = number.bitwidth // 8, lanes(number.bitwidth // 8)
    if not two_registers(size):

        @register_jitable
        def nothing(line, target, begins, places, weights, windows, taps, count):
            """For processors on which there are no windows."""

        return nothing

    @intrinsic
    def window(typingctx, line, target, places, weights, taps):
        def codegen(context, builder, signature, args):
            line, target, places, weights, taps = args
            e, b = Vectors(builder, size), builder
            low = e.load(e.pointer(line))
            high = e.load(e.pointer(b.add(line, _I64(width * size))))
            wide = ir.VectorType(ir.IntType(8 * size), width)

            def product(tap: ir.Value) -> tuple[ir.Value, ir.Value]:
                place = b.inttoptr(b.add(places, b.mul(tap, _I64(width))), ir.VectorType(_I8, width).as_pointer())
                loaded = b.load(place)
                loaded.align = 1
                weight = e.load(e.pointer(b.add(weights, b.mul(tap, _I64(width * size)))))
                return weight, _picked(e, low, high, b.zext(loaded, wide))

            total = cgutils.alloca_once_value(builder, b.fmul(*product(_I64(0))))  # LLVM keeps it in a register
            with cgutils.for_range_slice(builder, _I64(1), taps, _I64(1)) as (tap, _):
                b.store(e.fma(*product(tap), b.load(total)), total)
            _stored(e, b.load(total), target, result)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), codegen

    result_size = result.bitwidth // 8

    @register_jitable
    def sums(line, target, begins, places, weights, windows, taps, count):
        starts = pointer(begins, types.int32)
        for v in range(windows):
            first = min(v * width, count - width)
            step = v * taps * width
            window(
                line + np.int64(starts[v]) * size, target + first * result_size, places + step, weights + step * size,
                taps,
            )  # fmt: skip

    return sums
