"""Histograms of images in scikit-image's call form, and what the filters made of them share."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..kernels.arguments import integer
from ..kernels.arrays import to_device
from .images import (
    axis_of_channels,
    check_image,
    check_nonempty,
    float_type,
    leading_axes,
    moved_beside,
    native,
    planes,
    value_range,
)

_MOST_VALUES = 2**24


class Histograms(NamedTuple):
    """Of n images: (n, bins) counts, and (n, bins) centres of the bins, or (bins,) common ones."""

    counts: np.ndarray
    centers: np.ndarray


def counted(name: str, image: np.ndarray, nbins: int, batch: int, mask: np.ndarray | None = None) -> Histograms:
    """The histogram of each image of a batch, of the pixels under a mask.

    Every integer has its own bin, in common bins for all images, which may be empty at both ends. Of other numbers,
    each image has ``nbins`` between its least and its largest one, and float16 is read as float32.
    """
    image = native(image)
    if image.dtype.kind in "iu":
        low, bins = _range_of_integers(name, image)
        if mask is not None:
            image = np.where(mask, image, np.int64(low - 1))
        counts = to_device(kernels.count_values(image, bins=bins, low=low, batch_axes=batch), "cpu")
        return Histograms(counts.reshape(-1, bins), np.arange(low, low + bins))
    image = image.astype(float_type(image.dtype), copy=False)
    if mask is not None:
        image = np.where(mask, image, image.dtype.type(np.nan))
    axes = tuple(range(batch, image.ndim))
    if mask is None:
        least, largest = (to_device(found, "cpu") for found in (image.min(axis=axes), image.max(axis=axes)))
    else:
        kind = image.dtype.type
        least = to_device(np.where(mask, image, kind(np.inf)).min(axis=axes), "cpu")
        largest = to_device(np.where(mask, image, kind(-np.inf)).max(axis=axes), "cpu")
    edges = edges_between(name, least, largest, nbins, image.dtype)
    counts = to_device(kernels.count_between(image, edges=edges, batch_axes=batch), "cpu")
    return Histograms(counts.reshape(-1, nbins), centers_of(edges).reshape(-1, nbins))


def _range_of_integers(name: str, image: np.ndarray) -> tuple[int, int]:
    """The first integer that has a bin, and how many have one: all of a small type, else those that occur."""
    if image.dtype.itemsize <= 2:
        kind = np.iinfo(image.dtype)
        return int(kind.min), int(kind.max) - int(kind.min) + 1
    low, high = int(image.min()), int(image.max())
    if high - low >= _MOST_VALUES or high >= 2**63:
        raise ValueError(
            f"{name}: image expects integers within a range of {_MOST_VALUES} below 2**63 but got [{low}, {high}]"
        )
    return low, high - low + 1


def edges_between(name: str, least: Any, largest: Any, nbins: int, dtype: np.dtype) -> np.ndarray:
    """The edges of bins of equal width, on a last axis; a range of one number is widened by a half on both sides."""
    if not (np.isfinite(least).all() and np.isfinite(largest).all()):
        raise ValueError(f"{name}: image expects finite numbers but has NaN or infinity")
    half = np.where(least == largest, 0.5, 0.0).astype(dtype)
    return np.linspace(least - half, largest + half, nbins + 1, axis=-1, dtype=dtype)


def centers_of(edges: np.ndarray) -> np.ndarray:
    return (edges[..., :-1] + edges[..., 1:]) / 2.0


def check_bins(name: str, nbins: Any) -> int:
    return integer(name, "nbins", nbins, 1, _MOST_VALUES)


def histogram(
    image: np.ndarray,
    nbins: int = 256,
    source_range: str = "image",
    normalize: bool = False,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Histogram of an image, of each of its channels, or of each of a batch of images, in common bins.

    Parameters
    ----------
    image : array of any number of axes and of real numbers
        Of integers every value has its own bin. float16 is read as float32. Any strides.
    nbins : int
        How many bins of equal width there are for floating-point and boolean images.
    source_range : {"image", "dtype"}
        Whether bins lie between the least and the largest value of the array, or of its type.
    normalize : bool
        Divide counts by their sum.
    channel_axis : int, optional
        The axis of channels.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    hist : (..., bins) array, int64, or float64 if ``normalize``
        With axes of the batch and of the channels, if there are any.
    bin_centers : (bins,) array
        int64 for integers, else of the image's type.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, an empty one, NaN or infinity, integers that span more than 2**24 values.

    Notes
    -----
    Equals ``skimage.exposure.histogram`` 0.26, but that a signed image's bins always lie in ``source_range``.

    Examples
    --------
    >>> import numpy as np
    >>> histogram(np.array([[1, 3], [3, 4]]))
    (array([1, 0, 2, 1]), array([1, 2, 3, 4]))
    """
    return _counted("histogram", image, nbins, source_range, normalize, channel_axis, batch_axes)


def _counted(
    name: str,
    image: np.ndarray,
    nbins: int,
    source_range: str,
    normalize: bool,
    channel_axis: int | None,
    batch_axes: int,
) -> tuple[np.ndarray, np.ndarray]:
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    nbins = check_bins(name, nbins)
    if source_range not in ("image", "dtype"):
        raise ValueError(f"{name}: source_range expects 'image' or 'dtype' but got {source_range!r}")
    check_nonempty(name, image, 0)
    if image.ndim == 3 and image.shape[-1] < 4 and channels is None and not batch:
        warnings.warn(f"{name}: {image.shape} might be a colour image: pass channel_axis", stacklevel=3)
    separate = batch + (channels is not None)
    source = planes(native(image), channels, batch)
    if image.dtype.kind in "iu":
        low, high = (int(v) for v in ((image.min(), image.max()) if source_range == "image" else _limits(image.dtype)))
        if high - low >= _MOST_VALUES or high >= 2**63:
            raise ValueError(f"{name}: image expects a range of at most {_MOST_VALUES} values but got [{low}, {high}]")
        counts = kernels.count_values(source, bins=high - low + 1, low=low, batch_axes=separate)
        centers = np.arange(low, high + 1)
    else:
        source = source.astype(float_type(image.dtype), copy=False)
        if source_range == "image":
            least, largest = to_device(source.min(), "cpu"), to_device(source.max(), "cpu")
            edges = edges_between(name, least, largest, nbins, source.dtype)
        else:
            edges = np.linspace(*value_range(image.dtype), nbins + 1, dtype=source.dtype)
        shared = np.broadcast_to(edges, (*source.shape[:separate], nbins + 1))
        counts = kernels.count_between(source, edges=shared, batch_axes=separate)
        centers = centers_of(edges)
    shares = counts / counts.sum(axis=-1, keepdims=True) if normalize else counts
    return shares, moved_beside(image, centers)


def _limits(dtype: np.dtype) -> tuple[int, int]:
    kind = np.iinfo(dtype)
    return int(kind.min), int(kind.max)


def cumulative_distribution(
    image: np.ndarray, nbins: int = 256, *, channel_axis: int | None = None, batch_axes: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the pixels that are not above each bin of the `histogram`.

    Parameters
    ----------
    image, nbins, channel_axis, batch_axes
        As in `histogram`.

    Returns
    -------
    img_cdf : (..., bins) array, float32 for float32 and float16 images, else float64
    bin_centers : (bins,) array

    Notes
    -----
    Equals ``skimage.exposure.cumulative_distribution`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> cumulative_distribution(np.array([[1, 3], [3, 4]]))
    (array([0.25, 0.25, 0.75, 1.  ]), array([1, 2, 3, 4]))
    """
    counts, centers = _counted("cumulative_distribution", image, nbins, "image", False, channel_axis, batch_axes)
    totals = counts.cumsum(axis=-1)
    return (totals / totals[..., -1:].astype(np.float64)).astype(float_type(image.dtype), copy=False), centers
