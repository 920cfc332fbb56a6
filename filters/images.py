"""What the filters take: images of any real type, with axes for channels and for a batch.

scikit-image's rules: float32 and float64 stay as they are, float16 becomes float32, everything else float64; integers
are scaled by their largest value, to [0, 1] or [-1, 1], unless their range is to be preserved.
"""

from typing import Any

import numpy as np


def check_image(name: str, argument: str, image: Any) -> None:
    """An array of real numbers."""
    if not isinstance(image, np.ndarray):
        raise TypeError(f"{name}: {argument} expects a numpy.ndarray but got {type(image).__name__}")
    if image.dtype.kind not in "fiub":
        raise TypeError(f"{name}: {argument} expects real numbers but got {image.dtype}")


def check_pair(name: str, first: str, a: Any, second: str, b: Any) -> None:
    """Two arrays of real numbers of one shape."""
    check_image(name, first, a)
    check_image(name, second, b)
    if a.shape != b.shape:
        raise ValueError(f"{name}: {first} and {second} expect one shape but got {a.shape} and {b.shape}")


def leading_axes(name: str, batch_axes: Any, axes: int) -> int:
    """The number of leading axes that count images, of an array of ``axes`` axes."""
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
    return np.dtype(np.float32 if dtype in (np.float32, np.float16) else np.float64)


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
