"""The checked geometry of denoising by total variation."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec


class VariationGeometry(NamedTuple):
    """``planes`` images of ``(h, w)`` pixels, each with a stop of its own."""

    planes: int
    h: int
    w: int
    weight: float
    eps: float
    steps: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.planes * self.h * self.w

    @property
    def flops(self) -> float:
        """Of all steps, where none stops early."""
        return 21.0 * self.pixels * self.steps

    @property
    def bytes_moved(self) -> float:
        """Bytes of the image and of the result, each once."""
        return 2.0 * self.pixels * self.dtype.itemsize


def variation_geometry(x: Spec, weight: Any, eps: Any, steps: Any) -> VariationGeometry:
    """The geometry of ``total_variation``."""
    name = "total_variation"
    if x.dtype.name not in ("float32", "float64"):
        raise TypeError(f"{name}: x expects float32 or float64 but got {x.dtype}")
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x expects at least two axes but got shape {x.shape}")
    for argument, value in (("weight", weight), ("eps", eps)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if not 0 < weight < math.inf:
        raise ValueError(f"{name}: weight expects a finite number above 0 but got {weight}")
    if not eps >= 0:
        raise ValueError(f"{name}: eps expects a number of at least 0 but got {eps}")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer):
        raise TypeError(f"{name}: steps expects an integer but got {steps!r}")
    if steps < 1:
        raise ValueError(f"{name}: steps expects at least 1 but got {steps}")
    *batch, h, w = x.shape
    return VariationGeometry(
        math.prod(batch), h, w, float(weight), float(eps), int(steps), x.dtype, ((x.shape, x.dtype),)
    )
