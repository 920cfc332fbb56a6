"""Images whose histograms are changed, in scikit-image's call form."""

from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arrays import is_on_cuda, new_like, to_device
from .histograms import check_bins, counted
from .images import (
    axis_of_channels,
    check_image,
    check_out,
    delivered,
    float_type,
    leading_axes,
    moved_beside,
    native,
    planes,
)


def equalize_hist(
    image: np.ndarray,
    nbins: int = 256,
    mask: Any = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Replace every value by the share of pixels that are not above it, so that all levels are equally frequent.

    Parameters
    ----------
    image : array of any number of axes and of real numbers
        float16 is read as float32. Any strides.
    nbins : int
        How many bins the histogram has. Of integers every value has its own.
    mask : array of the image's shape, optional
        Where it is true, pixels are counted; all are replaced.
    channel_axis : int, optional
        The axis of channels, which are equalised each on its own; without it the whole image has one histogram.
    batch_axes : int
        How many leading axes count images, each with its own histogram.
    out : array of the result's shape and type, optional
        Where to write.

    Returns
    -------
    array of the image's shape, float32 for float32 and float16 images, else float64, with values in (0, 1]

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, NaN or infinity, integers other than of 8 and 16 bits that span more than 2**24
        values, a mask that is empty or of another shape.

    Notes
    -----
    Equals ``skimage.exposure.equalize_hist`` 0.26. An empty image gives an empty result.

    Examples
    --------
    >>> import numpy as np
    >>> equalize_hist(np.array([[10, 200], [200, 30]], np.uint8))
    array([[0.25, 1.  ],
           [1.  , 0.5 ]])
    """
    name = "equalize_hist"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    nbins = check_bins(name, nbins)
    kind = float_type(image.dtype)
    if out is not None:
        check_out(name, out, image, image.shape, kind)
    if image.size == 0:
        return delivered(new_like(image, image.shape, kind), out)
    separate = batch + (channels is not None)
    source = planes(native(image), channels, batch)
    if mask is not None:
        mask = moved_beside(image, mask if is_on_cuda(mask) else np.asarray(mask)).astype(bool, copy=False)
        if mask.shape != image.shape:
            raise ValueError(f"{name}: mask expects the shape of the image, {image.shape}, but got {mask.shape}")
        mask = planes(mask, channels, batch)
        if not mask.any(axis=tuple(range(separate, mask.ndim))).all():
            raise ValueError(f"{name}: mask expects at least one true pixel in each image")
    counts, centers = counted(name, source, nbins, separate, mask)
    totals = counts.cumsum(axis=-1)
    shares = (totals / totals[:, -1:].astype(np.float64)).astype(kind, copy=False)
    lead = source.shape[:separate]
    if source.dtype.kind in "iu":
        # Values below all that were counted take the share of the first of those.
        first = np.take_along_axis(shares, np.argmax(counts > 0, axis=-1)[:, None], axis=-1)
        tables = moved_beside(image, np.maximum(shares, first).reshape(*lead, -1))
        result = kernels.look_up(source, tables, low=int(centers[0]), batch_axes=separate)
    else:
        xp, fp = centers.reshape(*lead, -1), shares.reshape(*lead, -1)
        result = kernels.piecewise_linear(source.astype(kind, copy=False), xp=xp, fp=fp, batch_axes=separate)
    return delivered(result if channels is None else np.moveaxis(result, batch, channels), out)


def match_histograms(
    image: np.ndarray,
    reference: np.ndarray,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Change an image's values so that they are distributed like those of another image.

    Parameters
    ----------
    image : array of any number of axes and of real numbers
        Any strides.
    reference : array of as many axes, of real numbers
        It has as many channels and images, but may have other sizes and another type.
    channel_axis : int, optional
        The axis of channels, which are matched each on its own; without it the whole image has one histogram.
    batch_axes : int
        How many leading axes count images, each matched to its own reference.
    out : array of the result's shape and type, optional
        Where to write.

    Returns
    -------
    array of the image's shape
        Floating-point images give float32 or float64, float16 gives float32. Integers give float64, but with
        ``channel_axis`` their own type, cut off: both as in scikit-image.

    Raises
    ------
    TypeError, ValueError
        Not arrays of real numbers, NaN, empty images, numbers of axes, channels or images that differ.

    Notes
    -----
    Equals ``skimage.exposure.match_histograms`` 0.26. Images of 8 and 16 bits without sign are matched by their
    histograms, others by sorting.

    Examples
    --------
    >>> import numpy as np
    >>> match_histograms(np.array([[1, 2], [2, 3]], np.uint8), np.array([[10, 20], [20, 50]], np.uint8))
    array([[10., 20.],
           [20., 50.]])
    """
    name = "match_histograms"
    check_image(name, "image", image)
    check_image(name, "reference", reference)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    if image.ndim != reference.ndim:
        raise ValueError(f"{name}: reference expects {image.ndim} axes like the image but got shape {reference.shape}")
    separate = batch + (channels is not None)
    source, model = planes(native(image), channels, batch), planes(native(reference), channels, batch)
    lead = source.shape[:separate]
    if model.shape[:separate] != lead:
        raise ValueError(
            f"{name}: reference expects as many images and channels as the image, {lead}, but got "
            f"{model.shape[:separate]} (image {image.shape}, reference {reference.shape})"
        )
    for argument, array in (("image", source), ("reference", model)):
        if 0 in array.shape[separate:]:
            raise ValueError(f"{name}: {argument} expects at least one pixel but got an empty one")
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise ValueError(f"{name}: {argument} expects numbers but has NaN")
    kind = image.dtype if channels is not None and image.dtype.kind != "f" else float_type(image.dtype)
    if out is not None:
        check_out(name, out, image, image.shape, kind)
    small = all(a.dtype.kind == "u" and a.dtype.itemsize <= 2 for a in (image, reference))
    result = _matched_by_counts(name, source, model, separate) if small else _matched_by_rank(source, model, separate)
    if channels is not None:  # the result takes the image's own type on the way
        result = result.astype(image.dtype, copy=False)
    result = result.astype(kind, copy=False)
    return delivered(result if channels is None else np.moveaxis(result, batch, channels), out)


def _matched_by_counts(name: str, source: np.ndarray, model: np.ndarray, separate: int) -> np.ndarray:
    counts, _ = counted(name, source, 1, separate)
    quantiles = counts.cumsum(axis=-1) / np.prod(source.shape[separate:])
    wanted, _ = counted(name, model, 1, separate)
    reached = wanted.cumsum(axis=-1) / np.prod(model.shape[separate:])
    # A value that the reference does not have stands for the one before it that it has, the first for those before all.
    values = np.where(wanted > 0, np.arange(wanted.shape[-1]), -1)
    values = np.maximum(np.maximum.accumulate(values, axis=-1), np.argmax(wanted > 0, axis=-1)[:, None])
    xp = np.take_along_axis(reached, values, axis=-1)
    table = kernels.piecewise_linear(quantiles, xp=xp, fp=values, batch_axes=1)
    table = moved_beside(source, table.reshape(*source.shape[:separate], -1))
    return kernels.look_up(source, table, batch_axes=separate)


def _matched_by_rank(source: np.ndarray, model: np.ndarray, separate: int) -> np.ndarray:
    """All numbers are sorted, in main memory."""
    image, source, model = source, to_device(source, "cpu"), to_device(model, "cpu")
    n = int(np.prod(source.shape[:separate]))
    pixels, wanted = source.reshape(n, -1), np.sort(model.reshape(n, -1), axis=-1)
    order = np.argsort(pixels, axis=-1)
    quantiles = _quantiles(np.take_along_axis(pixels, order, axis=-1))
    ranked = kernels.piecewise_linear(quantiles, xp=_quantiles(wanted), fp=wanted, batch_axes=1)
    result = np.empty_like(ranked)
    np.put_along_axis(result, order, ranked, axis=-1)
    return moved_beside(image, result.reshape(source.shape))


def _quantiles(ordered: np.ndarray) -> np.ndarray:
    """Of each number of sorted rows the share of those that are not above it."""
    n, size = ordered.shape
    last = np.ones((n, size), bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=last[:, :-1])
    ends = np.where(last, np.arange(1, size + 1), size)
    return np.minimum.accumulate(ends[:, ::-1], axis=-1)[:, ::-1] / size
