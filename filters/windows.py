"""Weights under a window of any number of axes: correlation, convolution and the mean, in SciPy's call form."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from ..kernels.arrays import new_like
from ..kernels.box.geometry import check_reach, check_size
from ..kernels.correlation.geometry import check_border, positions, real_weights
from ..kernels.correlation.window_geometry import check_origin
from .images import (
    as_float,
    axes_beside,
    axis_of_channels,
    channels_last,
    check_float_out,
    check_image,
    in_order,
    leading_axes,
    moved_beside,
)


def correlate(
    image: np.ndarray,
    weights: ArrayLike,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
    out: np.ndarray | None = None,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Correlate an image with weights, which are not flipped.

    Parameters
    ----------
    image : array of real numbers
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64; no values are
        scaled. Any strides.
    weights : array-like of real numbers
        One axis for each axis of the image that is neither of the batch nor of the channels; at least one number.
    mode : {"reflect", "mirror", "nearest", "wrap", "constant"}
        What lies outside the image, in ``scipy.ndimage``'s names (`tilegrad.kernels.correlation` draws them).
    cval : float
        The value outside the image where ``mode`` is "constant".
    origin : int or sequence of ints
        On each axis, weight ``size // 2 + origin`` lies on the pixel that is computed.
    out : floating-point array of the image's shape, optional
        Where to write; it may be the image itself. Values are computed in the result's own type.
    channel_axis : int, optional
        The axis of channels, which are filtered each on its own; without it, the image has one channel.
    batch_axes : int
        How many leading axes count images. With the default a stack of images is one volume.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``
        Of images of integers, too, float64: SciPy would round towards zero and wrap around.

    Raises
    ------
    TypeError
        Not an array of real numbers.
    ValueError
        Weights of another number of axes, an unknown mode, an axis that does not exist, an ``out`` that does not fit.

    Notes
    -----
    Equals ``scipy.ndimage.correlate`` of a floating-point image within ``weights.size * eps * sum(abs(weights) *
    abs(image))``. The weights may be larger than the image. A NaN reaches every pixel whose window holds it, under
    weights of zero too. An empty image gives an empty result.

    Examples
    --------
    >>> import numpy as np
    >>> correlate(np.array([[1, 2, 3], [4, 5, 6]]), [[0, 0, 0], [0, 0, 1]])
    array([[2., 3., 3.],
           [5., 6., 6.]])
    """
    return correlated("correlate", image, weights, False, mode, cval, origin, out, channel_axis, batch_axes)


def convolve(
    image: np.ndarray,
    weights: ArrayLike,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
    out: np.ndarray | None = None,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Convolve an image with weights: `correlate` with the weights flipped along each axis.

    Parameters
    ----------
    image, weights, mode, cval, out, channel_axis, batch_axes
        As in `correlate`.
    origin : int or sequence of ints
        On each axis, weight ``(size - 1) // 2 + origin`` of the flipped weights lies one place further left: it moves
        the result the other way than in `correlate`, as in SciPy.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `correlate`.

    Notes
    -----
    Equals ``scipy.ndimage.convolve`` as `correlate` equals its own.

    Examples
    --------
    >>> import numpy as np
    >>> convolve(np.array([0.0, 0, 1, 0, 0]), [1, 2, 3])
    array([0., 1., 2., 3., 0.])
    """
    return correlated("convolve", image, weights, True, mode, cval, origin, out, channel_axis, batch_axes)


def correlate1d(
    image: np.ndarray,
    weights: ArrayLike,
    axis: int = -1,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Correlate every line along one axis with the same weights, which are not flipped.

    Parameters
    ----------
    image, mode, cval, out
        As in `correlate`.
    weights : (taps,) array-like of real numbers
    axis : int
        All other axes count lines: images of a batch and channels need no word.
    origin : int
        Weight ``taps // 2 + origin`` lies on the pixel that is computed.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `correlate`.

    Notes
    -----
    Equals ``scipy.ndimage.correlate1d`` within ``taps * eps * sum(abs(weights) * abs(image))``.

    Examples
    --------
    >>> import numpy as np
    >>> correlate1d(np.array([[1.0, 2, 4]]), [-1, 1])
    array([[0., 1., 2.]])
    """
    name = "correlate1d"
    check_image(name, "image", image)
    if out is not None:
        check_float_out(name, out, image)
    source = as_float(image, preserve_range=True)
    target = _target(out, source.shape, source)
    result = kernels.correlate1d(source, weights, axis=axis, mode=mode, cval=cval, origin=origin, out=target)
    return _given(result, out, image.shape)


def uniform(
    image: np.ndarray,
    size: int | Sequence[int] = 3,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | Sequence[int] = 0,
    out: np.ndarray | None = None,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The mean of a box around each pixel, at a cost that hardly depends on its size.

    Parameters
    ----------
    image, mode, cval, out, channel_axis, batch_axes
        As in `correlate`.
    size : int or sequence of ints
        Sides of the box, for all axes or for each that is neither of the batch nor of the channels; it may exceed the
        image, up to 2**20 pixels along an axis.
    origin : int or sequence of ints
        On each axis, pixel ``size // 2 + origin`` of the box is the one that is computed.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `correlate`, and for sizes below 1.

    Notes
    -----
    Equals ``scipy.ndimage.uniform_filter`` of a floating-point image within ``(sum of sizes) * eps`` times the mean
    magnitude in the box. Sums are made of sums and never subtracted (`tilegrad.kernels.box2d`): a NaN, an infinity
    or a large number changes the pixels whose box holds it and no others.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.array([0.0, 0, 3, 0, 0]), 3)
    array([0., 1., 1., 1., 0.])
    """
    name = "uniform"
    check_image(name, "image", image)
    mode, cval = check_border(name, mode, cval)
    planes, channels = _planes(name, image, channel_axis, batch_axes)
    spatial = planes.ndim - 2
    sizes = check_size(name, list(size) if isinstance(size, Sequence) else size, spatial)
    check_reach(name, size, sizes, planes.shape[1:-1])
    origins = check_origin(name, _listed(origin), sizes)
    if out is not None:
        check_float_out(name, out, image)
    result = planes
    for axis in range(spatial, 0, -2):  # two neighbouring axes at a time, from the last on
        if axis > 1:
            box, offset = (sizes[axis - 2], sizes[axis - 1]), (origins[axis - 2], origins[axis - 1])
            result = kernels.box2d(result, box, axis=axis - 1, mode=mode, cval=cval, origin=offset)
        else:
            lines = result.reshape(result.shape[0], result.shape[1], math.prod(result.shape[2:]))
            result = kernels.box2d(lines, (sizes[0], 1), axis=1, mode=mode, cval=cval, origin=(origins[0], 0))
    result = result.reshape(planes.shape)
    return _given(_as_image(result, image, channels), out, image.shape)


def correlated(
    name: str,
    image: np.ndarray,
    weights: ArrayLike,
    flipped: bool,
    mode: str,
    cval: float,
    origin: int | Sequence[int],
    out: np.ndarray | None,
    channel_axis: int | None,
    batch_axes: int,
) -> np.ndarray:
    """`correlate`, or `convolve` where the weights are ``flipped``, for a function of that name."""
    check_image(name, "image", image)
    mode, cval = check_border(name, mode, cval)
    window = real_weights(name, "weights", weights)
    planes, channels = _planes(name, image, channel_axis, batch_axes)
    if window.ndim != planes.ndim - 2 or window.size == 0:
        raise ValueError(
            f"{name}: weights expects {planes.ndim - 2} axes of at least one number but got shape {window.shape} "
            f"(image {image.shape}, batch_axes = {batch_axes}, channel_axis = {channel_axis})"
        )
    origins = check_origin(name, _listed(origin), window.shape)
    if out is not None:
        check_float_out(name, out, image)
    if flipped:
        window = np.flip(window)
        origins = tuple(-o - (1 - size % 2) for o, size in zip(origins, window.shape, strict=True))
        check_origin(name, origins, window.shape)
    direct = None if channels is not None and channels != image.ndim - 1 else _target(out, planes.shape, planes)
    result = _correlate_planes(planes, window, mode, cval, origins, direct)
    return _given(_as_image(result, image, channels), out, image.shape)


def _correlate_planes(
    x: np.ndarray, weights: np.ndarray, mode: str, cval: float, origins: tuple[int, ...], out: np.ndarray | None = None
) -> np.ndarray:
    """``x`` is (N, ..., C), with one axis between for each of the weights; more than two are taken slice by slice."""
    if weights.ndim == 1:
        return kernels.correlate1d(x, weights, axis=1, mode=mode, cval=cval, origin=origins[0], out=out)
    if weights.ndim == 2:
        rows, columns = origins
        return kernels.correlate2d(x, weights, mode=mode, cval=cval, origin=(rows, columns), out=out)
    n, depth, *rest = x.shape
    before = weights.shape[0] // 2 + origins[0]
    places = positions(depth, before, weights.shape[0] - 1 - before, mode)
    total = new_like(x, x.shape, x.dtype) if out is None else out
    total[...] = 0
    for t, slice_weights in enumerate(weights):
        those = places[t : t + depth]
        slices = x[:, moved_beside(x, those)]
        for place in np.flatnonzero(those < 0).tolist():
            slices[:, place] = cval
        part = _correlate_planes(slices.reshape(n * depth, *rest), slice_weights, mode, cval, origins[1:])
        total += part.reshape(x.shape)
    return total


def _listed(origin: Any) -> Any:
    return list(origin) if isinstance(origin, Sequence) else origin


def _planes(name: str, image: np.ndarray, channel_axis: Any, batch_axes: Any) -> tuple[np.ndarray, int | None]:
    """The image in its floating-point type as (N, ..., C), and its axis of channels."""
    axes_beside(name, image, channel_axis, batch_axes)
    planes = channels_last(name, as_float(image, preserve_range=True), channel_axis, batch_axes)
    return planes, axis_of_channels(name, channel_axis, image.ndim, leading_axes(name, batch_axes, image.ndim))


def _as_image(result: np.ndarray, image: np.ndarray, channels: int | None) -> np.ndarray:
    """The inverse of `_planes` for a result of the image's size."""
    if channels is None:
        return result.reshape(image.shape)
    shape = np.moveaxis(image, channels, -1).shape
    return np.moveaxis(result.reshape(shape), -1, channels)


def _target(out: np.ndarray | None, shape: tuple[int, ...], source: np.ndarray) -> np.ndarray | None:
    """``out`` in the shape in which a kernel can write it, where it can."""
    if out is None or out.dtype != source.dtype or not out.flags.c_contiguous or np.may_share_memory(out, source):
        return None
    return out.reshape(shape)


def _given(result: np.ndarray, out: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """The result where it belongs."""
    if out is None:
        return in_order(result)
    if not np.may_share_memory(result, out):
        out[...] = result.reshape(shape)
    return out
