"""Filters that take one of the numbers under a window: medians, other ranks, minima and maxima.

    reference.py       the numbers under a window, sorted; interpreted, and compiled as it stands ("naive")
    cpu_network3.py    "network3": 3x3 medians by a fixed sequence of comparisons in registers
    cpu_network5.py    "network5": 5x5 medians likewise, by way of sorted rows
    cpu_histogram.py   "histogram": any rank under large full windows of byte images, in the same time for every size
    cpu_selection.py   "selection": any rank of any window, type and number of axes, bit by bit
    cpu_extremes3.py   "extremes3": minima and maxima of 3x3 integers in registers
    cpu_separable.py   "separable": minima and maxima under full windows, columns and rows apart
    cpu_taps.py        "taps": minima and maxima under windows of any shape and number of axes
    boxes.py           "boxes": minima and maxima under full windows of more than two axes, by those of two
    cpu_places.py      "rows": where under its window a number was found
    cuda_median.py     "median" on CUDA, with cuda_median.cu: 3x3, 5x5 and 7x7 medians like "network5", in registers
    cuda_naive.py      "naive" on CUDA: all of them, one thread, one output

They share `networks`, `tiles` and `extremes`. Borders have ``scipy.ndimage``'s names;
`tilegrad.kernels.correlation` draws them. Windows may be larger than the image: borders repeat.

Where a window holds a NaN, the result is NaN, as NumPy's ``min``, ``max`` and ``median`` have it (SciPy's and OpenCV's
filters leave open what it is).
"""

from typing import Any

import numpy as np

from ..operation import Operation, Spec, Variant
from . import reference
from .geometry import RankGeometry, check_footprint, filtered, places

__all__ = ["max_filter2d", "min_filter2d", "rank_filter2d", "rank_filter_nd", "window_places"]

_CROSS = ((0, 1, 0), (1, 1, 1), (0, 1, 0))
_CORNER = ((1, 0, 0, 1), (0, 1, 1, 0))
_SOLID = (((0, 0, 0), (0, 1, 0)), ((0, 1, 0), (1, 1, 1)), ((0, 0, 0), (0, 1, 0)))


def _ranked(x: Spec, footprint: Any, *arguments: Any) -> RankGeometry:
    return filtered("rank_filter2d", x, footprint, *arguments)


def _minimum(x: Spec, footprint: Any, *arguments: Any) -> RankGeometry:
    return filtered("min_filter2d", x, footprint, 0, *arguments)


def _maximum(x: Spec, footprint: Any, *arguments: Any) -> RankGeometry:
    return filtered("max_filter2d", x, footprint, -1, *arguments)


def _stacked(x: Spec, footprint: Any, *arguments: Any) -> RankGeometry:
    return filtered("rank_filter_nd", x, footprint, *arguments)


def _declare(name: str, geometry: Any, variants: tuple[Variant, ...], cases: tuple[dict[str, Any], ...]) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=geometry,
        variants=variants,
        reference=reference.rank_filter,
        reference_args=lambda g: g.constants(),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
    )


_BYTES = {"below": {0: 256}, "integers": "uint8"}
_EXTREMES: tuple[dict[str, Any], ...] = (
    {"shapes": [(1, 1, 1, 1)], "footprint": (1, 1)},
    {"shapes": [(2, 5, 7, 3)], "footprint": (3, 3)},
    {"shapes": [(2, 6, 47, 3)], "footprint": (3, 3), "mode": "mirror", **_BYTES},
    {"shapes": [(1, 20, 70, 1)], "footprint": (9, 12), "mode": "constant", "cval": 1.0, "origin": (1, -2)},
    {"shapes": [(1, 6, 9, 2)], "footprint": _CORNER, "mode": "wrap"},
)

RANK_FILTER2D = _declare(
    "rank_filter2d",
    _ranked,
    (
        Variant("network3", "cpu_network3"),
        Variant("network5", "cpu_network5"),
        Variant("histogram", "cpu_histogram"),
        Variant("selection", "cpu_selection"),
        Variant("median", "cuda_median", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    (
        {"shapes": [(1, 1, 1, 1)], "footprint": (3, 3), "rank": 4},
        {"shapes": [(2, 7, 90, 1)], "footprint": (3, 3), "rank": 4, "mode": "nearest"},
        {"shapes": [(1, 7, 9, 3)], "footprint": (5, 5), "rank": 12, "mode": "mirror"},
        {"shapes": [(1, 6, 8, 2)], "footprint": _CORNER, "rank": 1, "mode": "wrap", "origin": (0, 1)},
        {"shapes": [(1, 12, 13, 1)], "footprint": (7, 9), "rank": -9, "mode": "constant", "cval": 1.0},
        {"shapes": [(1, 9, 14, 1)], "footprint": (21, 19), "rank": 150, **_BYTES},
    ),
)
MIN_FILTER2D = _declare(
    "min_filter2d",
    _minimum,
    (
        Variant("extremes3", "cpu_extremes3", build="build_minimum"),
        Variant("separable", "cpu_separable", build="build_minimum"),
        Variant("taps", "cpu_taps", build="build_minimum"),
        Variant("naive", "cuda_naive", device="cuda", build="build_minimum"),
    ),
    _EXTREMES,
)
MAX_FILTER2D = _declare(
    "max_filter2d",
    _maximum,
    (
        Variant("extremes3", "cpu_extremes3", build="build_maximum"),
        Variant("separable", "cpu_separable", build="build_maximum"),
        Variant("taps", "cpu_taps", build="build_maximum"),
        Variant("naive", "cuda_naive", device="cuda", build="build_maximum"),
    ),
    _EXTREMES,
)
RANK_FILTER_ND = Operation(
    "rank_filter_nd",
    package=__name__,
    geometry=_stacked,
    variants=(
        Variant("boxes", "boxes", composed=True),
        Variant("taps", "cpu_taps"),
        Variant("selection", "cpu_selection"),
        Variant("boxes", "boxes", device="cuda", composed=True),
        Variant("naive", "cuda_naive", device="cuda", build="build_stacks"),
    ),
    reference=reference.rank_filter_nd,
    reference_args=lambda g: g.constants_of_stacks(),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1, 1)], "footprint": (3, 3, 3), "rank": 13},
        {"shapes": [(2, 3, 4, 5, 2)], "footprint": (3, 2, 3), "rank": 9, "mode": "mirror", "origin": (-1, 0, 1)},
        {"shapes": [(1, 3, 20, 37, 1)], "footprint": (5, 3, 4), "rank": 30, "mode": "constant", "cval": 1.0, **_BYTES},
        {"shapes": [(1, 4, 5, 6, 1)], "footprint": (3, 1, 9), "rank": -1, "mode": "nearest"},
        {"shapes": [(2, 3, 6, 7, 1)], "footprint": _SOLID, "rank": 0, "mode": "wrap", "origin": (1, 0, 0)},
        {"shapes": [(1, 2, 3, 4, 5, 2)], "footprint": (2, 3, 1, 2), "rank": 5, "mode": "constant", "cval": 1.0},
    ),
)
WINDOW_PLACES = Operation(
    "window_places",
    package=__name__,
    geometry=places,
    variants=(Variant("rows", "cpu_places"), Variant("naive", "cuda_naive", device="cuda", build="build_places")),
    reference=reference.window_places,
    reference_args=lambda g: (g.footprint.array,),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1), (1, 1, 1, 1)], "footprint": (1, 1)},
        {"shapes": [(2, 6, 40, 3), (2, 5, 37, 3)], "footprint": _CORNER, "below": {0: 3, 1: 3}, "integers": "float32"},
    ),
)


def rank_filter2d(
    x: np.ndarray,
    footprint: Any,
    rank: int,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The number of a given rank among those under a window, for each pixel and channel.

    Parameters
    ----------
    x : (N, H, W, C), integers of 8 to 64 bits, float32 or float64
    footprint : (rows, columns) or array of two axes
        The window's size, or which of its pixels count: those that are not 0. At least one, of any size.
    rank : int
        0 takes the least number, 1 the next, -1 the greatest. The median of n pixels has the rank ``n // 2``.
    mode : {"reflect", "mirror", "nearest", "wrap", "constant"}
        What lies outside the image, in ``scipy.ndimage``'s names (and "grid-mirror", "grid-wrap", "grid-constant").
    cval : float
        The number outside with "constant". Integer images take it without its fraction, and at the end of their range
        where it lies beyond.
    origin : int or (int, int)
        How far the window's middle, pixel ``(rows // 2, columns // 2)``, lies behind the pixel that is computed.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and type of ``x``

    Raises
    ------
    ValueError, TypeError
        A window without pixels, a rank or an origin outside of it, an unknown mode, an array that does not fit.

    Notes
    -----
    Equals ``scipy.ndimage.rank_filter`` and ``median_filter`` bit for bit, and where OpenCV's ``medianBlur`` takes the
    window and type, that too. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([9, 1, 1, 1, 7, 2], np.uint8).reshape(1, 1, 6, 1)
    >>> rank_filter2d(x, (1, 3), 1).ravel()
    array([9, 1, 1, 1, 2, 2], dtype=uint8)
    """
    args = (check_footprint("rank_filter2d", footprint), rank, mode, cval, origin)
    return RANK_FILTER2D.run((x,), args, out, variant)


def min_filter2d(
    x: np.ndarray,
    footprint: Any,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The least number under a window, for each pixel and channel.

    Parameters
    ----------
    x, footprint, mode, cval, origin, out, variant
        As in `rank_filter2d`.

    Returns
    -------
    array of the shape and type of ``x``

    Raises
    ------
    ValueError, TypeError
        As in `rank_filter2d`.

    Notes
    -----
    Equals ``scipy.ndimage.minimum_filter`` bit for bit. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([9, 1, 1, 1, 7, 2], np.uint8).reshape(1, 1, 6, 1)
    >>> min_filter2d(x, (1, 2)).ravel()
    array([9, 1, 1, 1, 1, 2], dtype=uint8)
    """
    args = (check_footprint("min_filter2d", footprint), mode, cval, origin)
    return MIN_FILTER2D.run((x,), args, out, variant)


def max_filter2d(
    x: np.ndarray,
    footprint: Any,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The greatest number under a window, for each pixel and channel.

    Parameters
    ----------
    x, footprint, mode, cval, origin, out, variant
        As in `rank_filter2d`.

    Returns
    -------
    array of the shape and type of ``x``

    Raises
    ------
    ValueError, TypeError
        As in `rank_filter2d`.

    Notes
    -----
    Equals ``scipy.ndimage.maximum_filter`` bit for bit. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([9, 1, 1, 1, 7, 2], np.uint8).reshape(1, 1, 6, 1)
    >>> max_filter2d(x, (1, 3)).ravel()
    array([9, 9, 1, 7, 7, 7], dtype=uint8)
    """
    args = (check_footprint("max_filter2d", footprint), mode, cval, origin)
    return MAX_FILTER2D.run((x,), args, out, variant)


def rank_filter_nd(
    x: np.ndarray,
    footprint: Any,
    rank: int,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, ...] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The number of a given rank among those under a window of three axes or more, such as that of a volume.

    Parameters
    ----------
    x : (N, D, H, W, C) or with more axes behind N, of the types of `rank_filter2d`
    footprint : (depth, rows, columns) or array of three axes; of as many axes as an image has
        As in `rank_filter2d`.
    rank, mode, cval, out, variant
        As in `rank_filter2d`; minima and maxima are the ranks 0 and -1.
    origin : int or tuple of one for each axis
        As in `rank_filter2d`.

    Returns
    -------
    array of the shape and type of ``x``

    Raises
    ------
    ValueError, TypeError
        As in `rank_filter2d`.

    Notes
    -----
    Equals ``scipy.ndimage.rank_filter`` bit for bit. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([9, 1, 1, 1, 7, 2], np.uint8).reshape(1, 6, 1, 1, 1)
    >>> rank_filter_nd(x, (3, 1, 1), 1).ravel()
    array([9, 1, 1, 1, 2, 2], dtype=uint8)
    """
    args = (check_footprint("rank_filter_nd", footprint, None), rank, mode, cval, origin)
    return RANK_FILTER_ND.run((x,), args, out, variant)


def window_places(
    x: np.ndarray, y: np.ndarray, footprint: Any, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Where under its window each number that a filter took was found: the place of the first that is equal.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
    y : (N, P, Q, C), of the type of ``x``
        A number for each window that lies in the image as a whole: P = H - rows + 1 and Q = W - columns + 1.
    footprint : (rows, columns) or array of two axes
        As in `rank_filter2d`.
    out : (N, P, Q, C) array of int32, optional
        Where to write, C-contiguous; shares no memory with ``x`` and ``y``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, P, Q, C) array of int32
        ``h * W + w``; -1 where the window has no such number. Windows are gone over row by row. NaN equals NaN.

    Raises
    ------
    ValueError, TypeError
        Arrays that do not fit each other, a window without pixels.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([5.0, 1.0, 7.0, 1.0]).reshape(1, 1, 4, 1)
    >>> window_places(x, np.full((1, 1, 2, 1), 1.0), (1, 3)).ravel()
    array([1, 1], dtype=int32)
    """
    return WINDOW_PLACES.run((x, y), (check_footprint("window_places", footprint),), out, variant)
