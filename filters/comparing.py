"""Filters that take images of any axes, and give an image of the same type and shape."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arrays import new_like
from ..kernels.rank.geometry import Footprint
from .images import channels_last, check_image, check_out, from_nhwc, leading_axes, native

Kernel = Callable[..., np.ndarray]
"""``kernel(x, out=...)`` on (N, ..., C)."""


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
    """What a kernel makes of images, in their own type.

    Booleans are taken as bytes and float16 as float32, which holds each of its numbers; the result has the image's
    type. ``out`` is of any strides and may be the image itself. ``arguments`` are their names in errors.
    """
    check_image(name, arguments[0], image)
    if image.dtype.kind == "f" and image.dtype.itemsize > 8:
        raise TypeError(f"{name}: {arguments[0]} expects floats of at most 64 bits but got {image.dtype}")
    batch = leading_axes(name, batch_axes, image.ndim)
    x = channels_last(name, image, channel_axis, batch)
    if out is not None:
        check_out(name, out, image, image.shape, image.dtype, arguments[1])
    compared = _compared(x)
    if out is None:
        if compared.dtype == image.dtype and channel_axis in (None, -1):
            return from_nhwc(kernel(compared, out=None), image, channel_axis, batch)
        out = new_like(image, image.shape, image.dtype)
    seen = channels_last(name, out, channel_axis, batch)
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


def number_under(
    x: np.ndarray, window: Footprint, rank: int, mode: str, cval: float, origin: tuple[int, ...], out: np.ndarray | None
) -> np.ndarray:
    """The number of a rank under the window, of images (N, ..., C); the least and the greatest by their own kernels.

    A row is an image of one line, and its window, of two axes as all are, has one line too.
    """
    border: dict[str, Any] = {"mode": mode, "cval": cval, "origin": origin}
    if x.ndim == 3:
        return number_under(x[:, None], window, rank, **border, out=None if out is None else out[:, None])[:, 0]
    if x.ndim > 4:
        return kernels.rank_filter_nd(x, window, rank, **border, out=out)
    if rank == 0:
        return kernels.min_filter2d(x, window, **border, out=out)
    if rank in (-1, window.size - 1):
        return kernels.max_filter2d(x, window, **border, out=out)
    return kernels.rank_filter2d(x, window, rank, **border, out=out)


def _compared(x: np.ndarray) -> np.ndarray:
    """An array in a type that kernels compare."""
    if x.dtype == np.bool_:
        return x.view(np.uint8)
    x = native(x)
    return x.astype(np.float32) if x.dtype == np.float16 else x


def constant_of(cval: Any, dtype: np.dtype) -> Any:
    """The number outside an image of that type: of booleans, 0 or 1."""
    return float(bool(cval)) if dtype == np.bool_ and isinstance(cval, int | float | np.number | np.bool_) else cval
