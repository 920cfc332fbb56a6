"""The measures of template matching that are no scores: from sums of products, and of squares where they need them.

    products              sum of I' T', both less their means (or less nothing)
    differences           sum (I - T)^2 = sum I^2 + sum T^2 - 2 sum I T
    normed_differences    that, over sqrt(sum I^2 sum T^2)

The products are those of the image with a *pattern* that carries all factors, so that what is left to do for a place is
one formula of one or two numbers, done where the products are written. Differences of small numbers on a high level
would lose their digits in sums of large squares: the template's mean is taken off both sides before, which changes no
difference. Normed ones have nothing to lose: their error is of the size of float64's rounding beside 1.
"""

import math
from typing import Any

import numpy as np
from numba.extending import register_jitable

from ..machine.memory import empty
from .cpu_windows import squares
from .geometry import CENTRES, MEASURES, MatchGeometry
from .pattern import centred
from .reference import LARGEST


def measured(measure: int) -> Any:
    """``of(products, squares, constant)`` of one place: NaN where its window is not finite."""

    @register_jitable
    def of(products, squares, constant):
        if measure == 1:
            return products * constant if abs(products) <= LARGEST else np.nan
        total = squares + constant + products if squares <= LARGEST else np.nan
        difference = total if not total < 0.0 else 0.0
        if measure == 2:
            return difference
        length = math.sqrt(squares) * math.sqrt(constant)
        quotient = difference / length if length != 0.0 else 1.0
        return quotient if not quotient > 1.0 else 1.0

    return of


class Measured:
    """``(pattern, squares, levels, constant)`` of a call: what the products are taken with and the formula needs.

    ``squares`` (N, P, Q) float64 are those of the windows less ``levels`` (C,), or None for products alone. The levels
    come from the template, not from the images, so that results do not depend on the batch.
    """

    def __init__(self, g: MatchGeometry) -> None:
        self.g = g
        self.squares = squares(g) if g.measure > MEASURES["products"] else None

    def __call__(self, x: Any, template: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, float]:
        g = self.g
        levels = np.zeros(g.c)
        with np.errstate(invalid="ignore", over="ignore"):
            if g.dtype != np.uint8 and (g.measure == MEASURES["differences"] or g.centre):
                axes = (0, 1, 2) if g.centre == CENTRES["all"] else (0, 1)
                levels += template.mean(axis=axes, dtype=np.float64).astype(g.dtype)
            if self.squares is None:
                pattern, count = centred(template, g)
                return pattern, None, levels, 1.0 / count
            wide = template.astype(np.float64) - levels
            sums = empty((g.n, g.p, g.q), np.dtype(np.float64))
            self.squares(x, sums, np.broadcast_to(levels, (g.n, g.c)))
            return -2.0 * wide, sums, levels, float(np.square(wide).sum())
