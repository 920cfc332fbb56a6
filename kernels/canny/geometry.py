"""The checked geometry of Canny's edge detector."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec
from .apertures import DIVIDED, SMOOTH

NORMS = ("l1", "l2")
_LARGEST = 2**31 - 1
_LARGEST_L2 = 32767.0


class CannyGeometry(NamedTuple):
    """``n`` images of ``(h, w)`` pixels and ``c`` channels; aperture 0 where gradients are given."""

    n: int
    h: int
    w: int
    c: int
    aperture: int
    squared: bool
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.n * self.h * self.w

    @property
    def flops(self) -> float:
        """Both derivatives, the norm, and some twenty comparisons and choices."""
        taps = len(SMOOTH[self.aperture]) if self.aperture else 0
        return self.pixels * (self.c * (8.0 * taps + 3) + 20)

    @property
    def bytes_moved(self) -> float:
        """Bytes of the image, or of its gradient, and of the edges, each once."""
        return self.pixels * (self.c * (1.0 if self.aperture else 4.0) + 1)


def check_norm(name: str, norm: Any) -> bool:
    """Whether the norm is the squared one."""
    if not isinstance(norm, str):
        raise TypeError(f"{name}: norm expects a string but got {norm!r}")
    if norm not in NORMS:
        raise ValueError(f'{name}: norm expects "l1" or "l2" but got {norm!r}')
    return norm == "l2"


def integer_thresholds(name: str, low: Any, high: Any, squared: bool, divided: bool) -> np.ndarray:
    """What an integer norm must exceed in order to exceed the thresholds."""
    numbers = []
    for argument, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
        if math.isnan(value):
            raise ValueError(f"{name}: {argument} expects a number but got {value!r}")
        number = float(value) / 16 if divided else float(value)
        if squared:
            number = min(number, _LARGEST_L2)
            number = number * number if number > 0 else number
        numbers.append(math.floor(min(max(number, -1.0), _LARGEST)))
    if low > high:
        raise ValueError(f"{name}: low expects a number of at most high = {high!r} but got {low!r}")
    return np.array(numbers, np.int64)


def canny_geometry(x: Spec, thresholds: Spec, aperture: Any, norm: Any) -> CannyGeometry:
    name = "canny"
    squared = check_norm(name, norm)
    if isinstance(aperture, bool) or not isinstance(aperture, int | np.integer):
        raise TypeError(f"{name}: aperture expects an integer but got {aperture!r}")
    if aperture not in SMOOTH:
        raise ValueError(f"{name}: aperture expects 3, 5 or 7 but got {aperture}")
    if x.dtype != np.uint8:
        raise TypeError(f"{name}: x expects uint8 but got {x.dtype}")
    if len(x.shape) != 4 or x.shape[3] < 1:
        raise ValueError(f"{name}: x expects shape (N, H, W, C) with a channel at least but got {x.shape}")
    n, h, w, c = x.shape
    return CannyGeometry(n, h, w, c, int(aperture), squared, ((x.shape[:3], np.dtype(np.uint8)),))


def gradient_geometry(dx: Spec, dy: Spec, thresholds: Spec, norm: Any) -> CannyGeometry:
    name = "canny_of_gradient"
    squared = check_norm(name, norm)
    for argument, spec in (("dx", dx), ("dy", dy)):
        if spec.dtype != np.int16:
            raise TypeError(f"{name}: {argument} expects int16 but got {spec.dtype}")
    if dx.shape != dy.shape or len(dx.shape) != 3:
        raise ValueError(f"{name}: dx and dy expect one shape (N, H, W) but got {dx.shape} and {dy.shape}")
    n, h, w = dx.shape
    return CannyGeometry(n, h, w, 1, 0, squared, ((dx.shape, np.dtype(np.uint8)),))


def is_divided(aperture: Any) -> bool:
    """Whether gradients of that aperture are divided by 16."""
    return bool(aperture == DIVIDED)
