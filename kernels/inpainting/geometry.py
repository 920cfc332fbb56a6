"""The checked geometry of inpainting by equations and by fast marching."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec

_LARGEST_RADIUS = 100


class MarchingGeometry(NamedTuple):
    """``n`` images of ``(h, w)`` pixels and ``c`` channels, filled from neighbours up to ``radius`` away."""

    n: int
    h: int
    w: int
    c: int
    radius: int
    telea: bool
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def levels(self) -> int:
        """The largest value of integer images, whose results are rounded; 0 for others."""
        return 0 if self.dtype.kind == "f" else int(np.iinfo(self.dtype).max)

    @property
    def flops(self) -> float:
        """If every pixel were to be filled."""
        return self.n * self.h * self.w * self.c * 20.0 * math.pi * self.radius**2

    @property
    def bytes_moved(self) -> float:
        """Bytes of the image and the mask read and of the result written, each once."""
        return self.n * self.h * self.w * (2.0 * self.c * self.dtype.itemsize + 1)


class BiharmonicGeometry(NamedTuple):
    """``n`` volumes of ``(d, h, w)`` pixels and ``c`` channels; ``tension`` draws the surface taut."""

    n: int
    d: int
    h: int
    w: int
    c: int
    tension: float
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.n * self.d * self.h * self.w

    @property
    def flops(self) -> float:
        """Of the equations, of which every pixel might have one; solving them depends on the holes."""
        return 2.0 * self.pixels * self.c * 13

    @property
    def bytes_moved(self) -> float:
        """Bytes of the image and the mask read and of the result written, each once."""
        return self.pixels * (2.0 * self.c * self.dtype.itemsize + 1)


def _check_mask(name: str, mask: Spec, shape: tuple[int, ...]) -> None:
    if mask.dtype != np.uint8:
        raise TypeError(f"{name}: mask expects uint8 but got {mask.dtype}")
    if mask.shape != shape:
        raise ValueError(f"{name}: mask expects shape {shape} but got {mask.shape}")


def _integer(name: str, argument: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{name}: {argument} expects a value in [{least}, {most}] but got {value}")
    return int(value)


def marching_geometry(x: Spec, mask: Spec, radius: Any, method: Any) -> MarchingGeometry:
    name = "inpaint_marching"
    if x.dtype.name not in ("uint8", "uint16", "float32", "float64"):
        raise TypeError(f"{name}: x expects uint8, uint16, float32 or float64 but got {x.dtype}")
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x expects (N, H, W, C) but got shape {x.shape}")
    _check_mask(name, mask, x.shape[:3])
    radius = _integer(name, "radius", radius, 1, _LARGEST_RADIUS)
    if method not in ("telea", "navier-stokes"):
        raise ValueError(f'{name}: method expects "telea" or "navier-stokes" but got {method!r}')
    return MarchingGeometry(*x.shape, radius, method == "telea", x.dtype, ((x.shape, x.dtype),))


def biharmonic_geometry(x: Spec, mask: Spec, tension: Any) -> BiharmonicGeometry:
    name = "inpaint_biharmonic"
    if x.dtype.char not in "fd":
        raise TypeError(f"{name}: x expects float32 or float64 but got {x.dtype}")
    if not 3 <= len(x.shape) <= 5:
        raise ValueError(f"{name}: x expects (N, [D, [H,]] W, C) but got shape {x.shape}")
    _check_mask(name, mask, x.shape[:-1])
    if isinstance(tension, bool) or not isinstance(tension, int | float | np.number):
        raise TypeError(f"{name}: tension expects a number but got {tension!r}")
    if not 0 <= tension < math.inf:
        raise ValueError(f"{name}: tension expects a finite number of at least 0 but got {tension!r}")
    d, h, w = (1, 1, *x.shape[1:-1])[-3:]
    return BiharmonicGeometry(x.shape[0], d, h, w, x.shape[-1], float(tension), x.dtype, ((x.shape, x.dtype),))
