"""Variant "windows": sums over all windows of R x S pixels with a few additions for each number, none of them undone.

Running sums and integral images subtract what leaves the window. After a bright region they keep its rounding error,
which then is all that is left of a dark window's variance. Here the sums of a window only ever grow.

    down      R rows at a time: the *suffix* at row i is the sum of rows i .. R - 1, built from below; then the *prefix*
              grows with the rows behind them. The window from row i is suffix[i] + prefix: two additions a number.

                  rows   0 1 2 3 | 4 5 6 7        R = 4; the window from row 2 is (2, 3) of the one and (4, 5)
                             s s   p p            of the other

    across    sums of 1, 4, 16, ... neighbours, each of four before; those that make up S are added
              (S = 27: 3 x 1 + 2 x 4 + 1 x 16).

Channels of a pixel lie side by side, so a row is W * C numbers and the next pixel is C numbers on: no loop knows
channels but the one that writes results. Columns are cut into tiles, so that a tile's suffixes stay in the second-level
cache. Sums are in float64, where those of integers are exact.

Instead of the sums, `scales` writes what a sum of products is multiplied by to be a score: one over the window's
length, its mean subtracted, times the template's; and `squares` the sums of squares over all channels.
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
from ..machine.processor import vector_bytes
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import CENTRES, MatchGeometry
from .reference import FLAT, LARGEST
from .vectors import neighbours, window_vectors

VECTOR = vector_bytes()
RANGE = 1e30  # squared lengths from one over it to it are safe in float32

_LINE = 64  # bytes: scratch of different threads shares no cache line
_TILE_BYTES = 256 * 1024  # of suffixes
_LEAST_WIDTH = 64  # numbers of a tile's row beyond the window's width
_BAND = 64  # rows of windows in a task, or the window's height where that is more
_SHORTEST = 1e-36  # length of a float32 window below which one over it nears the largest float32


@register_jitable
def _add_neighbours(source, step, count, target, width, fresh):
    """``count`` (1 to 3) vectors side by side, for all of a row: written to the target or added to it."""
    for j in range(0, 8 * width, VECTOR):
        if fresh:
            if count == 1:
                neighbours(1, 1, source + j, step, target + j)
            elif count == 2:
                neighbours(2, 1, source + j, step, target + j)
            else:
                neighbours(3, 1, source + j, step, target + j)
        elif count == 1:
            neighbours(1, 0, source + j, step, target + j)
        elif count == 2:
            neighbours(2, 0, source + j, step, target + j)
        else:
            neighbours(3, 0, source + j, step, target + j)


@register_jitable
def _across(source, one, two, total, width, s, step):
    """The address of sums of ``s`` numbers ``step`` bytes apart, for ``width`` places; the others are scratch."""
    groups, spare = source, one  # groups of `size` neighbours, summed
    begun, size = 0, 1
    while True:
        digit = s // size % 4
        if digit > 0:
            if begun == 0 and digit * size == s and digit == 1:
                return groups
            _add_neighbours(groups + begun * step, size * step, digit, total, width, begun == 0)
            begun += digit * size
        if begun == s:
            return total
        gap = size * step
        count = width + (s - 4 * size) * step // 8
        for j in range(0, 8 * count, VECTOR):
            neighbours(4, 1, groups + j, gap, spare + j)
        groups, spare = spare, (two if spare == one else one)
        size *= 4


@kernel()
def _windows(dtype: str, result: str, alone: bool) -> Any:
    """Task: one tile of columns of one band of rows of windows; ``result``: "sums", "squares" or the type of scales.

    With ``alone`` squares alone are summed: lengths of what is not centred need no more.
    """
    number = getattr(types, dtype)
    bytes_in = number.bitwidth // 8
    sums_only, squares_only = result == "sums", result == "squares"
    if sums_only:
        kind = types.int64 if dtype == "uint8" else types.float64
    else:
        kind = types.float64 if squares_only else getattr(types, result)
    narrow, bytes_out = result == "float32", kind.bitwidth // 8
    shortest = _SHORTEST if narrow else 0.0
    lanes_of_sums = VECTOR // 8

    @register_jitable
    def add_number(row, level, old, new, half, j):
        value = types.float64(pointer(row, number)[j]) - pointer(level, types.float64)[j]
        pointer(new, types.float64)[j] = pointer(old, types.float64)[j] + value
        pointer(new + half, types.float64)[j] = pointer(old + half, types.float64)[j] + value * value

    start, slide = window_vectors(dtype, alone)

    def work(begin, end, slot, block):
        x, first_out, second_out, levels, zeros = block[0], block[1], block[2], block[3], block[4]
        h, w, c, r, s, p, q = block[6], block[7], block[8], block[9], block[10], block[11], block[12]
        tile, tiles, band, bands, pitch = block[13], block[14], block[15], block[16], block[17]
        centre, part = block[18], float_bits(block[19])
        scratch = (block[5] + _LINE - 1) // _LINE * _LINE + slot * pitch
        n = types.float64(r * s)
        inverse = 1.0 / n
        for task in range(begin, end):
            first_q = task % tiles * tile
            first_p = task // tiles % bands * band
            image = task // (tiles * bands)
            columns = min(tile, q - first_q)
            last_p = min(first_p + band, p)
            count, width = (columns + s - 1) * c, columns * c
            whole = count - count % lanes_of_sums
            half = (8 * count + 2 * VECTOR - 1) // VECTOR * VECTOR  # whole vectors, and one more to read
            row, step = 2 * half, 8 * c
            corner, level = x + (image * h * w + first_q) * c * bytes_in, levels + image * w * c * 8
            prefix = scratch
            joined, one, two, total = prefix + row, prefix + 2 * row, prefix + 3 * row, prefix + 4 * row
            suffix = prefix + 5 * row
            while first_p < last_p:
                here = min(r, last_p - first_p)
                # From below; only the suffixes that begin a window are kept.
                for k in range(r):
                    i = r - 1 - k
                    old = suffix + min(i + 1, here - 1) * row if k > 0 else zeros
                    new = suffix + min(i, here - 1) * row
                    line = corner + (first_p + i) * w * c * bytes_in
                    for j in range(0, whole, lanes_of_sums):
                        start(line + j * bytes_in, level + 8 * j, old + 8 * j, new + 8 * j, half)
                    for j in range(whole, count):
                        add_number(line, level, old, new, half, j)
                for i in range(here):
                    source = suffix + i * row
                    if i > 0:
                        line = corner + (first_p + r + i - 1) * w * c * bytes_in
                        old = zeros if i == 1 else prefix
                        for j in range(0, whole, lanes_of_sums):
                            slide(
                                line + j * bytes_in, level + 8 * j, old + 8 * j, prefix + 8 * j, source + 8 * j,
                                joined + 8 * j, half,
                            )  # fmt: skip
                        for j in range(whole, count):
                            add_number(line, level, old, prefix, half, j)
                            for offset in (0, half):
                                both = pointer(joined + offset, types.float64)
                                one_part = pointer(prefix + offset, types.float64)
                                both[j] = one_part[j] + pointer(source + offset, types.float64)[j]
                        source = joined
                    sums = pointer(source, types.float64)
                    if not alone:
                        sums = pointer(_across(source, one, two, total, width, s, step), types.float64)
                    squares = pointer(
                        _across(source + half, one + half, two + half, total + half, width, s, step), types.float64
                    )
                    place = (image * p + first_p + i) * q + first_q
                    if sums_only:
                        out_sums, out_squares = pointer(first_out, kind), pointer(second_out, kind)
                        for j in range(width):
                            out_sums[place * c + j] = kind(sums[j])
                            out_squares[place * c + j] = kind(squares[j])
                        continue
                    if squares_only:
                        out_squares = pointer(first_out, kind)
                        for j in range(columns):
                            value = 0.0
                            for k in range(c):
                                value += squares[j * c + k]
                            out_squares[place + j] = value
                        continue
                    # The squared length of each window, 0 where it has no contrast, takes the place of its sums.
                    lengths = pointer(total, types.float64)
                    if c > 1:
                        for j in range(columns):
                            level_of, mean, squared = 0.0, 0.0, 0.0
                            for k in range(c):
                                value = sums[j * c + k]
                                level_of += squares[j * c + k]
                                mean += value
                                squared += (n * squares[j * c + k] - value * value) * inverse
                            if centre == 2:
                                squared = (n * c * level_of - mean * mean) * inverse / c
                            elif centre == 0:
                                squared = level_of if level_of <= LARGEST else np.nan
                            lengths[j] = squared if squared > FLAT * level_of or squared != squared else 0.0
                    else:
                        for j in range(columns):
                            if alone:
                                squared = squares[j] if squares[j] <= LARGEST else np.nan
                            else:
                                squared = (n * squares[j] - sums[j] * sums[j]) * inverse
                            lengths[j] = squared if squared > FLAT * squares[j] or squared != squared else 0.0
                    scales, odd = pointer(first_out + place * bytes_out, kind), 0
                    for j in range(columns):
                        squared = lengths[j]
                        odd += 1 if squared > RANGE or (0.0 < squared < 1.0 / RANGE) else 0
                    if narrow and odd == 0:
                        for j in range(columns):
                            squared = types.float32(lengths[j])
                            scale = types.float32(1) / math.sqrt(squared) * types.float32(part)
                            scales[j] = scale if squared > 0 else squared
                    else:
                        for j in range(columns):
                            squared = lengths[j]
                            norm = math.sqrt(squared)
                            scales[j] = kind(part / norm if norm > shortest else squared * 0.0)
                first_p += here

    return work


def _run(g: MatchGeometry, result: str) -> Any:
    """``run(x, first, second, shifts, length)`` for the sums, the squares or the scales."""
    row = (2 * g.s + _LEAST_WIDTH) * g.c
    kept = min(g.r, g.p, max(_BAND, g.r))
    widest = max(row, _TILE_BYTES // (16 * kept)) // g.c
    tiles = -(-g.q // max(1, widest - g.s + 1))
    tile = -(-g.q // tiles)
    band = -(-_BAND // g.r) * g.r
    bands = -(-g.p // band)
    count = (tile + g.s - 1) * g.c
    row = 2 * ((8 * count + 2 * VECTOR - 1) // VECTOR * VECTOR)
    pitch = (row * (kept + 5) // _LINE + 2) * _LINE
    tasks = g.n * tiles * bands
    ns = g.n * g.h * g.w * g.c * 3.0
    sizes = (g.h, g.w, g.c, g.r, g.s, g.p, g.q, tile, tiles, band, bands, pitch, g.centre)
    template = Template(6, (*sizes, 0))
    alone = result != "sums" and g.centre == CENTRES["none"]
    worker = _windows.address(g.dtype.name, result, alone)

    def run(x: Any, first: Any, second: Any, shifts: np.ndarray, length: float) -> None:
        zeros = np.zeros(row // 8)
        # What is subtracted, for a row of each image, since channels lie side by side.
        levels = np.ascontiguousarray(np.broadcast_to(shifts[:, None], (g.n, g.w, g.c)))
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(x, first, second, levels, zeros, buffer)
        block[len(block) - 1] = word_of(1.0 / length)
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

    0 where a window has no contrast, NaN where it holds a NaN or an infinity; ``shifts`` (N, C) is subtracted first,
    and should be about the mean. ``out`` is (N, P, Q), in the type of the scores.
    """
    run_scales = _run(g, g.outputs[0][1].name)

    def run(x: Any, out: np.ndarray, shifts: np.ndarray, length: float) -> None:
        run_scales(x, out, None, shifts, length)

    return run


def squares(g: MatchGeometry) -> Any:
    """``run(x, out, shifts)``: the sum of squares in every window over all channels, ``shifts`` (N, C) taken off first.

    ``out`` is (N, P, Q) float64.
    """
    run_squares = _run(g, "squares")

    def run(x: Any, out: np.ndarray, shifts: np.ndarray) -> None:
        run_squares(x, out, None, shifts, 1.0)

    return run
