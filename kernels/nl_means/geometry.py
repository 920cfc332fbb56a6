"""The checked geometry of non-local means."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec
from .weights import weights_of

LARGEST_SIDE = 4095  # of patches, and of windows in which they are searched


class MeansGeometry(NamedTuple):
    """Images of floating-point numbers, patches of ``taps`` weights on each axis, offsets up to ``distance``."""

    shape: tuple[int, int, int, int]
    taps: int
    before: int
    distance: int
    inside: bool
    scale: float
    offset: float
    cutoff: float
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """Of squared differences, two passes of a separable window, a weight and its use, for each offset."""
        offsets = (2 * self.distance + 1) ** 2
        return math.prod(self.shape[:3]) * offsets * (4.0 * self.taps + 5.0 * self.shape[3] + 16.0)

    @property
    def bytes_moved(self) -> float:
        return 2.0 * math.prod(self.shape) * self.dtype.itemsize


class IntegerGeometry(NamedTuple):
    """Images of bytes, patches of ``patch`` pixels on each axis, offsets up to ``distance``."""

    shape: tuple[int, int, int, int]
    h: float
    patch: int
    distance: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def key(self) -> tuple[float, int, int, int]:
        """What the table of weights depends on."""
        return self.h, self.patch, 2 * self.distance + 1, self.shape[3]

    @property
    def flops(self) -> float:
        """Integer operations: the update of a column, the sum of ``patch`` columns, a weight and its use."""
        offsets = (2 * self.distance + 1) ** 2
        return math.prod(self.shape[:3]) * offsets * (self.patch + 7.0 * self.shape[3] + 4.0)

    @property
    def bytes_moved(self) -> float:
        return 2.0 * math.prod(self.shape)


def _images(name: str, x: Spec, dtypes: tuple[str, ...]) -> tuple[int, int, int, int]:
    if x.dtype.name not in dtypes:
        raise TypeError(f"{name}: x expects {' or '.join(dtypes)} but got {x.dtype}")
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x expects (N, H, W, C) but got shape {x.shape}")
    return x.shape[0], x.shape[1], x.shape[2], x.shape[3]


def _integer(name: str, argument: str, value: Any, least: int, most: int = 2**62) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if value < least:
        raise ValueError(f"{name}: {argument} expects at least {least} but got {value}")
    if value > most:
        raise ValueError(f"{name}: {argument} expects at most {most} but got {value}")
    return int(value)


def _number(name: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if math.isnan(value):
        raise ValueError(f"{name}: {argument} expects a number but got {value!r}")
    return float(value)


def means_geometry(
    x: Spec, weights: Spec, before: Any, distance: Any, inside: Any, scale: Any, offset: Any, cutoff: Any
) -> MeansGeometry:
    """The geometry of ``nl_means``."""
    name = "nl_means"
    shape = _images(name, x, ("float32", "float64"))
    if len(weights.shape) != 1 or weights.shape[0] < 1:
        raise ValueError(f"{name}: weights expects one axis of at least one number but got shape {weights.shape}")
    taps = weights.shape[0]
    before = _integer(name, "before", before, 0)
    if before >= taps:
        raise ValueError(f"{name}: before expects less than the {taps} weights but got {before}")
    if not isinstance(inside, bool):
        raise TypeError(f"{name}: inside expects True or False but got {inside!r}")
    scale = _number(name, "scale", scale)
    if not 0 <= scale < math.inf:
        raise ValueError(f"{name}: scale expects a finite number of at least 0 but got {scale}")
    offset, cutoff = _number(name, "offset", offset), _number(name, "cutoff", cutoff)
    if not 0 <= offset < math.inf:
        raise ValueError(f"{name}: offset expects a finite number of at least 0 but got {offset}")
    distance = _integer(name, "distance", distance, 0, LARGEST_SIDE // 2)
    return MeansGeometry(
        shape, taps, before, distance, inside, scale, offset, cutoff, x.dtype, ((x.shape, x.dtype),)
    )  # fmt: skip


def integer_geometry(x: Spec, h: Any, patch_size: Any, search_size: Any) -> IntegerGeometry:
    """The geometry of ``nl_means_uint8``."""
    name = "nl_means_uint8"
    shape = _images(name, x, ("uint8",))
    if not 1 <= shape[3] <= 4:
        raise ValueError(f"{name}: x expects one to four channels but got shape {x.shape}")
    patch, search = _integer(name, "patch_size", patch_size, 1), _integer(name, "search_size", search_size, 1)
    for argument, value, most in (("patch_size", patch, 81), ("search_size", search, 2001)):
        if value % 2 == 0 or value > most:
            raise ValueError(f"{name}: {argument} expects an odd number of at most {most} but got {value}")
    h = _number(name, "h", h)
    if not abs(h) <= float(np.finfo(np.float32).max):
        raise ValueError(f"{name}: h expects a finite float32 number but got {h}")
    weights_of(h, patch, search, shape[3])
    return IntegerGeometry(shape, h, patch, search // 2, ((x.shape, x.dtype),))
