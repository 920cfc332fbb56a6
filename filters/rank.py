"""Medians, minima, maxima and other ranks of the numbers under a window, in SciPy's and scikit-image's call forms."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels.arrays import to_device
from ..kernels.correlation.geometry import check_border
from ..kernels.rank.geometry import Footprint, check_footprint, check_origin, check_rank
from .comparing import constant_of, number_under, over_images
from .images import axes_beside, check_image


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
        Any number of axes, of which some may count images of a batch or channels. Any type up to 64 bits and any
        strides; nothing is rescaled.
    footprint : array, optional
        Which pixels count, with an axis for each of the image's that is neither of the batch nor of the channels; its
        middle is at ``size // 2`` along each. 3 pixels along each axis without it. Any shape and size.
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
        A footprint of another number of axes or without pixels, an unknown mode, an axis that does not exist, an
        ``out`` that does not fit.

    Notes
    -----
    Equals ``skimage.filters.median`` 0.26 and ``scipy.ndimage.median_filter`` bit for bit: of an even number of pixels,
    the greater of the two in the middle is taken; but of rows, SciPy 1.17 takes each footprint for a full one of its
    size. A window that holds a NaN gives NaN. An empty image stays empty.

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
    window = _window(name, image, 3 if footprint is None else None, footprint, channel_axis, batch_axes)
    return _ranked(name, image, window, window.size // 2, mode, cval, 0, channel_axis, batch_axes, out)


def rank_filter(
    image: np.ndarray,
    rank: int,
    size: int | Sequence[int] | None = None,
    footprint: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
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
    size : int or sequence of ints
        The window's sides, where all its pixels count: one for all axes, or one for each axis that is neither of the
        batch nor of the channels. Windows for minima and maxima may be of any size.
    footprint : array
        In place of ``size``: which pixels of the window count.
    origin : int or sequence of ints
        How far the window's middle, which is at ``size // 2`` along each axis, lies behind the pixel that is computed.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `median`; neither or both of ``size`` and ``footprint``; a rank or an origin outside the window; more
        than 2**24 pixels under a window for other ranks than the least and the greatest.

    Notes
    -----
    Equals ``scipy.ndimage.rank_filter`` bit for bit, but for rows under a footprint that is not full (see `median`). A
    window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> rank_filter(np.array([[5, 1, 4, 2]]), 1, size=(1, 3))
    array([[5, 4, 2, 2]])
    """
    name = "rank_filter"
    window = _window(name, image, size, footprint, channel_axis, batch_axes)
    return _ranked(name, image, window, rank, mode, cval, origin, channel_axis, batch_axes, out)


def percentile(
    image: np.ndarray,
    percentile: float,
    size: int | Sequence[int] | None = None,
    footprint: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
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
    a mean of two; but for rows under a footprint that is not full (see `median`). A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> percentile(np.array([[5, 1, 4, 2]]), 50, size=(1, 3))
    array([[5, 4, 2, 2]])
    """
    name = "percentile"
    window = _window(name, image, size, footprint, channel_axis, batch_axes)
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
    origin: int | Sequence[int] = 0,
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
    window = _window(name, image, size, footprint, channel_axis, batch_axes)
    return _ranked(name, image, window, 0, mode, cval, origin, channel_axis, batch_axes, out)


def maximum(
    image: np.ndarray,
    size: int | Sequence[int] | None = None,
    footprint: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
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
    window = _window(name, image, size, footprint, channel_axis, batch_axes)
    return _ranked(name, image, window, -1, mode, cval, origin, channel_axis, batch_axes, out)


def _window(name: str, image: Any, size: Any, footprint: Any, channel_axis: Any, batch_axes: Any) -> Footprint:
    """The window of the given size or of the given pixels; that of a row is one line."""
    check_image(name, "image", image)
    axes = axes_beside(name, image, channel_axis, batch_axes)
    if (size is None) == (footprint is None):
        raise ValueError(f"{name}: expects one of size and footprint but got {size!r} and {footprint!r}")
    if size is None:
        array = np.asarray(to_device(footprint, "cpu"))
        if array.ndim != axes:
            raise ValueError(
                f"{name}: footprint expects an array of {axes} axes but got shape {array.shape} "
                f"(image {image.shape}, batch_axes = {batch_axes}, channel_axis = {channel_axis})"
            )
        return check_footprint(name, array if axes > 1 else array[None], max(axes, 2))
    sides = _listed(size, axes)
    if len(sides) != axes or any(isinstance(s, bool) or not isinstance(s, int | np.integer) for s in sides):
        raise TypeError(f"{name}: size expects an integer or {axes} of them but got {size!r}")
    return check_footprint(name, sides if axes > 1 else (1, *sides), max(axes, 2))


def _listed(value: Any, axes: int) -> tuple[Any, ...]:
    """One number for each axis."""
    return tuple(value) if isinstance(value, tuple | list | np.ndarray) else (value,) * axes


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
    """The number of a rank under a window."""
    rank = check_rank(name, rank, window)
    check_border(name, mode, cval)
    axes = axes_beside(name, image, channel_axis, batch_axes)
    given = _listed(origin, axes)
    origins = check_origin(name, given if axes > 1 else (0, *given), window)

    def kernel(x: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        return number_under(x, window, rank, mode, constant_of(cval, image.dtype), origins, out)

    return over_images(name, image, kernel, channel_axis=channel_axis, batch_axes=batch_axes, out=out)
