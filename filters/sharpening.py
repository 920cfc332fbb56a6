"""Unsharp masking in scikit-image's call form."""

import math
from collections.abc import Sequence

import numpy as np

from .images import as_float, axis_of_channels, check_float_out, check_image, leading_axes
from .linear import gaussian, sigmas_of_axes


def unsharp_mask(
    image: np.ndarray,
    radius: float | Sequence[float] = 1.0,
    amount: float = 1.0,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Sharpen an image: add ``amount`` times what a Gaussian blur takes away.

    Parameters
    ----------
    image : array of any number of axes and of real numbers
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64. Any strides.
    radius : float or sequence of floats
        Standard deviation of the blur in pixels: ``sigma`` of `gaussian`. Channels are never blurred.
    amount : float
        May be negative, which blurs.
    preserve_range : bool
        By default integers are scaled by their largest value, and results are clipped to [0, 1], or to [-1, 1] if the
        (scaled) image has a negative number; True does neither.
    channel_axis : int, optional
        The axis of channels; without it, the image has one channel.
    out : floating-point array of the image's shape, optional
        Where to write; it may be the image itself. Values are computed in the result's own type.
    batch_axes : int
        How many leading axes count images, each of which has its own range to be clipped to.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        As `gaussian`, and for an ``amount`` that is not a finite number.

    Notes
    -----
    Equals ``skimage.filters.unsharp_mask`` 0.26 within rounding (which takes a negative ``channel_axis`` for the
    first: here it counts from the end). At the border the image is continued by reflection
    about its edge. A NaN reaches every pixel whose window holds it.

    Examples
    --------
    >>> import numpy as np
    >>> unsharp_mask(np.array([[0.2, 0.2, 0.2, 0.8, 0.8, 0.8]]), radius=0.5).round(2)
    array([[0.2 , 0.2 , 0.14, 0.86, 0.8 , 0.8 ]])
    """
    name = "unsharp_mask"
    check_image(name, "image", image)
    if isinstance(amount, bool) or not isinstance(amount, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: amount expects a number but got {amount!r}")
    if not math.isfinite(amount):
        raise ValueError(f"{name}: amount expects a finite number but got {amount!r}")
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    sigmas_of_axes(name, radius, image.shape, batch, channels, "radius")
    if out is not None:
        check_float_out(name, out, image)
    source = as_float(image, preserve_range)
    result = gaussian(source, radius, mode="reflect", channel_axis=channel_axis, batch_axes=batch)
    np.subtract(source, result, out=result)
    result *= source.dtype.type(amount)
    result += source
    if not preserve_range:
        axes = tuple(range(batch, image.ndim))
        low = np.where((source < 0).any(axis=axes, keepdims=True), -1, 0).astype(source.dtype)
        np.clip(result, low, source.dtype.type(1), out=result)
    if out is None:
        return result
    out[...] = result
    return out
