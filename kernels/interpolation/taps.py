"""The taps of both axes, made with the plan: of each row of the result which rows of the image it is made of."""

from typing import TYPE_CHECKING

from ..machine.separable import Taps
from .reference import tap

if TYPE_CHECKING:
    from . import Interpolation


def taps_of(g: "Interpolation") -> tuple[Taps, Taps]:
    """Of rows and of columns; transposed they are those of the adjoint."""
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
