"""The checked geometry of hysteresis."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec


class HysteresisGeometry(NamedTuple):
    """``n`` images of ``shape``, one to three axes; neighbours differ along at most ``connectivity`` of them."""

    n: int
    shape: tuple[int, ...]
    connectivity: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.n * math.prod(self.shape)

    @property
    def flops(self) -> float:
        """A comparison for each pixel and each of its neighbours."""
        return float(self.pixels) * 3 ** len(self.shape)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x and y, each once."""
        return 2.0 * self.pixels


def check_integer(name: str, argument: str, value: Any, low: int, high: int) -> int:
    """An integer in ``[low, high]``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name}: {argument} expects a value in [{low}, {high}] but got {value}")
    return int(value)


def hysteresis_geometry(x: Spec, axes: Any, connectivity: Any) -> HysteresisGeometry:
    name = "hysteresis"
    if x.dtype != np.uint8:
        raise TypeError(f"{name}: x expects uint8 classes but got {x.dtype}")
    axes = check_integer(name, "axes", axes, 1, 3)
    if len(x.shape) < axes:
        raise ValueError(f"{name}: x expects at least axes = {axes} axes but got shape {x.shape}")
    connectivity = check_integer(name, "connectivity", connectivity, 1, axes)
    batch, image = x.shape[: len(x.shape) - axes], x.shape[len(x.shape) - axes :]
    return HysteresisGeometry(math.prod(batch), image, connectivity, ((x.shape, np.dtype(bool)),))
