"""Thresholds that separate an image's objects from its background, in scikit-image's call form."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels.arguments import integer
from ..kernels.correlation.geometry import check_border
from .histograms import Histograms, check_bins, counted
from .images import axis_of_channels, check_image, check_nonempty, check_out, float_type, leading_axes
from .linear import gaussian
from .rank import median
from .separable import correlate_axes


def threshold_otsu(image: np.ndarray | None = None, nbins: int = 256, *, hist: Any = None, batch_axes: int = 0) -> Any:
    """The threshold between two classes of values that makes the variance between the classes largest.

    Parameters
    ----------
    image : array of any number of axes and of real numbers, optional
        float16 is read as float32. Any strides.
    nbins : int
        How many bins the histogram has. Of integers every value has its own.
    hist : array, or pair of arrays, optional
        Counts, or counts and the centres of their bins, instead of those of an image, which is ignored then.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    number, or an array of one for each image of the batch
        The centre of the last bin of the lower class; the value of an image that has only one, in its own type.

    Raises
    ------
    TypeError, ValueError
        Neither an image nor a histogram, an empty one, NaN or infinity, integers other than of 8 and 16 bits that span
        more than 2**24 values.

    Notes
    -----
    Equals ``skimage.filters.threshold_otsu`` 0.26. Of several thresholds that are equally good, the least.

    Source: N. Otsu, "A threshold selection method from gray-level histograms", 1979.

    Examples
    --------
    >>> import numpy as np
    >>> int(threshold_otsu(np.array([[1, 2, 1], [9, 8, 9]])))
    2
    """
    name = "threshold_otsu"
    if hist is not None:
        return _otsu(_given(name, hist))[0]
    if image is None:
        raise ValueError(f"{name}: image and hist expect one of them but got neither")
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    nbins = check_bins(name, nbins)
    check_nonempty(name, image, batch)
    if not batch and image.ndim > 2 and image.shape[-1] in (3, 4):
        warnings.warn(
            f"{name} is expected to work correctly only for grayscale images; {image.shape} looks like one of colours",
            stacklevel=2,
        )
    if not batch and (image == image.reshape(-1)[0]).all():
        return image.reshape(-1)[0]
    thresholds = _otsu(counted(name, image, nbins, batch))
    if not batch:
        return thresholds[0]
    pixels = image.reshape(thresholds.size, -1)
    same = (pixels == pixels[:, :1]).all(axis=-1)
    return np.where(same, pixels[:, 0].astype(thresholds.dtype), thresholds).reshape(image.shape[:batch])


def _given(name: str, hist: Any) -> Histograms:
    """A histogram that the caller has."""
    counts, centers = hist if isinstance(hist, tuple | list) else (hist, None)
    counts = np.asarray(counts)
    centers = np.arange(counts.size) if centers is None else np.asarray(centers)
    if counts.ndim != 1 or counts.shape != centers.shape or not (counts > 0).any():
        raise ValueError(
            f"{name}: hist expects counts on one axis, some of them positive, and as many centres "
            f"but got shapes {counts.shape} and {centers.shape}"
        )
    return Histograms(counts[None], centers)


def _otsu(histograms: Histograms) -> np.ndarray:
    """The threshold of each histogram; where a class would be empty there is none."""
    counts, centers = histograms.counts.astype(np.float32), histograms.centers
    weighted = counts * centers
    below, above = counts.cumsum(axis=-1), counts[:, ::-1].cumsum(axis=-1)[:, ::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_below = weighted.cumsum(axis=-1) / below
        mean_above = (weighted[:, ::-1].cumsum(axis=-1) / above[:, ::-1])[:, ::-1]
        variance = below[:, :-1] * above[:, 1:] * (mean_below[:, :-1] - mean_above[:, 1:]) ** 2
    variance[(below[:, :-1] == 0) | (above[:, 1:] == 0)] = -1
    # Of a single bin there is nothing to separate: its centre.
    places = variance.argmax(axis=-1) if variance.shape[-1] else np.zeros(len(counts), np.int64)
    places = np.maximum(places, (counts > 0).argmax(axis=-1))
    return np.take_along_axis(np.broadcast_to(centers, counts.shape), places[:, None], axis=-1)[:, 0]


def threshold_local(
    image: np.ndarray,
    block_size: int | Sequence[int] = 3,
    method: str = "gaussian",
    offset: float = 0,
    mode: str = "reflect",
    param: Any = None,
    cval: float = 0,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The threshold of every pixel: the mean or the median of its neighbourhood, less an offset.

    Parameters
    ----------
    image : array of any number of axes (for medians two, beside those of channels and batch) and of real numbers
        float32 and float64 as they are, float16 as float32, everything else as float64 of the same values. Any strides.
    block_size : int or sequence of ints
        Odd size of the neighbourhood, for all axes or for each axis that is neither of the batch nor of the channels.
        It may exceed the image.
    method : {"gaussian", "mean", "median"}
        A mean weighted by a Gaussian, a plain one, or the median.
    offset : float
        What is subtracted.
    mode : {"reflect", "constant", "nearest", "mirror", "wrap"}
        What lies outside the image, in ``scipy.ndimage``'s names.
    param : float or sequence of floats, optional
        The Gaussian's standard deviation, by default ``(block_size - 1) / 6``.
    cval : float
        The value outside the image where ``mode`` is "constant".
    channel_axis : int, optional
        The axis of channels, which are averaged each on its own.
    batch_axes : int
        How many leading axes count images.
    out : array of the result's shape and type, optional
        Where to write.

    Returns
    -------
    float32 or float64 array of the image's shape

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, an even size, an unknown method or mode.

    Notes
    -----
    Equals ``skimage.filters.threshold_local`` 0.26 within rounding; its method "generic", which calls a function of
    Python for each pixel, is refused. A NaN reaches every pixel whose neighbourhood holds it; to medians it is the
    largest number.

    Examples
    --------
    >>> import numpy as np
    >>> threshold_local(np.array([[0, 0, 9], [0, 0, 0], [0, 0, 0]], np.uint8), 3, "mean").round(3)
    array([[0., 2., 4.],
           [0., 1., 2.],
           [0., 0., 0.]])
    """
    name = "threshold_local"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    axes = [axis for axis in range(batch, image.ndim) if axis != channels]
    sizes = _sizes(name, block_size, len(axes))
    mode, cval = check_border(name, mode, cval)
    if method not in ("gaussian", "mean", "median"):
        raise ValueError(f"{name}: method expects 'gaussian', 'mean' or 'median' but got {method!r}")
    if not isinstance(offset, int | float | np.number):
        raise TypeError(f"{name}: offset expects a number but got {offset!r}")
    kind = float_type(image.dtype)
    if out is not None:
        check_out(name, out, image, image.shape, kind)
    source = image.astype(kind, copy=False)
    if method == "gaussian":
        sigma = [(size - 1) / 6.0 for size in sizes] if param is None else param
        means = gaussian(source, sigma, mode=mode, cval=cval, channel_axis=channels, batch_axes=batch)
    elif method == "median":
        if len(axes) != 2:
            raise ValueError(f"{name}: method 'median' expects an image of two axes but got {len(axes)}")
        window = np.ones(sizes, np.uint8)
        means = median(source, window, mode=mode, cval=cval, channel_axis=channels, batch_axes=batch)
    else:
        weights = {axis: np.full(size, 1 / size) for axis, size in zip(axes, sizes, strict=True)}
        means = correlate_axes(source, weights, mode=mode, cval=cval)
    return np.subtract(means, offset, out=out, dtype=kind)


def _sizes(name: str, block_size: Any, axes: int) -> list[int]:
    sizes = list(block_size) if isinstance(block_size, Sequence | np.ndarray) else [block_size] * axes
    if len(sizes) != axes:
        raise ValueError(f"{name}: block_size expects an integer or one for each of {axes} axes but got {len(sizes)}")
    for size in sizes:
        if integer(name, "block_size", size, 1, 2**31 - 1) % 2 == 0:
            raise ValueError(f"{name}: block_size expects odd numbers but got {block_size!r}")
    return [int(size) for size in sizes]
