"""Variant "tiles" of adaptive equalisation: a tile's histogram and map by one task, then rows of pixels blended.

The pixels between the centres of four neighbouring tiles look into the same four maps. Their levels are laid side by
side first, four in a word, so that a pixel finds all of its levels by one look.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.streams import read, write
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import TileGeometry
from .reference import OPENCV, blended, clip_once, clip_until_shared, level, neighbours, reflected

_LINE = 64
_MOST_SIDE_BY_SIDE = 4096  # bins: beyond, the words of all cells outgrow the caches


@kernel(fastmath=False)
def _maps(dtype: str, maps: str, rule: int, whole: bool) -> Any:
    """Task: one tile of one image. ``whole``: every value of the type has a bin.

    block = x, maps, scratch, h, w, tile_h, tile_w, grid_h, grid_w, bins, limit, top, scratch of a thread
    """
    number, entry = getattr(types, dtype), getattr(types, maps)
    size, entry_size = number.bitwidth // 8, entry.bitwidth // 8

    @register_jitable
    def count(counts, value, bins):
        k = types.int64(value)
        if whole or (k >= 0 and k < bins):
            counts[k] += 1

    def work(begin, end, slot, block):
        h, w, tile_h, tile_w, grid_h, grid_w = block[3], block[4], block[5], block[6], block[7], block[8]
        bins, limit, top = block[9], block[10], block[11]
        scratch = (block[2] + _LINE - 1) // _LINE * _LINE + slot * block[12]
        counts, others = pointer(scratch, types.int64), pointer(scratch + 8 * bins, types.int64)
        for task in range(begin, end):
            image, a, b = task // (grid_h * grid_w), task // grid_w % grid_h, task % grid_w
            for k in range(2 * bins):
                counts[k] = 0
            left, right = b * tile_w, (b + 1) * tile_w
            for p in range(a * tile_h, (a + 1) * tile_h):
                row = p if p < h else reflected(p, h)
                x = pointer(block[0] + (image * h + row) * w * size, number)
                inside = max(min(right, w), left)
                pairs = left + (inside - left) // 2 * 2
                for q in range(left, pairs, 2):
                    one, two = x[q], x[q + 1]
                    count(counts, one, bins)
                    count(others, two, bins)
                for q in range(pairs, inside):
                    count(counts, x[q], bins)
                for q in range(inside, right):
                    count(counts, x[reflected(q, w)], bins)
            for k in range(bins):
                counts[k] += others[k]
            if limit > 0:
                if rule == OPENCV:
                    clip_once(counts, bins, limit)
                else:
                    clip_until_shared(counts, bins, limit)
            table = pointer(block[1] + task * bins * entry_size, entry)
            total = types.int64(0)
            for k in range(bins):
                total += counts[k]
                table[k] = entry(level(total, top, tile_h * tile_w, rule))

    return work


@kernel()
def _side_by_side(maps: str) -> Any:
    """Task: one cell between four tiles' centres: for each value its four levels in one word.

    block = maps, words, grid_h, grid_w, bins
    """
    entry = getattr(types, maps)
    size = entry.bitwidth // 8
    word, unsigned = getattr(types, f"uint{32 * size}"), getattr(types, f"uint{8 * size}")

    def work(begin, end, slot, block):
        grid_h, grid_w, bins = block[2], block[3], block[4]
        for task in range(begin, end):
            across = grid_w + 1
            image, a, b = task // (across * (grid_h + 1)), task // across % (grid_h + 1), task % across
            start = block[0] + image * grid_h * grid_w * bins * size
            above, below = (
                start + max(a - 1, 0) * grid_w * bins * size,
                start + min(a, grid_h - 1) * grid_w * bins * size,
            )
            left, right = max(b - 1, 0) * bins * size, min(b, grid_w - 1) * bins * size
            one, two = pointer(above + left, unsigned), pointer(above + right, unsigned)
            three, four = pointer(below + left, unsigned), pointer(below + right, unsigned)
            words = pointer(block[1] + task * bins * 4 * size, word)
            for k in range(bins):
                value = word(four[k])
                value = value << word(8 * size) | word(three[k])
                value = value << word(8 * size) | word(two[k])
                words[k] = value << word(8 * size) | word(one[k])

    return work


@kernel(fastmath=False)
def _blend_words(dtype: str, maps: str, rule: int, whole: bool) -> Any:
    """Task: one row of one image.

    block = x, words, y, segments, their cells, ways, cells of the rows, ways of the rows, h, w, segments, cells across,
    cells down, bins

    ``segments[s]`` is the first column of the s-th run of columns in one cell, ``ways[q]`` how far column q is from the
    centre left of it to that right of it.
    """
    number, entry = getattr(types, dtype), getattr(types, maps)
    size, entry_size = number.bitwidth // 8, entry.bitwidth // 8
    word, real = getattr(types, f"uint{32 * entry_size}"), types.float32 if rule == OPENCV else types.float64
    bits = 8 * entry_size

    @register_jitable
    def part(value, i):
        return types.int32(entry(value >> word(bits * i)))

    def work(begin, end, slot, block):
        segments, cells, ways = pointer(block[3], types.int64), pointer(block[4], types.int64), pointer(block[5], real)
        rows, steps = pointer(block[6], types.int64), pointer(block[7], real)
        h, w, count, across, high, bins = block[8], block[9], block[10], block[11], block[12], block[13]
        for task in range(begin, end):
            image, p = task // h, task % h
            x, y = pointer(block[0] + task * w * size, number), pointer(block[2] + task * w * entry_size, entry)
            line, down = (image * high + rows[p]) * across, steps[p]
            for s in range(count):
                table = pointer(block[1] + (line + cells[s]) * bins * 4 * entry_size, word)
                for q in range(segments[s], segments[s + 1]):
                    k = types.int64(read(x, q))
                    if not whole:
                        k = min(max(k, 0), bins - 1)
                    four = read(table, k)
                    level = blended(
                        part(four, 0), part(four, 1), part(four, 2), part(four, 3), down, read(ways, q), rule
                    )
                    write(y, q, entry(types.int32(level)))

    return work


@kernel(fastmath=False)
def _blend(dtype: str, maps: str, rule: int, whole: bool) -> Any:
    """Task: one row of one image, where maps have too many bins to be laid side by side.

    block = x, maps, y, columns, ways, rows, ways of the rows, h, w, grid_h, grid_w, bins

    ``columns[q]`` are the places in a row of maps of the two tiles around column q; ``rows`` likewise.
    """
    number, entry = getattr(types, dtype), getattr(types, maps)
    size, entry_size = number.bitwidth // 8, entry.bitwidth // 8
    real = types.float32 if rule == OPENCV else types.float64

    def work(begin, end, slot, block):
        columns, ways = pointer(block[3], types.int64), pointer(block[4], real)
        rows, steps = pointer(block[5], types.int64), pointer(block[6], real)
        h, w, grid_h, grid_w, bins = block[7], block[8], block[9], block[10], block[11]
        for task in range(begin, end):
            image, p = task // h, task % h
            x, y = pointer(block[0] + task * w * size, number), pointer(block[2] + task * w * entry_size, entry)
            start = block[1] + image * grid_h * grid_w * bins * entry_size
            above = pointer(start + rows[2 * p] * grid_w * bins * entry_size, entry)
            below = pointer(start + rows[2 * p + 1] * grid_w * bins * entry_size, entry)
            down = steps[p]
            for q in range(w):
                k = types.int64(read(x, q))
                if not whole:
                    k = min(max(k, 0), bins - 1)
                left, right = columns[2 * q] + k, columns[2 * q + 1] + k
                a, b, c, d = read(above, left), read(above, right), read(below, left), read(below, right)
                write(y, q, entry(types.int32(blended(a, b, c, d, down, read(ways, q), rule))))

    return work


def _is_whole(g: TileGeometry) -> bool:
    return g.dtype.kind == "u" and g.dtype.itemsize <= 2 and g.bins >= 256**g.dtype.itemsize


def build_maps(g: TileGeometry) -> Run:
    dtype = "uint8" if g.dtype.kind == "b" else g.dtype.name
    worker = _maps.address(dtype, g.outputs[0][1].name, g.rule, _is_whole(g))
    scratch = -(-16 * g.bins // _LINE) * _LINE
    template = Template(3, (g.h, g.w, *g.tile, *g.grid, g.bins, g.limit, g.top, scratch))
    ns = g.tiles * (g.tile[0] * g.tile[1] * 0.6 + g.bins * 4.0)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        block = template.filled(*arrays, *outputs, buffer)
        launch(worker, g.tiles, addressof(block), ns)

    return run


def _places(n: int, tile: int, tiles: int, rule: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel of a line the tiles around it, and how far it is from one to the other."""
    found = [neighbours(q, tile, tiles, rule) for q in range(n)]
    ways = np.array([way for _, _, way in found], np.float32 if rule == OPENCV else np.float64)
    return np.array([tiles for *tiles, _ in found], np.int64), ways


def _cells(pairs: np.ndarray) -> np.ndarray:
    """Of each pixel the number of the gap between centres that it lies in; 0 is before the first centre."""
    return np.where(pairs.max(axis=1) == 0, 0, pairs[:, 0] + 1)


def build_blend(g: TileGeometry) -> Run:
    rows, steps = _places(g.h, g.tile[0], g.grid[0], g.rule)
    columns, ways = _places(g.w, g.tile[1], g.grid[1], g.rule)
    parameters = ("uint8" if g.dtype.kind == "b" else g.dtype.name, g.outputs[0][1].name, g.rule, _is_whole(g))
    ns = g.n * g.h * g.w * 1.5
    if g.bins <= _MOST_SIDE_BY_SIDE:
        return _build_words(g, parameters, (_cells(rows), steps), (_cells(columns), ways), ns)
    worker = _blend.address(*parameters)
    columns *= g.bins
    template = Template(7, (g.h, g.w, *g.grid, g.bins))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs, columns, ways, rows, steps)
        launch(worker, g.n * g.h, addressof(block), ns)

    return run


def _build_words(
    g: TileGeometry,
    parameters: tuple[Any, ...],
    down: tuple[np.ndarray, np.ndarray],
    along: tuple[np.ndarray, np.ndarray],
    ns: float,
) -> Run:
    (rows, steps), (columns, ways) = down, along
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    cells, segments = columns[starts], np.append(starts, g.w).astype(np.int64)
    gather, worker = _side_by_side.address(parameters[1]), _blend_words.address(*parameters)
    high, across = g.grid[0] + 1, g.grid[1] + 1
    first = Template(2, (*g.grid, g.bins))
    then = Template(8, (g.h, g.w, cells.size, across, high, g.bins))
    word = np.dtype(f"uint{32 * g.outputs[0][1].itemsize}")

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, maps = arrays
        words = empty((g.n, high, across, g.bins), word)
        block = first.filled(maps, words)
        launch(gather, g.n * high * across, addressof(block), words.size * 1.0)
        block = then.filled(x, words, *outputs, segments, cells, ways, rows, steps)
        launch(worker, g.n * g.h, addressof(block), ns)

    return run
