"""OpenCV's images, ``(H, W)`` or ``(H, W, C)`` behind the axes of a batch, as the kernels' ``(N, H, W, C)``."""

from typing import Any

import numpy as np

from ..images import check_image, check_out, from_nhwc, leading_axes, native, to_nhwc

PIXELS = ("uint8", "uint16", "int16", "float32", "float64")
MIDDLE = (-1, -1)
"""The place in a window that is its middle."""
_NATIVE = frozenset(map(np.dtype, PIXELS))  # by which most are known: the name of a type takes 2 us


def source_of(name: str, src: Any, batch_axes: Any) -> np.ndarray:
    """The image as (N, H, W, C) in this machine's byte order; a view where its memory allows one."""
    check_image(name, "src", src)
    if src.dtype not in _NATIVE and src.dtype.name not in PIXELS:
        raise TypeError(f"{name}: src expects one of {', '.join(PIXELS)} but got {src.dtype}")
    batch = leading_axes(name, batch_axes, src.ndim)
    if src.ndim - batch not in (2, 3):
        raise ValueError(f"{name}: src expects (H, W) or (H, W, C) behind {batch} axes of a batch but got {src.shape}")
    return to_nhwc(name, native(src), -1 if src.ndim - batch == 3 else None, batch)


def target_of(name: str, dst: Any, src: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray | None:
    """``dst`` in the (N, H, W, C) ``shape`` where a kernel can write it so, after a look that it fits."""
    if dst is None:
        return None
    check_out(name, dst, src, src.shape, dtype, "dst")
    if not dst.flags.c_contiguous or np.may_share_memory(dst, src):
        return None
    return dst.reshape(shape)


def given_back(result: np.ndarray, src: np.ndarray, dst: np.ndarray | None, batch_axes: int) -> np.ndarray:
    """An (N, H, W, C) result with the source's axes, in ``dst`` where there is one."""
    image = from_nhwc(result, src, -1 if src.ndim - batch_axes == 3 else None, batch_axes)
    if dst is None:
        return image
    if not np.may_share_memory(result, dst):
        dst[...] = image
    return dst


def size_of(name: str, argument: str, ksize: Any, least: int = 1) -> tuple[int, int]:
    """OpenCV's (width, height), as height and width."""
    if not (isinstance(ksize, tuple | list) and len(ksize) == 2):
        raise TypeError(f"{name}: {argument} expects (width, height) but got {ksize!r}")
    for extent in ksize:
        if extent.__class__ is not int and (isinstance(extent, bool) or not isinstance(extent, int | np.integer)):
            raise TypeError(f"{name}: {argument} expects integers but got {ksize!r}")
    if min(ksize) < least:
        raise ValueError(f"{name}: {argument} expects values of at least {least} but got {ksize!r}")
    return int(ksize[1]), int(ksize[0])


def origin_of(name: str, anchor: Any, size: tuple[int, int]) -> tuple[int, int]:
    """How far the anchor (x, y) lies from the window's centre, as rows and columns; -1 is the centre."""
    if anchor is MIDDLE:
        return 0, 0
    if not (isinstance(anchor, tuple | list) and len(anchor) == 2):
        raise TypeError(f"{name}: anchor expects (x, y) but got {anchor!r}")
    offsets = []
    for place, extent in zip(anchor[::-1], size, strict=True):
        if isinstance(place, bool) or not isinstance(place, int | np.integer):
            raise TypeError(f"{name}: anchor expects integers but got {anchor!r}")
        if not -1 <= place < extent:
            raise ValueError(f"{name}: anchor expects a place in the window {size[1], size[0]} but got {anchor!r}")
        offsets.append(0 if place == -1 else int(place) - extent // 2)
    return offsets[0], offsets[1]
