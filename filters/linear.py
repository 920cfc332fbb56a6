"""The Gaussian in scikit-image's call form."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels.correlation.geometry import check_border
from .images import as_float, axis_of_channels, check_float_out, check_image, leading_axes
from .separable import LEAST_SIGMA, correlate_axes, gaussian_taps


def gaussian(
    image: np.ndarray,
    sigma: float | Sequence[float] = 1.0,
    *,
    mode: str = "nearest",
    cval: float = 0,
    preserve_range: bool = False,
    truncate: float = 4.0,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Blur an image with a Gaussian.

    Parameters
    ----------
    image : array of any number of axes and of real numbers
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64. Any strides.
    sigma : float or sequence of floats
        Standard deviation in pixels, for all axes or for each axis that is neither of the batch nor of the channels
        (with ``channel_axis``, one number more blurs the channels too). An axis of 0 is left alone.
    mode : {"nearest", "reflect", "mirror", "wrap", "constant"}
        What lies outside the image, in ``scipy.ndimage``'s names (`tilegrad.kernels.correlation` draws them).
    cval : float
        The value outside the image where ``mode`` is "constant", in the units of the filtered image.
    preserve_range : bool
        By default integers are scaled by their largest value, to [0, 1] or [-1, 1]; True keeps their values.
        Floating-point images always keep theirs.
    truncate : float
        The window reaches ``int(truncate * sigma + 0.5)`` pixels; it may be larger than the image.
    channel_axis : int, optional
        The axis of channels, which are blurred each on its own; without it, the image has one channel.
    out : floating-point array of the image's shape, optional
        Where to write; it may be the image itself. Values are computed in the result's own type.
    batch_axes : int
        How many leading axes count images. With the default a stack of images is one volume.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError
        Not an array of real numbers.
    ValueError
        A negative or infinite sigma, a wrong number of them, an unknown mode, an axis that does not exist, an ``out``
        that does not fit.

    Notes
    -----
    Equals ``skimage.filters.gaussian`` 0.26 within rounding. An empty image gives an empty result. A NaN reaches every
    pixel whose window holds it, an infinity likewise.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((3, 3), np.float32)
    >>> image[1, 1] = 1
    >>> gaussian(image, sigma=0.4).round(3)
    array([[0.002, 0.037, 0.002],
           [0.037, 0.845, 0.037],
           [0.002, 0.037, 0.002]], dtype=float32)
    """
    name = "gaussian"
    check_image(name, "image", image)
    mode, cval = check_border(name, mode, cval)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    sigmas = sigmas_of_axes(name, sigma, image.shape, batch, channels)
    if not isinstance(truncate, int | float | np.number):
        raise TypeError(f"{name}: truncate expects a number but got {truncate!r}")
    if not 0 <= truncate < math.inf:
        raise ValueError(f"{name}: truncate expects a number of at least 0 but got {truncate!r}")
    if out is not None:
        check_float_out(name, out, image)
    weights = {axis: gaussian_taps(s, truncate) for axis, s in sigmas.items() if s > LEAST_SIGMA}
    source = as_float(image, preserve_range)
    direct = (
        out is not None
        and out.dtype == source.dtype
        and out.flags.c_contiguous
        and not np.may_share_memory(out, source)
    )
    result = correlate_axes(source, weights, mode=mode, cval=cval, out=out if direct else None)
    if out is None:
        return result.copy(order="C") if np.may_share_memory(result, image) else result
    if result is not out:
        out[...] = result
    return out


def sigmas_of_axes(
    name: str, sigma: Any, shape: tuple[int, ...], batch: int, channels: int | None, argument: str = "sigma"
) -> dict[int, float]:
    """The standard deviation of each axis that is blurred."""
    axes = [axis for axis in range(batch, len(shape)) if axis != channels]
    if isinstance(sigma, int | float | np.number):
        values = [sigma] * len(axes)
    else:
        try:
            values = list(sigma)
        except TypeError:
            raise TypeError(f"{name}: {argument} expects a number or a sequence of numbers but got {sigma!r}") from None
        if channels is not None and len(values) == len(axes) + 1:
            axes = list(range(batch, len(shape)))
    if len(values) != len(axes):
        raise ValueError(
            f"{name}: {argument} expects a number or one for each of {len(axes)} axes but got {len(values)} "
            f"(image {shape}, batch_axes = {batch}, channel axis {channels})"
        )
    for value in values:
        if not isinstance(value, int | float | np.number):
            raise TypeError(f"{name}: {argument} expects a number or a sequence of numbers but got {sigma!r}")
        if not 0 <= value < math.inf:
            raise ValueError(f"{name}: {argument} expects finite values of at least 0 but got {sigma!r}")
    return {axis: float(value) for axis, value in zip(axes, values, strict=True)}
