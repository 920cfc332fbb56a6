"""The checked geometry of a filter that takes one of the numbers under a window."""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from ..correlation.geometry import check_border, positions
from ..correlation.reference import MODES
from ..operation import Spec

_KINDS = "iuf"
_FEW = 1024  # bytes of a window that are looked up rather than checked again
_PIXELS = 1 << 24  # under a window that is not replaced by a smaller one


class Footprint(NamedTuple):
    """A window's sides along each axis, and which of its pixels count: one byte each, or None where all do."""

    sides: tuple[int, ...]
    chosen: bytes | None

    @property
    def rows(self) -> int:
        return self.sides[-2]

    @property
    def columns(self) -> int:
        return self.sides[-1]

    @property
    def array(self) -> np.ndarray:
        """Of the window's shape, of booleans; writeable, since what is read-only is another type to Numba."""
        if self.chosen is None:
            return np.ones(self.sides, np.bool_)
        return np.frombuffer(bytearray(self.chosen), np.bool_).reshape(self.sides)

    @property
    def size(self) -> int:
        """How many pixels count."""
        return math.prod(self.sides) if self.chosen is None else self.chosen.count(1)


class RankGeometry(NamedTuple):
    """Images (N, ..., H, W, C), a window, and which of the sorted numbers under it is taken.

    The window of pixel p begins at ``p - before``, along each axis. Where there are more axes than two, the images are
    stacks of slices of the last two, and those that lie under a window are listed (`slices`).
    """

    shape: tuple[int, ...]
    footprint: Footprint
    rank: int
    mode: str
    cval: float
    before: tuple[int, ...]
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def top(self) -> int:
        return self.before[-2]

    @property
    def left(self) -> int:
        return self.before[-1]

    @property
    def median(self) -> bool:
        """Whether the number in the middle is taken of all that lie in a square around the pixel."""
        rows, columns = self.footprint.sides
        around = rows == columns and rows % 2 == 1 and self.before == (rows // 2, columns // 2)
        return self.footprint.chosen is None and around and self.rank == rows * columns // 2

    @property
    def extreme(self) -> bool:
        """Whether the least or the greatest number is taken."""
        return self.rank in (0, self.footprint.size - 1)

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)

    @property
    def box(self) -> bool:
        """Whether the least or the greatest number is taken of a full window."""
        return self.extreme and self.footprint.chosen is None

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The axes [first, last) that a box goes along at a time, from the last on: two, and the first may be alone."""
        return [(max(last - 2, 0), last) for last in range(len(self.footprint.sides), 0, -2)]

    @property
    def flops(self) -> float:
        """Comparisons that each number takes part in under the windows that it lies in."""
        sides = self.footprint.sides
        taps = sum(math.prod(sides[a:b]) for a, b in self.pairs) if self.box else self.footprint.size
        return float(self.numbers * taps)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x and y, each once."""
        return 2.0 * self.numbers * self.dtype.itemsize

    @property
    def constant(self) -> np.ndarray:
        """``cval`` in the images' type, as an array of one number."""
        return np.array([converted(self.cval, self.dtype)], self.dtype)

    @property
    def stack(self) -> tuple[int, int, int, int, int]:
        """The images as (N, slices, H, W, C)."""
        n, *outer, h, w, c = self.shape
        return n, math.prod(outer), h, w, c

    @property
    def window(self) -> np.ndarray:
        """The footprint as (slices, rows, columns), of booleans."""
        return self.footprint.array.reshape(-1, *self.footprint.sides[-2:])

    def slices(self) -> np.ndarray:
        """(slices of an image, slices of the window): the slice that lies under each of the window's, -1 for the
        constant.
        """
        table = np.zeros((1, 1), np.int64)
        for n, side, before in zip(self.shape[1:-3], self.footprint.sides[:-2], self.before[:-2], strict=True):
            along = positions(n, before, side - 1 - before, self.mode)[np.add.outer(np.arange(n), np.arange(side))]
            outer, inner = table[:, None, :, None], along[None, :, None]
            table = np.where((outer < 0) | (inner < 0), -1, outer * n + inner).reshape(len(table) * n, -1)
        return table

    def rows(self) -> np.ndarray:
        """The row that each position from ``-top`` to the last under a window stands for; -1 for the constant."""
        return positions(self.shape[-3], self.top, self.footprint.rows - 1 - self.top, self.mode)

    def columns(self) -> np.ndarray:
        """`rows` for the columns."""
        return positions(self.shape[-2], self.left, self.footprint.columns - 1 - self.left, self.mode)

    def constants(self) -> tuple[Any, ...]:
        """What the definition takes beside the arrays."""
        return self.footprint.array, self.rank, MODES[self.mode], self.constant, self.top, self.left

    def constants_of_stacks(self) -> tuple[Any, ...]:
        """What the definition for stacks takes beside the arrays."""
        return self.slices(), self.window, self.rank, MODES[self.mode], self.constant, self.top, self.left


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


def check_footprint(name: str, footprint: Any, axes: int | None = 2) -> Footprint:
    """From the window's sides, or from an array of which pixels count; None stands for three axes or more."""
    if isinstance(footprint, Footprint):
        return footprint
    if footprint.__class__ is np.ndarray and footprint.dtype == np.uint8 and 0 < footprint.size <= _FEW:
        return _of_bytes(name, footprint.shape, footprint.tobytes(), axes)
    if footprint.__class__ is tuple and {type(side) for side in footprint} == {int}:
        return _of_sides(name, footprint, axes)
    return _checked(name, footprint, axes)


@functools.lru_cache(maxsize=64)
def _of_bytes(name: str, shape: tuple[int, ...], chosen: bytes, axes: int | None) -> Footprint:
    return _checked(name, np.frombuffer(chosen, np.uint8).reshape(shape), axes)


@functools.lru_cache(maxsize=64)
def _of_sides(name: str, sides: tuple[int, ...], axes: int | None) -> Footprint:
    return _checked(name, sides, axes)


def _checked(name: str, footprint: Any, axes: int | None) -> Footprint:
    array = np.asarray(footprint)
    are_sides = array.ndim == 1 and array.dtype.kind in "iu"
    given = array.size if are_sides else array.ndim
    if array.dtype.kind not in "biuf" or (given != axes if axes else given < 3):
        wanted = {2: "(rows, columns) or an array of two axes", None: "sides or an array of three axes or more"}
        raise ValueError(
            f"{name}: footprint expects {wanted.get(axes, f'{axes} sides or an array of {axes} axes')} but got "
            f"shape {array.shape} ({array.dtype})"
        )
    if are_sides:
        if array.min() < 1:
            raise ValueError(f"{name}: footprint expects sizes of at least 1 but got {footprint!r}")
        return Footprint(tuple(map(int, array)), None)
    if not array.any():
        raise ValueError(f"{name}: footprint expects a pixel that counts but got none of shape {array.shape}")
    chosen = array.astype(np.bool_)
    return Footprint(array.shape, None if chosen.all() else chosen.tobytes())


def check_origin(name: str, origin: Any, footprint: Footprint) -> tuple[int, ...]:
    """How far the window's middle is moved, along each axis."""
    sides = footprint.sides
    origins = tuple(origin) if isinstance(origin, tuple | list) else (origin,) * len(sides)
    if len(origins) != len(sides) or any(isinstance(o, bool) or not isinstance(o, int | np.integer) for o in origins):
        raise TypeError(f"{name}: origin expects an integer or {len(sides)} of them but got {origin!r}")
    for moved, size in zip(origins, sides, strict=True):
        if not 0 <= size // 2 + moved < size:
            raise ValueError(
                f"{name}: origin expects values in [{-(size // 2)}, {(size - 1) // 2}] for {size} pixels "
                f"but got {origin!r}"
            )
    return tuple([int(o) for o in origins])


def check_rank(name: str, rank: Any, footprint: Footprint) -> int:
    """Counted from the least number; a negative one counts from the greatest.

    Windows have at most 2^24 pixels; where all count, those for the least and the greatest have no end.
    """
    size = footprint.size
    if isinstance(rank, bool) or not isinstance(rank, int | np.integer):
        raise TypeError(f"{name}: rank expects an integer but got {rank!r}")
    if not -size <= rank < size:
        raise ValueError(f"{name}: rank expects a value in [{-size}, {size}) for {size} pixels but got {rank}")
    rank = int(rank) % size
    if size > _PIXELS and (footprint.chosen is not None or rank not in (0, size - 1)):
        raise ValueError(
            f"{name}: footprint expects at most {_PIXELS} pixels, unless all count and the least or the greatest is "
            f"taken, but got {size} (sides {footprint.sides})"
        )
    return rank


def check_images(name: str, x: Spec, axes: int = 2) -> tuple[int, ...]:
    if x is None or len(x.shape) != axes + 2:
        wanted = "(N, H, W, C)" if axes == 2 else f"(N, ..., H, W, C) with the footprint's {axes} axes inside"
        raise ValueError(f"{name}: x expects {wanted} but got shape {None if x is None else x.shape}")
    if x.dtype.kind not in _KINDS or x.dtype.itemsize > 8 or x.dtype == np.float16:
        raise TypeError(f"{name}: x expects integers, float32 or float64 but got {x.dtype}")
    return x.shape


def filtered(name: str, x: Spec, footprint: Footprint, rank: Any, mode: Any, cval: Any, origin: Any) -> RankGeometry:
    """The geometry of a filter."""
    shape = check_images(name, x, len(footprint.sides))
    mode, cval = check_border(name, mode, cval)
    if x.dtype.kind != "f" and np.isnan(cval):
        raise ValueError(f"{name}: cval expects a number that {x.dtype} holds but got {cval}")
    origins = check_origin(name, origin, footprint)
    rank = check_rank(name, rank, footprint)
    before = tuple([side // 2 + o for side, o in zip(footprint.sides, origins, strict=True)])
    geometry = RankGeometry(shape, footprint, rank, mode, cval, before, x.dtype, ((x.shape, x.dtype),))
    return _shortened(geometry) if geometry.box else geometry


def _shortened(g: RankGeometry) -> RankGeometry:
    """The same minima or maxima under a window that is not much larger than the image.

    What is farther than the image is long from a pixel has been met before: on the window's other side, or within
    twice that length where it has none.
    """
    sides, before = [], []
    for n, side, reach in zip(g.shape[1:-1], g.footprint.sides, g.before, strict=True):
        behind = side - 1 - reach
        limit = n if min(reach, behind) >= n else 2 * n
        before.append(min(reach, limit))
        sides.append(before[-1] + 1 + min(behind, limit))
    footprint = Footprint(tuple(sides), None)
    return g._replace(footprint=footprint, before=tuple(before), rank=0 if g.rank == 0 else footprint.size - 1)


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
        raise ValueError(f"{name}: y expects {found} but got {y.shape} (x {x.shape}, footprint {footprint.sides})")
    return PlacesGeometry((n, h, w, c), footprint, x.dtype, ((found, np.dtype(np.int32)),))
