"""Variant "extremes3": the least or greatest of 3x3 integers, in one pass over the image and without scratch rows.

A block of rows of results is made at once, from left to right. Of each column of vectors the rows' extremes come
first; every two rows of results share one comparison, as their windows share two rows:

    x1, x2 -> shared;    shared, x0 -> row 0 of results;    shared, x3 -> row 1

They stay in registers until the next column's are there: the neighbours of a number are then in the vector itself or
in one of those beside it, and a shuffle of two vectors moves them to its place. So a number is read once and a half
(of blocks of 4 rows) and written once, where rows and columns one after the other (cpu_separable.py) write it twice
and read it six times.

Only the two vectors at the end of a row read their neighbours again: rows are no whole number of vectors, and the last
vectors overlap. Beyond the ends lie a few numbers that the border's rule says; they come in vectors of their own.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.ordered import Ordered
from ..machine.pointers import pointer
from ..machine.processor import lanes, vector_bytes, vector_registers
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import RankGeometry
from .tiles import LINE

_SIDE = 3
_MOST_CHANNELS = 4  # for each number of them there is a worker

_I64, _I32 = ir.IntType(64), ir.IntType(32)


def _rows() -> int:
    """Rows of results in a block: three vectors for each must stay in registers."""
    return 4 if vector_registers() >= 32 else 2


def rejects(g: RankGeometry) -> str | None:
    most = min(_MOST_CHANNELS, lanes(g.dtype.itemsize))
    least = 2 * lanes(g.dtype.itemsize) + g.shape[3]
    if g.footprint != ((_SIDE, _SIDE), None) or (g.top, g.left) != (1, 1):
        return "takes windows of 3x3 pixels around their middle"
    if g.dtype.kind == "f" or g.shape[3] > most:
        return f"takes integers of at most {most} channels"
    return None if g.shape[2] * g.shape[3] >= least else f"takes rows of at least {least} numbers"


def _block(number: Any, greatest: bool, channels: int) -> Callable[..., None]:
    """An intrinsic that computes a block of rows.

    ``sources`` is the address of the addresses of its rows and the two around them, ``targets`` of those of the
    results, ``sides`` of two vectors for each row of results, what the last and first lanes of its neighbours before
    and behind the row hold; ``count`` numbers are in a row.
    """
    many = _rows()

    @intrinsic
    def block(typingctx, sources, targets, sides, count):
        def codegen(context, b, signature, args):
            sources, targets, sides, count = args
            e = Ordered(b, number)
            width = e.lanes
            order = ir.VectorType(_I32, width)
            before = ir.Constant(order, [width - channels + i for i in range(width)])
            behind = ir.Constant(order, [channels + i for i in range(width)])

            def word(table: ir.Value, index: int) -> ir.Value:
                return b.load(b.inttoptr(b.add(table, _I64(8 * index)), _I64.as_pointer()))

            rows = [word(sources, r) for r in range(many + _SIDE - 1)]
            results = [word(targets, r) for r in range(many)]

            def extreme(x: ir.Value, y: ir.Value) -> ir.Value:
                return e.extreme(x, y, greatest)

            def columns(first: ir.Value) -> list[ir.Value]:
                """The rows' extremes of the vector that begins at a number."""
                offset = b.mul(first, _I64(e.size))
                x = [e.load(b.add(row, offset)) for row in rows]
                found = []
                for r in range(0, many, 2):
                    shared = extreme(x[r + 1], x[r + 2])
                    found += [extreme(x[r], shared), extreme(shared, x[r + 3])]
                return found

            def write(first: ir.Value, left: Any, middle: Any, right: Any) -> None:
                offset = b.mul(first, _I64(e.size))
                for result, *three in zip(results, left, middle, right, strict=True):
                    e.store(extreme(extreme(three[0], three[2]), three[1]), b.add(result, offset))

            def moved(first: Any, second: Any, places: ir.Constant) -> list[ir.Value]:
                return [b.shuffle_vector(x, y, places) for x, y in zip(first, second, strict=True)]

            ends = [[e.load(e.at(sides, 2 * r + side)) for r in range(many)] for side in (0, 1)]
            last = b.sub(b.udiv(count, _I64(width)), _I64(1))
            previous = [cgutils.alloca_once_value(b, vector) for vector in ends[0]]
            current = [cgutils.alloca_once_value(b, vector) for vector in columns(_I64(0))]
            with cgutils.for_range(b, last) as loop:
                first = b.mul(loop.index, _I64(width))
                old, now = [b.load(place) for place in previous], [b.load(place) for place in current]
                new = columns(b.add(first, _I64(width)))
                write(first, moved(old, now, before), now, moved(now, new, behind))
                for place, vector in zip(previous + current, now + new, strict=True):
                    b.store(vector, place)

            step, end = _I64(channels), b.sub(count, _I64(width))
            inner, whole = b.sub(end, step), b.mul(last, _I64(width))
            inner = b.select(b.icmp_signed("<", inner, whole), inner, whole)
            write(inner, columns(b.sub(inner, step)), columns(inner), columns(b.add(inner, step)))
            now = columns(end)
            write(end, columns(b.sub(end, step)), now, moved(now, ends[1], behind))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), codegen

    return block


@kernel()
def _extremes(dtype: str, greatest: bool, channels: int) -> Any:
    """Task: a block of rows of one image. block = x, y, rows, pads, the constant's row, scratch, h, w, sizes."""
    number = getattr(types, dtype)
    size, width, many, c = number.bitwidth // 8, lanes(number.bitwidth // 8), _rows(), channels
    compute = _block(number, greatest, channels)

    def work(begin, end, slot, block):
        x, y, rows, pads, outside = (
            block[0], block[1], pointer(block[2], types.int64), pointer(block[3], types.int64), block[4],
        )  # fmt: skip
        h, w = block[6], block[7]
        sources = (block[5] + LINE - 1) // LINE * LINE + slot * block[8]
        targets, sides = sources + LINE, sources + 2 * LINE
        unused = sides + 2 * many * width * size
        source, target, side = pointer(sources, types.int64), pointer(targets, types.int64), pointer(sides, number)
        step, count = w * c * size, w * c
        blocks = -(-h // many)
        for task in range(begin, end):
            image, p = task // blocks, task % blocks * many
            for r in range(many + 2):
                k = rows[min(p + r, h + 1)]  # below the last row that is needed, any
                source[r] = outside if k < 0 else x + (image * h + k) * step
            for r in range(many):
                target[r] = y + (image * h + p + r) * step if p + r < h else unused
                for end_of in range(2):
                    for k in range(c):
                        at = pads[end_of] * c + k
                        if pads[end_of] < 0:
                            found = pointer(outside, number)[0]
                        else:
                            found = pointer(source[r], number)[at]
                            for t in range(1, 3):
                                other = pointer(source[r + t], number)[at]
                                if (other > found) == greatest:
                                    found = other
                        side[(2 * r + end_of) * width + (k if end_of else width - c + k)] = found
            compute(sources, targets, sides, count)

    return work


def _build(g: RankGeometry, greatest: bool) -> Run:
    if g.numbers == 0:
        return lambda arrays, outputs: None
    n, h, w, c = g.shape
    many, columns = _rows(), g.columns()
    rows, pads, outside = g.rows(), columns[[0, w + 1]], np.repeat(g.constant, w * c)
    total = -(-(2 * LINE + 2 * many * vector_bytes() + w * c * g.dtype.itemsize) // LINE) * LINE
    tasks = n * -(-h // many)
    ns = g.numbers * g.dtype.itemsize / 16
    template = Template(6, (h, w, total), {2: rows, 3: pads, 4: outside})
    worker = _extremes.address(g.dtype.name, greatest, c)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], None, None, None, scratch)
        launch(worker, tasks, addressof(block), ns)

    return run


def build_minimum(g: RankGeometry) -> Run:
    return _build(g, greatest=False)


def build_maximum(g: RankGeometry) -> Run:
    return _build(g, greatest=True)
