"""The definition of a pyramid's next pictures."""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import MIRROR, border

WEIGHTS = (1.0, 4.0, 6.0, 4.0, 1.0)


@register_jitable
def smaller(x, n, p, q, c, outside, whole):
    """The smaller image's pixel (p, q): the mean of 5 x 5 around the pixel (2 p, 2 q)."""
    total = 0.0
    for s in range(5):
        row = border(2 * p + s - 2, x.shape[1], outside)
        for t in range(5):
            total += WEIGHTS[s] * WEIGHTS[t] * x[n, row, border(2 * q + t - 2, x.shape[2], outside), c]
    return math.floor(total / 256 + 0.5) if whole else total / 256


@register_jitable
def larger(x, n, p, q, c, whole):
    """The larger image's pixel (p, q), of which every second one along each axis is not 0 before the blur."""
    total = 0.0
    for s in range(5):
        row = border(p + s - 2, 2 * x.shape[1], MIRROR)
        for t in range(5):
            column = border(q + t - 2, 2 * x.shape[2], MIRROR)
            if row % 2 == 0 and column % 2 == 0:
                total += WEIGHTS[s] * WEIGHTS[t] * x[n, row // 2, column // 2, c]
    return math.floor(total / 64 + 0.5) if whole else total / 64


def pyramid_down(x, y, outside, whole):
    """Every second pixel of the blurred image."""
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = smaller(x, n, p, q, c, outside, whole)


def pyramid_up(x, y, whole):
    """The blurred image of pixels and zeros."""
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = larger(x, n, p, q, c, whole)
