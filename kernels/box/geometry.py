"""The checked geometry of a box filter."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..correlation.geometry import check_axis, check_border, positions
from ..correlation.reference import MODES
from ..correlation.window_geometry import check_origin, result_type
from ..operation import Spec
from .reference import DIVIDED, MEAN, SUM

SOURCES = ("float32", "float64", "uint8", "uint16", "int16")
TARGETS = (*SOURCES, "int32")
_LONGEST = 2**20  # side of a window: its cost grows from 64 on, slowly
_EXACT = 2**15  # pixels of a window of 16-bit integers, whose sums fit 32 bits


class BoxGeometry(NamedTuple):
    """``(outer, H, W, inner)`` under a window of ``R x S``; ``kind`` says what becomes of the sums."""

    outer: int
    h: int
    w: int
    inner: int
    r: int
    s: int
    mode: str
    cval: float
    origin: tuple[int, int]
    kind: int
    offset: int
    source: np.dtype
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.outer, self.h, self.w, self.inner

    @property
    def pixels(self) -> int:
        return math.prod(self.shape)

    @property
    def flops(self) -> float:
        """Additions of the definition along one axis and then the other, and the division."""
        return float(self.pixels * (self.r + self.s - 1))

    @property
    def bytes_moved(self) -> float:
        """Bytes of the images in and out, each once."""
        return float(self.pixels * (self.source.itemsize + self.dtype.itemsize))

    @property
    def total(self) -> np.dtype:
        """The type of the sums: exact for integers."""
        if self.source.kind == "f":
            return self.dtype if self.dtype.kind == "f" else self.source
        if self.source == np.uint8 and self.r * self.s <= 256 and self.cval in range(256):
            return np.dtype(np.uint16)
        return np.dtype(np.int32)

    @property
    def scale(self) -> float:
        return 1.0 / (self.r * self.s)

    @property
    def limits(self) -> tuple[float, float]:
        """The range of an integer result, or two zeros."""
        if self.dtype.kind == "f":
            return 0.0, 0.0
        return float(np.iinfo(self.dtype).min), float(np.iinfo(self.dtype).max)

    @property
    def constants(self) -> tuple[Any, ...]:
        """What the definition takes."""
        window = ((self.r, self.s), MODES[self.mode], self.cval, self.origin)
        return self.shape, *window, self.kind, self.scale, self.offset, self.limits

    def positions(self, axis: int) -> np.ndarray:
        """The row (axis 0) or column that each one from the window's first on stands for; -1 for the constant."""
        n, taps = ((self.h, self.r), (self.w, self.s))[axis]
        before = taps // 2 + self.origin[axis]
        return positions(n, before, taps - 1 - before, self.mode)


def check_size(name: str, size: Any, axes: int = 2) -> tuple[int, ...]:
    """One extent of at least 1 for each axis."""
    extents = tuple(size) if isinstance(size, tuple | list) else (size,) * axes
    if len(extents) != axes:
        raise ValueError(f"{name}: size expects an integer or {axes} of them but got {size!r}")
    for extent in extents:
        if isinstance(extent, bool) or not isinstance(extent, int | np.integer):
            raise TypeError(f"{name}: size expects integers but got {size!r}")
        if extent < 1:
            raise ValueError(f"{name}: size expects values of at least 1 but got {size!r}")
    return tuple(int(extent) for extent in extents)


def check_reach(name: str, size: Any, extents: Sequence[int], lengths: Sequence[int]) -> None:
    """Windows of more than 2^20 pixels along an axis are not longer than the image."""
    for extent, n in zip(extents, lengths, strict=True):
        if extent > max(_LONGEST, n):
            raise ValueError(f"{name}: size expects at most {max(_LONGEST, n)} along {n} pixels but got {size!r}")


def box_geometry(
    x: Spec, size: Any, axis: Any, mode: Any, cval: Any, origin: Any, mean: Any, dtype: Any, offset: Any
) -> BoxGeometry:
    """The geometry of ``box2d``."""
    name = "box2d"
    if x.dtype.name not in SOURCES:
        raise TypeError(f"{name}: x expects one of {', '.join(SOURCES)} but got {x.dtype}")
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x expects at least 2 axes but got shape {x.shape}")
    axis = check_axis(name, axis, len(x.shape))
    if axis == len(x.shape) - 1:
        raise ValueError(f"{name}: axis expects an axis with another behind it but got the last of shape {x.shape}")
    r, s = check_size(name, size)
    check_reach(name, size, (r, s), x.shape[axis : axis + 2])
    mode, cval = check_border(name, mode, cval)
    rows, columns = check_origin(name, origin, (r, s))
    if not isinstance(mean, bool):
        raise TypeError(f"{name}: mean expects True or False but got {mean!r}")
    target = result_type(name, dtype, x.dtype, TARGETS)
    kind = MEAN if mean and r * s > 1 else SUM
    if x.dtype.kind != "f":
        if mode in ("constant", "grid-constant") and not _holds(x.dtype, cval):
            raise ValueError(f"{name}: cval expects a value of {x.dtype} but got {cval}")
        if r * s > _EXACT * (256 if x.dtype == np.uint8 else 1):
            raise ValueError(f"{name}: size expects windows whose sums of {x.dtype} fit 32 bits but got {size!r}")
    elif target.kind != "f" or (x.dtype == np.float64 and target != x.dtype):
        raise TypeError(f"{name}: dtype expects float64, or float32 for float32 images, but got {target} for {x.dtype}")
    if offset is not None:
        if not (mean and x.dtype == target == np.uint8 and 1 < r * s <= 256):
            raise ValueError(f"{name}: offset expects None but for means of uint8, of 2 to 256 pixels, in uint8")
        most = min(r * s, 2**16 - 1 - 255 * r * s)  # with it the largest sum fills 16 bits
        if isinstance(offset, bool) or not isinstance(offset, int | np.integer) or not 0 <= offset <= most:
            raise ValueError(
                f"{name}: offset expects an integer in [0, {most}] for windows of {size!r} but got {offset!r}"
            )
        kind = DIVIDED
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 2 :])
    return BoxGeometry(
        outer=outer,
        h=x.shape[axis],
        w=x.shape[axis + 1],
        inner=inner,
        r=r,
        s=s,
        mode=mode,
        cval=cval,
        origin=(rows, columns),
        kind=kind,
        offset=int(offset or 0),
        source=x.dtype,
        dtype=target,
        outputs=((x.shape, target),),
    )


def _holds(dtype: np.dtype, value: float) -> bool:
    info = np.iinfo(dtype)
    return info.min <= value <= info.max and value == int(value)
