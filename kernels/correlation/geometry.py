"""The checked geometry of a correlation along one axis or two neighbouring ones."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import to_device
from ..operation import Spec
from .reference import CONSTANT, MODES, NEAREST, REFLECT, WRAP


class CorrelationGeometry(NamedTuple):
    """``(outer, H, W, inner)`` filtered by ``column`` taps down H and ``row`` taps along W; 0 taps leave an axis alone.

    ``origin`` moves the taps of the one filtered axis of `correlate1d`.
    """

    outer: int
    h: int
    w: int
    inner: int
    column: int
    row: int
    mode: str
    cval: float
    origin: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        return self.outer * self.h * self.w * self.inner

    @property
    def flops(self) -> float:
        """Multiplications and additions."""
        return 2.0 * self.pixels * (self.column + self.row)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x and y, each once."""
        return 2.0 * self.pixels * self.dtype.itemsize


def check_image(name: str, x: Spec, axes: int) -> None:
    if x.dtype.char not in "fd":
        raise TypeError(f"{name}: x expects float32 or float64 but got {x.dtype}")
    if len(x.shape) < axes:
        raise ValueError(f"{name}: x expects at least {axes} axes but got shape {x.shape}")


def real_weights(name: str, argument: str, weights: ArrayLike) -> np.ndarray:
    """Weights as a float64 array."""
    array = np.asarray(to_device(weights, "cpu"))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: {argument} expects real numbers but got {array.dtype}")
    return array.astype(np.float64, copy=False)


def check_weights(name: str, argument: str, weights: Spec) -> int:
    """The number of taps."""
    if len(weights.shape) != 1 or weights.shape[0] < 1:
        raise ValueError(f"{name}: {argument} expects one axis of at least one number but got shape {weights.shape}")
    return weights.shape[0]


def check_border(name: str, mode: Any, cval: Any) -> tuple[str, float]:
    if not isinstance(mode, str):
        raise TypeError(f"{name}: mode expects a string but got {mode!r}")
    if mode not in MODES:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, MODES))} but got {mode!r}")
    if not isinstance(cval, int | float | np.number):
        raise TypeError(f"{name}: cval expects a number but got {cval!r}")
    return mode, float(cval)


def positions(n: int, before: int, after: int, mode: str) -> np.ndarray:
    """The index that each position from ``-before`` to ``n - 1 + after`` stands for: `border`, of all at once.

    >>> positions(3, 4, 2, "mirror")
    array([0, 1, 2, 1, 0, 1, 2, 1, 0])
    """
    i, code = np.arange(-before, n + after), MODES[mode]
    if code == CONSTANT:
        return np.where((i >= 0) & (i < n), i, -1)
    if code == NEAREST:
        return np.clip(i, 0, n - 1)
    if code == WRAP:
        return i % n
    if code == REFLECT:
        i %= 2 * n
        return np.minimum(i, 2 * n - 1 - i)
    i %= max(2 * n - 2, 1)
    return np.minimum(i, 2 * n - 2 - i)


def check_axis(name: str, axis: Any, axes: int) -> int:
    """``axis`` counted from the front."""
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise TypeError(f"{name}: axis expects an integer but got {axis!r}")
    if not -axes <= axis < axes:
        raise ValueError(f"{name}: axis expects a value in [{-axes}, {axes}) but got {axis}")
    return int(axis) % axes


def one_axis(x: Spec, weights: Spec, axis: Any, mode: Any, cval: Any, origin: Any) -> CorrelationGeometry:
    """The geometry of ``correlate1d``: the filtered axis is W."""
    name = "correlate1d"
    check_image(name, x, 1)
    taps = check_weights(name, "weights", weights)
    axis = check_axis(name, axis, len(x.shape))
    mode, cval = check_border(name, mode, cval)
    if isinstance(origin, bool) or not isinstance(origin, int | np.integer):
        raise TypeError(f"{name}: origin expects an integer but got {origin!r}")
    if not -(taps // 2) <= origin <= (taps - 1) // 2:
        raise ValueError(
            f"{name}: origin expects a value in [{-(taps // 2)}, {(taps - 1) // 2}] for {taps} weights but got {origin}"
        )
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    n = x.shape[axis]
    return CorrelationGeometry(outer, 1, n, inner, 0, taps, mode, cval, int(origin), x.dtype, ((x.shape, x.dtype),))


def neighbours(name: str, x: Spec, r: int, s: int, axis: Any, mode: Any, cval: Any) -> CorrelationGeometry:
    """``r`` taps along ``axis`` and ``s`` along the next."""
    axis = check_axis(name, axis, len(x.shape))
    if axis == len(x.shape) - 1:
        raise ValueError(f"{name}: axis expects an axis with another behind it but got the last of shape {x.shape}")
    mode, cval = check_border(name, mode, cval)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 2 :])
    h, w = x.shape[axis], x.shape[axis + 1]
    return CorrelationGeometry(outer, h, w, inner, r, s, mode, cval, 0, x.dtype, ((x.shape, x.dtype),))


def two_axes(x: Spec, column: Spec, row: Spec, axis: Any, mode: Any, cval: Any) -> CorrelationGeometry:
    """The geometry of ``correlate_separable2d``: the filtered axes are ``axis`` and the next."""
    name = "correlate_separable2d"
    check_image(name, x, 2)
    r, s = check_weights(name, "column", column), check_weights(name, "row", row)
    return neighbours(name, x, r, s, axis, mode, cval)
