"""Variant "sums": sums of sums, one row of the result at a time.

A running sum adds the pixel that enters the window and takes away the one that leaves it. Integers run so down the
columns. But what a NaN, or a number 1e10 times the others, has done to a floating-point sum is not taken away again.
Sums of parts that several windows share cost hardly more, and nothing is ever subtracted:

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

Sums of 8-bit integers take 16 bits as long as they fit, others 32. A task is a group of windows' rows, computed
alone, so the result does not depend on how threads share them. All channels of a pixel lie in the row.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import register_jitable

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


def _quotients(builder: ir.IRBuilder, sums: ir.Value, constants: ir.Value) -> ir.Value:
    """``min(sums + offset, most) // area`` as bytes: see `_reciprocal`, which makes the constants."""
    width = sums.type.count
    wide = ir.VectorType(ir.IntType(32), width)

    def constant(index: int) -> ir.Value:
        place = builder.add(constants, ir.Constant(ir.IntType(64), 2 * index))
        number = builder.load(builder.inttoptr(place, ir.IntType(16).as_pointer()))
        undefined = ir.Constant(sums.type, ir.Undefined)
        first = builder.insert_element(undefined, number, ir.IntType(32)(0))
        return builder.shuffle_vector(first, undefined, ir.Constant(wide, [0] * width))

    offset, most, extra, factor, shift = map(constant, range(5))
    n = builder.add(sums, offset)
    n = builder.add(builder.select(builder.icmp_unsigned("<", n, most), n, most), extra)
    product = builder.mul(builder.zext(n, wide), builder.zext(factor, wide))
    upper = builder.trunc(builder.lshr(product, ir.Constant(wide, [16] * width)), sums.type)
    return builder.trunc(builder.lshr(upper, shift), ir.VectorType(ir.IntType(8), width))


def _reciprocal(offset: int, area: int) -> np.ndarray:
    """Constants of 16 bits by which sums of up to 256 bytes are divided, by a product of which the upper half is kept.

    With ``one = 2**(16 + shift)`` between 32768 and 65536 times the area, ``n // area`` is ``n * factor // one`` for
    ``factor = one / area`` rounded up, as long as n times what that adds to ``factor * area`` stays below ``one``.
    Where it does not, that which rounding down takes away is small enough, and ``(n + 1) * factor // one`` is right.

    >>> _reciprocal(60, 121)
    array([   60, 30975,     0, 34664,     6], dtype=uint16)
    """
    most, shift = 256 * area - 1, (area - 1).bit_length() - 1
    one = 1 << (16 + shift)
    factor = -(-one // area)
    extra = int(most * (factor * area - one) >= one)
    return np.array([offset, most, extra, factor - extra, shift], np.uint16)


def _running(given: Any, number: Any) -> tuple[Callable[..., None], Callable[..., None]]:
    """Sums down the columns that run from row to row: how they start, and what follows for row ``p``."""
    size = given.bitwidth // 8

    @register_jitable
    def start(inside, suffixes, row_pitch, prefix, source, constant, rows, first, r, count, line):
        sums = pointer(inside, number)
        for m in range(first, first + r):
            added = pointer(constant if rows[m] < 0 else source + rows[m] * line * size, given)
            if m == first:
                for i in range(line):
                    sums[i] = number(added[i])
            else:
                for i in range(line):
                    sums[i] += number(added[i])

    @register_jitable
    def follow(inside, suffix, prefix, source, constant, rows, p, r, j, line):
        if j > 0:
            sums, entering, leaving = pointer(inside, number), rows[p + r - 1], rows[p - 1]
            added = pointer(constant if entering < 0 else source + entering * line * size, given)
            taken = pointer(constant if leaving < 0 else source + leaving * line * size, given)
            for i in range(line):
                sums[i] += number(added[i]) - number(taken[i])

    return start, follow


def _shared(given: Any, number: Any) -> tuple[Callable[..., None], Callable[..., None]]:
    """The same by suffixes, which the start makes, and prefixes."""
    size = given.bitwidth // 8

    @register_jitable
    def start(inside, suffixes, row_pitch, prefix, source, constant, rows, first, r, count, line):
        for j in range(r - 1, -1, -1):
            k = rows[first + j]
            added = pointer(constant if k < 0 else source + k * line * size, given)
            suffix = pointer(suffixes + min(j, count - 1) * row_pitch, number)
            if j == r - 1:
                for i in range(line):
                    suffix[i] = number(added[i])
            elif j >= count - 1:
                for i in range(line):
                    suffix[i] += number(added[i])
            else:
                shorter = pointer(suffixes + (j + 1) * row_pitch, number)
                for i in range(line):
                    suffix[i] = shorter[i] + number(added[i])
        grown = pointer(prefix, number)
        for i in range(line):
            grown[i] = number(0)

    @register_jitable
    def follow(inside, suffix, prefix, source, constant, rows, p, r, j, line):
        sums, shared, grown = pointer(inside, number), pointer(suffix, number), pointer(prefix, number)
        if j == 0:
            for i in range(line):
                sums[i] = shared[i]
        else:
            k = rows[p + r - 1]
            added = pointer(constant if k < 0 else source + k * line * size, given)
            for i in range(line):
                longer = grown[i] + number(added[i])
                grown[i] = longer
                sums[i] = shared[i] + longer

    return start, follow


@kernel()
def _rows(source: str, total: str, target: str, kind: int) -> Any:
    given, number, result = getattr(types, source), getattr(types, total), getattr(types, target)
    whole = isinstance(number, types.Integer)
    plain = isinstance(result, types.Float) or result == types.int32  # they hold every sum
    real = types.float64 if types.float64 in (number, result) else types.float32
    given_size, size, result_size = given.bitwidth // 8, number.bitwidth // 8, result.bitwidth // 8
    start, follow = (_running if whole else _shared)(given, number)
    sums, scaled_sums = weighted_sums(number, number, weighted=False), weighted_sums(number, number)
    if kind == DIVIDED:
        quotients = weighted_sums(number, number, weighted=False, finish=_quotients, result=result)
    else:
        quotients = sums
    converted = saturating(real, result)

    def work(begin, end, slot, block):
        x, y, weights = block[0], block[1], block[2]
        rows, pads, constant = pointer(block[3], types.int64), pointer(block[4], types.int64), block[5]
        levels_of, shifts = pointer(block[6], types.int64), pointer(block[7], types.int64)
        h, w, inner, r, before, margin = block[9], block[10], block[11], block[12], block[13], block[14]
        group, groups, levels, terms = block[15], block[16], block[17], block[18]
        outside, scale = number(float_bits(block[19])), real(float_bits(block[20]))
        pitch, row_pitch = block[21], block[22]
        table = (block[8] + _LINE - 1) // _LINE * _LINE + slot * pitch
        addresses = pointer(table, types.int64)
        prefix = table + (8 * (4 + terms) + _LINE - 1) // _LINE * _LINE
        padded = prefix + row_pitch
        suffixes = padded + (levels + 1) * row_pitch
        line, pixel = w * inner, inner * size
        inside, samples = padded + before * pixel, pointer(padded, number)
        results = suffixes + (0 if whole else group) * row_pitch  # the sums, where they are not what is stored
        finals = table + 32
        for t in range(terms):
            addresses[4 + t] = padded + levels_of[t] * row_pitch + shifts[t] * pixel

        for task in range(begin, end):
            image, first = task // groups, task % groups * group
            count = min(group, h - first)
            source = x + image * h * line * given_size
            start(inside, suffixes, row_pitch, prefix, source, constant, rows, first, r, count, line)
            for j in range(count):
                follow(inside, suffixes + j * row_pitch, prefix, source, constant, rows, first + j, r, j, line)
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
                if kind == DIVIDED:
                    quotients(finals, 0, terms, 0, out, weights, line)
                    continue
                sums(finals, 0, terms, 0, results, 0, line)
                summed, stored = pointer(results, number), pointer(out, result)
                if kind == MEAN:
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
    group = min(max(_GROUP, 2 * g.r) if whole else min(g.r, _GROUP), g.h)
    groups = -(-g.h // group)
    row_pitch = -(-(g.w + g.s - 1) * g.inner * g.total.itemsize // _LINE) * _LINE
    scratch_rows = levels + 2 + (1 if whole else group)
    pitch = (8 * (4 + len(places)) // _LINE + 2) * _LINE + scratch_rows * row_pitch
    words = (word_of(g.cval * g.r), word_of(g.scale), pitch, row_pitch)
    sizes = (g.h, g.w, g.inner, g.r, before, g.s - 1, group, groups, levels, len(places))
    weights = np.full(len(places), g.scale if g.kind == MEAN else 1, g.total)
    if g.kind == DIVIDED:
        weights = _reciprocal(g.offset, g.r * g.s)
    kept = dict(enumerate((weights, rows, pads, constant, *tables), start=2))
    template = Template(9, (*sizes, *words), kept)
    worker = _rows.address(g.source.name, g.total.name, g.dtype.name, g.kind if whole else SUM)
    ns = g.pixels * (6 + 4 * levels + len(places)) * g.total.itemsize / 150

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], None, None, None, None, None, None, buffer)
        launch(worker, g.outer * groups, addressof(block), ns)

    return run
