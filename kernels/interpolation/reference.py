"""The definition of interpolation: where each pixel of the result lies in the image, and what it takes of there.

Along each axis the result's pixel i lies at x, in pixels of the image, of which ``scale`` fit one of the result:

    nearest, nearest-below      the pixel floor(i * scale), "nearest-below" also where rounding has put i * scale just
                                below a whole number, as OpenCV's INTER_NEAREST takes it
    align_corners               x = i * (size - 1) / (count - 1): first and last pixels lie on each other
    otherwise                   x = (i + 1/2) * scale - 1/2: the images' borders lie on each other

and takes the ``TAPS[mode]`` pixels around x, with the weights that `weight` gives them:

    nearest-exact               the nearest, of two the one that comes later
    nearest-even                the nearest, of two the even one; for warps alone (warping/reference.py)
    bilinear                    a straight line
    bicubic, catmull-rom        Keys' cubic, with a = -3/4 and a = -1/2
    lanczos4                    Lanczos' windowed sine of four pixels on each side, scaled to a sum of 1
    spline2 ... spline5         a B-spline of that degree, which the image's pixels are coefficients of

"area" takes every pixel by how much of the result's pixel it covers. With antialias, the straight line and the cubic
(a = -1/2) become as wide as a pixel of the result, and weights of what lies outside go to the rest.

Beyond the border stands what `border` says. A ``margin`` is a frame of as many pixels on each side that belongs to the
image's surroundings: positions count from inside of it.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import NEAREST as EDGE
from ..correlation.reference import border
from ..correlation.window_reference import saturated

MODES = (
    "nearest", "bilinear", "bicubic", "nearest-exact", "catmull-rom", "lanczos4",
    "spline2", "spline3", "spline4", "spline5", "area", "nearest-below",
)  # fmt: skip
NEAREST, BILINEAR, BICUBIC, NEAREST_EXACT, CATMULL_ROM, LANCZOS4 = range(6)
SPLINE2, SPLINE5, AREA, NEAREST_BELOW, NEAREST_EVEN = 6, 9, 10, 11, 12  # the last for warps alone
TAPS = (1, 2, 4, 1, 4, 8, 3, 4, 5, 6, 0, 1, 1)
_WHOLE = 1e-9  # rounding must not take a position that is a whole number for one below


@register_jitable
def floor(x):
    """The largest whole number that is not above x, as an integer: CUDA's own is a float."""
    return int(math.floor(x))  # noqa: RUF046


@register_jitable
def keys(distance, a):
    """Keys' cubic, which is 0 from a distance of 2 on."""
    if distance < 1.0:
        return ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0
    if distance < 2.0:
        return ((a * distance - 5.0 * a) * distance + 8.0 * a) * distance - 4.0 * a
    return 0.0


@register_jitable
def b_spline(degree, x):
    """The centred B-spline: its truncated powers are summed from the side on which few of them are not 0."""
    x = 0.5 * (degree + 1) - abs(x)
    total, binomial, factorial = 0.0, 1.0, 1.0
    for j in range(degree + 1):
        if x > j:
            total += binomial * (x - j) ** degree
        binomial *= -(degree + 1.0 - j) / (j + 1.0)
        factorial *= max(1, j)
    return total / factorial


@register_jitable
def lanczos(distance):
    """Lanczos' windowed sine of four pixels on each side."""
    if distance == 0.0:
        return 1.0
    if abs(distance) >= 4.0:
        return 0.0
    angle = math.pi * distance
    return 4.0 * math.sin(angle) * math.sin(angle / 4.0) / (angle * angle)


@register_jitable
def first_tap(mode, x):
    """The leftmost pixel that position x takes, on the line of whole numbers."""
    if mode == NEAREST_EXACT:
        return floor(x + 0.5)
    if mode == NEAREST_EVEN:
        return round(x)
    if mode == BILINEAR:
        return floor(x)
    if mode == LANCZOS4:
        return floor(x) - 3
    if SPLINE2 <= mode <= SPLINE5:
        degree = mode - SPLINE2 + 2
        return floor(x if degree % 2 else x + 0.5) - degree // 2
    return floor(x) - 1


@register_jitable
def weight(mode, part, t):
    """The weight of tap t, for a position that lies ``part`` to the right of `first_tap`."""
    distance = abs(part - t)
    if mode in (NEAREST_EXACT, NEAREST_EVEN):
        return 1.0
    if mode == BILINEAR:
        return part if t == 1 else 1.0 - part
    if mode == BICUBIC:
        return keys(distance, -0.75)
    if mode == CATMULL_ROM:
        return keys(distance, -0.5)
    if mode == LANCZOS4:
        total = 0.0
        for s in range(8):
            total += lanczos(part - s)
        return lanczos(distance) / total
    return b_spline(mode - SPLINE2 + 2, distance)


@register_jitable
def area_tap(i, t, size, count, scale, align_corners):
    """Pixel and weight of tap t of "area": the part of the result's pixel i that a pixel of the image covers."""
    low, high, half = i * scale, (i + 1) * scale, 0.0
    if align_corners:  # pixels are points, and those at the ends have half the room
        step = (size - 1) / (count - 1) if count > 1 else 2.0 * size
        low, high, half = (i - 0.5) * step, (i + 0.5) * step, 0.5
    low, high = max(low, 0.0), min(high, size - 2.0 * half)
    if high <= low:  # an image of one point
        return 0, 1.0 if t == 0 else 0.0
    index = floor(low + half) + t
    if index >= size:
        return size - 1, 0.0
    covered = min(high, index + 1.0 - half) - max(low, index - half)
    return index, max(covered, 0.0) / (high - low)


@register_jitable
def wide_tap(i, t, size, scale, mode):
    """Pixel and weight of tap t where the filter is as wide as a pixel of the result: antialias."""
    wide = max(scale, 1.0)
    reach = wide if mode == BILINEAR else 2.0 * wide
    middle = (i + 0.5) * scale
    first = max(floor(middle - reach + 0.5), 0)
    last = min(floor(middle + reach + 0.5), size)
    if first + t >= last:
        return size - 1, 0.0
    total, found = 0.0, 0.0
    for index in range(first, last):
        distance = abs(index + 0.5 - middle) / wide
        value = max(0.0, 1.0 - distance) if mode == BILINEAR else keys(distance, -0.5)
        total += value
        if index == first + t:
            found = value
    return first + t, found / total


@register_jitable
def tap(i, t, size, count, scale, mode, align_corners, antialias, outside, margin):
    """Index and weight of tap t of the result's pixel i; the index is -1 where there is nothing."""
    if mode == NEAREST:
        return min(floor(i * scale + _WHOLE), size - 1), 1.0
    if mode == NEAREST_BELOW:
        return min(floor(i * scale), size - 1), 1.0
    if mode == AREA:
        return area_tap(i, t, size, count, scale, align_corners)
    if antialias:
        return wide_tap(i, t, size, scale, mode)
    x = (i + 0.5) * scale - 0.5 + margin
    if align_corners:
        x = i * (size - 1) / (count - 1) if count > 1 else 0.0
    if mode == BILINEAR and outside == EDGE:
        x = max(x, 0.0)
    first = first_tap(mode, x)
    return border(first + t, size, outside), weight(mode, x - first, t)


@register_jitable
def interpolated(x, n, p, q, c, size, taps, scale, mode, align_corners, antialias, outside, margin):
    """The result's pixel (p, q): the sum over the taps of both axes of the product of their weights and x there."""
    _, H, W, _ = x.shape
    total = 0.0
    for s in range(taps[0]):
        h, down = tap(p, s, H, size[0], scale[0], mode, align_corners, antialias, outside, margin[0])
        for t in range(taps[1]):
            w, along = tap(q, t, W, size[1], scale[1], mode, align_corners, antialias, outside, margin[1])
            if h >= 0 and w >= 0 and down * along != 0.0:
                total += down * along * x[n, h, w, c]
    return total


def interpolate(x, y, taps, scale, mode, align_corners, antialias, outside, margin, limits):
    """``y[p, q]``: the sum over the taps of both axes of the product of their weights and x there.

    ``limits`` are the range of an integer result, two zeros for others.
    """
    how = taps, scale, mode, align_corners, antialias, outside, margin
    size, (low, high) = y.shape[1:3], limits
    for n, p, q, c in np.ndindex(y.shape):
        total = interpolated(x, n, p, q, c, size, *how)
        y[n, p, q, c] = saturated(total, low, high) if low < high else total


def interpolate_grad(gy, gx, taps, scale, mode, align_corners, antialias, outside, margin):
    """Every number of ``gy`` is added, times the weights, to what it was made of."""
    _, H, W, _ = gx.shape
    _, P, Q, _ = gy.shape
    gx[...] = 0
    for n, p, q, c in np.ndindex(gy.shape):
        for s in range(taps[0]):
            h, down = tap(p, s, H, P, scale[0], mode, align_corners, antialias, outside, margin[0])
            for t in range(taps[1]):
                w, along = tap(q, t, W, Q, scale[1], mode, align_corners, antialias, outside, margin[1])
                if h >= 0 and w >= 0 and down * along != 0.0:
                    gx[n, h, w, c] += down * along * gy[n, p, q, c]
