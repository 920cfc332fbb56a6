"""Variant "boxes": minima and maxima under full windows of more than two axes, two neighbouring axes after the other.

A minimum of minima is one of all: so two or one of the axes are filtered at a time, from the last on, by
`min_filter2d` or `max_filter2d`, and the axes behind count as channels. On either device.
"""

import math
from typing import Any

from ..operation import Run
from . import MAX_FILTER2D, MIN_FILTER2D
from .geometry import Footprint, RankGeometry


def rejects(g: RankGeometry) -> str | None:
    """Why this variant does not take a call."""
    return None if g.box else "takes minima and maxima under full windows"


def build(g: RankGeometry) -> Run:
    """The shapes and arguments of each step; the operations choose their own variants."""
    operation = MAX_FILTER2D if g.rank > 0 else MIN_FILTER2D
    n, *sizes, c = g.shape
    steps = []
    for first, last in g.pairs:
        sides, before = g.footprint.sides[first:last], g.before[first:last]
        if math.prod(sides) == 1:
            continue
        shape = math.prod((n, *sizes[:first])), *sizes[first:last], math.prod((*sizes[last:], c))
        if last - first == 1:  # the first axis: all others are one row of it
            sides, before, shape = (*sides, 1), (*before, 0), (*shape, 1)
        origin = tuple([b - side // 2 for b, side in zip(before, sides, strict=True)])
        steps.append((shape, (Footprint(sides, None), g.mode, g.cval, origin)))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        if not steps:
            y[...] = x
        for number, (shape, args) in enumerate(steps, 1):
            x = operation.run((x.reshape(shape),), args, y.reshape(shape) if number == len(steps) else None)

    return run
