"""The checked geometry of derivatives of images."""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from ..correlation.geometry import check_axis, check_border, check_image, check_weights
from ..operation import Spec

SLOPE_ALONG, SLOPE_DOWN, NARROW, WIDE = "slope along", "slope down", "narrow", "wide"
_SLOPE = (-1, 0, 1)
_LARGEST = 2**31 - 1


class GradientGeometry(NamedTuple):
    """``(outer, H, W, inner)`` filtered by ``column`` taps down H and ``row`` taps along W.

    ``form`` says of integer weights what `form_of` found; ``blur`` taps along both axes blur the image before, if any.
    """

    outer: int
    h: int
    w: int
    inner: int
    column: int
    row: int
    mode: str
    cval: float
    form: str
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]
    blur: int = 0

    @property
    def pixels(self) -> int:
        return self.outer * self.h * self.w * self.inner


@functools.lru_cache(maxsize=64)
def form_of(name: str, column: tuple[int, ...], row: tuple[int, ...]) -> str:
    """How sums of 8-bit numbers by these weights may be computed: in 16 bits or in 32, and by which loop."""
    largest = 255 * sum(map(abs, column)) * sum(map(abs, row))
    if largest > _LARGEST:
        raise ValueError(f"{name}: column and row expect weights whose sums stay below 2**31 but they reach {largest}")
    if largest > 2**15 - 1:
        return WIDE
    if row == _SLOPE and len(column) == 3 and column[0] == column[2]:
        return SLOPE_ALONG
    if column == _SLOPE and len(row) == 3 and row[0] == row[2]:
        return SLOPE_DOWN
    return NARROW


def check_axes(name: str, x: Spec, axis: Any) -> int:
    """``axis`` counted from the front, with another axis behind it."""
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x expects at least 2 axes but got shape {x.shape}")
    axis = check_axis(name, axis, len(x.shape))
    if axis == len(x.shape) - 1:
        raise ValueError(f"{name}: axis expects an axis with another behind it but got the last of shape {x.shape}")
    return axis


def derivative_geometry(
    x: Spec, column: Spec, row: Spec, axis: Any, mode: Any, cval: Any, form: str
) -> GradientGeometry:
    name = "derivative2d"
    _check_bytes(name, x)
    axis = check_axes(name, x, axis)
    r, s = check_weights(name, "column", column), check_weights(name, "row", row)
    mode, _ = check_border(name, mode, 0.0)
    _check_byte(name, cval)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 2 :])
    h, w = x.shape[axis : axis + 2]
    output = (x.shape, np.dtype(np.int16))
    return GradientGeometry(outer, h, w, inner, r, s, mode, int(cval), form, x.dtype, (output,))


class LaplacianGeometry(NamedTuple):
    """``(outer, H, W, inner)``, of which each pixel is compared with the four beside it or at its ``corners``."""

    outer: int
    h: int
    w: int
    inner: int
    corners: bool
    mode: str
    cval: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.outer * self.h * self.w * self.inner


def laplacian_geometry(x: Spec, axis: Any, mode: Any, cval: Any, corners: Any) -> LaplacianGeometry:
    name = "laplacian2d"
    _check_bytes(name, x)
    axis = check_axes(name, x, axis)
    mode, _ = check_border(name, mode, 0.0)
    _check_byte(name, cval)
    if not isinstance(corners, bool):
        raise TypeError(f"{name}: corners expects True or False but got {corners!r}")
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 2 :])
    output = (x.shape, np.dtype(np.int16))
    h, w = x.shape[axis : axis + 2]
    return LaplacianGeometry(outer, h, w, inner, corners, mode, int(cval), (output,))


def _check_bytes(name: str, x: Spec) -> None:
    if x.dtype != np.uint8:
        raise TypeError(f"{name}: x expects uint8 but got {x.dtype}")


def _check_byte(name: str, cval: Any) -> None:
    if isinstance(cval, bool) or not isinstance(cval, int | np.integer):
        raise TypeError(f"{name}: cval expects an integer but got {cval!r}")
    if not 0 <= cval <= 255:
        raise ValueError(f"{name}: cval expects a value in [0, 255] but got {cval}")


def magnitude_geometry(
    x: Spec, smooth: Spec, slope: Spec, blur: Spec | None, axis: Any, mode: Any, cval: Any
) -> GradientGeometry:
    name = "gradient_magnitude2d"
    check_image(name, x, 2)
    axis = check_axes(name, x, axis)
    taps = check_weights(name, "smooth", smooth)
    if check_weights(name, "slope", slope) != taps:
        raise ValueError(f"{name}: slope expects as many weights as smooth has, {taps}, but got {slope.shape[0]}")
    mode, cval = check_border(name, mode, cval)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 2 :])
    h, w = x.shape[axis : axis + 2]
    blurred = 0 if blur is None else check_weights(name, "blur", blur)
    outputs = ((x.shape, x.dtype),)
    return GradientGeometry(outer, h, w, inner, taps, taps, mode, cval, NARROW, x.dtype, outputs, blurred)
