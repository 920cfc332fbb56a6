"""The definition of warping: each pixel of the result takes the image's value at the place that a matrix names.

Pixel (p, q) of the result, row p and column q, lies in the image at column u / w and row v / w with

    (u, v, w) = matrix @ (q, p, 1)

and takes the pixels around it along both axes with the weights of interpolation/reference.py. A pixel outside stands
for the one that `border` names, or for ``cval``. Where a nearest pixel is taken beside a mirror, the place is mirrored
before it is rounded, which matters between two pixels that are equally near.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import MIRROR, REFLECT, border
from ..correlation.window_reference import saturated
from ..interpolation.reference import NEAREST_EXACT, first_tap, floor, weight

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
def mirrored(place, size, mode, outside):
    """Where a nearest pixel is looked for along one axis, as SciPy does; other modes mirror their taps instead."""
    if mode != NEAREST_EXACT or 0.0 <= place < size or size == 1 or (outside != REFLECT and outside != MIRROR):
        return place
    gap = 1.0 if outside == REFLECT else 0.0  # between the last pixel and its image
    period = 2.0 * (size - 1.0 + gap)
    inside = place - period * floor(place / period)
    last = size - 1.0 if outside == MIRROR and place < 0.0 else size
    return period - gap - inside if inside >= last else inside


@register_jitable
def warped(x, m, n, p, q, c, taps, mode, outside, cval):
    """The weighted sum of x around the place of pixel (p, q)."""
    row, column = place_of(m, p, q)
    row, column = mirrored(row, x.shape[1], mode, outside), mirrored(column, x.shape[2], mode, outside)
    top, left = first_tap(mode, row), first_tap(mode, column)
    total = 0.0
    for s in range(taps):
        h, down = border(top + s, x.shape[1], outside), weight(mode, row - top, s)
        for t in range(taps):
            k, along = border(left + t, x.shape[2], outside), weight(mode, column - left, t)
            if down * along != 0.0:
                total += down * along * (cval if h < 0 or k < 0 else x[n, h, k, c])
    return total


def warp2d(x, matrices, y, taps, mode, outside, cval, limits):
    """``y[p, q]``: the weighted sum of x around the place of pixel (p, q).

    ``limits`` are the range of an integer result, two zeros for others.
    """
    low, high = limits
    for n, p, q, c in np.ndindex(y.shape):
        total = warped(x, matrices[n % len(matrices)], n, p, q, c, taps, mode, outside, cval)
        y[n, p, q, c] = saturated(total, low, high) if low < high else total


def warp2d_grad(gy, matrices, gx, taps, mode, outside):
    """Every number of ``gy`` is added, times the weights, to what it was made of."""
    _, H, W, _ = gx.shape
    gx[...] = 0
    for n, p, q, c in np.ndindex(gy.shape):
        row, column = place_of(matrices[n % len(matrices)], p, q)
        row, column = mirrored(row, H, mode, outside), mirrored(column, W, mode, outside)
        top, left = first_tap(mode, row), first_tap(mode, column)
        for s in range(taps):
            h, down = border(top + s, H, outside), weight(mode, row - top, s)
            for t in range(taps):
                k, along = border(left + t, W, outside), weight(mode, column - left, t)
                if h >= 0 and k >= 0 and down * along != 0.0:
                    gx[n, h, k, c] += down * along * gy[n, p, q, c]
