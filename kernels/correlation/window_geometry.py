"""The checked geometry of a correlation of images with weights of two axes, and of its gradients."""

import functools
from typing import Any, NamedTuple

import numpy as np

from ..convolution.geometry import check_array
from ..operation import Spec
from .geometry import check_border, positions

SOURCES = ("float32", "float64", "uint8", "uint16", "int16")
TARGETS = SOURCES


class WindowGeometry(NamedTuple):
    """Images ``(N, H, W, C)`` of type ``source`` under a window of ``R x S`` weights; results of type ``dtype``."""

    n: int
    h: int
    w: int
    c: int
    r: int
    s: int
    mode: str
    cval: float
    origin: tuple[int, int]
    delta: float
    source: np.dtype
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def pixels(self) -> int:
        """Numbers in all images."""
        return self.n * self.h * self.w * self.c

    @property
    def flops(self) -> float:
        """Multiplications and additions."""
        return 2.0 * self.pixels * self.r * self.s

    @property
    def bytes_moved(self) -> float:
        """Bytes of the images in and out, each once."""
        return float(self.pixels * (self.source.itemsize + self.dtype.itemsize))

    @property
    def total(self) -> np.dtype:
        """The type of the sums."""
        wide = np.dtype(np.float64)
        return wide if wide in (self.source, self.dtype) else np.dtype(np.float32)

    @property
    def limits(self) -> tuple[float, float]:
        """The range of an integer result, or two zeros."""
        if self.dtype.kind == "f":
            return 0.0, 0.0
        return float(np.iinfo(self.dtype).min), float(np.iinfo(self.dtype).max)

    @property
    def before(self) -> tuple[int, int]:
        """How many rows and columns of the window lie above and left of the pixel that is computed."""
        return self.r // 2 + self.origin[0], self.s // 2 + self.origin[1]

    def rows(self) -> np.ndarray:
        """The row of the image that each row from ``-before`` on stands for, H + R - 1 of them; -1 for the constant."""
        return positions(self.h, self.before[0], self.r - 1 - self.before[0], self.mode)

    def columns(self) -> np.ndarray:
        """The same for columns, W + S - 1 of them."""
        return positions(self.w, self.before[1], self.s - 1 - self.before[1], self.mode)


def check_window(name: str, argument: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """R and S."""
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"{name}: {argument} expects two axes of at least one number but got shape {shape}")
    return shape[0], shape[1]


def check_origin(name: str, origin: Any, taps: tuple[int, ...]) -> tuple[int, ...]:
    """One offset for each axis of the window; the weights' centre stays inside them."""
    offsets = origin if isinstance(origin, tuple | list) else (origin,) * len(taps)
    if len(offsets) != len(taps):
        raise ValueError(f"{name}: origin expects an integer or {len(taps)} of them but got {origin!r}")
    for offset, size in zip(offsets, taps, strict=True):
        if isinstance(offset, bool) or not isinstance(offset, int | np.integer):
            raise TypeError(f"{name}: origin expects integers but got {origin!r}")
        if not -(size // 2) <= offset <= (size - 1) // 2:
            raise ValueError(
                f"{name}: origin expects values in [{-(size // 2)}, {(size - 1) // 2}] for {size} weights "
                f"but got {origin!r}"
            )
    return tuple(int(offset) for offset in offsets)


def number(name: str, argument: str, value: Any) -> float:
    if value.__class__ is float:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    return float(value)


def type_name(dtype: Any) -> Any:
    """A type by its name, by which a plan can be kept; what is no type is left to the check."""
    if isinstance(dtype, np.dtype):
        return _name_of(dtype)
    try:
        return None if dtype is None else np.dtype(dtype).name
    except TypeError:
        return dtype


@functools.lru_cache(maxsize=64)
def _name_of(dtype: np.dtype) -> str:
    return dtype.name  # 2 us


def result_type(name: str, dtype: Any, source: np.dtype, known: tuple[str, ...] = TARGETS) -> np.dtype:
    """The type of the result, the images' own for None."""
    if dtype is None:
        return source
    try:
        target = np.dtype(dtype)
    except TypeError:
        target = None
    if target is None or target.name not in known:
        raise TypeError(f"{name}: dtype expects one of {', '.join(known)} but got {dtype!r}")
    return target


def _window(
    name: str, x: Spec, taps: tuple[int, int], mode: Any, cval: Any, origin: Any, outputs: tuple[Any, ...]
) -> WindowGeometry:
    mode, cval = check_border(name, mode, cval)
    rows, columns = check_origin(name, origin, taps)
    n, h, w, c = x.shape
    return WindowGeometry(n, h, w, c, *taps, mode, cval, (rows, columns), 0.0, x.dtype, x.dtype, outputs)


def forward(x: Spec, weights: Spec, mode: Any, cval: Any, origin: Any, delta: Any, dtype: Any) -> WindowGeometry:
    """The geometry of ``correlate2d``."""
    name = "correlate2d"
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x expects (N, H, W, C) but got shape {x.shape}")
    if x.dtype.name not in SOURCES:
        raise TypeError(f"{name}: x expects one of {', '.join(SOURCES)} but got {x.dtype}")
    target = result_type(name, dtype, x.dtype)
    g = _window(name, x, check_window(name, "weights", weights.shape), mode, cval, origin, ((x.shape, target),))
    return g._replace(delta=number(name, "delta", delta), dtype=target)


def input_grad(gy: Spec, weights: Spec, mode: Any, origin: Any) -> WindowGeometry:
    """The geometry of ``correlate2d_input_grad``."""
    name = "correlate2d_input_grad"
    check_array(name, "gy", gy, "N H W C")
    taps = check_window(name, "weights", weights.shape)
    return _window(name, gy, taps, mode, 0.0, origin, ((gy.shape, gy.dtype),))


def weight_grad(gy: Spec, x: Spec, weight_shape: Any, mode: Any, cval: Any, origin: Any) -> WindowGeometry:
    """The geometry of ``correlate2d_weight_grad``."""
    name = "correlate2d_weight_grad"
    check_array(name, "x", x, "N H W C")
    if gy.shape != x.shape or gy.dtype != x.dtype:
        raise ValueError(f"{name}: gy expects {x.shape} {x.dtype} but got {gy.shape} {gy.dtype}")
    try:
        taps = tuple(int(extent) for extent in weight_shape)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: weight_shape expects two integers but got {weight_shape!r}") from None
    taps = check_window(name, "weight_shape", taps)
    return _window(name, x, taps, mode, cval, origin, ((taps, x.dtype),))


def work_ns(g: WindowGeometry) -> float:
    """Estimated time on one thread: the products of one weight with 64 bytes of pixels take a third of a nanosecond."""
    return g.pixels * (g.r * g.s + 4) * g.total.itemsize / 190
