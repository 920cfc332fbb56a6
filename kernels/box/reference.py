"""The definition of the box filter in loops that can be checked by hand: the sum or the mean of a window.

sum[p, q] = sum over r < R, s < S of  x[p + r - R // 2 - origin[0], q + s - S // 2 - origin[1]]
"""

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import border
from ..correlation.window_reference import saturated

SUM, MEAN, DIVIDED = 0, 1, 2
"""What becomes of a sum: itself, the product with ``scale``, or ``(sum + offset) * factor >> 16``."""


def division(area):
    """``(offset, factor)`` by which OpenCV divides the sums of 8-bit windows of 2 to 256 pixels, in integers.

    Where ``factor = 65536 / area`` is rounded down, the sum is made larger by one more; so halves are rounded up, and
    where the division is exact (areas that are powers of two) smaller parts are too.

    >>> division(9), division(4)
    ((5, 7281), (3, 16384))
    """
    factor, rest = divmod(65536, area)
    return (area // 2 + 1, factor) if 2 * rest < area else (area // 2, factor + 1)


@register_jitable
def of_sum(total, kind, scale, offset, factor, low, high):
    """The result for one sum; ``[low, high]`` is the range of an integer result, two zeros for others."""
    if kind == DIVIDED:
        return (total + offset) * factor // 65536
    value = total * scale if kind == MEAN else total
    return saturated(value, low, high) if low < high else value


def box2d(x, y, shape, size, mode, cval, origin, kind, scale, offset, factor, limits):
    """x and y are ``shape = (outer, H, W, inner)``; the window is ``size``."""
    N, H, W, C = shape
    R, S = size
    low, high = limits
    source, target = x.reshape(shape), y.reshape(shape)
    for n in range(N):
        for p in range(H):
            for q in range(W):
                for c in range(C):
                    total = np.float64(0)
                    for r in range(R):
                        for s in range(S):
                            k = border(p + r - R // 2 - origin[0], H, mode)
                            m = border(q + s - S // 2 - origin[1], W, mode)
                            total += cval if k < 0 or m < 0 else source[n, k, m, c]
                    target[n, p, q, c] = of_sum(total, kind, scale, offset, factor, low, high)
