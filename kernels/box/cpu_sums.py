"""Variant "sums": sums of sums, one row of the result at a time, and never a subtraction.

A running sum adds the pixel that enters the window and takes away the one that leaves it; but what a NaN, or a number
1e10 times the others, has done to the sum is not taken away again. Sums of parts that several windows share cost as
little:

    down      van Herk: R windows that follow each other all hold row R - 1 of the first, and so each is a *suffix* of
              the rows up to it plus a *prefix* of those behind. Both grow by a row at a time:

                  rows      a b c d e f g
                  window 0  a b c d             suffixes, made from below:  d, c d, b c d, a b c d
                  window 1    b c d e           prefixes, from above:       e, e f, e f g
                  window 2      c d e f
                  window 3        d e f g       three additions a row, whatever R is

              Only so many windows share their suffixes that these stay in the second-level cache; beyond 64 rows a
              window costs R / 64 additions more.
    borders   a table of which row each one stands for, and copies of the sums left and right of the image
    across    sums of 4, 16, 64 ... neighbours, each level 4 of the one before; a window of 11 = 4 + 4 + 1 + 1 + 1 adds
              five numbers of two levels: some 3 additions for each factor of 4, and all of them on whole vectors

Integers are summed exactly, 8-bit ones in 16 bits as long as they fit. A task is a group of windows' rows, computed
alone, so the result does not depend on how threads share them. All channels of a pixel lie in the row.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.rounding import saturating
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import BoxGeometry
from .reference import DIVIDED, MEAN, SUM

_GROUP = 64  # windows that share their suffixes
_LINE = 64  # bytes: scratch of different threads shares no cache line


@intrinsic
def _quotient(typingctx, total, offset, most, factor):
    """``min(total + offset, most) * factor >> 24`` in 32 bits; Numba would take 64, and LLVM half as long vectors."""

    def codegen(context, builder, signature, args):
        i32 = ir.IntType(32)
        total = args[0] if args[0].type == i32 else builder.zext(args[0], i32)
        offset, most, factor = (builder.trunc(word, i32) for word in args[1:])
        n = builder.add(total, offset)
        n = builder.select(builder.icmp_unsigned("<", n, most), n, most)
        return builder.trunc(builder.lshr(builder.mul(n, factor), ir.Constant(i32, 24)), ir.IntType(8))

    return types.uint8(total, types.int64, types.int64, types.int64), codegen


@kernel()
def _rows(source: str, total: str, target: str, kind: int) -> Any:
    given, number, result = getattr(types, source), getattr(types, total), getattr(types, target)
    whole = isinstance(number, types.Integer)
    plain = isinstance(result, types.Float) or result == types.int32  # they hold every sum
    real = types.float64 if types.float64 in (number, result) else types.float32
    given_size, size, result_size = given.bitwidth // 8, number.bitwidth // 8, result.bitwidth // 8
    sums, scaled_sums = weighted_sums(number, number, weighted=False), weighted_sums(number, number)
    converted = saturating(real, result)

    def work(begin, end, slot, block):
        x, y, weights = block[0], block[1], block[2]
        rows, pads, constant = pointer(block[3], types.int64), pointer(block[4], types.int64), block[5]
        levels_of, shifts = pointer(block[6], types.int64), pointer(block[7], types.int64)
        h, w, inner, r, before, margin = block[9], block[10], block[11], block[12], block[13], block[14]
        group, groups, levels, terms = block[15], block[16], block[17], block[18]
        outside, scale = number(float_bits(block[19])), real(float_bits(block[20]))
        offset, most, factor, pitch, row_pitch = block[21], block[22], block[23], block[24], block[25]
        table = (block[8] + _LINE - 1) // _LINE * _LINE + slot * pitch
        addresses = pointer(table, types.int64)
        prefix = pointer(table + (8 * (4 + terms) + _LINE - 1) // _LINE * _LINE, number)
        padded = table + (8 * (4 + terms) + _LINE - 1) // _LINE * _LINE + row_pitch
        suffixes = padded + (levels + 1) * row_pitch
        line, pixel = w * inner, inner * size
        inside, samples = pointer(padded + before * pixel, number), pointer(padded, number)
        results = suffixes + group * row_pitch  # the sums, where they are not what is stored
        finals = table + 32
        for t in range(terms):
            addresses[4 + t] = padded + levels_of[t] * row_pitch + shifts[t] * pixel

        for task in range(begin, end):
            image, first = task // groups, task % groups * group
            count = min(group, h - first)
            for j in range(r - 1, -1, -1):
                k = rows[first + j]
                line_of_x = pointer(constant if k < 0 else x + (image * h + k) * line * given_size, given)
                suffix = pointer(suffixes + min(j, count - 1) * row_pitch, number)
                if j == r - 1:
                    for i in range(line):
                        suffix[i] = number(line_of_x[i])
                elif j >= count - 1:
                    for i in range(line):
                        suffix[i] += number(line_of_x[i])
                else:
                    larger = pointer(suffixes + (j + 1) * row_pitch, number)
                    for i in range(line):
                        suffix[i] = larger[i] + number(line_of_x[i])
            for j in range(count):
                suffix = pointer(suffixes + j * row_pitch, number)
                if j == 0:
                    for i in range(line):
                        inside[i] = suffix[i]
                else:
                    k = rows[first + r - 1 + j]
                    line_of_x = pointer(constant if k < 0 else x + (image * h + k) * line * given_size, given)
                    if j == 1:
                        for i in range(line):
                            prefix[i] = number(line_of_x[i])
                            inside[i] = suffix[i] + number(line_of_x[i])
                    else:
                        for i in range(line):
                            grown = prefix[i] + number(line_of_x[i])
                            prefix[i] = grown
                            inside[i] = suffix[i] + grown
                for t in range(margin):
                    place = (t if t < before else t + w) * inner
                    for c in range(inner):
                        samples[place + c] = outside if pads[t] < 0 else samples[(before + pads[t]) * inner + c]
                reach = 1
                for level in range(levels):
                    for t in range(4):
                        addresses[t] = padded + level * row_pitch + t * reach * pixel
                    reach *= 4
                    sums(table, 0, 4, 0, padded + (level + 1) * row_pitch, 0, (w + margin - reach + 1) * inner)
                out = y + (image * h + first + j) * line * result_size
                if not whole:
                    scaled_sums(finals, weights, terms, 0, out, 0, line)
                    continue
                sums(finals, 0, terms, 0, results, 0, line)
                summed, stored = pointer(results, number), pointer(out, result)
                if kind == DIVIDED:
                    for i in range(line):
                        stored[i] = _quotient(summed[i], offset, most, factor)
                elif kind == MEAN:
                    for i in range(line):
                        stored[i] = converted(real(summed[i]) * scale)
                elif plain:
                    for i in range(line):
                        stored[i] = result(summed[i])
                else:
                    for i in range(line):
                        stored[i] = converted(real(summed[i]))

    return work


def _terms(s: int) -> tuple[int, list[int], list[int]]:
    """How many levels of sums a window of ``s`` needs, and of each of its terms the level and the place.

    >>> _terms(11)
    (1, [1, 1, 0, 0, 0], [0, 4, 8, 9, 10])
    """
    levels = 0
    while 4 ** (levels + 1) <= s:
        levels += 1
    level_of, places, place = [], [], 0
    for level in range(levels, -1, -1):
        while place + 4**level <= s:
            level_of.append(level)
            places.append(place)
            place += 4**level
    return levels, level_of, places


def build(g: BoxGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    whole = g.total.kind != "f"
    rows, across = g.positions(0), g.positions(1)
    before = g.s // 2 + g.origin[1]
    pads = np.concatenate([across[:before], across[before + g.w :]])
    constant = np.full(g.w * g.inner, g.cval, g.source)
    levels, level_of, places = _terms(g.s)
    tables = np.array(level_of, np.int64), np.array(places, np.int64)
    group = min(g.r, g.h, _GROUP)
    groups = -(-g.h // group)
    row_pitch = -(-(g.w + g.s - 1) * g.inner * g.total.itemsize // _LINE) * _LINE
    pitch = (8 * (4 + len(places)) // _LINE + 2) * _LINE + (levels + group + 3) * row_pitch
    area = g.r * g.s
    # n // area = n * factor >> 24 for n < 256 * area and areas up to 256, and the product fits 32 bits.
    division = g.offset, 256 * area - 1, -(-(2**24) // area)
    words = (word_of(g.cval * g.r), word_of(g.scale), *division, pitch, row_pitch)
    sizes = (g.h, g.w, g.inner, g.r, before, g.s - 1, group, groups, levels, len(places))
    template = Template(9, (*sizes, *words))
    weights = np.full(len(places), g.scale if g.kind == MEAN else 1, g.total)
    worker = _rows.address(g.source.name, g.total.name, g.dtype.name, g.kind if whole else SUM)
    ns = g.pixels * (6 + 4 * levels + len(places)) * g.total.itemsize / 150

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], weights, rows, pads, constant, *tables, buffer)
        launch(worker, g.outer * groups, addressof(block), ns)

    return run
