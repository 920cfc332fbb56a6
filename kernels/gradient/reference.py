"""The definitions of derivatives of images, in loops that can be checked by hand.

A derivative is a correlation with a product of weights, down the columns and along the rows:

    y[p, q] = sum over r, s of  column[r] * row[s] * x[p + r - taps // 2, q + s - taps // 2]

with the image continued at its border (../correlation/reference.py draws the modes).
"""

import math

from numba.extending import register_jitable

from ..correlation.reference import border

LEAST, LARGEST = -32768, 32767


@register_jitable
def derivative_at(x, column, row, o, p, q, c, mode, cval):
    """An integer; sums beyond 16 bits become the nearest number that there is."""
    total = 0
    for r in range(column.size):
        for s in range(row.size):
            a = border(p + r - column.size // 2, x.shape[1], mode)
            b = border(q + s - row.size // 2, x.shape[2], mode)
            value = cval if a < 0 or b < 0 else int(x[o, a, b, c])
            total += int(column[r]) * int(row[s]) * value
    return min(max(total, LEAST), LARGEST)


def derivative2d(x, column, row, y, outer, h, w, inner, mode, cval):
    """x and y are ``(outer, h, w, inner)``."""
    source, target = x.reshape((outer, h, w, inner)), y.reshape((outer, h, w, inner))
    for o in range(outer):
        for p in range(h):
            for q in range(w):
                for c in range(inner):
                    target[o, p, q, c] = derivative_at(source, column, row, o, p, q, c, mode, cval)


@register_jitable
def laplacian_at(x, corners, o, p, q, c, mode, cval):
    """The sum of the four neighbours beside a pixel less four times it; or twice that of those at its corners."""
    total = 0
    for r in (-1, 0, 1):
        for s in (-1, 0, 1):
            if (abs(r) + abs(s) == 2) if corners else (abs(r) + abs(s) == 1):
                a, b = border(p + r, x.shape[1], mode), border(q + s, x.shape[2], mode)
                total += (cval if a < 0 or b < 0 else int(x[o, a, b, c])) - int(x[o, p, q, c])
    return 2 * total if corners else total


def laplacian2d(x, y, outer, h, w, inner, mode, cval, corners):
    """x and y are ``(outer, h, w, inner)``."""
    source, target = x.reshape((outer, h, w, inner)), y.reshape((outer, h, w, inner))
    for o in range(outer):
        for p in range(h):
            for q in range(w):
                for c in range(inner):
                    target[o, p, q, c] = laplacian_at(source, corners, o, p, q, c, mode, cval)


@register_jitable
def blurred_at(x, blur, o, a, b, c, mode, cval):
    """The image, correlated with ``blur`` along both axes, at a position; outside it is ``cval``."""
    if a < 0 or b < 0:
        return cval
    if blur is None:
        return x[o, a, b, c]
    total, taps = 0.0, blur.size
    for r in range(taps):
        for s in range(taps):
            i, j = border(a + r - taps // 2, x.shape[1], mode), border(b + s - taps // 2, x.shape[2], mode)
            total += blur[r] * blur[s] * (cval if i < 0 or j < 0 else x[o, i, j, c])
    return total


@register_jitable
def magnitude_at(x, smooth, slope, blur, o, p, q, c, mode, cval):
    """The root of the mean square of both derivatives; ``slope`` is applied along one axis, ``smooth`` across it."""
    taps = smooth.size
    down, along = 0.0, 0.0
    for r in range(taps):
        for s in range(taps):
            a, b = border(p + r - taps // 2, x.shape[1], mode), border(q + s - taps // 2, x.shape[2], mode)
            value = blurred_at(x, blur, o, a, b, c, mode, cval)
            down += slope[r] * smooth[s] * value
            along += smooth[r] * slope[s] * value
    return math.sqrt(down * down + along * along) / math.sqrt(2.0)


def gradient_magnitude2d(x, smooth, slope, blur, y, outer, h, w, inner, mode, cval):
    """x and y are ``(outer, h, w, inner)``."""
    source, target = x.reshape((outer, h, w, inner)), y.reshape((outer, h, w, inner))
    for o in range(outer):
        for p in range(h):
            for q in range(w):
                for c in range(inner):
                    target[o, p, q, c] = magnitude_at(source, smooth, slope, blur, o, p, q, c, mode, cval)
