"""The "separable" variant: a few taps along columns, then along rows."""

from typing import TYPE_CHECKING

from ..machine.memory import empty
from ..machine.separable import Separable, Taps
from ..operation import Run
from .reference import tap

if TYPE_CHECKING:
    from . import Interpolation


def _taps(g: "Interpolation") -> tuple[Taps, Taps]:
    axes = []
    how = g.mode, g.align_corners, g.antialias, g.border
    for size, count, scale, taps, margin in zip(g.image[1:3], g.size, g.scale, g.taps, g.margin, strict=True):
        lists = []
        for i in range(count):
            weights: dict[int, float] = {}  # beyond the border, several taps are one
            for t in range(taps):
                index, weight = tap(i, t, size, count, scale, *how, margin)
                if index >= 0:
                    weights[index] = weights.get(index, 0.0) + weight
            lists.append(list(weights.items()))
        axes.append(Taps.of(lists, size))
    return axes[0], axes[1]


def build(g: "Interpolation") -> Run:
    """What runs a planned `interpolate`."""
    empty(*g.outputs[0])  # what memory cannot hold is refused before tables of its size are made
    rows, columns = _taps(g)
    return Separable(g.image[0], g.image[3], rows, columns, g.dtype)


def build_grad(g: "Interpolation") -> Run:
    """What runs a planned `interpolate_grad`."""
    rows, columns = _taps(g)
    return Separable(g.image[0], g.image[3], rows.transposed(), columns.transposed(), g.dtype)
