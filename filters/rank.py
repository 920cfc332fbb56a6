"""Medians, minima, maxima and other ranks of the numbers under a window, in SciPy's and scikit-image's call forms."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.correlation.geometry import check_border
from ..kernels.rank.geometry import Footprint, check_footprint, check_origin, check_rank
from .comparing import constant_of, over_images


def median(
    image: np.ndarray,
    footprint: np.ndarray | None = None,
    out: np.ndarray | None = None,
    mode: str = "nearest",
    cval: float = 0.0,
    behavior: str = "ndimage",
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The median of the numbers around each pixel.

    Parameters
    ----------
    image : array of real numbers
        Two axes, with those of a batch and of channels. Any type up to 64 bits and any strides; nothing is rescaled.
    footprint : array of two axes, optional
        Which pixels count, the middle one being ``(rows // 2, columns // 2)``; 3x3 without it. Any shape and size.
    out : array of the image's shape and type, optional
        Where to write; it may be the image itself.
    mode : {"nearest", "reflect", "mirror", "wrap", "constant"}
        What lies outside the image, in ``scipy.ndimage``'s names (`tilegrad.kernels.correlation` draws them).
    cval : float
        The number outside the image where ``mode`` is "constant".
    behavior : {"ndimage"}
        scikit-image's other one, "rank", in which windows end at the border, is not offered.
    channel_axis : int, optional
        The axis of channels, which are filtered each on its own.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError
        Not an array of real numbers, floats of more than 64 bits.
    ValueError
        Another number of axes, a footprint without pixels, an unknown mode, an axis that does not exist, an ``out``
        that does not fit.

    Notes
    -----
    Equals ``skimage.filters.median`` 0.26 and ``scipy.ndimage.median_filter`` bit for bit: of an even number of pixels,
    the greater of the two in the middle is taken. A window that holds a NaN gives NaN. An empty image stays empty.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((4, 4), np.uint8)
    >>> image[:2, :2] = 9
    >>> image[3, 3] = 200
    >>> median(image)
    array([[9, 9, 0, 0],
           [9, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 0, 0, 0]], dtype=uint8)
    """
    name = "median"
    if behavior != "ndimage":
        raise ValueError(f"{name}: behavior expects 'ndimage' but got {behavior!r}")
    window = _window(name, 3 if footprint is None else None, footprint)
    return _ranked(name, image, window, window.size // 2, mode, cval, 0, channel_axis, batch_axes, out)


def rank_filter(
    image: np.ndarray,
    rank: int,
    size: int | Sequence[int] | None = None,
    footprint: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The number of a given rank among those around each pixel.

    Parameters
    ----------
    image, mode, cval, channel_axis, batch_axes, out
        As in `median`.
    rank : int
        0 takes the least number, 1 the next, -1 the greatest.
    size : int or (rows, columns)
        The window, where all its pixels count.
    footprint : array of two axes
        In place of ``size``: which pixels of the window count.
    origin : int or (int, int)
        How far the window's middle, pixel ``(rows // 2, columns // 2)``, lies behind the pixel that is computed.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `median`; neither or both of ``size`` and ``footprint``; a rank or an origin outside the window.

    Notes
    -----
    Equals ``scipy.ndimage.rank_filter`` bit for bit. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> rank_filter(np.array([[5, 1, 4, 2]]), 1, size=(1, 3))
    array([[5, 4, 2, 2]])
    """
    name = "rank_filter"
    window = _window(name, size, footprint)
    return _ranked(name, image, window, rank, mode, cval, origin, channel_axis, batch_axes, out)


def percentile(
    image: np.ndarray,
    percentile: float,
    size: int | Sequence[int] | None = None,
    footprint: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The number below which a given part of those around each pixel lie.

    Parameters
    ----------
    image, size, footprint, mode, cval, origin, channel_axis, batch_axes, out
        As in `rank_filter`.
    percentile : float
        From 0, the minimum, to 100, the maximum; negative ones count from 100.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `rank_filter`; a percentile out of range.

    Notes
    -----
    Equals ``scipy.ndimage.percentile_filter`` bit for bit: the number of rank ``int(n * percentile / 100)`` of n, never
    a mean of two. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> percentile(np.array([[5, 1, 4, 2]]), 50, size=(1, 3))
    array([[5, 4, 2, 2]])
    """
    name = "percentile"
    window = _window(name, size, footprint)
    if not isinstance(percentile, int | float | np.number):
        raise TypeError(f"{name}: percentile expects a number but got {percentile!r}")
    if not -100 <= percentile <= 100:
        raise ValueError(f"{name}: percentile expects a number in [-100, 100] but got {percentile}")
    part = percentile + 100.0 if percentile < 0 else percentile
    rank = -1 if part == 100 else int(window.size * float(part) / 100.0)
    return _ranked(name, image, window, rank, mode, cval, origin, channel_axis, batch_axes, out)


def minimum(
    image: np.ndarray,
    size: int | Sequence[int] | None = None,
    footprint: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The least of the numbers around each pixel.

    Parameters
    ----------
    image, size, footprint, mode, cval, origin, channel_axis, batch_axes, out
        As in `rank_filter`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `rank_filter`.

    Notes
    -----
    Equals ``scipy.ndimage.minimum_filter`` bit for bit. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> minimum(np.array([[5, 1, 4, 2]]), size=(1, 3))
    array([[1, 1, 1, 2]])
    """
    name = "minimum"
    return _ranked(name, image, _window(name, size, footprint), 0, mode, cval, origin, channel_axis, batch_axes, out)


def maximum(
    image: np.ndarray,
    size: int | Sequence[int] | None = None,
    footprint: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The greatest of the numbers around each pixel.

    Parameters
    ----------
    image, size, footprint, mode, cval, origin, channel_axis, batch_axes, out
        As in `rank_filter`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `rank_filter`.

    Notes
    -----
    Equals ``scipy.ndimage.maximum_filter`` bit for bit. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> maximum(np.array([[5, 1, 4, 2]]), size=(1, 3))
    array([[5, 5, 4, 4]])
    """
    name = "maximum"
    return _ranked(name, image, _window(name, size, footprint), -1, mode, cval, origin, channel_axis, batch_axes, out)


def _window(name: str, size: Any, footprint: Any) -> Footprint:
    """The window of the given size or of the given pixels."""
    if (size is None) == (footprint is None):
        raise ValueError(f"{name}: expects one of size and footprint but got {size!r} and {footprint!r}")
    if size is None:
        array = np.asarray(footprint)
        if array.ndim != 2:
            raise ValueError(f"{name}: footprint expects an array of two axes but got shape {array.shape}")
        return check_footprint(name, array)
    sides = (size, size) if isinstance(size, int | np.integer) else tuple(size) if _is_sequence(size) else ()
    if len(sides) != 2 or any(isinstance(s, bool) or not isinstance(s, int | np.integer) for s in sides):
        raise TypeError(f"{name}: size expects an integer or two but got {size!r}")
    return check_footprint(name, sides)


def _is_sequence(size: Any) -> bool:
    return isinstance(size, tuple | list | np.ndarray)


def _ranked(
    name: str,
    image: np.ndarray,
    window: Footprint,
    rank: Any,
    mode: str,
    cval: Any,
    origin: Any,
    channel_axis: int | None,
    batch_axes: int,
    out: np.ndarray | None,
) -> np.ndarray:
    """The number of a rank under a window; of the least and the greatest by kernels of their own."""
    rank = check_rank(name, rank, window)
    check_border(name, mode, cval)
    check_origin(name, origin, window)

    def kernel(x: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        border = {"mode": mode, "cval": constant_of(cval, image.dtype), "origin": origin, "out": out}
        if rank == 0:
            return kernels.min_filter2d(x, window, **border)
        if rank == window.size - 1:
            return kernels.max_filter2d(x, window, **border)
        return kernels.rank_filter2d(x, window, rank, **border)

    return over_images(name, image, kernel, channel_axis=channel_axis, batch_axes=batch_axes, out=out)
