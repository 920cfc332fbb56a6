"""The definition of interpolation: where each pixel of the result lies in the image, and what it takes of there.

Along each axis the result's pixel i lies at x, in pixels of the image, of which ``scale`` fit one of the result:

    nearest                     the pixel floor(i * scale)
    align_corners               x = i * (size - 1) / (count - 1): first and last pixels lie on each other
    otherwise                   x = (i + 1/2) * scale - 1/2: the images' borders lie on each other

and takes its neighbours floor(x) .. with the weights of a straight line ("bilinear") or of Keys' cubic with a = -3/4
("bicubic"). Beyond the border stands the pixel next to it.
"""

import math

import numpy as np
from numba.extending import register_jitable

MODES = ("nearest", "bilinear", "bicubic")
NEAREST, BILINEAR, BICUBIC = range(3)
_A = -0.75
_WHOLE = 1e-9  # rounding must not take a position that is a whole number for one below


@register_jitable
def near(distance):
    """Keys' cubic up to a distance of 1."""
    return ((_A + 2.0) * distance - (_A + 3.0)) * distance * distance + 1.0


@register_jitable
def far(distance):
    """Keys' cubic from 1 to 2."""
    return ((_A * distance - 5.0 * _A) * distance + 8.0 * _A) * distance - 4.0 * _A


@register_jitable
def tap(i, t, size, count, scale, mode, align_corners):
    """Index and weight of tap t of the result's pixel i: 1, 2 or 4 of them."""
    if mode == NEAREST:
        return min(math.floor(i * scale + _WHOLE), size - 1), 1.0
    x = (i + 0.5) * scale - 0.5
    if align_corners:
        x = i * (size - 1) / (count - 1) if count > 1 else 0.0
    if mode == BILINEAR:
        x = max(x, 0.0)
    first = math.floor(x)
    part = x - first
    if mode == BILINEAR:
        return min(first + t, size - 1), part if t == 1 else 1.0 - part
    index = min(max(first - 1 + t, 0), size - 1)
    if t == 0:
        return index, far(part + 1.0)
    if t == 1:
        return index, near(part)
    if t == 2:
        return index, near(1.0 - part)
    return index, far(2.0 - part)


def interpolate(x, y, taps, scale, mode, align_corners):
    """``y[p, q]``: the sum over the taps of both axes of the product of their weights and x there."""
    _, H, W, _ = x.shape
    _, P, Q, _ = y.shape
    for n, p, q, c in np.ndindex(y.shape):
        total = 0.0
        for s in range(taps):
            h, down = tap(p, s, H, P, scale[0], mode, align_corners)
            for t in range(taps):
                w, along = tap(q, t, W, Q, scale[1], mode, align_corners)
                if down * along != 0.0:
                    total += down * along * x[n, h, w, c]
        y[n, p, q, c] = total


def interpolate_grad(gy, gx, taps, scale, mode, align_corners):
    """Every number of ``gy`` is added, times the weights, to what it was made of."""
    _, H, W, _ = gx.shape
    _, P, Q, _ = gy.shape
    gx[...] = 0
    for n, p, q, c in np.ndindex(gy.shape):
        for s in range(taps):
            h, down = tap(p, s, H, P, scale[0], mode, align_corners)
            for t in range(taps):
                w, along = tap(q, t, W, Q, scale[1], mode, align_corners)
                if down * along != 0.0:
                    gx[n, h, w, c] += down * along * gy[n, p, q, c]
