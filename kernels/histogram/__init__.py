"""Histograms, tables applied to images, and adaptive equalisation by the histograms of tiles.

reference.py    the definitions in loops
cpu_counts.py   "shares": histograms of fixed shares of an image, added in order
cpu_tables.py   "runs": tables and polylines applied to runs of numbers
cpu_tiles.py    "tiles": the maps of tiles, one after the other, and rows of pixels blended from them
otsu.py         Otsu's threshold of histograms of bytes, in loops that are compiled as they stand
cuda_naive.py   "naive" on CUDA: one thread, one number; counts by atomic operations on integers
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import is_on_cuda, to_device
from ..operation import Operation, Variant
from . import geometry, reference

__all__ = ["blend_tile_maps", "count_between", "count_values", "look_up", "piecewise_linear", "tile_maps"]


def _naive(build: str) -> Variant:
    return Variant("naive", "cuda_naive", device="cuda", build=build)


COUNT_VALUES = Operation(
    "count_values",
    package=__name__,
    geometry=geometry.count_values_geometry,
    variants=(Variant("shares", "cpu_counts", build="build_values"), _naive("build_values")),
    reference=reference.count_values,
    reference_args=lambda g: (g.n, g.size, g.bins, g.low),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1,)], "below": {0: 2}, "integers": "int8", "bins": 2},
        {"shapes": [(3, 50, 70)], "below": {0: 9}, "integers": "int8", "bins": 12, "low": -5, "batch_axes": 1},
        {"shapes": [(300, 400)], "below": {0: 127}, "integers": "int8", "bins": 256, "low": -128},
    ),
)
COUNT_BETWEEN = Operation(
    "count_between",
    package=__name__,
    geometry=geometry.count_between_geometry,
    variants=(Variant("shares", "cpu_counts", build="build_between"), _naive("build_between")),
    reference=reference.count_between,
    reference_args=lambda g: (g.n, g.size, g.bins),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1,)], "edges": (0.0, 2.0)},
        {"shapes": [(50, 70)], "edges": (-1.0, 0.25, 0.75, 1.0, 1.25)},
        {"shapes": [(2, 90)], "edges": ((0.5, 1.0, 1.5), (0.0, 1.0, 2.0)), "batch_axes": 1},
    ),
)
LOOK_UP = Operation(
    "look_up",
    package=__name__,
    geometry=geometry.look_up_geometry,
    variants=(Variant("runs", "cpu_tables", build="build_look_up"), _naive("build_look_up")),
    reference=reference.look_up,
    reference_args=lambda g: (g.n, g.size, g.tables, g.entries, g.low),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1,), (1,)], "below": {0: 1}, "integers": "int8"},
        {"shapes": [(50, 70), (20,)], "below": {0: 30}, "integers": "int8", "low": 3},
        {"shapes": [(2, 90), (2, 9)], "below": {0: 9}, "integers": "int8", "batch_axes": 1},
    ),
)
PIECEWISE_LINEAR = Operation(
    "piecewise_linear",
    package=__name__,
    geometry=geometry.piecewise_linear_geometry,
    variants=(Variant("runs", "cpu_tables", build="build_polyline"), _naive("build_polyline")),
    reference=reference.piecewise_linear,
    reference_args=lambda g: (g.n, g.size, g.entries),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1,)], "xp": (1.0,), "fp": (3.0,)},
        {"shapes": [(50, 70)], "xp": (-1.0, 0.75, 1.0, 1.25), "fp": (0.0, 2.0, -1.0, 1.0)},
        {"shapes": [(2, 90)], "xp": ((0.5, 1.0), (0.0, 2.0)), "fp": ((1.0, 2.0), (2.0, 0.0)), "batch_axes": 1},
    ),
)
TILE_MAPS = Operation(
    "tile_maps",
    package=__name__,
    geometry=geometry.tile_maps_geometry,
    variants=(Variant("tiles", "cpu_tiles", build="build_maps"), _naive("build_maps")),
    reference=reference.tile_maps,
    reference_args=lambda g: (g.n, g.h, g.w, *g.tile, *g.grid, g.bins, g.limit, g.top, g.rule),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=tuple(
        {
            "shapes": [shape], "below": {0: 16}, "integers": "int8", "tile": tile, "grid": grid, "bins": 16,
            "limit": limit, "top": 15, "rule": rule, "map_dtype": "int8",
        }
        for rule in reference.RULES
        for shape, tile, grid, limit in (((1, 1), (1, 1), (1, 1), 0), ((2, 37, 30), (10, 12), (4, 3), 9))
    ),
)  # fmt: skip
BLEND_TILE_MAPS = Operation(
    "blend_tile_maps",
    package=__name__,
    geometry=geometry.blend_geometry,
    variants=(Variant("tiles", "cpu_tiles", build="build_blend"), _naive("build_blend")),
    reference=reference.blend_tile_maps,
    reference_args=lambda g: (g.n, g.h, g.w, *g.tile, *g.grid, g.bins, g.rule),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=tuple(
        {"shapes": [x, maps], "below": {0: 16, 1: 100}, "integers": "int8", "tile": tile, "rule": rule}
        for rule in reference.RULES
        for x, maps, tile in (((1, 1), (1, 1, 16), (1, 1)), ((2, 37, 30), (2, 4, 3, 16), (10, 12)))
    ),
)


def count_values(
    x: np.ndarray,
    *,
    bins: int,
    low: int = 0,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Count how often each integer from ``low`` to ``low + bins - 1`` occurs in each of a batch of images.

    Parameters
    ----------
    x : array of integers or booleans
        Other values are not counted. An array that is not C-contiguous is copied first.
    bins : int
    low : int
    batch_axes : int
        How many leading axes count images.
    out : int64 array, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (..., bins) int64 array

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or types do not fit; nothing is computed.

    Examples
    --------
    >>> import numpy as np
    >>> count_values(np.array([[1, 1, 4], [2, 3, 9]]), bins=3, low=1, batch_axes=1)
    array([[2, 0, 0],
           [0, 1, 1]])
    """
    return COUNT_VALUES.run((x,), (bins, low, batch_axes), out, variant)


def count_between(
    x: np.ndarray,
    *,
    edges: ArrayLike,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Count the numbers between neighbouring edges in each of a batch of images.

    Parameters
    ----------
    x : array, float32 or float64
    edges : (..., bins + 1) array-like of numbers that increase
        The edges of each image, rounded to the type of ``x``. A number on an edge counts above it, on the last one
        below it; numbers outside and NaN do not count.
    batch_axes, out, variant
        As in `count_values`.

    Returns
    -------
    (..., bins) int64 array

    Notes
    -----
    Equals ``numpy.histogram``. It is fastest where edges are equally spaced.

    Examples
    --------
    >>> import numpy as np
    >>> count_between(np.array([0.0, 0.5, 0.9, 1.0, 1.1]), edges=[0.0, 0.5, 1.0])
    array([1, 3])
    """
    return COUNT_BETWEEN.run((x, _like(x, edges)), (batch_axes,), out, variant)


def look_up(
    x: np.ndarray,
    table: np.ndarray,
    *,
    low: int = 0,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Replace every integer by an entry of a table: ``table[x - low]``.

    Parameters
    ----------
    x : array of integers or booleans
        Values below ``low`` take the first entry, values beyond the table the last one.
    table : (entries,) or (..., entries) array of integers, float32 or float64
        One table for all images, or one for each.
    low : int
    batch_axes, out, variant
        As in `count_values`.

    Returns
    -------
    array of the shape of ``x`` and the type of ``table``

    Examples
    --------
    >>> import numpy as np
    >>> look_up(np.array([[0, 1], [2, 9]]), np.array([0.0, 10.0, 20.0]))
    array([[ 0., 10.],
           [20., 20.]])
    """
    return LOOK_UP.run((x, table), (low, batch_axes), out, variant)


def piecewise_linear(
    x: np.ndarray,
    *,
    xp: ArrayLike,
    fp: ArrayLike,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Replace every number by its place on a polyline.

    Parameters
    ----------
    x : array, float32 or float64
    xp, fp : (..., points) array-likes of numbers
        The points of each image's polyline, ``xp`` increasing. It is constant before the first and after the last.
    batch_axes, out, variant
        As in `count_values`.

    Returns
    -------
    array of the shape and type of ``x``
        Computed in float64; NaN where ``x`` is.

    Notes
    -----
    Equals ``numpy.interp``.

    Examples
    --------
    >>> import numpy as np
    >>> piecewise_linear(np.array([-1.0, 0.5, 1.5, 3.0]), xp=[0, 1, 2], fp=[0, 10, 0])
    array([0., 5., 5., 0.])
    """
    points = [np.asarray(points, np.float64) for points in (xp, fp)]
    if is_on_cuda(x):
        points = [to_device(numbers, "cuda") for numbers in points]
    return PIECEWISE_LINEAR.run((x, *points), (batch_axes,), out, variant)


def tile_maps(
    x: np.ndarray,
    *,
    tile: Sequence[int],
    grid: Sequence[int],
    bins: int = 256,
    limit: int = 0,
    top: int = 255,
    rule: str = "opencv",
    map_dtype: str = "uint8",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Of every tile of each image, the map that equalises its histogram, whose contrast may be limited.

    Parameters
    ----------
    x : (..., H, W) array of integers or booleans
        Values of ``[0, bins)``; others are not counted.
    tile : (int, int)
        Height and width of a tile in pixels.
    grid : (int, int)
        How many tiles there are down and along an image. Those that reach beyond it see it reflected, without its
        last row and column.
    bins : int
    limit : int
        What a bin holds at most: the rest of its pixels is given to others. 0 for no limit.
    top : int
        The level of the greatest value.
    rule : {"opencv", "skimage"}
        How the rest is shared: once among all bins, or again and again among those below the limit; and whether levels
        are rounded from float32, or cut off from float64.
    map_dtype : {"uint8", "uint16", "int8"}
    out, variant
        As in `count_values`.

    Returns
    -------
    (..., *grid, bins) array of levels

    Notes
    -----
    Source: K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994; the rules are
    those of ``cv2.createCLAHE`` and ``skimage.exposure.equalize_adapthist``.

    Examples
    --------
    >>> import numpy as np
    >>> tile_maps(np.array([[0, 0, 1, 2], [0, 1, 1, 3]]), tile=(2, 2), grid=(1, 2), bins=4, top=100)
    array([[[ 75, 100, 100, 100],
            [  0,  50,  75, 100]]], dtype=uint8)
    """
    return TILE_MAPS.run((x,), (tile, grid, bins, limit, top, rule, map_dtype), out, variant)


def blend_tile_maps(
    x: np.ndarray,
    maps: np.ndarray,
    *,
    tile: Sequence[int],
    rule: str = "opencv",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Replace every value by its levels in the four tiles around its pixel, interpolated between their centres.

    Parameters
    ----------
    x : (..., H, W) array of integers or booleans
        Values of ``[0, bins)``; others take the nearest of these.
    maps : (..., rows, columns, bins) array, uint8, uint16 or int8
        Levels of each tile, from `tile_maps`.
    tile : (int, int)
        Height and width of a tile in pixels.
    rule : {"opencv", "skimage"}
        Whether levels are interpolated and rounded in float32 with the centre of a tile between its pixels, or in
        float64, added in float32 and cut off, with the centre at pixel ``tile - tile // 2`` of a tile.
    out, variant
        As in `count_values`.

    Returns
    -------
    array of the shape of ``x`` and the type of ``maps``

    Examples
    --------
    >>> import numpy as np
    >>> x, maps = np.zeros((1, 8), np.uint8), np.array([[[0], [100]]], np.uint8)
    >>> blend_tile_maps(x, maps, tile=(1, 4))
    array([[  0,   0,   0,  25,  50,  75, 100, 100]], dtype=uint8)
    """
    return BLEND_TILE_MAPS.run((x, maps), (tile, rule), out, variant)


def _like(x: np.ndarray, numbers: ArrayLike) -> np.ndarray:
    """Numbers in the type of an array of real numbers, on its device."""
    dtype = getattr(x, "dtype", None)
    found = np.asarray(numbers, dtype if getattr(dtype, "kind", "") == "f" else np.float64)
    return to_device(found, "cuda") if is_on_cuda(x) else found
