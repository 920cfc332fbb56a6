"""Variant "network3": medians of 3x3 pixels by a fixed sequence of comparisons, all of it in vector registers.

Four rows of results are computed together, from the six rows of the image under them:

    rows      the three neighbours in each of the six rows are sorted
    columns   of the least numbers of three rows only the greatest can be the median, of the greatest only the least,
              of those in the middle only the middle one: two rows of results share two of their three rows
    median    the middle one of those three

which takes 19 minima or maxima for a result, and nothing in between goes to memory. All channels of a pixel lie in the
row, and neighbours are C numbers apart. The first and the last pixel of a row read padded copies of the six rows' ends,
and the whole of a short row those of the rows; rows of results below the image are written into scratch.

Vector instructions lose a NaN or copy it, so blocks of rows that hold one are noted, and the results whose windows hold
one are set to NaN afterwards.

Blocks of rows are computed alone, so the result does not depend on how threads share them.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.ordered import Ordered
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import RankGeometry
from .networks import candidates, forgotten, insert, sort
from .tiles import LINE, copier, spread

_SIDE = 3
_ROWS = 4  # of results in a block
_READ = _ROWS + _SIDE - 1

_I64 = ir.IntType(64)


def rejects(g: RankGeometry) -> str | None:
    """Why this variant does not take a call."""
    return None if g.median and g.footprint.rows == _SIDE else "takes medians of 3x3 pixels"


def _medians(e: Ordered, rows: list[list[ir.Value]]) -> list[ir.Value]:
    """Four medians of six rows of three neighbours each."""
    order = (e.minimum, e.maximum)
    in_order = [sort(row, *order) for row in rows]
    medians = []
    for r in range(0, _ROWS, 2):
        results: list[dict[tuple[int, int], ir.Value]] = [{}, {}]
        for line, column in candidates(_SIDE):
            shared = sort([in_order[r + 1][line], in_order[r + 2][line]], *order)
            for result, more in zip(results, (in_order[r], in_order[r + _SIDE]), strict=True):
                result[line, column] = insert(more[line], shared, column, *order)
        medians += [forgotten(result, *order) for result in results]
    return medians


def _finding(number: Any) -> Callable[..., int]:
    """The intrinsic ``find(sources, targets, offset, step)``: a vector of medians for each of four rows.

    ``sources`` has the addresses of six rows and ``targets`` of four; the medians at ``offset`` bytes are of what lies
    there and ``step`` bytes before and behind. 1 where there was a NaN.
    """

    @intrinsic
    def find(typingctx, sources, targets, offset, step):
        def codegen(context, b, signature, args):
            sources, targets, offset, step = args
            e = Ordered(b, number)

            def place(table: ir.Value, row: int) -> ir.Value:
                return b.add(b.load(b.inttoptr(b.add(table, _I64(8 * row)), _I64.as_pointer())), offset)

            rows, seen = [], ir.Constant(ir.VectorType(ir.IntType(1), e.lanes), None)
            for r in range(_READ):
                middle = place(sources, r)
                run = [e.load(b.sub(middle, step)), e.load(middle), e.load(b.add(middle, step))]
                rows.append(run)
                if e.floating:
                    seen = b.or_(seen, b.or_(e.not_a_number(run[0], run[1]), e.not_a_number(run[2], run[2])))
            for r, result in enumerate(_medians(e, rows)):
                e.store(result, place(targets, r))
            return e.any(seen) if e.floating else _I64(0)

        return types.int64(*[types.int64] * 4), codegen

    return find


@kernel()
def _median(dtype: str) -> Any:
    """Task: one block of rows of one image."""
    number = getattr(types, dtype)
    size, vector = number.bitwidth // 8, lanes(number.bitwidth // 8)
    floating = isinstance(number, types.Float)
    copy, find = copier(number, keys=False), _finding(number)

    def work(begin, end, slot, block):
        x, y, constant = block[0], block[1], block[4]
        rows, columns = pointer(block[2], types.int64), pointer(block[3], types.int64)
        h, w, c, pitch = block[6], block[7], block[8], block[9]
        sources = (block[5] + LINE - 1) // LINE * LINE + slot * block[10]
        source, targets = pointer(sources, types.int64), sources + 8 * _READ
        target = pointer(targets, types.int64)
        outside = sources + 2 * LINE  # the constant's row, six padded rows, four of results
        padded, written = outside + pitch, outside + (1 + _READ) * pitch
        blocks, count, step = -(-h // _ROWS), w * c, c * size
        whole = count < 2 * c + vector
        filler = pointer(outside, number)
        for i in range(count):
            filler[i] = pointer(constant, number)[0]
        for r in range(_READ):  # a vector may begin on the last number of a row
            under = pointer(padded + r * pitch, number)
            for i in range(6 * c + 2 * vector):
                under[i] = number(0)

        for task in range(begin, end):
            image, p = task // blocks, task % blocks * _ROWS
            height = min(_ROWS, h - p)
            base, result = x + image * h * w * step, y + (image * h + p) * w * step
            seen = np.int64(0)
            for r in range(_READ):
                k = rows[min(p + r, h + 1)]  # below the last row that is needed, any
                source[r] = outside if k < 0 else base + k * w * step
            for r in range(_ROWS):
                target[r] = result + r * w * step if r < height else written + r * pitch
            if not whole:  # the first and the last vector may overlap those between them, which are aligned
                last = count - c - vector
                seen |= find(sources, targets, step, step)
                for i in range((c + vector - 1) // vector * vector, last, vector):  # never before the second pixel
                    seen |= find(sources, targets, i * size, step)
                seen |= find(sources, targets, last * size, step)

            if whole:
                for r in range(_READ):
                    under = padded + r * pitch
                    copy(
                        base, pointer(block[2] + min(p + r, h + 1) * 8, types.int64), 1, columns, w + 2, w, c, 1,
                        constant, under, 0,
                    )  # fmt: skip
                    source[r] = under + step
            else:  # three pixels of either end, one behind the other
                for r in range(_READ):
                    row, ends = pointer(source[r], number), pointer(padded + r * pitch, number)
                    for i in range(c):
                        ends[i] = filler[i] if columns[0] < 0 else row[columns[0] * c + i]
                        ends[c + i], ends[2 * c + i] = row[i], row[c + i]
                        ends[3 * c + i], ends[4 * c + i] = row[count - 2 * c + i], row[count - c + i]
                        ends[5 * c + i] = filler[i] if columns[w + 1] < 0 else row[columns[w + 1] * c + i]
                    source[r] = padded + r * pitch + step
            for r in range(_ROWS):
                target[r] = written + r * pitch
            for i in range(0, count if whole else 4 * c, vector):
                seen |= find(sources, targets, i * size, step)
            for r in range(height):
                found, row = pointer(written + r * pitch, number), pointer(result + r * w * step, number)
                if whole:
                    for i in range(count):
                        row[i] = found[i]
                else:
                    for i in range(c):
                        row[i], row[count - c + i] = found[i], found[3 * c + i]

            if floating and seen != 0:
                numbers = pointer(written, number)
                for r in range(height + 2):
                    copy(
                        base, pointer(block[2] + (p + r) * 8, types.int64), 1, columns, w + 2, w, c, 1, constant,
                        written, 0,
                    )  # fmt: skip
                    for s in range(max(0, r - 2), min(height, r + 1)):
                        spread(numbers, count + 2 * c, c, _SIDE, pointer(result + s * w * step, number), count)

    return work


def build(g: RankGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.numbers == 0:
        return lambda arrays, outputs: None
    n, h, w, c = g.shape
    size = g.dtype.itemsize
    pitch = -(-((max(w, 4) + 2) * c + 2 * lanes(size)) * size // LINE) * LINE
    total = 2 * LINE + (1 + _READ + _ROWS) * pitch
    rows, columns, constant = g.rows(), g.columns(), g.constant
    tasks = n * -(-h // _ROWS)
    ns = g.numbers * size / 8
    template = Template(6, (h, w, c, pitch, total), {2: rows, 3: columns, 4: constant})
    worker = _median.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], None, None, None, scratch)
        launch(worker, tasks, addressof(block), ns)

    return run
