"""Structural similarity at several scales."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from .images import axis_of_channels, check_pair, leading_axes, native
from .metrics import check_data_range
from .separable import gaussian_taps
from .similarity import as_planes

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_TRUNCATE = 3.5  # an 11-tap window at the default sigma of 1.5
_NO_LUMINANCE = 1e100  # as c1, it makes the quotient of the means 1 for all images


def multiscale_structural_similarity(
    im1: np.ndarray,
    im2: np.ndarray,
    *,
    data_range: float | None = None,
    channel_axis: int | None = None,
    weights: Sequence[float] = _WEIGHTS,
    sigma: float = 1.5,
    K1: float = 0.01,
    K2: float = 0.03,
    batch_axes: int = 0,
) -> Any:
    """Structural similarity of two images at several scales: 1 where they are equal.

    Parameters
    ----------
    im1, im2 : arrays of one shape and of real numbers
        Images of two spatial axes; values count as they are. At the smallest scale the window fits into them: with the
        defaults they have more than 160 pixels on each side.
    data_range : float, optional
        The distance between the least and the largest value that images may have; required but for uint8.
    channel_axis : int, optional
        The axis of channels: the result is the mean over them.
    weights : sequence of floats
        The exponent of each scale, from the images' own on. At each of them contrast and structure are compared, at the
        last one luminance too.
    sigma : float
        Standard deviation of the Gaussian window, which reaches ``int(3.5 * sigma + 0.5)`` pixels.
    K1, K2 : float
        Parameters of the method.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float64 number, or an array of one for each image of the batch

    Raises
    ------
    TypeError, ValueError
        Not arrays of real numbers, different shapes, images that are too small, a missing ``data_range``, parameters
        out of range.

    Notes
    -----
    Means are taken over the windows that lie inside the image. From one scale to the next, blocks of 2 x 2 pixels are
    averaged; where a side is odd, its last pixels are repeated. A mean below 0 counts as 0. Everything is computed in
    float64.

    Source: Z. Wang, E. Simoncelli and A. Bovik, "Multi-scale structural similarity for image quality assessment", 2003.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(180 * 200).reshape(180, 200) % 251
    >>> float(multiscale_structural_similarity(image, image, data_range=255))
    1.0
    """
    name = "multiscale_structural_similarity"
    check_pair(name, "im1", im1, "im2", im2)
    batch = leading_axes(name, batch_axes, im1.ndim)
    channels = axis_of_channels(name, channel_axis, im1.ndim, batch)
    spatial = [n for axis, n in enumerate(im1.shape) if axis >= batch and axis != channels]
    if len(spatial) != 2:
        raise ValueError(
            f"{name}: im1 and im2 expect two spatial axes but got {len(spatial)} "
            f"(shape {im1.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
        )
    powers = np.asarray(weights, np.float64)
    if powers.ndim != 1 or powers.size == 0 or not np.all((powers >= 0) & (powers < np.inf)):
        raise ValueError(f"{name}: weights expects finite numbers of at least 0 but got {weights!r}")
    for argument, value in (("sigma", sigma), ("K1", K1), ("K2", K2)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name}: {argument} expects a number of at least 0 but got {value!r}")
    window = gaussian_taps(sigma, _TRUNCATE)
    least = (window.size - 1) * 2 ** (powers.size - 1) + 1
    if min(spatial) < least:
        raise ValueError(
            f"{name}: im1 and im2 expect at least {least} pixels on each side, for {powers.size} scales and a window "
            f"of {window.size}, but got shape {im1.shape}"
        )
    if data_range is None and (im1.dtype != np.uint8 or im2.dtype != np.uint8):
        raise ValueError(f"{name}: data_range expects a number for images that are not uint8 but got None")
    extent = 255.0 if data_range is None else check_data_range(name, data_range)
    c1, c2 = (K1 * extent) ** 2, (K2 * extent) ** 2
    x, y = as_planes(native(im1), native(im2), batch, channels)
    result: Any = 1.0
    for scale, power in enumerate(powers):
        last = scale == powers.size - 1
        means, _, _ = kernels.structural_similarity(
            x, y, window, c1=c1 if last else _NO_LUMINANCE, c2=c2, margin=window.size // 2
        )
        result = result * np.maximum(means, 0.0) ** power
        if not last:
            x, y = _halved(x), _halved(y)
    return (result if channels is None else result.mean(axis=-1))[()]


def _halved(x: np.ndarray) -> np.ndarray:
    """Means of blocks of 2 x 2 pixels, in float64."""
    h, w = x.shape[-2:]
    images = x.reshape(-1, h, w, 1).astype(np.float64, copy=False)
    even = kernels.pad2d(images, ((0, h % 2), (0, w % 2)), mode="replicate") if h % 2 or w % 2 else images
    return kernels.avg_pool2d(even, 2).reshape(*x.shape[:-2], (h + 1) // 2, (w + 1) // 2)
