"""Histograms, tables and adaptive equalisation "naive" on CUDA: one thread, one number of the image.

The idea: numbers are looked up, or found between points, without knowing of each other. Those that are counted meet in
a bin, where an atomic operation adds 1: counts are integers, and a sum of integers has no order, so that the result
does not depend on which thread is first. Of a tile one thread clips the counts and adds them up: bins are few.

Index arithmetic: threads are numbered as numbers lie in memory; of the pixels that continue an image to whole tiles,
tile rows first.

Memory traffic: x once. What bounds counting is that a picture's many pixels of one value wait for each other at one
place in memory; counts of a block in its shared memory, added at its end, would wait less.

Numbers: integers, to the bit. Blending and polylines multiply and add, which a GPU's compiler may round once where the
definition rounds twice: a level that lies on the edge between two integers may come out as the other.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import CountGeometry, TableGeometry, TileGeometry
from .reference import bin_of, blended_level, map_of_counts, on_polyline, reflected


@cuda.jit
def count_values_naive(x, counts, low):
    """Each thread counts one number of x (n, size)."""
    index = cuda.grid(1)
    if index < x.size:
        i = index // x.shape[1]
        k = int(x[i, index % x.shape[1]]) - low
        if 0 <= k < counts.shape[1]:
            cuda.atomic.add(counts, (i, k), 1)


@cuda.jit
def count_between_naive(x, edges, counts):
    """Each thread counts one number of x (n, size)."""
    index = cuda.grid(1)
    if index < x.size:
        i = index // x.shape[1]
        k = bin_of(x[i, index % x.shape[1]], edges[i], counts.shape[1])
        if k >= 0:
            cuda.atomic.add(counts, (i, k), 1)


@cuda.jit
def look_up_naive(x, table, y, low):
    """Each thread writes one number; table i % tables is that of image i."""
    index = cuda.grid(1)
    if index < x.size:
        i, j = index // x.shape[1], index % x.shape[1]
        y[i, j] = table[i % table.shape[0], min(max(int(x[i, j]) - low, 0), table.shape[1] - 1)]


@cuda.jit
def piecewise_linear_naive(x, xs, ys, y):
    """Each thread writes one number."""
    index = cuda.grid(1)
    if index < x.size:
        i, j = index // x.shape[1], index % x.shape[1]
        y[i, j] = on_polyline(x[i, j], xs[i], ys[i], xs.shape[1])


@cuda.jit
def count_tiles_naive(x, counts, tile_h, tile_w):
    """Each thread counts one pixel of the tiles, which x (n, h, w) continues by reflection."""
    index = cuda.grid(1)
    n, grid_h, grid_w, bins = counts.shape
    height, width = grid_h * tile_h, grid_w * tile_w
    if index >= n * height * width:
        return
    i, p, q = index // (width * height), index // width % height, index % width
    value = int(x[i, reflected(p, x.shape[1]), reflected(q, x.shape[2])])
    if 0 <= value < bins:
        cuda.atomic.add(counts, (i, p // tile_h, q // tile_w, value), 1)


@cuda.jit
def map_tiles_naive(counts, maps, limit, top, pixels, rule):
    """Each thread makes the map of one tile."""
    index = cuda.grid(1)
    n, grid_h, grid_w, bins = counts.shape
    if index < n * grid_h * grid_w:
        i, a, b = index // (grid_w * grid_h), index // grid_w % grid_h, index % grid_w
        map_of_counts(counts[i, a, b], bins, limit, top, pixels, rule, maps[i, a, b])


@cuda.jit
def blend_naive(x, maps, y, tile_h, tile_w, rule):
    """Each thread writes one pixel."""
    index = cuda.grid(1)
    if index < x.size:
        _, H, W = x.shape
        i, p, q = index // (W * H), index // W % H, index % W
        y[i, p, q] = blended_level(x[i, p, q], maps[i], p, q, tile_h, tile_w, rule)


def build_values(g: CountGeometry) -> Run:
    """Prepare the launch of `count_values`."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, counts = arrays[0].reshape((g.n, g.size)), outputs[0].reshape((g.n, g.bins))
        counts[...] = 0
        launch_each(count_values_naive, x.size, x, counts, g.low)

    return run


def build_between(g: CountGeometry) -> Run:
    """Prepare the launch of `count_between`."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, counts = arrays[0].reshape((g.n, g.size)), outputs[0].reshape((g.n, g.bins))
        counts[...] = 0
        launch_each(count_between_naive, x.size, x, arrays[1].reshape((g.n, g.bins + 1)), counts)

    return run


def build_look_up(g: TableGeometry) -> Run:
    """Prepare the launch of `look_up`."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, table = arrays[0].reshape((g.n, g.size)), arrays[1].reshape((g.tables, g.entries))
        launch_each(look_up_naive, x.size, x, table, outputs[0].reshape(x.shape), g.low)

    return run


def build_polyline(g: TableGeometry) -> Run:
    """Prepare the launch of `piecewise_linear`."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, xs, ys = arrays[0].reshape((g.n, g.size)), *(points.reshape((g.n, g.entries)) for points in arrays[1:])
        launch_each(piecewise_linear_naive, x.size, x, xs, ys, outputs[0].reshape(x.shape))

    return run


def build_maps(g: TileGeometry) -> Run:
    """Prepare both launches of `tile_maps`."""
    shape, pixels = (g.n, *g.grid, g.bins), g.tile[0] * g.tile[1]
    tiles = g.n * g.grid[0] * g.grid[1]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, maps = arrays[0].reshape((g.n, g.h, g.w)), outputs[0].reshape(shape)
        counts = new_like(x, shape, np.int64)
        counts[...] = 0
        launch_each(count_tiles_naive, tiles * pixels if x.size else 0, x, counts, *g.tile)
        launch_each(map_tiles_naive, tiles, counts, maps, g.limit, g.top, pixels, g.rule)

    return run


def build_blend(g: TileGeometry) -> Run:
    """Prepare the launch of `blend_tile_maps`."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, maps = arrays[0].reshape((g.n, g.h, g.w)), arrays[1].reshape((g.n, *g.grid, g.bins))
        launch_each(blend_naive, x.size, x, maps, outputs[0].reshape(x.shape), *g.tile, g.rule)

    return run
