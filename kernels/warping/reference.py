"""The definition of warping: each pixel of the result takes the image's value at the place that a matrix names.

Pixel (p, q) of the result, row p and column q, lies in the image at column u / w and row v / w with

    (u, v, w) = matrix @ (q, p, 1)

and takes the pixels around it along both axes with the weights of interpolation/reference.py. A pixel outside stands
for the one that `border` names, or for ``cval``.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import border
from ..interpolation.reference import first_tap, weight

FARTHEST = 1e9


@register_jitable
def coordinate(numerator, denominator):
    """The quotient, as far as an index can follow it; not a number counts as far on the left."""
    x = numerator / denominator if denominator != 0.0 else math.inf
    if x >= FARTHEST:
        return FARTHEST
    return x if x > -FARTHEST else -FARTHEST


@register_jitable
def place_of(m, p, q):
    """The row and the column in the image of pixel (p, q) of the result."""
    w = m[2, 0] * q + m[2, 1] * p + m[2, 2]
    column = coordinate(m[0, 0] * q + m[0, 1] * p + m[0, 2], w)
    return coordinate(m[1, 0] * q + m[1, 1] * p + m[1, 2], w), column


@register_jitable
def warped(x, m, n, p, q, c, taps, mode, outside, cval):
    """The weighted sum of x around the place of pixel (p, q)."""
    row, column = place_of(m, p, q)
    top, left = first_tap(mode, row), first_tap(mode, column)
    total = 0.0
    for s in range(taps):
        h, down = border(top + s, x.shape[1], outside), weight(mode, row - top, s)
        for t in range(taps):
            k, along = border(left + t, x.shape[2], outside), weight(mode, column - left, t)
            if down * along != 0.0:
                total += down * along * (cval if h < 0 or k < 0 else x[n, h, k, c])
    return total


def warp2d(x, matrices, y, taps, mode, outside, cval):
    """``y[p, q]``: the weighted sum of x around the place of pixel (p, q)."""
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = warped(x, matrices[n % len(matrices)], n, p, q, c, taps, mode, outside, cval)


def warp2d_grad(gy, matrices, gx, taps, mode, outside):
    """Every number of ``gy`` is added, times the weights, to what it was made of."""
    _, H, W, _ = gx.shape
    gx[...] = 0
    for n, p, q, c in np.ndindex(gy.shape):
        row, column = place_of(matrices[n % len(matrices)], p, q)
        top, left = first_tap(mode, row), first_tap(mode, column)
        for s in range(taps):
            h, down = border(top + s, H, outside), weight(mode, row - top, s)
            for t in range(taps):
                k, along = border(left + t, W, outside), weight(mode, column - left, t)
                if h >= 0 and k >= 0 and down * along != 0.0:
                    gx[n, h, k, c] += down * along * gy[n, p, q, c]
