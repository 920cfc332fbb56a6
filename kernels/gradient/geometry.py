"""The checked geometry of derivatives of images."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..correlation.geometry import check_axis, check_border, check_image, check_weights
from ..operation import Spec


class GradientGeometry(NamedTuple):
    """``(outer, H, W, inner)`` filtered by ``column`` taps down H and ``row`` taps along W.

    ``wide`` where sums of integers may leave 16 bits.
    """

    outer: int
    h: int
    w: int
    inner: int
    column: int
    row: int
    mode: str
    cval: float
    wide: bool
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.outer * self.h * self.w * self.inner


def check_axes(name: str, x: Spec, axis: Any) -> int:
    """``axis`` counted from the front, with another axis behind it."""
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x expects at least 2 axes but got shape {x.shape}")
    axis = check_axis(name, axis, len(x.shape))
    if axis == len(x.shape) - 1:
        raise ValueError(f"{name}: axis expects an axis with another behind it but got the last of shape {x.shape}")
    return axis


def derivative_geometry(
    x: Spec, column: Spec, row: Spec, axis: Any, mode: Any, cval: Any, wide: bool
) -> GradientGeometry:
    name = "derivative2d"
    if x.dtype != np.uint8:
        raise TypeError(f"{name}: x expects uint8 but got {x.dtype}")
    axis = check_axes(name, x, axis)
    r, s = check_weights(name, "column", column), check_weights(name, "row", row)
    mode, _ = check_border(name, mode, 0.0)
    if isinstance(cval, bool) or not isinstance(cval, int | np.integer):
        raise TypeError(f"{name}: cval expects an integer but got {cval!r}")
    if not 0 <= cval <= 255:
        raise ValueError(f"{name}: cval expects a value in [0, 255] but got {cval}")
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 2 :])
    h, w = x.shape[axis : axis + 2]
    output = (x.shape, np.dtype(np.int16))
    return GradientGeometry(outer, h, w, inner, r, s, mode, int(cval), wide, x.dtype, (output,))


def magnitude_geometry(x: Spec, smooth: Spec, slope: Spec, axis: Any, mode: Any, cval: Any) -> GradientGeometry:
    name = "gradient_magnitude2d"
    check_image(name, x, 2)
    axis = check_axes(name, x, axis)
    taps = check_weights(name, "smooth", smooth)
    if check_weights(name, "slope", slope) != taps:
        raise ValueError(f"{name}: slope expects as many weights as smooth has, {taps}, but got {slope.shape[0]}")
    mode, cval = check_border(name, mode, cval)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 2 :])
    h, w = x.shape[axis : axis + 2]
    return GradientGeometry(outer, h, w, inner, taps, taps, mode, cval, False, x.dtype, ((x.shape, x.dtype),))
