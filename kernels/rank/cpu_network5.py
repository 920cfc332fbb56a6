"""Variant "network5": medians of 5x5 pixels by a fixed sequence of comparisons, a vector of pixels at a time.

    rows      each row is copied with what lies left and right of it, and every run of 5 neighbours in it sorted: 5
              lines of scratch, of which line j holds the numbers of rank j. All windows that the row is under use them.
    columns   two rows of results share all rows under them but one each: the shared ones are sorted line by line,
              then one more is put in for each result. Where rows are in order and then columns, rows still are.
    median    only 13 of the 25 numbers can then still be the median: it is found among them by forgetting the least
              and the greatest in turn (networks.py).

A median takes 114 minima or maxima. All channels of a pixel lie in the row, and neighbours are C numbers apart.

Vector instructions lose a NaN or copy it, so rows that hold one are noted while they are sorted, and the results whose
windows hold one are set to NaN afterwards.

Tiles are computed alone, so the result does not depend on how threads share them.
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

_SIDE = 5
_ROWS = 32  # of results in a tile
_LINE_BYTES = 1024  # of a tile's row: the sorted lines of all rows under a result stay in the first-level cache

_I64 = ir.IntType(64)


def rejects(g: RankGeometry) -> str | None:
    """Why this variant does not take a call."""
    if not (g.median and g.footprint.rows == _SIDE):
        return "takes medians of 5x5 pixels"
    return None


def _sorting(number: Any) -> Callable[..., int]:
    """The intrinsic ``sort_row(line, step, target, pitch)``: see the head of the file; 1 where there was a NaN."""

    @intrinsic
    def sort_row(typingctx, line, step, target, pitch):
        def codegen(context, b, signature, args):
            line, step, target, pitch = args
            e = Ordered(b, number)
            run = [e.load(b.add(line, b.mul(step, _I64(t)))) for t in range(_SIDE)]
            for j, value in enumerate(sort(run, e.minimum, e.maximum)):
                e.store(value, b.add(target, b.mul(pitch, _I64(j))))
            if not e.floating:
                return _I64(0)
            seen = e.not_a_number(run[-1], run[-1])
            for t in range(0, _SIDE - 1, 2):
                seen = b.or_(seen, e.not_a_number(run[t], run[t + 1]))
            return e.any(seen)

        return types.int64(*[types.int64] * 4), codegen

    return sort_row


def _finding(number: Any) -> Callable[..., None]:
    """The intrinsic ``find(table, offset, pitch, upper, lower, count)``: a vector of medians for each of two rows.

    ``table`` has the addresses of the sorted lines of 6 rows. Where ``count`` is less than a vector, only so
    many are stored; where ``lower`` is 0, only the upper row's.
    """

    @intrinsic
    def find(typingctx, table, offset, pitch, upper, lower, count):
        def codegen(context, b, signature, args):
            table, offset, pitch, upper, lower, count = args
            e = Ordered(b, number)
            order = (e.minimum, e.maximum)
            rows = [
                b.add(b.load(b.inttoptr(b.add(table, _I64(8 * r)), _I64.as_pointer())), offset)
                for r in range(_SIDE + 1)
            ]
            results: list[dict[tuple[int, int], ir.Value]] = [{}, {}]
            for line in range(_SIDE):
                values = [e.load(b.add(row, b.mul(pitch, _I64(line)))) for row in rows]
                shared = sort(values[1:-1], *order)
                for result, more in zip(results, (values[0], values[-1]), strict=True):
                    for place in candidates(_SIDE):
                        if place[0] == line:
                            result[place] = insert(more, shared, place[1], *order)
            medians = [forgotten(result, *order) for result in results]
            with b.if_else(b.icmp_signed(">=", count, _I64(e.lanes))) as (whole, part):
                with whole:
                    e.store(medians[0], upper)
                    with b.if_then(b.icmp_unsigned("!=", lower, _I64(0))):
                        e.store(medians[1], lower)
                with part:
                    e.store_first(medians[0], upper, count)
                    with b.if_then(b.icmp_unsigned("!=", lower, _I64(0))):
                        e.store_first(medians[1], lower, count)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), codegen

    return find


@kernel()
def _median(dtype: str) -> Any:
    """Task: one tile of one image."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    copy, sort_row, find = copier(number, keys=False), _sorting(number), _finding(number)
    vector = lanes(size)
    ring, radius = _SIDE + 1, _SIDE // 2
    floating = isinstance(number, types.Float)

    def work(begin, end, slot, block):
        x, y, constant = block[0], block[1], block[4]
        h, w, c, high, wide, pitch = block[6], block[7], block[8], block[9], block[10], block[11]
        bands, segments = -(-h // high), -(-w // wide)
        line = (block[5] + LINE - 1) // LINE * LINE + slot * block[12]
        lines = line + block[13]
        table = pointer(lines + ring * _SIDE * pitch, types.int64)
        seen = pointer(lines + ring * _SIDE * pitch + 8 * ring, types.int64)
        numbers = pointer(line, number)
        for task in range(begin, end):
            image, band, segment = task // segments // bands, task // segments % bands, task % segments
            p, q = band * high, segment * wide
            height, width = min(high, h - p), min(wide, w - q)
            count, total = width * c, (width + 2 * radius) * c
            columns = pointer(block[3] + q * 8, types.int64)
            source, target = x + image * h * w * c * size, y + ((image * h + p) * w + q) * c * size
            for i in range(total, total + vector):
                numbers[i] = number(0)  # a vector may begin on the last of them
            for r in range(height + 2 * radius):
                place = lines + r % ring * _SIDE * pitch
                copy(
                    source, pointer(block[2] + (p + r) * 8, types.int64), 1, columns, width + 2 * radius,
                    w, c, radius - q, constant, line, 0,
                )  # fmt: skip
                nan = np.int64(0)
                for i in range(0, count, vector):
                    nan |= sort_row(line + i * size, c * size, place + i * size, pitch)
                seen[r % ring] = nan
                # Rows of results go in pairs, as soon as all rows under both are sorted; the last may be alone.
                lone = r == height + 2 * radius - 1 and height % 2 == 1
                first = r - 2 * radius if lone else r - 2 * radius - 1
                if first < 0 or (first % 2 == 1 and not lone):
                    continue
                for t in range(ring):
                    table[t] = lines + (first + t) % ring * _SIDE * pitch
                upper = target + first * w * c * size
                lower = 0 if lone else upper + w * c * size
                for i in range(0, count, vector):
                    under = 0 if lone else lower + i * size
                    find(lines + ring * _SIDE * pitch, i * size, pitch, upper + i * size, under, count - i)
                if not floating:
                    continue
                for t in range(_SIDE if lone else ring):
                    if seen[(first + t) % ring] == 0:
                        continue
                    copy(
                        source, pointer(block[2] + (p + first + t) * 8, types.int64), 1, columns, width + 2 * radius,
                        w, c, radius - q, constant, line, 0,
                    )  # fmt: skip
                    if t < _SIDE:
                        spread(numbers, total, c, _SIDE, pointer(upper, number), count)
                    if t > 0 and not lone:
                        spread(numbers, total, c, _SIDE, pointer(lower, number), count)

    return work


def build(g: RankGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.numbers == 0:
        return lambda arrays, outputs: None
    n, h, w, c = g.shape
    size = g.dtype.itemsize
    high, wide = min(h, _ROWS), min(w, max(1, _LINE_BYTES // (c * size)))
    vector = lanes(size) * size
    pitch = -(-(wide * c * size + vector) // LINE) * LINE
    padded = -(-((wide + _SIDE - 1) * c * size + vector) // LINE) * LINE
    total = padded + (_SIDE + 1) * _SIDE * pitch + -(-16 * (_SIDE + 1) // LINE) * LINE
    rows, columns, constant = g.rows(), g.columns(), g.constant
    tasks = n * -(-h // high) * -(-w // wide)
    ns = g.numbers * size / 2
    template = Template(6, (h, w, c, high, wide, pitch, total, padded), {2: rows, 3: columns, 4: constant})
    worker = _median.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], None, None, None, scratch)
        launch(worker, tasks, addressof(block), ns)

    return run
