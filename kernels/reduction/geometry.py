"""Which axes a reduction removes, and how it becomes passes over matrices."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arguments import check_real
from ..operation import Spec


class Pass(NamedTuple):
    """A C-contiguous (outer, rows, inner) array to be summed over its rows."""

    outer: int
    rows: int
    inner: int


@dataclass(frozen=True)
class Reduction:
    """A sum over some axes, times ``scale``. ``passes`` follow one another: each result is the next one's input."""

    dtype: np.dtype
    shape: tuple[int, ...]
    steps: tuple[int, ...]
    passes: tuple[Pass, ...]
    scale: float
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """One addition for each number."""
        return math.prod(self.shape)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x and y, each once."""
        return self.dtype.itemsize * (math.prod(self.shape) + math.prod(self.outputs[0][0]))


def reduced_axes(name: str, axis: Any, axes: int) -> tuple[int, ...]:
    """``axis`` as a tuple of axes counted from the front, ascending.

    >>> reduced_axes("sum", (-1, 0), 4)
    (0, 3)
    """
    if axis is None:
        return tuple(range(axes))
    many = axis if isinstance(axis, tuple | list) else (axis,)
    if not all(isinstance(a, int | np.integer) and not isinstance(a, bool) for a in many):
        raise TypeError(f"{name}: axis expects None, an integer or a tuple of integers but got {axis!r}")
    found = sorted(int(a) + axes if a < 0 else int(a) for a in many)
    if any(a < 0 or a >= axes for a in found) or len(set(found)) < len(found):
        raise ValueError(f"{name}: axis expects distinct axes of an array with {axes} but got {axis!r}")
    return tuple(found)


def reduction(name: str, x: Spec, axis: Any, keepdims: bool, mean: bool) -> Reduction:
    """Check a call and plan its passes."""
    check_real(name, "x", x)
    reduced = reduced_axes(name, axis, len(x.shape))
    if keepdims:
        shape = tuple(1 if a in reduced else extent for a, extent in enumerate(x.shape))
    else:
        shape = tuple(extent for a, extent in enumerate(x.shape) if a not in reduced)
    steps, step = [0] * len(x.shape), 1
    for a in reversed(range(len(x.shape))):
        if a not in reduced:
            steps[a] = step
            step *= x.shape[a]
    count = math.prod(x.shape[a] for a in reduced)
    scale = (1 / count if count else math.nan) if mean else 1.0
    # A reference walks at least one axis.
    walked, moves = (x.shape, tuple(steps)) if x.shape else ((1,), (0,))
    return Reduction(x.dtype, walked, moves, _passes(x.shape, reduced), scale, ((shape, x.dtype),))


def _passes(shape: tuple[int, ...], reduced: tuple[int, ...]) -> tuple[Pass, ...]:
    """Passes that reduce runs of neighbouring axes, the innermost run first.

    >>> _passes((2, 3, 4, 5), (0, 1, 2))
    (Pass(outer=1, rows=24, inner=5),)
    >>> _passes((2, 3, 4, 5), (0, 2))
    (Pass(outer=6, rows=4, inner=5), Pass(outer=1, rows=2, inner=15))
    """
    runs: list[tuple[bool, int]] = []
    for axis, extent in enumerate(shape):
        if extent == 1:
            continue
        if runs and runs[-1][0] == (axis in reduced):
            runs[-1] = (runs[-1][0], runs[-1][1] * extent)
        else:
            runs.append((axis in reduced, extent))
    passes, inner = [], 1
    while runs:
        is_reduced, extent = runs.pop()
        if is_reduced:
            passes.append(Pass(math.prod(n for _, n in runs), extent, inner))
        else:
            inner *= extent
    return tuple(passes) or (Pass(1, 1, math.prod(shape)),)
