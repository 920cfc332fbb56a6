"""Images of another size by interpolation, in scikit-image's call forms."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from .axiswise import by_pairs, output_sizes, written
from .images import as_float, axis_of_channels, check_image, check_nonempty, check_out, leading_axes
from .sampling import SPLINE_FRAME, check_mode, check_number, check_order, clip_to_range
from .separable import correlate_axes, gaussian_taps

_TRUNCATE = 4.0  # standard deviations that the antialiasing filter reaches
_INTERPOLATION = {1: "bilinear", 2: "spline2", 3: "spline3", 4: "spline4", 5: "spline5"}


def resize(
    image: np.ndarray,
    output_shape: Sequence[int],
    order: int | None = None,
    mode: str = "reflect",
    cval: float = 0,
    clip: bool = True,
    preserve_range: bool = False,
    anti_aliasing: bool | None = None,
    anti_aliasing_sigma: float | Sequence[float] | None = None,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Resize an image.

    Parameters
    ----------
    image : array of real numbers
        Of any number of axes, at least one pixel each. Any strides.
    output_shape : sequence of ints
        The size of every axis that is not of the batch; the channels, or else the last axis, may be left out, and keep
        theirs. Axes that the image lacks are put behind the others.
    order : int, optional
        Of the spline, from 0 (the nearest pixel) to 5; by default 1, and 0 for booleans, which have no other.
    mode : {"reflect", "symmetric", "edge", "wrap", "constant"}
        What lies outside the image, in ``numpy.pad``'s names.
    cval : float
        The value outside where ``mode`` is "constant", in the units of the result.
    clip : bool
        Clip the result to the values of the image, which splines of order 2 and more exceed.
    preserve_range : bool
        By default integers are scaled by their largest value, to [0, 1] or [-1, 1], unless the order is 0; True keeps
        their values.
    anti_aliasing : bool, optional
        Blur the image before; by default where an axis becomes shorter, but not for booleans, nor for integers of
        order 0.
    anti_aliasing_sigma : float or sequence of floats, optional
        Standard deviation of the blur, for all axes or each; by default ``(f - 1) / 2`` where an axis becomes shorter
        by the factor f, and 0 elsewhere.
    channel_axis : int, optional
        The axis of channels, which keeps its size and is not blurred. Without it, the channels are an axis like the
        others; where they keep their size, that is the same.
    out : array of the result's shape and type, optional
        Where to write.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of ``output_shape``, or ``out``
        Of the image's type where the order is 0 (float16 becomes float32), otherwise float32 for float16 and float32
        images and float64 for all others.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, no pixel, a shape of another number of axes or without a pixel, an order or mode
        that there is not, a negative sigma, booleans with antialiasing, an ``out`` that does not fit.

    Notes
    -----
    Equals ``skimage.transform.resize`` 0.26, within rounding; but where an axis under "symmetric" has less than ten
    pixels, SciPy's spline of order 2 and more misses them by up to 1 %, and ours passes through them. Integers of order
    0 with antialiasing are blurred in float64 and rounded once. A NaN reaches the pixels that take it with a weight
    that is not 0; of order 2 and more, all pixels.

    Examples
    --------
    >>> import numpy as np
    >>> resize(np.array([[0.0, 4.0]]), (1, 4), mode="edge")
    array([[0., 1., 3., 4.]])
    """
    return resized(
        "resize", image, output_shape, order, mode, cval, clip, preserve_range, anti_aliasing, anti_aliasing_sigma,
        channel_axis, out, batch_axes,
    )  # fmt: skip


def resized(
    name: str,
    image: np.ndarray,
    output_shape: Sequence[int],
    order: int | None,
    mode: str,
    cval: float,
    clip: bool,
    preserve_range: bool,
    anti_aliasing: bool | None,
    anti_aliasing_sigma: float | Sequence[float] | None,
    channel_axis: int | None,
    out: np.ndarray | None,
    batch_axes: int,
) -> np.ndarray:
    """`resize`, for a function of that name."""
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    image, sizes = output_sizes(name, image, output_shape, batch, channels)
    border, order = check_mode(name, mode), check_order(name, order, image.dtype)
    cval = check_number(name, "cval", cval)
    shrinks = any(after < before for after, before in zip(sizes, image.shape, strict=True))
    if anti_aliasing is None:
        anti_aliasing = shrinks and image.dtype != np.bool_ and not (image.dtype.kind in "iu" and order == 0)
    if anti_aliasing and image.dtype == np.bool_:
        raise ValueError(f"{name}: anti_aliasing expects False for an image of booleans but got {anti_aliasing!r}")
    factors = [before / max(after, 1) for before, after in zip(image.shape, sizes, strict=True)]  # 0 images stay 0
    sigmas = _sigmas(name, anti_aliasing_sigma, factors, batch, channels) if anti_aliasing else {}
    dtype = np.dtype(np.float32) if image.dtype == np.float16 else image.dtype
    source = as_float(image, preserve_range) if order > 0 else image.astype(dtype, copy=False)
    if out is not None:
        check_out(name, out, image, sizes, source.dtype)
    filtered = _blurred(source, sigmas, border, cval)
    changed = {axis: size for axis, size in enumerate(sizes) if size != image.shape[axis]}
    result = _nearest(filtered, changed) if order == 0 else _interpolated(filtered, changed, order, border, cval)
    if result.dtype != source.dtype:
        result = np.rint(result).astype(source.dtype)
    if result is source or np.may_share_memory(result, image):
        result = result.copy(order="C")
    if clip and (order > 0 or filtered is not source):
        clip_to_range(result, source, mode, cval, batch)
    return written(result, out)


def rescale(
    image: np.ndarray,
    scale: float | Sequence[float],
    order: int | None = None,
    mode: str = "reflect",
    cval: float = 0,
    clip: bool = True,
    preserve_range: bool = False,
    anti_aliasing: bool | None = None,
    anti_aliasing_sigma: float | Sequence[float] | None = None,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Resize an image by a factor.

    Parameters
    ----------
    scale : float or sequence of floats
        For all axes that are neither of the batch nor of the channels, or for each. Sizes are rounded, to 1 at least.
    image, order, mode, cval, clip, preserve_range, anti_aliasing, anti_aliasing_sigma, channel_axis, out, batch_axes
        As in `resize`.

    Returns
    -------
    array, or ``out``

    Notes
    -----
    Equals ``skimage.transform.rescale`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> rescale(np.ones((5, 8, 3)), 0.5, channel_axis=-1).shape
    (2, 4, 3)
    """
    name = "rescale"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    check_nonempty(name, image, batch)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    axes = [axis for axis in range(batch, image.ndim) if axis != channels]
    factors = np.atleast_1d(np.asarray(scale, np.float64))
    if factors.shape not in ((1,), (len(axes),)):
        raise ValueError(f"{name}: scale expects a number or one for each of {len(axes)} axes but got {scale!r}")
    if not np.all((factors > 0) & (factors < math.inf)):
        raise ValueError(f"{name}: scale expects positive numbers but got {scale!r}")
    sizes = list(image.shape[batch:])
    for axis, factor in zip(axes, np.broadcast_to(factors, (len(axes),)), strict=True):
        sizes[axis - batch] = max(1, int(np.round(factor * image.shape[axis])))
    return resized(
        name, image, sizes, order, mode, cval, clip, preserve_range, anti_aliasing, anti_aliasing_sigma,
        channel_axis, out, batch_axes,
    )  # fmt: skip


def _interpolated(x: np.ndarray, sizes: dict[int, int], order: int, border: str, cval: float) -> np.ndarray:
    """Splines of order 1 to 5; a constant or an edge outside stands in a frame around the axes that change."""
    frame = 0
    if border == "constant" or (border == "nearest" and order > 1):
        frame = SPLINE_FRAME if order > 1 else 1

    def interpolated(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        inside, margin = border, (0, 0)
        if frame:
            margin = (frame if size[0] != x.shape[1] else 0, frame if size[1] != x.shape[2] else 0)
            outside: dict[str, Any] = {"constant_values": cval} if border == "constant" else {"mode": "edge"}
            x = np.pad(x, ((0, 0), (margin[0],) * 2, (margin[1],) * 2, (0, 0)), **outside)
            inside = "mirror"
        if order > 1:
            x = kernels.spline_filter2d(x, order, border=inside)
        return kernels.interpolate(x, size, mode=_INTERPOLATION[order], border=inside, margin=margin)

    return by_pairs(x, sizes, interpolated)


def _nearest(x: np.ndarray, sizes: dict[int, int]) -> np.ndarray:
    """Copies of the nearest pixels, of any type."""
    for axis, size in sizes.items():
        places = (np.arange(size) + 0.5) * (x.shape[axis] / size) - 0.5
        x = np.take(x, np.floor(places + 0.5).astype(np.intp), axis=axis)
    return x


def _blurred(x: np.ndarray, sigmas: dict[int, float], border: str, cval: float) -> np.ndarray:
    """The image with less detail than its smaller self has pixels for; integers become float64."""
    weights = {axis: gaussian_taps(sigma, _TRUNCATE) for axis, sigma in sigmas.items() if sigma > 0}
    if not weights:
        return x
    return correlate_axes(x.astype(np.float64) if x.dtype.kind in "iu" else x, weights, mode=border, cval=cval)


def _sigmas(name: str, sigma: Any, factors: list[float], batch: int, channels: int | None) -> dict[int, float]:
    """The standard deviation of the antialiasing filter along each axis."""
    axes = [axis for axis in range(batch, len(factors)) if axis != channels]
    if sigma is None:
        return {axis: max(0.0, (factors[axis] - 1) / 2) for axis in axes}
    values = np.atleast_1d(np.asarray(sigma, np.float64))
    if values.shape not in ((1,), (len(axes),)):
        raise ValueError(f"{name}: anti_aliasing_sigma expects a number or one for each axis but got {sigma!r}")
    if not np.all((values >= 0) & (values < math.inf)):
        raise ValueError(f"{name}: anti_aliasing_sigma expects finite values of at least 0 but got {sigma!r}")
    found = dict(zip(axes, map(float, np.broadcast_to(values, (len(axes),))), strict=True))
    if any(value > 0 and factors[axis] <= 1 for axis, value in found.items()):
        warnings.warn(
            f"{name}: Anti-aliasing standard deviation greater than zero but not down-sampling along all axes",
            stacklevel=4,
        )
    return found
