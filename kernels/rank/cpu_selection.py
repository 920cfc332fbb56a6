"""Variant "selection": any rank under any window of any number of axes, for two vectors of pixels at a time.

The number of rank k is the greatest v of which at most k numbers under the window are less. It is found bit by bit,
from the highest: a bit stays set if still at most k numbers are less. One step compares all taps of a window with v and
counts; there are no branches on data, all pixels of a vector go together, and nothing is sorted. A byte image takes 8
steps over 64 pixels at once, so that the cost of a tap is a fraction of a cycle. From 32 bits on the steps begin at the
highest bit in which the pixels' windows have a range.

Wider types under larger windows are first replaced by their ranks in a tile of fewer than 65536 numbers, which keeps
their order: the numbers of the tile are sorted once, by bytes of their keys, and after that 16 bits are looked at
instead of 32 or 64.

Of images of more than two axes, the slices that lie under a window are copied one behind another into its tile.

Tiles are computed alone, so the result does not depend on how threads share them.
"""

import math
from collections.abc import Callable
from ctypes import addressof
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.ordered import Ordered
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.streams import read, write
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import RankGeometry
from .tiles import LINE, decoder, key_type, stack_copier

_VECTORS = 2
_RANKED = 65535  # numbers of a tile that is sorted: ranks below it, and it for NaN
_RANK_FROM = {4: 40, 8: 12}  # taps from which sorting pays, by the type's size
_LEAST_SIDE = 32  # columns of results below which too much of a sorted tile would lie around them
_ROWS, _LINE_BYTES = 16, 4096  # of other tiles
_NOT_A_NUMBER = (1 << 16) - 1

_I64, _I32 = ir.IntType(64), ir.IntType(32)


def _selecting(key: Any) -> Callable[..., None]:
    """The intrinsic that selects for a block of pixels; see `select`."""
    size = key.bitwidth // 8
    wide = ir.IntType(max(32, key.bitwidth))  # counts of all taps
    few = min((1 << key.bitwidth) - 1, 1 << 20)  # counts of so many fit the keys' own type

    @intrinsic
    def select(typingctx, offsets, taps, rank, base, target, seen, one):
        """Keys of that rank among those at ``base + offsets[0] ...``, for pixels that follow one another.

        ``seen`` is whether keys of NaN have to be looked for; ``one`` is 1, which the compiler must not know.
        """

        def codegen(context, b, signature, args):
            offsets, taps, rank, base, target, seen, one = args
            e = Ordered(b, key)
            counts = ir.VectorType(wide, e.lanes)
            zero, ones = e.constant(0), e.constant((1 << key.bitwidth) - 1)

            def variables(value: ir.Value) -> list[ir.Value]:
                places = [cgutils.alloca_once(b, value.type) for _ in range(_VECTORS)]
                for place in places:
                    b.store(value, place)
                return places

            def each_tap(first: ir.Value, last: ir.Value, body: Callable[[int, ir.Value], None]) -> None:
                with cgutils.for_range(b, last, start=first) as loop:
                    place = b.inttoptr(b.add(offsets, b.mul(loop.index, _I64(8))), _I64.as_pointer())
                    address = b.add(base, b.load(place))
                    for v in range(_VECTORS):
                        body(v, e.load(e.at(address, v)))

            found, greatest = variables(zero), variables(zero)
            steps = cgutils.alloca_once_value(b, _I64(key.bitwidth))

            def extremes(v: int, keys: ir.Value) -> None:
                b.store(e.minimum(b.load(found[v]), keys), found[v])
                b.store(e.maximum(b.load(greatest[v]), keys), greatest[v])

            if size >= 4:
                for place in found:
                    b.store(ones, place)
                each_tap(_I64(0), taps, extremes)
                ranges = [b.sub(b.load(g), b.load(f)) for f, g in zip(found, greatest, strict=True)]
                width = ranges[0]
                for other in ranges[1:]:
                    width = b.or_(width, other)
                reduce = cgutils.get_or_insert_function(
                    b.module, ir.FunctionType(e.scalar, [e.vector]), f"llvm.vector.reduce.or.{e.suffix}"
                )
                high = b.call(reduce, [width])
                high = high if key.bitwidth == 64 else b.zext(high, _I64)
                b.store(b.sub(_I64(64), b.ctlz(high, ir.IntType(1)(0))), steps)
            else:
                with b.if_then(b.icmp_unsigned("!=", seen, _I64(0))):
                    each_tap(_I64(0), taps, lambda v, keys: b.store(e.maximum(b.load(greatest[v]), keys), greatest[v]))

            limit = b.trunc(rank, wide) if key.bitwidth < 64 else rank
            limit = e.splat_of(limit, counts)
            one = e.splat(b.trunc(one, e.scalar) if key.bitwidth < 64 else one)
            with cgutils.for_range(b, b.load(steps)) as step:
                bit = b.shl(_I64(1), b.sub(b.sub(b.load(steps), _I64(1)), step.index))
                bit = e.splat(b.trunc(bit, e.scalar) if key.bitwidth < 64 else bit)
                add = cgutils.get_or_insert_function(
                    b.module, ir.FunctionType(e.vector, [e.vector] * 2), f"llvm.uadd.sat.{e.suffix}"
                )
                tried = [b.call(add, [b.load(place), bit]) for place in found]
                totals = variables(ir.Constant(counts, None))
                chunks = b.udiv(b.add(taps, _I64(few - 1)), _I64(few))
                with cgutils.for_range(b, chunks) as chunk:
                    first = b.mul(chunk.index, _I64(few))
                    rest = b.sub(taps, first)
                    many = b.select(b.icmp_signed("<", rest, _I64(few)), rest, _I64(few))
                    less = variables(zero)

                    def count(v: int, keys: ir.Value, less: list = less, tried: list = tried) -> None:
                        now = b.load(less[v])
                        b.store(e.counted(now, e.less(keys, tried[v]), one), less[v])

                    each_tap(first, b.add(first, many), count)
                    for total, part in zip(totals, less, strict=True):
                        widened = b.load(part) if wide == e.scalar else b.zext(b.load(part), counts)
                        b.store(b.add(b.load(total), widened), total)
                for v in range(_VECTORS):
                    stays = b.icmp_unsigned("<=", b.load(totals[v]), limit)
                    b.store(b.select(stays, tried[v], b.load(found[v])), found[v])
            for v in range(_VECTORS):
                last = b.load(greatest[v])
                value = b.select(b.icmp_unsigned("==", last, ones), ones, b.load(found[v]))
                e.store(value, e.at(target, v))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 7), codegen

    return select


def _sorter(key: Any) -> Callable[..., Any]:
    """``rank_all(keys, slices, tall, rows, line, pitch, ranks)``: the ranks of up to 65535 keys.

    They stand in ``rows`` rows, ``pitch`` keys apart, of slices that are ``tall`` rows apart; behind them lies room to
    work in. They are sorted with their places by one byte after another, lowest first (LSD radix sort), back and forth
    between two arrays; the sorted keys end in the first, whose address is returned. The ranks of the greatest key,
    which is NaN's, are 65535.
    """
    size = key.bitwidth // 8
    ones, byte = np.uint64((1 << key.bitwidth) - 1), np.uint64(255)

    @register_jitable
    def rank_all(keys, slices, tall, rows, line, pitch, ranks):
        room = slices * tall * pitch
        sorted_keys = keys + room * size
        source, ordered, spare = pointer(keys, key), pointer(sorted_keys, key), pointer(sorted_keys + room * size, key)
        places = pointer(sorted_keys + 2 * room * size, types.uint16)
        others = pointer(sorted_keys + room * (2 * size + 2), types.uint16)
        counts = pointer((sorted_keys + room * (2 * size + 4) + 7) // 8 * 8, types.int64)
        target = pointer(ranks, types.uint16)
        many = slices * rows * line
        for r in range(slices * rows):
            start = (r // rows * tall + r % rows) * pitch
            for i in range(line):
                ordered[r * line + i] = source[start + i]
                places[r * line + i] = types.uint16(start + i)
        for digit in range(size):
            shift = np.uint64(8 * digit)
            for i in range(256):
                counts[i] = 0
            for i in range(many):
                counts[np.int64((np.uint64(ordered[i]) >> shift) & byte)] += 1
            start = 0
            for i in range(256):
                found = counts[i]
                counts[i] = start
                start += found
            for i in range(many):
                d = np.int64((np.uint64(ordered[i]) >> shift) & byte)
                spare[counts[d]] = ordered[i]
                others[counts[d]] = places[i]
                counts[d] += 1
            ordered, spare = spare, ordered
            places, others = others, places
        for i in range(many):
            target[np.int64(places[i])] = types.uint16(_NOT_A_NUMBER if ordered[i] == ones else i)
        return sorted_keys

    return rank_all


@kernel()
def _select(dtype: str, ranked: bool) -> Any:
    """Task: one tile of one slice of one image."""
    number = getattr(types, dtype)
    key = key_type(number)
    looked = types.uint16 if ranked else key
    size, looked_size = number.bitwidth // 8, looked.bitwidth // 8
    copy, decode, select = stack_copier(number, keys=True), decoder(number), _selecting(looked)
    rank_all = _sorter(key)
    ones = np.uint64((1 << number.bitwidth) - 1)
    step = _VECTORS * lanes(looked_size)

    def work(begin, end, slot, block):
        x, y, offsets = block[0], block[1], block[2]
        constant = block[5]
        h, w, c, taps, rank, left = block[8], block[9], block[10], block[11], block[12], block[13]
        high, wide, above, beside = block[14], block[15], block[16], block[17]
        deep, slices = block[22], block[23]
        bands, segments = -(-h // high), -(-w // wide)
        nowhere = pointer(block[3] + (h + above) * 8, types.int64)
        tile = (block[6] + LINE - 1) // LINE * LINE + slot * block[20]
        result, keys = tile + block[18], tile + block[19]
        pitch = (wide + beside) * c
        for task in range(begin, end):
            plane, band, segment = task // segments // bands, task // segments % bands, task % segments
            p, q = band * high, segment * wide
            height, width = min(high, h - p), min(wide, w - q)
            copied, first = keys if ranked else tile, plane - plane % deep
            seen = copy(
                x + first * h * w * c * size,
                pointer(block[7] + (plane - first) * slices * 8, types.int64), slices, h,
                pointer(block[3] + p * 8, types.int64), nowhere, height + above, high + above,
                pointer(block[4] + q * 8, types.int64), width + beside,
                w, c, left - q, constant, copied, pitch * size,
            )  # fmt: skip
            line = (width + beside) * c
            ordered = pointer(
                rank_all(keys, slices, high + above, height + above, line, pitch, tile) if ranked else keys, key
            )
            numbers = pointer(result, looked)
            for r in range(height):
                for i in range(0, width * c, step):
                    base = tile + (r * pitch + i) * looked_size
                    select(offsets, taps, rank, base, result + i * looked_size, np.int64(seen), block[21])
                target = pointer(y + (((plane * h + p + r) * w + q) * c) * size, key)
                for i in range(width * c):
                    found = np.uint64(read(numbers, i))
                    if ranked:
                        nan = found == np.uint64(_NOT_A_NUMBER)
                        found = ones if nan else np.uint64(ordered[np.int64(found)])
                    write(target, i, key(decode(found)))

    return work


class _Tiles(NamedTuple):
    """How images are cut: rows and columns of results in a tile, whether its numbers are replaced by ranks."""

    high: int
    wide: int
    ranked: bool


def _tiles(g: RankGeometry) -> _Tiles:
    _, _, h, w, c = g.stack
    slices = math.prod(g.footprint.sides[:-2])
    above, beside, size = g.footprint.rows - 1, g.footprint.columns - 1, g.dtype.itemsize
    if size in _RANK_FROM and g.footprint.size >= _RANK_FROM[size]:
        side = min(int(math.sqrt(_RANKED / (slices * c))), h + above)
        while side > above:
            wide = min(_RANKED // (slices * side * c) - beside, w)
            if wide >= _LEAST_SIDE or wide >= w:
                return _Tiles(side - above, wide, ranked=True)
            side -= 16
    return _Tiles(min(h, _ROWS), min(w, max(1, _LINE_BYTES // (c * size))), ranked=False)


def build(g: RankGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.numbers == 0:
        return lambda arrays, outputs: None
    n, deep, h, w, c = g.stack
    high, wide, ranked = _tiles(g)
    above, beside, size = g.footprint.rows - 1, g.footprint.columns - 1, g.dtype.itemsize
    looked = 2 if ranked else size
    pitch = (wide + beside) * c
    far, down, across = np.nonzero(g.window)
    offsets = (((far * (high + above) + down) * pitch + across * c) * looked).astype(np.int64)
    rows = np.append(g.rows(), np.full(high + above, -1))
    columns, constant, slices = g.columns(), g.constant, g.slices()
    step = _VECTORS * lanes(looked) * looked
    room = slices.shape[1] * (high + above) * pitch
    result = _lines(room * looked + step)
    keys = result + _lines(wide * c * looked + step)
    total = keys + (_lines(room * (3 * size + 4) + 8 + 256 * 8) if ranked else 0)
    tasks = n * deep * -(-h // high) * -(-w // wide)
    ns = g.numbers * offsets.size * looked * looked / 16
    sizes = h, w, c, offsets.size, g.rank, g.left, high, wide, above, beside, result, keys, total, 1, *slices.shape
    template = Template(8, sizes)
    worker = _select.address(g.dtype.name, ranked)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], offsets, rows, columns, constant, scratch, slices)
        launch(worker, tasks, addressof(block), ns)

    return run


def _lines(size: int) -> int:
    return -(-size // LINE) * LINE
