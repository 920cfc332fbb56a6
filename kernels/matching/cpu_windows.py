"""Variant "windows": sums over all windows of R x S pixels with a few additions for each number, none of them undone.

Running sums and integral images subtract what leaves the window. After a bright region they keep its rounding error,
which then is all that is left of a dark window's variance. Here the sums of a window only ever grow.

    down      R rows at a time: the *suffix* at row i is the sum of rows i .. R - 1, built from below; then the *prefix*
              grows with the rows behind them. The window from row i is suffix[i] + prefix: two additions a number.

                  rows   0 1 2 3 | 4 5 6 7        R = 4; the window from row 2 is (2, 3) of the one and (4, 5)
                             s s   p p            of the other

    across    by doubling: sums of 1, 2, 4, ... neighbours, each of two before; those that make up S are added
              (S = 11: 1 + 2 + 8).

Channels of a pixel lie side by side, so a row is W * C numbers and the next pixel is C numbers on: no loop knows
channels but the one that writes results. Columns are cut into tiles, so that a tile's suffixes stay in the second-level
cache. Sums are in float64, where those of integers are exact.

Instead of the sums, `scales` writes what a sum of products is multiplied by to be a score: one over the window's length,
its mean subtracted, times the template's.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import MatchGeometry
from .reference import FLAT, LARGEST

_LINE = 64  # bytes: scratch of different threads shares no cache line
_TILE_BYTES = 256 * 1024  # of suffixes
_LEAST_WIDTH = 64  # numbers of a tile's row beyond the window's width
_BAND = 64  # rows of windows in a task, or the window's height where that is more
_SHORTEST = 1e-36  # length of a float32 window below which one over it nears the largest float32


@register_jitable
def _across(source, one, two, total, width, s, step):
    """``total[j]``: the sum of ``s`` numbers ``step`` apart, from ``source[j]``; ``one`` and ``two`` are scratch."""
    sums = pointer(total, types.float64)
    doubled, spare = source, one
    begun, size = 0, 1  # how many of the s are summed; how many each of `doubled` stands for
    count = width + (s - 1) * step
    while True:
        numbers = pointer(doubled, types.float64)
        if s & size:
            first = begun * step
            if begun == 0:
                for j in range(width):
                    sums[j] = numbers[j]
            else:
                for j in range(width):
                    sums[j] += numbers[first + j]
            begun += size
        if begun == s:
            return
        gap = size * step
        count -= gap
        twice = pointer(spare, types.float64)
        for j in range(count):
            twice[j] = numbers[j] + numbers[j + gap]
        doubled, spare = spare, (two if spare == one else one)
        size *= 2


def _make_row(number: Any) -> Any:
    """``read`` makes a row of an image float64, less its level; ``added`` writes sums and squares with that row.

    Loops are short and have few arrays each: LLVM makes vectors of those alone.
    """

    @register_jitable
    def read(row, shift, values, count):
        numbers, less, value = pointer(row, number), pointer(shift, types.float64), pointer(values, types.float64)
        for j in range(count):
            value[j] = types.float64(numbers[j]) - less[j]

    @register_jitable
    def added(old, values, new, count):
        """``new = old`` and the values, and behind those ``count`` numbers the same of their squares."""
        value = pointer(values, types.float64)
        before, after = pointer(old, types.float64), pointer(new, types.float64)
        for j in range(count):
            after[j] = before[j] + value[j]
        before, after = pointer(old + 8 * count, types.float64), pointer(new + 8 * count, types.float64)
        for j in range(count):
            after[j] = before[j] + value[j] * value[j]

    return read, added


@kernel()
def _windows(dtype: str, result: str) -> Any:
    """Task: one tile of columns of one band of rows of windows. ``result`` is "sums" or the type of the scales."""
    number = getattr(types, dtype)
    bytes_in = number.bitwidth // 8
    sums_only = result == "sums"
    kind = (types.int64 if dtype == "uint8" else types.float64) if sums_only else getattr(types, result)
    shortest = _SHORTEST if result == "float32" else 0.0
    read, added = _make_row(number)

    def work(begin, end, slot, block):
        x, first_out, second_out, shifts, zeros = block[0], block[1], block[2], block[3], block[4]
        h, w, c, r, s, p, q = block[6], block[7], block[8], block[9], block[10], block[11], block[12]
        tile, tiles, band, bands, most, pitch = block[13], block[14], block[15], block[16], block[17], block[18]
        centre, length = block[19], float_bits(block[20])
        scratch = (block[5] + _LINE - 1) // _LINE * _LINE + slot * pitch
        n = types.float64(r * s)
        for task in range(begin, end):
            first_q = task % tiles * tile
            first_p = task // tiles % bands * band
            image = task // (tiles * bands)
            columns = min(tile, q - first_q)
            last_p = min(first_p + band, p)
            count, width = (columns + s - 1) * c, columns * c
            row = 16 * count
            start, shift = x + (image * h * w + first_q) * c * bytes_in, shifts + image * w * c * 8
            prefix = scratch
            joined, one, two, totals = prefix + row, prefix + 2 * row, prefix + 3 * row, prefix + 4 * row
            values, suffix = prefix + 5 * row, prefix + 6 * row
            while first_p < last_p:
                here = min(r, last_p - first_p)
                # From below; only the suffixes that begin a window are kept.
                for k in range(r):
                    i = r - 1 - k
                    old = suffix + min(i + 1, here - 1) * row if k > 0 else zeros
                    read(start + (first_p + i) * w * c * bytes_in, shift, values, count)
                    added(old, values, suffix + min(i, here - 1) * row, count)
                for i in range(here):
                    source = suffix + i * row
                    if i > 0:
                        below = start + (first_p + r + i - 1) * w * c * bytes_in
                        read(below, shift, values, count)
                        added(zeros if i == 1 else prefix, values, prefix, count)
                        a, b, both = (
                            pointer(source, types.float64), pointer(prefix, types.float64),
                            pointer(joined, types.float64),
                        )  # fmt: skip
                        for j in range(2 * count):
                            both[j] = a[j] + b[j]
                        source = joined
                    _across(source, one, two, totals, width, s, c)
                    _across(source + 8 * count, one, two, totals + 8 * width, width, s, c)
                    sums, squares = pointer(totals, types.float64), pointer(totals + 8 * width, types.float64)
                    place = (image * p + first_p + i) * q + first_q
                    if sums_only:
                        out_sums, out_squares = pointer(first_out, kind), pointer(second_out, kind)
                        for j in range(width):
                            out_sums[place * c + j] = kind(sums[j])
                            out_squares[place * c + j] = kind(squares[j])
                        continue
                    scales = pointer(first_out, kind)
                    if c > 1:  # the deviations and squares of all channels are gathered in the first one
                        for j in range(columns):
                            level, mean, deviation = 0.0, 0.0, 0.0
                            for k in range(c):
                                level += squares[j * c + k]
                                mean += sums[j * c + k]
                                deviation += n * squares[j * c + k] - sums[j * c + k] * sums[j * c + k]
                            if centre == 2:
                                deviation = n * c * level - mean * mean
                                deviation /= c
                            sums[j] = deviation if centre > 0 else n * level
                            squares[j] = level
                    else:
                        for j in range(columns):
                            deviation = n * squares[j] - sums[j] * sums[j]
                            sums[j] = deviation if centre > 0 else n * squares[j]
                    for j in range(columns):
                        squared, level = sums[j] / n, squares[j]
                        norm = math.sqrt(max(squared, 0.0))
                        scale = 1.0 / (norm * length)
                        scale = scale if squared > FLAT * level and norm > shortest else 0.0
                        scales[place + j] = kind(scale if level <= LARGEST else np.nan)
                first_p += here

    return work


def _run(g: MatchGeometry, result: str) -> Any:
    """``run(x, first, second, shifts, length)`` for the sums or the scales."""
    row = (2 * g.s + _LEAST_WIDTH) * g.c
    kept = min(g.r, g.p, max(_BAND, g.r))
    widest = max(row, _TILE_BYTES // (16 * kept)) // g.c
    tiles = -(-g.q // max(1, widest - g.s + 1))
    tile = -(-g.q // tiles)
    band = -(-_BAND // g.r) * g.r
    bands = -(-g.p // band)
    count = (tile + g.s - 1) * g.c
    pitch = (16 * count * (kept + 6) // _LINE + 2) * _LINE
    tasks = g.n * tiles * bands
    ns = g.n * g.h * g.w * g.c * 3.0
    sizes = (g.h, g.w, g.c, g.r, g.s, g.p, g.q, tile, tiles, band, bands, kept, pitch, g.centre)
    template = Template(6, (*sizes, 0))
    worker = _windows.address(g.dtype.name, result)

    def run(x: Any, first: Any, second: Any, shifts: np.ndarray, length: float) -> None:
        zeros = np.zeros(2 * count)
        # What is subtracted, for a row of each image, since channels lie side by side.
        levels = np.ascontiguousarray(np.broadcast_to(shifts[:, None], (g.n, g.w, g.c)))
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(x, first, second, levels, zeros, buffer)
        block[len(block) - 1] = word_of(length)
        launch(worker, tasks, addressof(block), ns)

    return run


def build(g: MatchGeometry) -> Run:
    """The sums themselves."""
    run_sums = _run(g, "sums")
    nothing = np.zeros((g.n, g.c))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        run_sums(arrays[0], *outputs, nothing, 1.0)

    return run


def scales(g: MatchGeometry) -> Any:
    """``run(x, out, shifts, length)``: one over the length of every window, its mean subtracted, times ``length``.

    0 where a window has no contrast, NaN where it holds a NaN or an infinity; ``shifts`` (N, C) is subtracted first, and
    should be about the mean. ``out`` is (N, P, Q), in the type of the scores.
    """
    run_scales = _run(g, g.outputs[0][1].name)

    def run(x: Any, out: np.ndarray, shifts: np.ndarray, length: float) -> None:
        run_scales(x, out, None, shifts, length)

    return run
