"""The checked geometry of connected components."""

import math
from typing import Any, NamedTuple

import numpy as np

from ..arguments import integer
from ..operation import Spec

_MOST_PIXELS = 2**31 - 1


class LabelGeometry(NamedTuple):
    """``n`` images of ``(d, h, w)`` pixels; planes have d = 1."""

    n: int
    d: int
    h: int
    w: int
    connectivity: int
    background: int
    equal: bool
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.n * self.d * self.h * self.w

    @property
    def flops(self) -> float:
        """Comparisons: of each pixel with the background and with half of its neighbours."""
        neighbours = {1: 6, 2: 18, 3: 26} if self.d > 1 else {1: 4, 2: 8, 3: 8}
        return self.pixels * (1.0 + neighbours[self.connectivity] / 2)

    @property
    def bytes_moved(self) -> float:
        """Bytes of the images and their labels, each once."""
        return float(self.pixels * (self.dtype.itemsize + self.outputs[0][1].itemsize))


def label_geometry(
    x: Spec, connectivity: Any, background: Any, equal: Any, axes: Any, label_dtype: Any
) -> LabelGeometry:
    name = "label_components"
    if x.dtype.kind not in "iub":
        raise TypeError(f"{name}: x expects integers or booleans but got {x.dtype}")
    axes = integer(name, "axes", axes, 1, 3)
    if len(x.shape) < axes:
        raise ValueError(f"{name}: x expects at least axes = {axes} axes but got shape {x.shape}")
    connectivity = integer(name, "connectivity", connectivity, 1, axes)
    background = integer(name, "background", background, -(2**63), 2**63 - 1)
    if not isinstance(equal, bool | np.bool_):
        raise TypeError(f"{name}: equal expects True or False but got {equal!r}")
    kind = np.iinfo(np.uint8 if x.dtype.kind == "b" else x.dtype)
    if not kind.min <= background <= kind.max and (not equal or x.dtype == np.uint64):
        raise ValueError(f"{name}: background expects a value of {x.dtype} but got {background}")
    if label_dtype not in ("int32", "int64"):
        raise ValueError(f"{name}: label_dtype expects 'int32' or 'int64' but got {label_dtype!r}")
    batch, image = x.shape[: len(x.shape) - axes], x.shape[len(x.shape) - axes :]
    if math.prod(image) > _MOST_PIXELS:
        raise ValueError(f"{name}: x expects images of at most {_MOST_PIXELS} pixels but got shape {x.shape}")
    d, h, w = (1, 1, 1, *image)[-3:]
    outputs = ((x.shape, np.dtype(label_dtype)), (batch, np.dtype(np.int64)))
    return LabelGeometry(math.prod(batch), d, h, w, connectivity, background, bool(equal), x.dtype, outputs)


class MeasureGeometry(NamedTuple):
    """``n`` images of ``(h, w)`` labels below ``components``."""

    n: int
    h: int
    w: int
    components: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """Comparisons and sums of each pixel."""
        return 7.0 * self.n * self.h * self.w

    @property
    def bytes_moved(self) -> float:
        return float(self.n * (self.h * self.w * self.dtype.itemsize + self.components * 56))


def measure_geometry(labels: Spec, components: Any) -> MeasureGeometry:
    name = "measure_components"
    if labels.dtype.kind != "i":
        raise TypeError(f"{name}: labels expects integers with a sign but got {labels.dtype}")
    if len(labels.shape) < 2:
        raise ValueError(f"{name}: labels expects at least 2 axes but got shape {labels.shape}")
    components = integer(name, "components", components, 1, _MOST_PIXELS)
    *batch, h, w = labels.shape
    kind = np.dtype(np.int64)
    outputs = (((*batch, components, 5), kind), ((*batch, components, 2), kind))
    return MeasureGeometry(math.prod(batch), h, w, components, labels.dtype, outputs)
