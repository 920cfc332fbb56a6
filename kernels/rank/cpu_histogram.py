"""Variant "histogram": any rank under large full windows of byte images, in the same time for windows of every size.

Each column of a stripe has a histogram of what lies under the window's rows: one row further down, each loses a number
and gains one. The window's own histogram is the sum of those of its columns: one column further on, one is taken away
and one added. Histograms have two levels, 16 counts of a number's upper half and for each of these 16 of its lower
half, so that one vector of 16-bit counts is one step:

    upper   always kept up to date; a running sum finds the half in which the wanted rank falls
    lower   of that half only, and brought up to date only now: from where it last was, or from all columns if that is
            nearer. Neighbouring results have the same upper half most of the time.

Stripes are computed alone, so the result does not depend on how threads share them.

Source: S. Perreault and P. Hebert, "Median filtering in constant time", 2007.
"""

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
from ..machine.pointers import pointer
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import RankGeometry
from .tiles import LINE

_LEAST = 361  # pixels of a window: fewer are compared one by one in less time
_MOST = (1 << 16) - 1
_WIDE = 512  # columns of results in a stripe: their histograms stay in the second-level cache
_LEVEL = 16
_BYTES = 2 * _LEVEL  # of one level's counts
_FAR = -(1 << 40)

_I64, _I32, _I16 = ir.IntType(64), ir.IntType(32), ir.IntType(16)
_COUNTS = ir.VectorType(_I16, _LEVEL)


def rejects(g: RankGeometry) -> str | None:
    """Why this variant does not take a call."""
    if g.dtype != np.uint8 or g.footprint.chosen is not None:
        return "takes full windows of uint8 images"
    if not _LEAST <= g.footprint.size <= _MOST:
        return f"takes windows of {_LEAST} to {_MOST} pixels"
    return None


def _load(b: ir.IRBuilder, address: ir.Value) -> ir.Value:
    loaded = b.load(b.inttoptr(address, _COUNTS.as_pointer()))
    loaded.align = 2
    return loaded


def _store(b: ir.IRBuilder, counts: ir.Value, address: ir.Value) -> None:
    b.store(counts, b.inttoptr(address, _COUNTS.as_pointer())).align = 2


@intrinsic
def _move(typingctx, counts, gained, lost):
    """16 counts gain some and lose others."""

    def codegen(context, b, signature, args):
        counts, gained, lost = args
        moved = b.sub(b.add(_load(b, counts), _load(b, gained)), _load(b, lost))
        _store(b, moved, counts)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3), codegen


@intrinsic
def _total(typingctx, counts, first, many):
    """16 counts become the sums of ``many`` that follow one another from ``first`` on."""

    def codegen(context, b, signature, args):
        counts, first, many = args
        sums = cgutils.alloca_once_value(b, ir.Constant(_COUNTS, None))
        b.store(ir.Constant(_COUNTS, None), sums)
        with cgutils.for_range(b, many) as loop:
            b.store(b.add(b.load(sums), _load(b, b.add(first, b.mul(loop.index, _I64(_BYTES))))), sums)
        _store(b, b.load(sums), counts)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3), codegen


@intrinsic
def _locate(typingctx, counts, rank, below):
    """Which of 16 counts the number of a rank falls into; ``below[i]`` becomes how many lie in those before i."""

    def codegen(context, b, signature, args):
        counts, rank, below = args
        sums, zero = _load(b, counts), ir.Constant(_COUNTS, None)
        for shift in (1, 2, 4, 8):
            lanes = [_LEVEL + i - shift if i >= shift else i for i in range(_LEVEL)]
            moved = b.shuffle_vector(zero, sums, ir.Constant(ir.VectorType(_I32, _LEVEL), lanes))
            sums = b.add(sums, moved)
        _store(b, sums, b.add(below, _I64(2)))
        undefined = ir.Constant(_COUNTS, ir.Undefined)
        wanted = b.insert_element(undefined, b.trunc(rank, _I16), _I32(0))
        wanted = b.shuffle_vector(wanted, undefined, ir.Constant(ir.VectorType(_I32, _LEVEL), [0] * _LEVEL))
        mask = b.bitcast(b.icmp_unsigned("<=", sums, wanted), _I16)
        return b.zext(b.ctpop(mask), _I64)

    return types.int64(*[types.int64] * 3), codegen


@kernel()
def _histogram() -> Any:
    """Task: one channel of one stripe of a band of rows of one image."""

    def work(begin, end, slot, block):
        rows, columns = pointer(block[2], types.int64), pointer(block[3], types.int64)
        constant = pointer(block[4], types.uint8)[0]
        h, w, c, tall, across, rank = block[6], block[7], block[8], block[9], block[10], block[11]
        high, wide = block[12], block[13]
        bands, stripes = -(-h // high), -(-w // wide)
        under = wide + across - 1  # columns with a histogram
        window = (block[5] + LINE - 1) // LINE * LINE + slot * block[14]
        lower_window = window + _BYTES  # the window's counts: of upper halves, and for each of lower ones
        latest = pointer(lower_window + _LEVEL * _BYTES, types.int64)  # the column where these were up to date
        below_address = lower_window + _LEVEL * _BYTES + 8 * _LEVEL
        below = pointer(below_address, types.uint16)
        upper_address = below_address + LINE
        lower_address = upper_address + under * _BYTES  # all columns' counts of an upper half follow one another
        upper, lower = pointer(upper_address, types.uint16), pointer(lower_address, types.uint16)
        below[0] = 0

        for task in range(begin, end):
            channel, rest = task % c, task // c
            q, rest = rest % stripes * wide, rest // stripes
            p, image = rest % bands * high, rest // bands
            height, width = min(high, h - p), min(wide, w - q)
            source = block[0] + image * h * w * c + channel
            for i in range((1 + _LEVEL) * under * _LEVEL):
                upper[i] = 0
            for r in range(height + tall - 1):
                row, old = rows[p + r], rows[p + r - tall] if r >= tall else np.int64(-1)
                line, last = pointer(source + row * w * c, types.uint8), pointer(source + old * w * c, types.uint8)
                for t in range(width + across - 1):
                    column = columns[q + t]
                    inside = column >= 0
                    number = np.int64(line[column * c] if inside and row >= 0 else constant)
                    upper[t * _LEVEL + (number >> 4)] += 1
                    lower[((number >> 4) * under + t) * _LEVEL + (number & 15)] += 1
                    if r >= tall:
                        number = np.int64(last[column * c] if inside and old >= 0 else constant)
                        upper[t * _LEVEL + (number >> 4)] -= 1
                        lower[((number >> 4) * under + t) * _LEVEL + (number & 15)] -= 1
                if r < tall - 1:
                    continue
                _total(window, upper_address, across)
                for i in range(_LEVEL):
                    latest[i] = _FAR
                result = pointer(block[1] + ((image * h + p + r - tall + 1) * w + q) * c + channel, types.uint8)
                for j in range(width):
                    if j > 0:
                        _move(window, upper_address + (j + across - 1) * _BYTES, upper_address + (j - 1) * _BYTES)
                    half = _locate(window, rank, below_address)
                    inside_half = rank - np.int64(below[half])
                    counts, first = lower_window + half * _BYTES, lower_address + half * under * _BYTES
                    if 2 * (j - latest[half]) > across:
                        _total(counts, first + j * _BYTES, across)
                    else:
                        for t in range(latest[half] + 1, j + 1):
                            _move(counts, first + (t + across - 1) * _BYTES, first + (t - 1) * _BYTES)
                    latest[half] = j
                    result[j * c] = types.uint8(half * _LEVEL + _locate(counts, inside_half, below_address))

    return work


def build(g: RankGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.numbers == 0:
        return lambda arrays, outputs: None
    n, h, w, c = g.shape
    tall, across = g.footprint.sides
    high, wide = min(h, max(128, 4 * tall)), min(w, _WIDE)  # the first row of a band takes as long as `tall` others
    under = wide + across - 1
    total = -(-((1 + _LEVEL) * (under + 1) * _BYTES + 8 * _LEVEL + LINE) // LINE) * LINE
    rows, columns, constant = g.rows(), g.columns(), g.constant
    tasks = n * -(-h // high) * -(-w // wide) * c
    template = Template(6, (h, w, c, tall, across, g.rank, high, wide, total))
    worker = _histogram.address()
    ns = g.numbers * 20.0

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], rows, columns, constant, scratch)
        launch(worker, tasks, addressof(block), ns)

    return run
