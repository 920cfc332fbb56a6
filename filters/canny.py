"""Canny's edge detector and hysteresis in scikit-image's call form."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arrays import new_like, to_device
from ..kernels.correlation.geometry import check_border
from .images import as_float, axis_of_channels, check_image, check_out, in_order, leading_axes, value_range
from .linear import sigmas_of_axes
from .masks import check_mask, eroded
from .separable import gaussian_taps

_TRUNCATE = 4.0
_LEAST = 1e-14  # in place of a low threshold of 0, so that flat regions are no edges


def canny(
    image: np.ndarray,
    sigma: float | Sequence[float] = 1.0,
    low_threshold: float | None = None,
    high_threshold: float | None = None,
    mask: np.ndarray | None = None,
    use_quantiles: bool = False,
    *,
    mode: str = "constant",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find edges: blur, take the gradient, thin it to its ridges, keep those that are strong or touch a strong one.

    Parameters
    ----------
    image : array of real numbers, but for integers of 64 bits
        Two axes beside those of the batch and of the channels. Integers are scaled by their largest value.
    sigma : float or two floats
        Standard deviation of the Gaussian blur, for both axes or for each; it reaches ``int(4 * sigma + 0.5)`` pixels.
    low_threshold, high_threshold : float, optional
        In the image's own units: ridges at least as steep as the first are kept where they touch one at least as steep
        as the second. By default 0.1 and 0.2 of the largest value of the image's type.
    mask : array of the image's shape, or of that of its two axes, optional
        Only pixels inside count, and edges are found where all neighbours are inside, too.
    use_quantiles : bool
        The thresholds are quantiles, in [0, 1], of the gradient's norms of each image and channel.
    mode : {"constant", "nearest", "reflect", "mirror", "wrap"}
        What the blur sees outside the image; with "constant" it is ``cval``, and the blurred image is divided by the
        blurred mask.
    channel_axis : int, optional
        The axis of channels; edges are found in each on its own.
    batch_axes : int
        How many leading axes count images.
    out : bool array of the image's shape, optional

    Returns
    -------
    bool array of the image's shape, or ``out``
        The border of one pixel is False.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, integers of 64 bits, other than two axes, thresholds in the wrong order or no
        quantiles, a mask or ``out`` that does not fit.

    Notes
    -----
    Equals ``skimage.feature.canny`` 0.26, pixel by pixel: rounding included, which decides on symmetric images. Pixels
    that a NaN reaches are no edges. An empty image gives an empty result.

    Source: J. Canny, "A computational approach to edge detection", 1986.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((5, 7), np.uint8)
    >>> image[:, 4:] = 200
    >>> canny(image).astype(int)[2]
    array([0, 0, 0, 1, 0, 0, 0])
    """
    name = "canny"
    check_image(name, "image", image)
    if image.dtype in (np.int64, np.uint64):
        raise ValueError(f"{name}: 64-bit integer images are not supported")
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    axes = [axis for axis in range(batch, image.ndim) if axis != channels]
    if len(axes) != 2:
        raise ValueError(
            f"{name}: image expects 2 axes beside those of the batch and of the channels but has {len(axes)}"
        )
    mode, cval = check_border(name, mode, cval)
    low, high = _thresholds(low_threshold, high_threshold, image.dtype, use_quantiles)
    taps = [gaussian_taps(s, _TRUNCATE) for s in sigmas_of_axes(name, sigma, image.shape, batch, channels).values()]
    mask = check_mask(name, mask, image, axes)
    if out is not None:
        check_out(name, out, image, image.shape, np.dtype(bool))
    if image.size == 0:
        return new_like(image, image.shape, bool) if out is None else out

    if mask is not None:
        image = np.where(mask, image, image.dtype.type(0))
    source = image if image.dtype == np.uint8 else as_float(image, preserve_range=False)
    images = _flat(source, axes)
    blur: dict[str, Any] = {"column": taps[0], "row": taps[1], "mode": mode, "cval": cval}
    blur["divisor"] = _blurred_mask(images, None if mask is None else _flat(mask, axes), blur)
    blur["scale"] = 1 / 255
    if use_quantiles:
        norms = to_device(kernels.smoothed_edges(images, stage="norms", **blur), "cpu")
        low, high = np.percentile(norms.reshape(len(norms), -1), [100 * low, 100 * high], axis=1)
    elif source.dtype == np.float32:
        high = np.float32(high)
    low = np.asarray(low, np.float32)
    low = np.where(low == 0, np.float32(_LEAST), low)
    inside = None if mask is None else _flat(eroded(mask, axes), axes)
    classes = kernels.smoothed_edges(images, inside=inside, low=low, high=high, **blur)
    edges = kernels.hysteresis(classes)
    shape = [image.shape[axis] for axis in range(image.ndim) if axis not in axes] + [image.shape[axis] for axis in axes]
    result = np.moveaxis(edges.reshape(shape), (-2, -1), axes)
    return in_order(result, out)


def _flat(image: np.ndarray, axes: list[int]) -> np.ndarray:
    """All images and channels one after the other, ``(N, H, W)``."""
    last = np.moveaxis(image, axes, (-2, -1))
    return in_order(last).reshape(-1, *last.shape[-2:])


def _thresholds(low: Any, high: Any, dtype: np.dtype, quantiles: bool) -> tuple[Any, Any]:
    """Both thresholds in the units of the scaled image, or as quantiles."""
    values: list[Any] = []
    for argument, value, default in (("low_threshold", low, 0.1), ("high_threshold", high, 0.2)):
        if value is None:
            values.append(default)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise TypeError(f"canny: {argument} expects None or a number but got {value!r}")
        if quantiles and not 0 <= value <= 1:
            raise ValueError(f"canny: {argument} expects a quantile in [0, 1] but got {value!r}")
        values.append(value if quantiles else value / max(value_range(dtype)[1], 1.0))
    if not values[0] <= values[1]:
        raise ValueError(
            f"canny: low_threshold expects a number of at most high_threshold but got {low!r} and {high!r}"
        )
    return values[0], values[1]


def _blurred_mask(images: np.ndarray, mask: np.ndarray | None, blur: dict[str, Any]) -> np.ndarray | None:
    """What the blurred image is divided by, where it saw pixels that do not count."""
    if mask is None and blur["mode"] != "constant":
        return None
    kind: Any = np.dtype(np.float32 if images.dtype == np.float32 else np.float64)
    if mask is None:
        # All rows farther from the border than the blur reaches are alike: one stands for them.
        rows = min(images.shape[1], len(blur["column"]))
        mask = new_like(images, (1, rows, images.shape[2]), kind)
        mask[...] = 1
    return kernels.smoothed_edges(mask.astype(kind), stage="smoothed", **blur) + kind.type(np.finfo(kind).eps)


def apply_hysteresis_threshold(
    image: np.ndarray,
    low: Any,
    high: Any,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find the pixels above ``high``, and those above ``low`` that neighbours above ``low`` join to one above ``high``.

    Parameters
    ----------
    image : array of real numbers
        Up to three axes beside those of the batch and of the channels.
    low, high : float or array that broadcasts with the image
        A ``low`` above ``high`` is taken for ``high``.
    channel_axis : int, optional
        The axis of channels, each of which is on its own.
    batch_axes : int
        How many leading axes count images.
    out : bool array of the image's shape, optional

    Returns
    -------
    bool array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, thresholds that do not fit, more than three axes.

    Notes
    -----
    Equals ``skimage.filters.apply_hysteresis_threshold`` 0.26. Neighbours share an edge, not only a corner: 4 in an
    image. NaN is above nothing.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([1, 2, 3, 2, 1, 2, 1, 3, 2])
    >>> apply_hysteresis_threshold(image, 1.5, 2.5).astype(int)
    array([0, 1, 1, 1, 0, 0, 0, 1, 1])
    """
    name = "apply_hysteresis_threshold"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    spatial = image.ndim - batch - (channels is not None)
    if not 1 <= spatial <= 3:
        raise ValueError(
            f"{name}: image expects 1 to 3 axes beside those of the batch and of the channels but has {spatial}"
        )
    if out is not None:
        check_out(name, out, image, image.shape, np.dtype(bool))
    for argument, value in (("low", low), ("high", high)):
        if np.asarray(value).dtype.kind not in "fiub":
            raise TypeError(f"{name}: {argument} expects a number or an array of numbers but got {value!r}")
        if np.broadcast_shapes(np.shape(value), image.shape) != image.shape:
            raise ValueError(f"{name}: {argument} expects the image's shape {image.shape} but got {np.shape(value)}")
    classes = (image > np.minimum(low, high)).astype(np.uint8)
    classes += image > high
    if channels is None:
        result = kernels.hysteresis(classes, axes=spatial, connectivity=1)
    else:
        kept = kernels.hysteresis(np.moveaxis(classes, channels, batch), axes=spatial, connectivity=1)
        result = np.moveaxis(kept, batch, channels)
    return in_order(result, out)
