"""Images of another size, in scikit-image's call forms: by interpolation, and by means of areas.

Every axis is resized on its own, two neighbouring ones in one pass, so images may have any number of axes.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from .images import as_float, axis_of_channels, check_image, check_out, leading_axes
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
    Equals ``skimage.transform.resize`` 0.26, within rounding. Integers of order 0 with antialiasing are blurred in
    float64 and rounded once. A NaN reaches the pixels that take it with a weight that is not 0; of order 2 and more,
    all pixels.

    Examples
    --------
    >>> import numpy as np
    >>> resize(np.array([[0.0, 4.0]]), (1, 4), mode="edge")
    array([[0., 1., 3., 4.]])
    """
    name = "resize"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    image, sizes = _sizes(name, image, output_shape, batch, channels)
    border, order = check_mode(name, mode), check_order(name, order, image.dtype)
    cval = check_number(name, "cval", cval)
    shrinks = any(after < before for after, before in zip(sizes, image.shape, strict=True))
    if anti_aliasing is None:
        anti_aliasing = shrinks and image.dtype != np.bool_ and not (image.dtype.kind in "iu" and order == 0)
    if anti_aliasing and image.dtype == np.bool_:
        raise ValueError(f"{name}: anti_aliasing expects False for an image of booleans but got {anti_aliasing!r}")
    factors = [before / after for before, after in zip(image.shape, sizes, strict=True)]
    sigmas = _sigmas(name, anti_aliasing_sigma, factors, batch, channels) if anti_aliasing else {}
    dtype = np.dtype(np.float32) if image.dtype == np.float16 else image.dtype
    source = as_float(image, preserve_range) if order > 0 else image.astype(dtype, copy=False)
    if out is not None:
        check_out(name, out, sizes, source.dtype)
    filtered = _blurred(source, sigmas, border, cval)
    changed = {axis: size for axis, size in enumerate(sizes) if size != image.shape[axis]}
    result = _nearest(filtered, changed) if order == 0 else _interpolated(filtered, changed, order, border, cval)
    if result.dtype != source.dtype:
        result = np.rint(result).astype(source.dtype)
    if result is source or np.may_share_memory(result, image):
        result = result.copy(order="C")
    # Weights of order 0 and 1 are at least 0 and add up to 1: only a value from outside leaves the range.
    if clip and (order > 1 or mode == "constant"):
        clip_to_range(result, source, mode, cval, batch)
    return _written(result, out)


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
    return resize(
        image, sizes, order, mode, cval, clip, preserve_range, anti_aliasing, anti_aliasing_sigma,
        channel_axis=channel_axis, out=out, batch_axes=batch_axes,
    )  # fmt: skip


def resize_local_mean(
    image: np.ndarray,
    output_shape: Sequence[int],
    grid_mode: bool = True,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Resize an image by the mean of what each pixel of the result covers.

    Parameters
    ----------
    image, output_shape, preserve_range, channel_axis, out, batch_axes
        As in `resize`.
    grid_mode : bool
        Pixels are squares. False takes them for points at their centres, and the image from the first to the last.

    Returns
    -------
    float32 or float64 array of ``output_shape``, or ``out``

    Notes
    -----
    Equals ``skimage.transform.resize_local_mean`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> resize_local_mean(np.array([1.0, 2.0, 6.0]), (2,)).round(3)
    array([1.333, 4.667])
    """
    name = "resize_local_mean"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    image, sizes = _sizes(name, image, output_shape, batch, channels)
    source = as_float(image, preserve_range)
    if out is not None:
        check_out(name, out, sizes, source.dtype)
    changed = {axis: size for axis, size in enumerate(sizes) if size != image.shape[axis]}
    result = along_axes(source, changed, mode="area", align_corners=not grid_mode)
    return _written(result.copy(order="C") if np.may_share_memory(result, image) else result, out)


def downscale_local_mean(
    image: np.ndarray,
    factors: int | Sequence[int],
    cval: float = 0,
    clip: bool = True,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Make an image smaller by means of blocks.

    Parameters
    ----------
    image : array of real numbers
    factors : int or sequence of ints
        The size of a block along all axes that are neither of the batch nor of the channels, or along each.
    cval : float
        What fills the last blocks, where the image does not.
    clip : bool
        Changes nothing: a mean exceeds no values. It is there for scikit-image's call form.
    channel_axis, out, batch_axes
        As in `resize`.

    Returns
    -------
    float array, or ``out``
        Of the image's type if that is floating-point, otherwise float64; integers keep their range.

    Notes
    -----
    Equals ``skimage.transform.downscale_local_mean`` 0.26; means of float16 images are computed in float32.

    Examples
    --------
    >>> import numpy as np
    >>> downscale_local_mean(np.arange(15).reshape(3, 5), (2, 3))
    array([[3.5, 4. ],
           [5.5, 4.5]])
    """
    name = "downscale_local_mean"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    cval = check_number(name, "cval", cval)
    axes = [axis for axis in range(batch, image.ndim) if axis != channels]
    blocks = [factors] * len(axes) if isinstance(factors, int | np.integer) else list(factors)
    if len(blocks) != len(axes):
        raise ValueError(f"{name}: factors expects one for each of {len(axes)} axes but got {factors!r}")
    if not all(isinstance(block, int | np.integer) and block >= 1 for block in blocks):
        raise ValueError(f"{name}: factors expects integers of at least 1 but got {factors!r}")
    width = [(0, 0)] * image.ndim
    sizes = list(image.shape)
    for axis, block in zip(axes, blocks, strict=True):
        sizes[axis] = -(-image.shape[axis] // int(block))
        width[axis] = (0, sizes[axis] * int(block) - image.shape[axis])
    dtype = image.dtype if image.dtype.kind == "f" else np.dtype(np.float64)
    if out is not None:
        check_out(name, out, tuple(sizes), dtype)
    source = as_float(image, preserve_range=True)
    if any(after for _, after in width):
        source = np.pad(source, width, constant_values=cval)
    changed = {axis: sizes[axis] for axis in axes if sizes[axis] != source.shape[axis]}
    result = along_axes(source, changed, mode="area").astype(dtype, copy=False)
    return _written(result.copy(order="C") if np.may_share_memory(result, image) else result, out)


def along_axes(x: np.ndarray, sizes: dict[int, int], **how: Any) -> np.ndarray:
    """`kernels.interpolate` along each axis that has a size, two neighbours at a time; ``x`` itself where none has."""
    axes = sorted(sizes)
    while axes:
        axis = axes.pop(0)
        together = bool(axes) and axes[0] == axis + 1
        behind = axes.pop(0) + 1 if together else axis + 1
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[behind:])
        if together:
            shape, size = (outer, *x.shape[axis:behind], inner), (sizes[axis], sizes[axis + 1])
        elif inner == 1:
            shape, size = (outer, 1, x.shape[axis], 1), (1, sizes[axis])
        else:
            shape, size = (outer, x.shape[axis], 1, inner), (sizes[axis], 1)
        shape_after = (*x.shape[:axis], *(size if together else (sizes[axis],)), *x.shape[behind:])
        x = _spline(x.reshape(shape), size, **how).reshape(shape_after)
    return x


def _spline(x: np.ndarray, size: tuple[int, int], frame: int = 0, cval: float = 0.0, **how: Any) -> np.ndarray:
    """`kernels.interpolate` with a frame around each axis that changes, and with a spline's coefficients."""
    mode, border = how["mode"], how.get("border", "nearest")
    margin = tuple(frame if n != m else 0 for n, m in zip(x.shape[1:3], size, strict=True))
    if any(margin):
        around = ((0, 0), (margin[0],) * 2, (margin[1],) * 2, (0, 0))
        outside: dict[str, Any] = {"constant_values": cval} if border == "constant" else {"mode": "edge"}
        x = np.pad(x, around, **outside)
        how = {**how, "border": "mirror", "margin": margin}
    if mode.startswith("spline"):
        x = kernels.spline_filter2d(x, int(mode[-1]), border=how["border"])
    return kernels.interpolate(x, size, **how)


def _interpolated(x: np.ndarray, sizes: dict[int, int], order: int, border: str, cval: float) -> np.ndarray:
    frame = 0
    if border == "constant" or (border == "nearest" and order > 1):
        frame = SPLINE_FRAME if order > 1 else 1
    return along_axes(x, sizes, mode=_INTERPOLATION[order], border=border, frame=frame, cval=cval)


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


def _sizes(
    name: str, image: np.ndarray, output_shape: Any, batch: int, channels: int | None
) -> tuple[np.ndarray, tuple[int, ...]]:
    """The image with the axes that the result has, and the size of each of them."""
    try:
        wanted = list(output_shape)
    except TypeError:
        raise TypeError(f"{name}: output_shape expects a sequence of integers but got {output_shape!r}") from None
    for size in wanted:
        if isinstance(size, bool) or not isinstance(size, int | float | np.number) or size != round(size):
            raise TypeError(f"{name}: output_shape expects a sequence of integers but got {output_shape!r}")
    sizes = [int(size) for size in wanted]
    axes = image.ndim - batch
    if channels is not None and len(sizes) == axes - 1:
        sizes.insert(channels - batch, image.shape[channels])
    elif len(sizes) == axes - 1:
        sizes.append(image.shape[-1])
    if len(sizes) < axes or (channels is not None and len(sizes) != axes):
        raise ValueError(
            f"{name}: output_shape expects {axes} sizes, or {axes - 1} without the channels, but got {output_shape!r} "
            f"(image {image.shape}, batch_axes = {batch})"
        )
    if channels is not None and sizes[channels - batch] != image.shape[channels]:
        raise ValueError(
            f"{name}: output_shape expects {image.shape[channels]} channels as in the image but got {output_shape!r}"
        )
    image = image.reshape(*image.shape, *[1] * (len(sizes) - axes))
    if 0 in image.shape[batch:]:
        raise ValueError(f"{name}: image expects at least one pixel but got shape {image.shape}")
    if min(sizes, default=1) < 1:
        raise ValueError(f"{name}: output_shape expects sizes of at least 1 but got {output_shape!r}")
    return image, (*image.shape[:batch], *sizes)


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
            stacklevel=3,
        )
    return found


def _written(result: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    if out is None:
        return result
    out[...] = result
    return out
