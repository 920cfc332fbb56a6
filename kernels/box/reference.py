"""The definition of the box filter in loops that can be checked by hand: the sum or the mean of a window.

sum[p, q] = sum over r < R, s < S of  x[p + r - R // 2 - origin[0], q + s - S // 2 - origin[1]]
"""

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import border
from ..correlation.window_reference import saturated

SUM, MEAN, DIVIDED = 0, 1, 2
"""What becomes of a sum: itself, the product with ``scale``, or ``(sum + offset) // area``."""


@register_jitable
def of_sum(total, kind, scale, offset, area, low, high):
    """The result for one sum; ``[low, high]`` is the range of an integer result, two zeros for others."""
    if kind == DIVIDED:
        return min((total + offset) // area, high)
    value = total * scale if kind == MEAN else total
    return saturated(value, low, high) if low < high else value


@register_jitable
def sum_at(x, n, p, q, c, size, mode, cval, origin):
    """The sum of the window around pixel (p, q)."""
    R, S = size
    total = np.float64(0)
    for r in range(R):
        for s in range(S):
            k = border(p + r - R // 2 - origin[0], x.shape[1], mode)
            m = border(q + s - S // 2 - origin[1], x.shape[2], mode)
            total += cval if k < 0 or m < 0 else x[n, k, m, c]
    return total


def box2d(x, y, shape, size, mode, cval, origin, kind, scale, offset, limits):
    """x and y are ``shape = (outer, H, W, inner)``; the window is ``size``."""
    N, H, W, C = shape
    low, high = limits
    source, target = x.reshape(shape), y.reshape(shape)
    for n in range(N):
        for p in range(H):
            for q in range(W):
                for c in range(C):
                    total = sum_at(source, n, p, q, c, size, mode, cval, origin)
                    target[n, p, q, c] = of_sum(total, kind, scale, offset, size[0] * size[1], low, high)
