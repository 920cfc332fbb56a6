"""The checked geometry of comparisons of two images."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..arguments import integer
from ..operation import Spec

_DTYPES = ("float32", "float64", "uint8", "uint16")


class ErrorGeometry(NamedTuple):
    """``n`` pairs of images of ``size`` numbers each."""

    n: int
    size: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        return 3.0 * self.n * self.size

    @property
    def bytes_moved(self) -> float:
        return 2.0 * self.n * self.size * self.dtype.itemsize


class SimilarityGeometry(NamedTuple):
    """``n`` pairs of images of ``(d, h, w)`` pixels; only the last ``axes`` of the three are filtered, others are 1."""

    n: int
    d: int
    h: int
    w: int
    axes: int
    taps: int
    c1: float
    c2: float
    scale: float
    margin: int
    maps: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.n * self.d * self.h * self.w

    @property
    def flops(self) -> float:
        """Of five separable windows, the formula and the squared error, borders counted."""
        return self.pixels * (10.0 * self.taps * self.axes + 28)

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images and of the maps, each once."""
        return self.pixels * (2.0 * self.dtype.itemsize + 8.0 * self.maps)


def check_pair(name: str, x: Spec, y: Spec) -> None:
    for argument, spec in (("x", x), ("y", y)):
        if spec.dtype.name not in _DTYPES:
            raise TypeError(f"{name}: {argument} expects one of {', '.join(_DTYPES)} but got {spec.dtype}")
    if x.dtype != y.dtype:
        raise TypeError(f"{name}: x and y expect one dtype but got {x.dtype} and {y.dtype}")
    if x.shape != y.shape:
        raise ValueError(f"{name}: x and y expect one shape but got {x.shape} and {y.shape}")


def error_geometry(x: Spec, y: Spec, batch_axes: Any) -> ErrorGeometry:
    name = "mean_squared_error"
    check_pair(name, x, y)
    leading = integer(name, "batch_axes", batch_axes, 0, len(x.shape))
    batch, rest = x.shape[:leading], x.shape[leading:]
    if math.prod(rest) == 0:
        raise ValueError(f"{name}: x and y expect images of at least one number but got shape {x.shape}")
    return ErrorGeometry(math.prod(batch), math.prod(rest), x.dtype, ((batch, np.dtype(np.float64)),))


def similarity_geometry(
    x: Spec, y: Spec, weights: Spec, axes: Any, c1: Any, c2: Any, scale: Any, margin: Any, maps: Any
) -> SimilarityGeometry:
    name = "structural_similarity"
    check_pair(name, x, y)
    axes = integer(name, "axes", axes, 1, 3)
    if len(x.shape) < axes:
        raise ValueError(f"{name}: x and y expect at least axes = {axes} axes but got shape {x.shape}")
    if len(weights.shape) != 1 or weights.shape[0] % 2 == 0:
        raise ValueError(f"{name}: weights expects one axis of an odd number of taps but got shape {weights.shape}")
    batch, image = x.shape[: len(x.shape) - axes], x.shape[len(x.shape) - axes :]
    if min(image) < 1:
        raise ValueError(f"{name}: x and y expect images of at least one pixel but got shape {x.shape}")
    margin = integer(name, "margin", margin, 0, (min(image) - 1) // 2)
    if isinstance(maps, bool) or maps not in (0, 1, 4):
        raise ValueError(f"{name}: maps expects 0, 1 or 4 but got {maps!r}")
    for argument, value in (("c1", c1), ("c2", c2), ("scale", scale)):
        if not isinstance(value, int | float | np.number):
            raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    d, h, w = (1, 1, 1, *image)[-3:]
    wide = np.dtype(np.float64)
    return SimilarityGeometry(
        math.prod(batch), d, h, w, axes, weights.shape[0], float(c1), float(c2), float(scale), margin, int(maps),
        x.dtype, ((batch, wide), ((int(maps), *x.shape), wide), (batch, wide)),
    )  # fmt: skip
