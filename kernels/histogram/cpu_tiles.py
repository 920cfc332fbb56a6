"""Variant "tiles" of adaptive equalisation: a tile's histogram and map by one task, then rows of pixels blended.

The pixels of a row between the centres of two neighbouring tiles look into the same four maps. Their bins are laid
side by side first, so that a pixel finds its four levels in one place.
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
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import TileGeometry
from .reference import OPENCV, blended, clip_once, clip_until_shared, level, neighbours, reflected

_LINE = 64


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


@kernel(fastmath=False)
def _blend(dtype: str, maps: str, rule: int, whole: bool) -> Any:
    """Task: one row of one image.

    block = x, maps, y, columns, ways, rows, h, w, grid_h, grid_w, bins

    ``columns[q]`` are the places in a row of maps of the two tiles around column q, ``ways[q]`` how far it is from one
    to the other; ``rows`` likewise.
    """
    number, entry = getattr(types, dtype), getattr(types, maps)
    size, entry_size = number.bitwidth // 8, entry.bitwidth // 8

    def work(begin, end, slot, block):
        columns, ways = pointer(block[3], types.int64), pointer(block[4], types.float64)
        rows, steps = pointer(block[5], types.int64), pointer(block[6], types.float64)
        h, w, grid_h, grid_w, bins = block[7], block[8], block[9], block[10], block[11]
        for task in range(begin, end):
            image, p = task // h, task % h
            x, y = pointer(block[0] + task * w * size, number), pointer(block[2] + task * w * entry_size, entry)
            start = block[1] + image * grid_h * grid_w * bins * entry_size
            above = pointer(start + rows[2 * p] * grid_w * bins * entry_size, entry)
            below = pointer(start + rows[2 * p + 1] * grid_w * bins * entry_size, entry)
            down = steps[p]
            for q in range(w):
                k = types.int64(x[q])
                if not whole:
                    k = min(max(k, 0), bins - 1)
                left, right = columns[2 * q] + k, columns[2 * q + 1] + k
                y[q] = entry(blended(above[left], above[right], below[left], below[right], down, ways[q], rule))

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
    return np.array([pair[:2] for pair in found], np.int64), np.array([pair[2] for pair in found], np.float64)


def build_blend(g: TileGeometry) -> Run:
    dtype = "uint8" if g.dtype.kind == "b" else g.dtype.name
    worker = _blend.address(dtype, g.outputs[0][1].name, g.rule, _is_whole(g))
    rows, steps = _places(g.h, g.tile[0], g.grid[0], g.rule)
    columns, ways = _places(g.w, g.tile[1], g.grid[1], g.rule)
    columns *= g.bins
    template = Template(7, (g.h, g.w, *g.grid, g.bins))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs, columns, ways, rows, steps)
        launch(worker, g.n * g.h, addressof(block), g.n * g.h * g.w * 2.0)

    return run
