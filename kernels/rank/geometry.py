"""The checked geometry of a filter that takes one of the numbers under a window."""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from ..correlation.geometry import check_border
from ..correlation.reference import MODES, border
from ..operation import Spec

_KINDS = "iuf"
_FEW = 1024  # bytes of a window that are looked up rather than checked again
_SIDE = 1 << 15  # windows of fewer rows and columns: the number of pixels under one is below 2**30


class Footprint(NamedTuple):
    """A window's rows and columns, and which of its pixels count: one byte each, or None where all do."""

    rows: int
    columns: int
    chosen: bytes | None

    @property
    def array(self) -> np.ndarray:
        """(rows, columns), of booleans; writeable, since what is read-only is another type to Numba."""
        if self.chosen is None:
            return np.ones((self.rows, self.columns), np.bool_)
        return np.frombuffer(bytearray(self.chosen), np.bool_).reshape(self.rows, self.columns)

    @property
    def size(self) -> int:
        """How many pixels count."""
        return self.rows * self.columns if self.chosen is None else self.chosen.count(1)


class RankGeometry(NamedTuple):
    """Images (N, H, W, C), a window, and which of the sorted numbers under it is taken.

    The window of pixel (h, w) begins at ``(h - top, w - left)``.
    """

    shape: tuple[int, int, int, int]
    footprint: Footprint
    rank: int
    mode: str
    cval: float
    top: int
    left: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def median(self) -> bool:
        """Whether the number in the middle is taken of all that lie in a square around the pixel."""
        rows, columns, chosen = self.footprint
        around = rows == columns and rows % 2 == 1 and (self.top, self.left) == (rows // 2, columns // 2)
        return chosen is None and around and self.rank == rows * columns // 2

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)

    @property
    def flops(self) -> float:
        """Comparisons that each number takes part in under the windows that it lies in."""
        return float(self.numbers * self.footprint.size)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x and y, each once."""
        return 2.0 * self.numbers * self.dtype.itemsize

    @property
    def constant(self) -> np.ndarray:
        """``cval`` in the images' type, as an array of one number."""
        return np.array([converted(self.cval, self.dtype)], self.dtype)

    def rows(self) -> np.ndarray:
        """The row that each position from ``-top`` to the last under a window stands for; -1 for the constant."""
        return _positions(self.shape[1], self.top, self.footprint.rows - 1 - self.top, self.mode)

    def columns(self) -> np.ndarray:
        """`rows` for the columns."""
        return _positions(self.shape[2], self.left, self.footprint.columns - 1 - self.left, self.mode)

    def constants(self) -> tuple[Any, ...]:
        """What the definition takes beside the arrays."""
        return self.footprint.array, self.rank, MODES[self.mode], self.constant, self.top, self.left


@functools.lru_cache(maxsize=64)
def _positions(n: int, before: int, after: int, mode: str) -> np.ndarray:
    return np.array([border(i, n, MODES[mode]) for i in range(-before, n + after)], np.int64)


def converted(cval: float, dtype: np.dtype) -> float:
    """A number as the type holds it: integers lose their fraction and end at the type's ends.

    >>> converted(-3.0, np.dtype("uint8")), converted(7.9, np.dtype("uint8"))
    (0, 7)
    """
    if dtype.kind == "f":
        return cval
    ends = np.iinfo(dtype)
    if cval >= ends.max or cval <= ends.min:
        return ends.max if cval > 0 else ends.min
    return int(cval)


def check_footprint(name: str, footprint: Any) -> Footprint:
    """From (rows, columns), or from an array of which pixels count."""
    if isinstance(footprint, Footprint):
        return footprint
    if footprint.__class__ is np.ndarray and footprint.dtype == np.uint8 and 0 < footprint.size <= _FEW:
        return _of_bytes(name, footprint.shape, footprint.tobytes())
    if footprint.__class__ is tuple and tuple(map(type, footprint)) == (int, int):
        return _of_sizes(name, *footprint)
    return _checked(name, footprint)


@functools.lru_cache(maxsize=64)
def _of_bytes(name: str, shape: tuple[int, ...], chosen: bytes) -> Footprint:
    return _checked(name, np.frombuffer(chosen, np.uint8).reshape(shape))


@functools.lru_cache(maxsize=64)
def _of_sizes(name: str, rows: int, columns: int) -> Footprint:
    return _checked(name, (rows, columns))


def _checked(name: str, footprint: Any) -> Footprint:
    array = np.asarray(footprint)
    if array.shape == (2,) and array.dtype.kind in "iu":
        rows, columns = map(int, array)
        if not (1 <= rows < _SIDE and 1 <= columns < _SIDE):
            raise ValueError(f"{name}: footprint expects sizes in [1, {_SIDE}) but got {footprint!r}")
        return Footprint(rows, columns, None)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name}: footprint expects (rows, columns) or an array of two axes but got "
            f"shape {array.shape} ({array.dtype})"
        )
    if not array.any() or max(array.shape) >= _SIDE:
        raise ValueError(f"{name}: footprint expects a pixel and sides below {_SIDE} but got shape {array.shape}")
    chosen = array.astype(np.bool_)
    rows, columns = array.shape
    return Footprint(rows, columns, None if chosen.all() else chosen.tobytes())


def check_origin(name: str, origin: Any, footprint: Footprint) -> tuple[int, int]:
    """How far the window's middle is moved, along H and W."""
    both = origin if isinstance(origin, tuple | list) else (origin, origin)
    if len(both) != 2 or any(isinstance(o, bool) or not isinstance(o, int | np.integer) for o in both):
        raise TypeError(f"{name}: origin expects an integer or two but got {origin!r}")
    for moved, size in zip(both, (footprint.rows, footprint.columns), strict=True):
        if not 0 <= size // 2 + moved < size:
            raise ValueError(
                f"{name}: origin expects values in [{-(size // 2)}, {(size - 1) // 2}] for {size} pixels "
                f"but got {origin!r}"
            )
    return int(both[0]), int(both[1])


def check_rank(name: str, rank: Any, footprint: Footprint) -> int:
    """Counted from the least number; a negative one counts from the greatest."""
    size = footprint.size
    if isinstance(rank, bool) or not isinstance(rank, int | np.integer):
        raise TypeError(f"{name}: rank expects an integer but got {rank!r}")
    if not -size <= rank < size:
        raise ValueError(f"{name}: rank expects a value in [{-size}, {size}) for {size} pixels but got {rank}")
    return int(rank) % size


def check_images(name: str, x: Spec) -> tuple[int, int, int, int]:
    if x is None or len(x.shape) != 4:
        raise ValueError(f"{name}: x expects (N, H, W, C) but got shape {None if x is None else x.shape}")
    if x.dtype.kind not in _KINDS or x.dtype.itemsize > 8 or x.dtype == np.float16:
        raise TypeError(f"{name}: x expects integers, float32 or float64 but got {x.dtype}")
    n, h, w, c = x.shape
    return n, h, w, c


def filtered(name: str, x: Spec, footprint: Footprint, rank: Any, mode: Any, cval: Any, origin: Any) -> RankGeometry:
    """The geometry of a filter."""
    shape = check_images(name, x)
    mode, cval = check_border(name, mode, cval)
    if x.dtype.kind != "f" and np.isnan(cval):
        raise ValueError(f"{name}: cval expects a number that {x.dtype} holds but got {cval}")
    top, left = check_origin(name, origin, footprint)
    rank = check_rank(name, rank, footprint)
    top, left = footprint.rows // 2 + top, footprint.columns // 2 + left
    return RankGeometry(shape, footprint, rank, mode, cval, top, left, x.dtype, ((x.shape, x.dtype),))


class PlacesGeometry(NamedTuple):
    """Images, a number for each whole window in them, and the window."""

    shape: tuple[int, int, int, int]
    footprint: Footprint
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """Comparisons."""
        return float(math.prod(self.outputs[0][0]) * self.footprint.size)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x, y and the places, each once."""
        results = math.prod(self.outputs[0][0])
        return float(self.dtype.itemsize * (math.prod(self.shape) + results) + 4 * results)


def places(x: Spec, y: Spec, footprint: Footprint) -> PlacesGeometry:
    """The geometry of `window_places`."""
    name = "window_places"
    n, h, w, c = check_images(name, x)
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: x expects float32 or float64 but got {x.dtype}")
    found = (n, max(0, h - footprint.rows + 1), max(0, w - footprint.columns + 1), c)
    if y is None or y.dtype != x.dtype:
        raise TypeError(f"{name}: y expects {x.dtype} but got {None if y is None else y.dtype}")
    if y.shape != found:
        raise ValueError(f"{name}: y expects {found} but got {y.shape} (x {x.shape}, footprint {footprint[:2]})")
    return PlacesGeometry((n, h, w, c), footprint, x.dtype, ((found, np.dtype(np.int32)),))
