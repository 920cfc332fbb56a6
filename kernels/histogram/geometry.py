"""The checked geometry of histograms, tables and adaptive equalisation."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..arguments import integer
from ..operation import Spec
from .reference import RULES

_MOST_BINS = 2**24


class CountGeometry(NamedTuple):
    """``n`` images of ``size`` numbers, counted in ``bins``; integers from ``low`` on."""

    n: int
    size: int
    bins: int
    low: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """An addition for each number."""
        return float(self.n * self.size)

    @property
    def bytes_moved(self) -> float:
        return float(self.n * (self.size * self.dtype.itemsize + self.bins * 8))


class TableGeometry(NamedTuple):
    """``n`` images of ``size`` numbers, to which ``tables`` tables of ``entries`` numbers are applied in turn."""

    n: int
    size: int
    tables: int
    entries: int
    low: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """A subtraction for each number; along a line also a product and a sum."""
        return 3.0 * self.n * self.size

    @property
    def bytes_moved(self) -> float:
        return float(self.n * self.size * (self.dtype.itemsize + self.outputs[0][1].itemsize))


class TileGeometry(NamedTuple):
    """``n`` images of ``(h, w)`` pixels under a grid of tiles; ``limit``, ``top`` and levels concern their maps."""

    n: int
    h: int
    w: int
    tile: tuple[int, int]
    grid: tuple[int, int]
    bins: int
    limit: int
    top: int
    rule: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def tiles(self) -> int:
        return self.n * self.grid[0] * self.grid[1]

    @property
    def flops(self) -> float:
        """Of counting the tiles' pixels and summing up their bins, or of blending four levels for each pixel."""
        return self.tiles * (self.tile[0] * self.tile[1] + 6.0 * self.bins)

    @property
    def bytes_moved(self) -> float:
        """Bytes of the images and the maps, and of the images again where they are the result."""
        shape, kind = self.outputs[0]
        maps = 0 if len(shape) and shape[-1] == self.bins else self.tiles * self.bins * kind.itemsize
        return float(self.n * self.h * self.w * self.dtype.itemsize + math.prod(shape) * kind.itemsize + maps)


def _check_integers(name: str, argument: str, x: Spec) -> None:
    if x.dtype.kind not in "iub":
        raise TypeError(f"{name}: {argument} expects integers or booleans but got {x.dtype}")


def _split(name: str, x: Spec, batch_axes: Any) -> tuple[tuple[int, ...], int]:
    """The shape of the leading axes, and how many numbers each image has."""
    leading = integer(name, "batch_axes", batch_axes, 0, len(x.shape))
    return x.shape[:leading], math.prod(x.shape[leading:])


def count_values_geometry(x: Spec, bins: Any, low: Any, batch_axes: Any) -> CountGeometry:
    name = "count_values"
    _check_integers(name, "x", x)
    bins = integer(name, "bins", bins, 1, _MOST_BINS)
    low = integer(name, "low", low, -(2**63), 2**63 - 1 - bins)
    batch, size = _split(name, x, batch_axes)
    return CountGeometry(math.prod(batch), size, bins, low, x.dtype, (((*batch, bins), np.dtype(np.int64)),))


def count_between_geometry(x: Spec, edges: Spec, batch_axes: Any) -> CountGeometry:
    name = "count_between"
    _check_real(name, x)
    batch, size = _split(name, x, batch_axes)
    if len(edges.shape) != len(batch) + 1 or edges.shape[:-1] != batch or edges.shape[-1] < 2:
        raise ValueError(f"{name}: edges expects shape {(*batch, 'bins + 1')} but got {edges.shape}")
    bins = integer(name, "bins", edges.shape[-1] - 1, 1, _MOST_BINS)
    return CountGeometry(math.prod(batch), size, bins, 0, x.dtype, (((*batch, bins), np.dtype(np.int64)),))


def _check_real(name: str, x: Spec) -> None:
    if x.dtype.char not in "fd":
        raise TypeError(f"{name}: x expects float32 or float64 but got {x.dtype}")


def look_up_geometry(x: Spec, table: Spec, low: Any, batch_axes: Any) -> TableGeometry:
    name = "look_up"
    _check_integers(name, "x", x)
    if table.dtype.kind not in "iub" and table.dtype.char not in "fd":
        raise TypeError(f"{name}: table expects integers, float32 or float64 but got {table.dtype}")
    low = integer(name, "low", low, -(2**63), 2**63 - 1)
    batch, size = _split(name, x, batch_axes)
    if len(table.shape) not in (1, len(batch) + 1) or table.shape[:-1] not in ((), batch) or table.shape[-1] < 1:
        raise ValueError(f"{name}: table expects shape ('entries',) or {(*batch, 'entries')} but got {table.shape}")
    tables, outputs = math.prod(table.shape[:-1]), ((x.shape, table.dtype),)
    return TableGeometry(math.prod(batch), size, tables, table.shape[-1], low, x.dtype, outputs)


def piecewise_linear_geometry(x: Spec, xp: Spec, fp: Spec, batch_axes: Any) -> TableGeometry:
    name = "piecewise_linear"
    _check_real(name, x)
    batch, size = _split(name, x, batch_axes)
    if xp.shape[:-1] != batch or len(xp.shape) != len(batch) + 1 or xp.shape[-1] < 1:
        raise ValueError(f"{name}: xp expects shape {(*batch, 'points')} but got {xp.shape}")
    if fp.shape != xp.shape:
        raise ValueError(f"{name}: fp expects the shape of xp, {xp.shape}, but got {fp.shape}")
    n = math.prod(batch)
    return TableGeometry(n, size, n, xp.shape[-1], 0, x.dtype, ((x.shape, x.dtype),))


def _pair(name: str, argument: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, tuple) or len(value) != 2:
        raise ValueError(f"{name}: {argument} expects two integers but got {value!r}")
    return integer(name, argument, value[0], 1, 2**31 - 1), integer(name, argument, value[1], 1, 2**31 - 1)


def _check_tiles(name: str, x: Spec, tile: Any, rule: Any) -> tuple[int, int]:
    _check_integers(name, "x", x)
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x expects at least 2 axes but got shape {x.shape}")
    if min(x.shape[-2:]) < 1:
        raise ValueError(f"{name}: x expects images of at least one pixel but got shape {x.shape}")
    if rule not in RULES:
        raise ValueError(f"{name}: rule expects one of {', '.join(map(repr, RULES))} but got {rule!r}")
    return _pair(name, "tile", tile)


def tile_maps_geometry(
    x: Spec, tile: Any, grid: Any, bins: Any, limit: Any, top: Any, rule: Any, map_dtype: Any
) -> TileGeometry:
    name = "tile_maps"
    tile, grid = _check_tiles(name, x, tile, rule), _pair(name, "grid", grid)
    bins = integer(name, "bins", bins, 1, _MOST_BINS)
    limit = integer(name, "limit", limit, 0, 2**62)
    kinds = {kind: np.dtype(kind) for kind in ("int8", "uint8", "uint16")}
    if map_dtype not in kinds:
        raise ValueError(f"{name}: map_dtype expects one of {', '.join(map(repr, kinds))} but got {map_dtype!r}")
    top = integer(name, "top", top, 0, int(np.iinfo(map_dtype).max))
    *batch, h, w = x.shape
    outputs = (((*batch, *grid, bins), kinds[map_dtype]),)
    return TileGeometry(math.prod(batch), h, w, tile, grid, bins, limit, top, RULES[rule], x.dtype, outputs)


def blend_geometry(x: Spec, maps: Spec, tile: Any, rule: Any) -> TileGeometry:
    name = "blend_tile_maps"
    tile = _check_tiles(name, x, tile, rule)
    *batch, h, w = x.shape
    if maps.dtype.name not in ("int8", "uint8", "uint16"):
        raise TypeError(f"{name}: maps expects int8, uint8 or uint16 but got {maps.dtype}")
    if len(maps.shape) != len(batch) + 3 or maps.shape[:-3] != tuple(batch) or min(maps.shape[-3:]) < 1:
        raise ValueError(f"{name}: maps expects shape {(*batch, 'rows', 'columns', 'bins')} but got {maps.shape}")
    rows, columns, bins = maps.shape[-3:]
    grid, outputs = (rows, columns), ((x.shape, maps.dtype),)
    return TileGeometry(math.prod(batch), h, w, tile, grid, bins, 0, 0, RULES[rule], x.dtype, outputs)
