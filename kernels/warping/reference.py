"""The definition of warping: each pixel of the result takes the image's value at the place that a matrix names.

Pixel (p, q) of the result, row p and column q, lies in the image at column u / w and row v / w with

    (u, v, w) = matrix @ (q, p, 1)

and takes the pixels around it along both axes with the weights of interpolation/reference.py. A pixel outside stands
for the one that `border` names, or for ``cval``. Where a nearest pixel is taken beside a mirror, the place is mirrored
before it is rounded, which matters between two pixels that are equally near; not so with "nearest-even".

"nearest-even" is OpenCV's: every number on the way to a place is rounded to float32 (but for the product with q, which
is added before), places between two pixels to the even one, and a place beyond 32-bit integers is their least.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import MIRROR, REFLECT, border
from ..correlation.window_reference import saturated
from ..interpolation.reference import NEAREST_EVEN, NEAREST_EXACT, first_tap, floor, weight

FARTHEST = 1e9


@register_jitable
def narrow(x):
    """The nearest number of float32."""
    return np.float64(np.float32(x))


@register_jitable
def start(mode, slope, p):
    """What row p adds to a line."""
    return narrow(narrow(slope) * p) if mode == NEAREST_EVEN else slope * p


@register_jitable
def line(mode, slope, q, begun, offset):
    """``slope * q + begun + offset``; see the head of this file for how it is rounded."""
    if mode == NEAREST_EVEN:
        return narrow(narrow(slope) * q + narrow(begun + narrow(offset)))
    return slope * q + begun + offset


@register_jitable
def coordinate(mode, numerator, denominator):
    """The quotient, as far as an index can follow it; not a number counts as far on the left."""
    x = numerator / denominator if denominator != 0.0 else math.inf
    if mode == NEAREST_EVEN:
        return narrow(x) if abs(x) < 2.0**31 else -(2.0**31)
    if x >= FARTHEST:
        return FARTHEST
    return x if x > -FARTHEST else -FARTHEST


@register_jitable
def place_of(mode, m, p, q):
    """The row and the column in the image of pixel (p, q) of the result."""
    w = line(mode, m[2, 0], q, start(mode, m[2, 1], p), m[2, 2])
    column = coordinate(mode, line(mode, m[0, 0], q, start(mode, m[0, 1], p), m[0, 2]), w)
    return coordinate(mode, line(mode, m[1, 0], q, start(mode, m[1, 1], p), m[1, 2]), w), column


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
    row, column = place_of(mode, m, p, q)
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
        row, column = place_of(mode, matrices[n % len(matrices)], p, q)
        row, column = mirrored(row, H, mode, outside), mirrored(column, W, mode, outside)
        top, left = first_tap(mode, row), first_tap(mode, column)
        for s in range(taps):
            h, down = border(top + s, H, outside), weight(mode, row - top, s)
            for t in range(taps):
                k, along = border(left + t, W, outside), weight(mode, column - left, t)
                if h >= 0 and k >= 0 and down * along != 0.0:
                    gx[n, h, k, c] += down * along * gy[n, p, q, c]
