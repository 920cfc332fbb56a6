"""Images in OpenCV's layout as (N, H, W, C), and results in it."""

from typing import Any

import numpy as np

from ..images import check_image, check_out, from_nhwc, in_order, leading_axes, native, to_nhwc

DTYPES = ("uint8", "uint16", "int16", "float32", "float64")
_NATIVE = frozenset(map(np.dtype, DTYPES))  # by which most are known: the name of a type takes 2 us


class Planes:
    """``src`` as (N, H, W, C): two axes, channels if there is a third, and ``batch_axes`` in front."""

    def __init__(self, name: str, src: Any, batch_axes: Any) -> None:
        check_image(name, "src", src)
        if src.dtype not in _NATIVE and src.dtype.name not in DTYPES:
            raise TypeError(f"{name}: src expects one of {', '.join(DTYPES)} but got {src.dtype}")
        src = native(src)
        self.name, self.src = name, src
        self.batch = leading_axes(name, batch_axes, src.ndim)
        axes = src.ndim - self.batch
        if axes not in (2, 3):
            raise ValueError(
                f"{name}: src expects (H, W) or (H, W, C) behind {self.batch} batch axes but got shape {src.shape}"
            )
        self.channel_axis = -1 if axes == 3 else None
        self.array = to_nhwc(name, src, self.channel_axis, self.batch)

    def wide(self) -> np.ndarray:
        """In a type that kernels compute in: integers as float32, which holds 16 bits."""
        return self.array if self.src.dtype.char in "fd" else self.array.astype(np.float32)

    def check_dst(self, dst: Any, size: tuple[int, int]) -> None:
        """Whether ``dst`` takes a result of so many rows and columns."""
        if dst is not None:
            shape = (*self.src.shape[: self.batch], *size, *self.src.shape[self.batch + 2 :])
            check_out(self.name, dst, self.src, shape, self.src.dtype, "dst")

    def done(self, result: np.ndarray, dst: np.ndarray | None) -> np.ndarray:
        """A result (N, P, Q, C) with the axes and the type of ``src``; numbers are rounded, halves to even."""
        if result.dtype != self.src.dtype:
            limits = np.iinfo(self.src.dtype)
            np.clip(np.rint(result, out=result), limits.min, limits.max, out=result)
            result = result.astype(self.src.dtype)
        return in_order(from_nhwc(result, self.src, self.channel_axis, self.batch), dst)
