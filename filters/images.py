"""What the filters take: images of any real type, with axes for channels and for a batch.

scikit-image's rules: float32 and float64 stay as they are, float16 becomes float32, everything else float64; integers
are scaled by their largest value, to [0, 1] or [-1, 1], unless their range is to be preserved.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.arrays import contiguous, is_on_cuda, to_device


def native(image: np.ndarray) -> np.ndarray:
    """The image in this machine's byte order."""
    return image if image.dtype.isnative else image.astype(image.dtype.newbyteorder("="))


def moved_beside(image: Any, array: Any) -> Any:
    """A small array that was computed for an image, on the image's device."""
    return to_device(array, "cuda" if is_on_cuda(image) else "cpu")


def check_array(name: str, argument: str, array: Any) -> None:
    """An array of NumPy's or CuPy's."""
    if not isinstance(array, np.ndarray) and not is_on_cuda(array):
        raise TypeError(f"{name}: {argument} expects a numpy.ndarray or cupy.ndarray but got {type(array).__name__}")


def check_beside(name: str, argument: str, array: Any, image: Any) -> None:
    """An array on the image's device."""
    check_array(name, argument, array)
    if is_on_cuda(array) != is_on_cuda(image):
        here, there = ("cuda", "cpu") if is_on_cuda(array) else ("cpu", "cuda")
        raise TypeError(f"{name}: {argument} lies on {here} and the image on {there}")


def _is_writeable(array: Any) -> bool:
    """CuPy's arrays are, and have no such flag."""
    return getattr(array.flags, "writeable", True)


def check_image(name: str, argument: str, image: Any) -> None:
    """An array of real numbers, of one axis at least."""
    check_array(name, argument, image)
    if image.dtype.kind not in "fiub":
        raise TypeError(f"{name}: {argument} expects real numbers but got {image.dtype}")
    if image.ndim == 0:
        raise ValueError(f"{name}: {argument} expects at least one axis but got shape ()")


def check_in_memory(name: str, argument: str, image: Any) -> None:
    """An array as for `check_image`, of a filter that computes on the CPU alone."""
    if is_on_cuda(image):
        raise TypeError(f"{name}: {argument} expects a numpy.ndarray but got a cupy.ndarray: it runs on the CPU alone")
    check_image(name, argument, image)


def check_nonempty(name: str, image: np.ndarray, batch: int) -> None:
    """An array with at least one pixel in each image of a batch of so many axes."""
    if 0 in image.shape[batch:]:
        raise ValueError(f"{name}: image expects at least one pixel but got shape {image.shape}")


def check_pair(name: str, first: str, a: Any, second: str, b: Any) -> None:
    """Two arrays of real numbers of one shape."""
    check_image(name, first, a)
    check_image(name, second, b)
    check_beside(name, second, b, a)
    if a.shape != b.shape:
        raise ValueError(f"{name}: {first} and {second} expect one shape but got {a.shape} and {b.shape}")


def leading_axes(name: str, batch_axes: Any, axes: int) -> int:
    """The number of leading axes that count images, of an array of ``axes`` axes."""
    if batch_axes.__class__ is int and 0 <= batch_axes <= axes:  # at once what nearly every call gives
        return batch_axes
    if isinstance(batch_axes, bool) or not isinstance(batch_axes, int | np.integer):
        raise TypeError(f"{name}: batch_axes expects an integer but got {batch_axes!r}")
    if not 0 <= batch_axes <= axes:
        raise ValueError(f"{name}: batch_axes expects a value in [0, {axes}] but got {batch_axes}")
    return int(batch_axes)


def axis_of_channels(name: str, channel_axis: Any, axes: int, batch_axes: int) -> int | None:
    """The axis of channels, counted from the front; it is not one of the batch."""
    if channel_axis is None:
        return None
    if isinstance(channel_axis, bool) or not isinstance(channel_axis, int | np.integer):
        raise TypeError(f"{name}: channel_axis expects None or an integer but got {channel_axis!r}")
    if not -axes <= channel_axis < axes:
        raise ValueError(f"{name}: channel_axis expects a value in [{-axes}, {axes}) but got {channel_axis}")
    axis = int(channel_axis) % axes
    if axis < batch_axes:
        raise ValueError(
            f"{name}: channel_axis expects an axis behind the batch_axes = {batch_axes} of the batch "
            f"but got {channel_axis}"
        )
    return axis


def float_type(dtype: np.dtype) -> np.dtype:
    """The type in which an image of that type is filtered."""
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64)  # whatever its byte order


def as_float(image: np.ndarray, preserve_range: bool) -> np.ndarray:
    """The image in its `float_type`, integers scaled unless ``preserve_range``; the array itself if it is that already.

    >>> as_float(np.array([0, 51, 255], np.uint8), preserve_range=False)
    array([0. , 0.2, 1. ])
    >>> as_float(np.array([-128, 0, 127], np.int8), preserve_range=False)
    array([-1.,  0.,  1.])
    """
    if preserve_range or image.dtype.kind in "fb":
        return image.astype(float_type(image.dtype), copy=False)
    scaled = np.multiply(image, 1.0 / np.iinfo(image.dtype).max, dtype=np.float64)
    return np.maximum(scaled, -1.0, out=scaled) if image.dtype.kind == "i" else scaled


def value_range(dtype: np.dtype) -> tuple[float, float]:
    """The least and the largest value that an image of that type holds by scikit-image's convention."""
    if dtype.kind == "f":
        return -1.0, 1.0
    if dtype.kind == "b":
        return 0.0, 1.0
    return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


def axes_beside(name: str, image: np.ndarray, channel_axis: Any, batch_axes: Any) -> int:
    """How many axes the image has beside those of the batch and of the channels: one at least."""
    batch = leading_axes(name, batch_axes, image.ndim)
    axes = image.ndim - batch - (axis_of_channels(name, channel_axis, image.ndim, batch) is not None)
    if axes < 1:
        raise ValueError(
            f"{name}: image expects an axis beside those of the batch and of the channels but has none "
            f"(image {image.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
        )
    return axes


def channels_last(name: str, image: np.ndarray, channel_axis: Any = None, batch_axes: Any = 0) -> np.ndarray:
    """`to_nhwc` of images of any number of axes: (N, ..., C)."""
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    last = image[..., None] if channels is None else np.moveaxis(image, channels, -1)
    return last.reshape(math.prod(last.shape[:batch]), *last.shape[batch:])


def to_nhwc(name: str, image: np.ndarray, channel_axis: Any = None, batch_axes: Any = 0) -> np.ndarray:
    """A view of images of two axes, with those of a batch and of channels, as (N, H, W, C); N and C may be 1.

    It may need a copy where several axes in front do not lie in memory like one. `from_nhwc` goes back.

    >>> to_nhwc("filter", np.zeros((2, 5, 3, 8, 9)), channel_axis=2, batch_axes=2).shape
    (10, 8, 9, 3)
    """
    batch = leading_axes(name, batch_axes, image.ndim)
    if batch == 0:  # one image, as nearly always: the same view, sooner
        if channel_axis is None and image.ndim == 2:
            return image[None, :, :, None]
        if channel_axis == -1 and channel_axis.__class__ is int and image.ndim == 3:
            return image[None]
    spatial = axes_beside(name, image, channel_axis, batch)
    if spatial != 2:
        raise ValueError(
            f"{name}: image expects two axes beside those of the batch and of the channels but has {spatial} "
            f"(image {image.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
        )
    return channels_last(name, image, channel_axis, batch)


def from_nhwc(result: np.ndarray, image: np.ndarray, channel_axis: Any = None, batch_axes: int = 0) -> np.ndarray:
    """The inverse of `to_nhwc` and of `channels_last` for a result of any sides: with the axes of ``image``.

    >>> image = np.zeros((2, 5, 3, 8, 9))
    >>> from_nhwc(np.zeros((10, 4, 4, 3)), image, channel_axis=2, batch_axes=2).shape
    (2, 5, 3, 4, 4)
    """
    if batch_axes == 0 and channel_axis is None:
        return result[0, ..., 0]
    if channel_axis is None:
        return result[..., 0].reshape(*image.shape[:batch_axes], *result.shape[1:-1])
    axes = result.reshape(*image.shape[:batch_axes], *result.shape[1:])
    return np.moveaxis(axes, -1, channel_axis)


def check_out(name: str, out: Any, beside: Any, shape: tuple[int, ...], dtype: np.dtype, argument: str = "out") -> None:
    """A writeable array of that shape and type, on the device of the image that it lies beside; any strides."""
    check_beside(name, argument, out, beside)
    if out.shape != shape or out.dtype != dtype or not _is_writeable(out):
        state = "" if _is_writeable(out) else " (read-only)"
        raise ValueError(
            f"{name}: {argument} expects a writeable {dtype} array of shape {shape} "
            f"but got {out.dtype} {out.shape}{state}"
        )


def planes(image: np.ndarray, channels: int | None, batch: int) -> np.ndarray:
    """A view with the axis of channels behind those of the batch: `batch + 1` leading axes then count planes.

    >>> planes(np.zeros((2, 8, 9, 3)), 3, 1).shape
    (2, 3, 8, 9)
    """
    return image if channels is None else np.moveaxis(image, channels, batch)


def of_each(function: Callable[..., Any], batch: int, *arrays: np.ndarray) -> Any:
    """What a function makes of each image of a batch, in lists along each of its axes; of one image, that itself.

    >>> of_each(len, 1, np.zeros((2, 5, 3)))
    [5, 5]
    """
    if batch == 0:
        return function(*arrays)
    return [of_each(function, batch - 1, *parts) for parts in zip(*arrays, strict=True)]


def delivered(result: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """The result, or ``out`` with it."""
    if out is None:
        return result
    out[...] = result
    return out


def in_order(result: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The result C-contiguous, or ``out`` with it."""
    return contiguous("", result) if out is None else delivered(result, out)


def check_float_out(name: str, out: Any, image: np.ndarray) -> None:
    """A writeable floating-point array of the image's shape, on its device; any strides."""
    check_beside(name, "out", out, image)
    if out.dtype.kind != "f":
        raise ValueError(f"{name}: out expects a floating-point array but got {out.dtype}")
    if out.shape != image.shape or not _is_writeable(out):
        state = "" if _is_writeable(out) else " (read-only)"
        raise ValueError(f"{name}: out expects a writeable array of shape {image.shape} but got {out.shape}{state}")
