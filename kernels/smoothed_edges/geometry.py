"""The checked geometry of the stages of Canny's edge detector on real numbers."""

from typing import Any, NamedTuple

import numpy as np

from ..correlation.geometry import check_border, check_weights
from ..operation import Spec
from .reference import CLASSES, NORMS, STAGES


class SmoothedEdgesGeometry(NamedTuple):
    """``n`` images of ``(h, w)``; ``kind`` is the type they are computed in, ``divisor`` and ``inside`` have shapes."""

    n: int
    h: int
    w: int
    column: int
    row: int
    divisor: tuple[int, ...]
    inside: tuple[int, ...]
    mode: str
    cval: float
    scale: float
    stage: int
    dtype: np.dtype
    kind: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.n * self.h * self.w

    @property
    def flops(self) -> float:
        """Smoothing, derivatives and norm, interpolation and comparisons."""
        steps = {CLASSES: 28, NORMS: 14}.get(self.stage, 0)
        return self.pixels * (1.5 * (self.column + self.row) + 1 + steps)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x and y, each once."""
        return float(self.pixels * (self.dtype.itemsize + self.outputs[0][1].itemsize))


def smoothed_edges_geometry(
    x: Spec, column: Spec, row: Spec, divisor: Spec, inside: Spec, thresholds: Spec,
    mode: Any, cval: Any, scale: Any, stage: Any,
) -> SmoothedEdgesGeometry:  # fmt: skip
    name = "smoothed_edges"
    if x.dtype not in (np.uint8, np.float32, np.float64):
        raise TypeError(f"{name}: x expects uint8, float32 or float64 but got {x.dtype}")
    if len(x.shape) != 3:
        raise ValueError(f"{name}: x expects shape (N, H, W) but got {x.shape}")
    if not isinstance(stage, str):
        raise TypeError(f"{name}: stage expects a string but got {stage!r}")
    if stage not in STAGES:
        raise ValueError(f"{name}: stage expects one of {', '.join(map(repr, STAGES))} but got {stage!r}")
    mode, cval = check_border(name, mode, cval)
    if isinstance(scale, bool) or not isinstance(scale, int | float | np.number):
        raise TypeError(f"{name}: scale expects a number but got {scale!r}")
    n, h, w = x.shape
    for argument, weights in (("column", column), ("row", row)):
        if check_weights(name, argument, weights) % 2 == 0:
            raise ValueError(f"{name}: {argument} expects an odd number of weights but got {weights.shape[0]}")
    kind = working_type(x.dtype)
    rows = divisor.shape[1] if len(divisor.shape) == 3 else 0
    if divisor.dtype != kind:
        raise TypeError(f"{name}: divisor expects {kind} but got {divisor.dtype}")
    if divisor.shape != (0, 0, 0) and (
        divisor.shape not in ((n, rows, w), (1, rows, w)) or not (rows == h or (rows % 2 and rows < h))
    ):
        raise ValueError(
            f"{name}: divisor expects shape (N or 1, H, W) = ({n} or 1, {h}, {w}), or an odd number of rows below H, "
            f"but got {divisor.shape}"
        )
    if inside.shape != (0, 0, 0) and inside.shape not in ((n, h, w), (1, h, w)):
        raise ValueError(f"{name}: inside expects shape (N or 1, H, W) but got {inside.shape}")
    if inside.dtype != bool:
        raise TypeError(f"{name}: inside expects bool but got {inside.dtype}")
    if thresholds.shape != (n, 2):
        raise ValueError(f"{name}: thresholds expects shape (N, 2) = ({n}, 2) but got {thresholds.shape}")
    output = np.dtype(np.uint8) if STAGES[stage] == CLASSES else kind
    return SmoothedEdgesGeometry(
        n, h, w, column.shape[0], row.shape[0], divisor.shape, inside.shape, mode, cval,
        float(scale) if x.dtype == np.uint8 else 1.0, STAGES[stage],
        x.dtype, kind, ((x.shape, output),),
    )  # fmt: skip


def working_type(dtype: np.dtype) -> np.dtype:
    """The type in which an image is computed."""
    return np.dtype(np.float32 if dtype == np.float32 else np.float64)
