"""How much noise there is in an image."""

import math
from typing import Any

import numpy as np

from .images import axis_of_channels, check_in_memory, float_type, leading_axes

# Daubechies' wavelet of two vanishing moments, sum of squares 1: its high-pass filter.
_ROOT = math.sqrt(3)
_HIGH_PASS = np.array([-(1 + _ROOT), 3 + _ROOT, -(3 - _ROOT), 1 - _ROOT][::-1]) / (4 * math.sqrt(2))
_QUARTILE = 0.6744897501960817  # of the absolute values of a normal distribution, half are smaller


def estimate_sigma(
    image: np.ndarray, average_sigmas: bool = False, *, channel_axis: int | None = None, batch_axes: int = 0
) -> Any:
    """Estimate the standard deviation of Gaussian noise in an image.

    Parameters
    ----------
    image : array of one axis or more, and those of channels and of a batch
        Values count as they are, nothing is scaled.
    average_sigmas : bool
        Return the mean of the channels' estimates.
    channel_axis : int, optional
        The axis of channels.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float64 number, or an array of the shape of the batch and, with ``channel_axis``, of one for each channel

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, an empty one, axes that do not fit.

    Notes
    -----
    The median of the sizes of the finest diagonal coefficients of a wavelet transform (Daubechies' of two vanishing
    moments, borders repeated about their edge), divided by that of a normal distribution; coefficients that are
    exactly 0 do not count, and an image without others has the noise 0. An image with a NaN has the noise NaN.
    Equals ``skimage.restoration.estimate_sigma`` 0.26, which needs PyWavelets.

    Source: D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", 1994, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (200, 200))
    >>> float(estimate_sigma(noise + np.linspace(0, 1, 200)).round(2))
    0.1
    """
    name = "estimate_sigma"
    check_in_memory(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    spatial = [axis for axis in range(batch, image.ndim) if axis != channels]
    if not spatial or min(image.shape[axis] for axis in spatial) == 0:
        raise ValueError(
            f"{name}: image expects axes of at least one pixel but has {len(spatial)} "
            f"(image {image.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
        )
    moved = image if channels is None else np.moveaxis(image, channels, batch)
    details = moved.astype(float_type(image.dtype), copy=False)
    for axis in range(moved.ndim - len(spatial), moved.ndim):
        details = _high_pass(details, axis)
    sizes = np.abs(details.reshape(*moved.shape[: moved.ndim - len(spatial)], -1)).astype(np.float64)
    present = np.where(sizes == 0, np.inf, sizes)  # zeros behind all others, where no median reaches
    present.sort(axis=-1)
    count = np.count_nonzero(sizes, axis=-1)[..., None]
    middle = np.concatenate([np.maximum(count - 1, 0) // 2, count // 2], axis=-1)
    median = np.take_along_axis(present, np.minimum(middle, present.shape[-1] - 1), axis=-1).mean(axis=-1)
    sigmas = np.where(np.isnan(sizes).any(axis=-1), np.nan, np.where(count[..., 0] == 0, 0.0, median / _QUARTILE))
    return sigmas.mean(axis=-1)[()] if channels is not None and average_sigmas else sigmas[()]


def _high_pass(x: np.ndarray, axis: int) -> np.ndarray:
    """Every second value of the image continued about its edge and convolved with the high-pass filter, along an axis.

    Value k is ``sum over j of filter[j] * x[2 k + 1 - j]``, for all k that meet the image.
    """
    taps, n = _HIGH_PASS.astype(x.dtype), x.shape[axis]
    count = (n + taps.size - 1) // 2
    around = [(0, 0)] * x.ndim
    around[axis] = (taps.size, taps.size)
    padded = np.moveaxis(np.pad(x, around, mode="symmetric"), axis, -1)
    starts = [taps.size + 1 - j for j in range(taps.size)]
    total = sum(tap * padded[..., start : start + 2 * count - 1 : 2] for tap, start in zip(taps, starts, strict=True))
    return np.moveaxis(np.asarray(total), -1, axis)
