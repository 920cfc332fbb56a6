"""Contrast-limited adaptive histogram equalisation in scikit-image's call form."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arguments import integer
from ..kernels.arrays import new_like, to_device
from .images import (
    as_float,
    axis_of_channels,
    check_image,
    check_nonempty,
    check_out,
    delivered,
    float_type,
    leading_axes,
    moved_beside,
)

_LEVELS = 2**14


def equalize_adapthist(
    image: np.ndarray,
    kernel_size: int | Sequence[int] | None = None,
    clip_limit: float = 0.01,
    nbins: int = 256,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Equalise an image by the histograms of its tiles, whose contrast is limited.

    Parameters
    ----------
    image : array of two axes beside those of the batch and of the channels, of real numbers
        Floating-point numbers in [-1, 1]; of those and of integers with a sign what is negative counts as 0. Every
        image is stretched to its own range first. Any strides.
    kernel_size : int or pair of ints, optional
        Height and width of a tile in pixels, by default an eighth of the image's.
    clip_limit : float
        The largest share of a tile's pixels that a bin may hold; 0 for no limit.
    nbins : int
        How many bins a tile's histogram has, up to 2**14.
    channel_axis : int, optional
        The axis of the colours red, green and blue, and perhaps of opacity, which is left out of the result. The
        largest of the colours is equalised and the others change in proportion. As in scikit-image, an image of three
        axes whose last has 3 or 4 numbers is one of colours without being told.
    batch_axes : int
        How many leading axes count images.
    out : array of the result's shape and type, optional
        Where to write.

    Returns
    -------
    array of the image's shape, float32 for float32 and float16 images, else float64, with values in [0, 1]
        Of a colour image with opacity, the three colours.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, not two axes, an empty image, floating-point numbers outside [-1, 1] or NaN,
        arguments out of range.

    Notes
    -----
    Equals ``skimage.exposure.equalize_adapthist`` 0.26, of colour images within rounding; volumes are refused.

    Source: K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.

    Examples
    --------
    >>> import numpy as np
    >>> equalize_adapthist(np.arange(64, dtype=np.uint8).reshape(8, 8), kernel_size=4).round(2)[3]
    array([0.58, 0.63, 0.68, 0.68, 0.66, 0.66, 0.68, 0.73])
    """
    name = "equalize_adapthist"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    if channel_axis is None and image.ndim - batch == 3 and image.shape[-1] in (3, 4):
        channel_axis = -1
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    if image.ndim - batch - (channels is not None) != 2:
        raise ValueError(
            f"{name}: image expects two axes beside those of the batch and of the channels "
            f"(image {image.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
        )
    shape = image.shape
    if channels is not None:
        if shape[channels] not in (3, 4):
            raise ValueError(f"{name}: image expects 3 or 4 channels but got {shape[channels]} (image {shape})")
        shape = (*shape[:channels], 3, *shape[channels + 1 :])
    check_nonempty(name, image, batch)
    h, w = (n for axis, n in enumerate(shape) if axis >= batch and axis != channels)
    tile = _tile(name, kernel_size, h, w)
    if isinstance(clip_limit, bool) or not isinstance(clip_limit, int | float | np.number):
        raise TypeError(f"{name}: clip_limit expects a number but got {clip_limit!r}")
    if not math.isfinite(clip_limit):
        raise ValueError(f"{name}: clip_limit expects a finite number but got {clip_limit!r}")
    nbins = integer(name, "nbins", nbins, 1, _LEVELS)
    kind = float_type(image.dtype)
    if out is not None:
        check_out(name, out, image, shape, kind)
    if image.size == 0:
        return delivered(new_like(image, shape, kind), out)
    if channels is None:
        return delivered(_equalized(name, image, tile, clip_limit, nbins, batch), out)
    colours = as_float(np.moveaxis(image, channels, batch)[(*[slice(None)] * batch, slice(3))], preserve_range=False)
    value = colours.max(axis=batch)
    bright = _equalized(name, value, tile, clip_limit, nbins, batch)
    factor = np.divide(bright, value, out=np.zeros_like(value), where=value != 0)
    result = colours * np.expand_dims(factor, batch)
    result += np.expand_dims(np.where(value == 0, bright, 0), batch)  # black has no colour to keep: it becomes gray
    return delivered(np.moveaxis(result, batch, channels), out)


def _tile(name: str, kernel_size: Any, h: int, w: int) -> tuple[int, int]:
    if kernel_size is None:
        return max(h // 8, 1), max(w // 8, 1)
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int | float | np.number) else list(kernel_size)
    if len(sizes) != 2 or not all(isinstance(size, int | float | np.number) and math.isfinite(size) for size in sizes):
        raise ValueError(f"{name}: kernel_size expects an integer or two but got {kernel_size!r}")
    down, along = (integer(name, "kernel_size", int(size), 1, 2**31 - 1) for size in sizes)
    return down, along


def _equalized(
    name: str, image: np.ndarray, tile: tuple[int, int], clip_limit: float, nbins: int, batch: int
) -> np.ndarray:
    """One plane for each image of the batch, in its floating-point type."""
    kind, size = float_type(image.dtype), 1 + _LEVELS // nbins

    def bins(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        spread = (values - low) / np.where(high > low, high - low, 1) * (_LEVELS - 1.0)
        return (np.where(high > low, np.round(spread), np.minimum(values, _LEVELS - 1)) // size).astype(np.uint16)

    def unit(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        values, low, high = values.astype(kind), low.astype(kind), high.astype(kind)
        return np.where(high > low, (values - low) / np.where(high > low, high - low, 1), np.minimum(values, 1))

    binned = _by_range(_as_uint16(name, image), bins, batch)
    h, w = image.shape[batch:]
    limit = max(int(clip_limit * tile[0] * tile[1]), 1) if clip_limit > 0 else 0
    maps = kernels.tile_maps(
        binned, tile=tile, grid=(-(-h // tile[0]), -(-w // tile[1])), bins=nbins, limit=limit, top=_LEVELS - 1,
        rule="skimage", map_dtype="uint16",
    )  # fmt: skip
    return _by_range(kernels.blend_tile_maps(binned, maps, tile=tile, rule="skimage"), unit, batch)


def _by_range(image: np.ndarray, formula: Callable[..., np.ndarray], batch: int) -> np.ndarray:
    """``formula(values, least, largest)`` of every pixel and its image's least and largest, by a table of it."""
    n = math.prod(image.shape[:batch])
    extremes = image.min(axis=(-2, -1)), image.max(axis=(-2, -1))
    least, largest = (to_device(found, "cpu").reshape(n, 1).astype(np.int64) for found in extremes)
    low = int(least.min(initial=0))
    table = formula(np.arange(low, int(largest.max(initial=0)) + 1, dtype=np.int64)[None], least, largest)
    table = moved_beside(image, table.reshape(*image.shape[:batch], -1))
    return kernels.look_up(image, table, low=low, batch_axes=batch)


def _as_uint16(name: str, image: np.ndarray) -> np.ndarray:
    """The image with its type's range scaled to that of uint16 by scikit-image's rules; what is negative becomes 0.

    Of 32 and 64 bits the upper ones are kept, but all of an image that needs no more than 16.
    """
    bits = 8 * image.dtype.itemsize
    if image.dtype.kind == "b":
        return image * np.uint16(65535)
    if image.dtype.kind == "f":
        image = image.astype(float_type(image.dtype), copy=False)
        if not (image.min() >= -1 and image.max() <= 1):
            raise ValueError(
                f"{name}: image expects floating-point numbers in [-1, 1] but has {image.min():g} to {image.max():g}"
            )
        return np.clip(np.rint(image * image.dtype.type(65535)), 0, 65535).astype(np.uint16)
    if image.dtype.kind == "i":
        image, bits = np.maximum(image, 0), bits - 1
    if bits > 16:
        fits = image.max(axis=(-2, -1), keepdims=True) < 2**16
        return np.where(fits, image, image >> (bits - 16)).astype(np.uint16)
    stretched = (
        -(-17 // bits) * bits if 16 % bits else 16
    )  # repeating the bits of a number keeps its share of the range
    wide = image.astype(np.int64) * ((2**stretched - 1) // (2**bits - 1))
    return (wide >> (stretched - 16)).astype(np.uint16)
