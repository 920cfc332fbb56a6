"""The checked geometry of distance transforms."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec

_LONGEST = 2**20  # pixels on a side: squared distances stay exact in float64, places in int32


class DistanceGeometry(NamedTuple):
    """``n`` images of ``(h, w)`` pixels, ``step_h`` and ``step_w`` apart."""

    n: int
    h: int
    w: int
    step_h: float
    step_w: float
    indices: bool
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.n * self.h * self.w

    @property
    def flops(self) -> float:
        """Of two sweeps over the columns, and of an intersection and a distance of each pixel in its row."""
        return 16.0 * self.pixels

    @property
    def bytes_moved(self) -> float:
        """Bytes of the images, distances and places, each once."""
        return float(self.pixels * (self.dtype.itemsize + self.outputs[0][1].itemsize + 8 * self.indices))


def distance_geometry(x: Spec, sampling: Any, indices: Any, distance_dtype: Any) -> DistanceGeometry:
    name = "distance_transform"
    if x.dtype.kind not in "iub" and x.dtype.char not in "fd":
        raise TypeError(f"{name}: x expects integers, booleans, float32 or float64 but got {x.dtype}")
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x expects at least 2 axes but got shape {x.shape}")
    if not isinstance(sampling, tuple) or len(sampling) != 2:
        raise ValueError(f"{name}: sampling expects two numbers but got {sampling!r}")
    for step in sampling:
        if isinstance(step, bool) or not isinstance(step, int | float | np.number):
            raise TypeError(f"{name}: sampling expects two numbers but got {sampling!r}")
        if not 0 < step < math.inf:
            raise ValueError(f"{name}: sampling expects positive finite numbers but got {sampling!r}")
    if not isinstance(indices, bool | np.bool_):
        raise TypeError(f"{name}: indices expects True or False but got {indices!r}")
    if distance_dtype not in ("float32", "float64"):
        raise ValueError(f"{name}: distance_dtype expects 'float32' or 'float64' but got {distance_dtype!r}")
    *batch, h, w = x.shape
    if max(h, w) > _LONGEST:
        raise ValueError(f"{name}: x expects images of at most {_LONGEST} pixels on a side but got shape {x.shape}")
    places = ((2 if indices else 0, *x.shape), np.dtype(np.int32))
    outputs = ((x.shape, np.dtype(distance_dtype)), places)
    step_h, step_w = map(float, sampling)
    return DistanceGeometry(math.prod(batch), h, w, step_h, step_w, bool(indices), x.dtype, outputs)
