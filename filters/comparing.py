"""Filters that move a window over images of any real type and axes, and give an image of the same type and shape."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.arrays import new_like
from .images import check_image, check_out, from_nhwc, leading_axes, native, to_nhwc

Kernel = Callable[..., np.ndarray]
"""``kernel(x, out=...)`` on (N, H, W, C)."""


def over_images(
    name: str,
    image: np.ndarray,
    kernel: Kernel,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
    arguments: tuple[str, str] = ("image", "out"),
) -> np.ndarray:
    """What a kernel that only compares numbers makes of images.

    Booleans are compared as bytes and float16 as float32, which holds each of its numbers; the result has the image's
    type. ``out`` is of any strides and may be the image itself. ``arguments`` are their names in errors.
    """
    check_image(name, arguments[0], image)
    if image.dtype.kind == "f" and image.dtype.itemsize > 8:
        raise TypeError(f"{name}: {arguments[0]} expects floats of at most 64 bits but got {image.dtype}")
    batch = leading_axes(name, batch_axes, image.ndim)
    x = to_nhwc(name, image, channel_axis, batch)
    if out is not None:
        check_out(name, out, image, image.shape, image.dtype, arguments[1])
    compared = _compared(x)
    if out is None:
        if compared.dtype == image.dtype and channel_axis in (None, -1):
            return from_nhwc(kernel(compared, out=None), image, channel_axis, batch)
        out = new_like(image, image.shape, image.dtype)
    seen = to_nhwc(name, out, channel_axis, batch)
    viewed = np.may_share_memory(seen, out) or out.size == 0
    bytes_alike = compared.dtype.itemsize == image.dtype.itemsize and image.dtype.isnative
    direct = viewed and seen.flags.c_contiguous and bytes_alike
    if direct and not np.may_share_memory(out, image):
        kernel(compared, out=seen.view(compared.dtype))
        return out
    result = kernel(compared, out=None).astype(image.dtype, copy=False)
    result = result.reshape(*image.shape[:batch], *result.shape[1:])
    out[...] = result[..., 0] if channel_axis is None else np.moveaxis(result, -1, channel_axis)
    return out


def _compared(x: np.ndarray) -> np.ndarray:
    """An array in a type that kernels compare."""
    if x.dtype == np.bool_:
        return x.view(np.uint8)
    x = native(x)
    return x.astype(np.float32) if x.dtype == np.float16 else x


def constant_of(cval: Any, dtype: np.dtype) -> Any:
    """The number outside an image of that type: of booleans, 0 or 1."""
    return float(bool(cval)) if dtype == np.bool_ and isinstance(cval, int | float | np.number | np.bool_) else cval
