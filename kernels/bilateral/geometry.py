"""The checked geometry of a bilateral filter."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..correlation.geometry import check_border
from ..operation import Spec

LARGEST_RADIUS = 1023  # four million pixels under a window, each of which is listed
WINDOWS = ("disk", "square")
DISTANCES = ("euclidean", "city")


class BilateralGeometry(NamedTuple):
    """Images of ``shape`` = (N, H, W, C), and the window around each pixel."""

    shape: tuple[int, int, int, int]
    radius: int
    window: str
    distance: str
    sigma_space: float
    mode: str
    cval: float
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def disk(self) -> bool:
        return self.window == "disk"

    @property
    def city(self) -> bool:
        """Whether the distance of colours adds up sizes; of one channel both are the same."""
        return self.distance == "city" and self.shape[3] > 1

    @property
    def pixels(self) -> int:
        return math.prod(self.shape[:3])

    @property
    def taps(self) -> list[tuple[int, int]]:
        """The offsets of the window, in rows from top to bottom."""
        reach, most = range(-self.radius, self.radius + 1), self.radius**2
        return [(i, j) for i in reach for j in reach if not self.disk or i * i + j * j <= most]

    @property
    def flops(self) -> float:
        """Of a distance, a weight of some ten operations, and its use, for each tap."""
        return float(self.pixels) * len(self.taps) * (12.0 + 5.0 * self.shape[3])

    @property
    def bytes_moved(self) -> float:
        """Bytes of all arrays, each once."""
        return (1.0 + len(self.outputs)) * math.prod(self.shape) * self.dtype.itemsize


def _checked(
    name: str,
    dtypes: tuple[str, ...],
    x: Spec,
    sigmas: Spec,
    radius: Any,
    window: Any,
    distance: Any,
    sigma_space: Any,
    mode: Any,
    cval: Any,
) -> BilateralGeometry:
    if x.dtype.name not in dtypes:
        raise TypeError(f"{name}: x expects {' or '.join(dtypes)} but got {x.dtype}")
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x expects (N, H, W, C) but got shape {x.shape}")
    if sigmas.shape != x.shape[:1]:
        raise ValueError(f"{name}: sigma_color expects a number, or {x.shape[:1]}, but got shape {sigmas.shape}")
    if isinstance(radius, bool) or not isinstance(radius, int | np.integer):
        raise TypeError(f"{name}: radius expects an integer but got {radius!r}")
    if not 0 <= radius <= LARGEST_RADIUS:
        raise ValueError(f"{name}: radius expects a value in [0, {LARGEST_RADIUS}] but got {radius}")
    if window not in WINDOWS:
        raise ValueError(f"{name}: window expects one of {', '.join(map(repr, WINDOWS))} but got {window!r}")
    if distance not in DISTANCES:
        raise ValueError(f"{name}: distance expects one of {', '.join(map(repr, DISTANCES))} but got {distance!r}")
    if isinstance(sigma_space, bool) or not isinstance(sigma_space, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: sigma_space expects a number but got {sigma_space!r}")
    if not sigma_space > 0:
        raise ValueError(f"{name}: sigma_space expects a number above 0 but got {sigma_space}")
    mode, cval = check_border(name, mode, cval)
    n, h, w, c = x.shape
    return BilateralGeometry(
        (n, h, w, c), int(radius), window, distance, float(sigma_space), mode, cval, x.dtype, ((x.shape, x.dtype),)
    )


def bilateral_geometry(x: Spec, sigmas: Spec, *arguments: Any) -> BilateralGeometry:
    return _checked("bilateral", ("float32", "float64", "uint8"), x, sigmas, *arguments)


def bilateral_grad_geometry(gy: Spec, x: Spec, sigmas: Spec, *arguments: Any) -> BilateralGeometry:
    name = "bilateral_grad"
    g = _checked(name, ("float32", "float64"), x, sigmas, *arguments)
    if gy.shape != x.shape or gy.dtype != x.dtype:
        raise ValueError(f"{name}: gy expects {x.shape} {x.dtype} but got {gy.shape} {gy.dtype}")
    return g
