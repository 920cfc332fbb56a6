"""The definition of correlation with weights of two axes, and of its gradients, in loops that can be checked by hand.

    y[p, q] = delta + sum over r, s of  weights[r, s] * x[p + r - R // 2 - origin[0], q + s - S // 2 - origin[1]]

for each image and channel; a position outside the image stands for the pixel that `border` names.
"""

import numpy as np
from numba.extending import register_jitable

from .reference import border


@register_jitable
def saturated(value, low, high):
    """The nearest integer, of two the even one, inside ``[low, high]``; the least for NaN."""
    if not value > low:
        return low
    return high if value > high else np.rint(value)


def correlate2d(x, weights, y, mode, cval, origin, delta, limits):
    """``limits`` are the least and the largest value of an integer type of ``y``; two zeros otherwise."""
    N, H, W, C = x.shape
    R, S = weights.shape
    low, high = limits
    for n in range(N):
        for p in range(H):
            for q in range(W):
                for c in range(C):
                    total = delta
                    for r in range(R):
                        for s in range(S):
                            k = border(p + r - R // 2 - origin[0], H, mode)
                            m = border(q + s - S // 2 - origin[1], W, mode)
                            total += weights[r, s] * (cval if k < 0 or m < 0 else x[n, k, m, c])
                    y[n, p, q, c] = saturated(total, low, high) if low < high else total


def correlate2d_input_grad(gy, weights, gx, mode, origin):
    """Every product of `correlate2d` sends its gradient back to the pixel that it read."""
    N, H, W, C = gy.shape
    R, S = weights.shape
    gx[...] = 0
    for n in range(N):
        for p in range(H):
            for q in range(W):
                for c in range(C):
                    for r in range(R):
                        for s in range(S):
                            k = border(p + r - R // 2 - origin[0], H, mode)
                            m = border(q + s - S // 2 - origin[1], W, mode)
                            if k >= 0 and m >= 0:
                                gx[n, k, m, c] += weights[r, s] * gy[n, p, q, c]


def correlate2d_weight_grad(gy, x, gw, mode, cval, origin):
    """A weight's gradient: the products of what it read and of what came of it."""
    N, H, W, C = gy.shape
    R, S = gw.shape
    for r in range(R):
        for s in range(S):
            total = 0.0
            for n in range(N):
                for p in range(H):
                    for q in range(W):
                        for c in range(C):
                            k = border(p + r - R // 2 - origin[0], H, mode)
                            m = border(q + s - S // 2 - origin[1], W, mode)
                            total += gy[n, p, q, c] * (cval if k < 0 or m < 0 else x[n, k, m, c])
            gw[r, s] = total
