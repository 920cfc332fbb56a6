"""The definition of correlation with weights of two axes, and of its gradients, in loops that can be checked by hand.

    y[p, q] = delta + sum over r, s of  weights[r, s] * x[p + r - R // 2 - origin[0], q + s - S // 2 - origin[1]]

for each image and channel; a position outside the image stands for the pixel that `border` names.
"""

from numba.extending import register_jitable

from .reference import border


@register_jitable
def saturated(value, low, high):
    """The nearest integer, of two the even one, inside ``[low, high]``; the least for NaN."""
    if not value > low:
        return low
    return high if value > high else float(round(value))


@register_jitable
def window_sum(x, weights, n, p, q, c, mode, cval, origin, delta):
    """``y`` at a pixel."""
    R, S = weights.shape
    total = delta
    for r in range(R):
        for s in range(S):
            k = border(p + r - R // 2 - origin[0], x.shape[1], mode)
            m = border(q + s - S // 2 - origin[1], x.shape[2], mode)
            total += weights[r, s] * (cval if k < 0 or m < 0 else x[n, k, m, c])
    return total


def correlate2d(x, weights, y, mode, cval, origin, delta, limits):
    """``limits`` are the least and the largest value of an integer type of ``y``; two zeros otherwise."""
    N, H, W, C = x.shape
    low, high = limits
    for n in range(N):
        for p in range(H):
            for q in range(W):
                for c in range(C):
                    total = window_sum(x, weights, n, p, q, c, mode, cval, origin, delta)
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


@register_jitable
def row_sum(gy, x, n, p, r, s, shape, mode, cval, origin):
    """Of the products of row p of an image by which a weight's gradient grows: of what it read and of what came of it.

    ``shape`` is that of the weights.
    """
    _, H, W, C = gy.shape
    k = border(p + r - shape[0] // 2 - origin[0], H, mode)
    total = 0.0
    for q in range(W):
        m = border(q + s - shape[1] // 2 - origin[1], W, mode)
        for c in range(C):
            total += gy[n, p, q, c] * (cval if k < 0 or m < 0 else x[n, k, m, c])
    return total


def correlate2d_weight_grad(gy, x, gw, mode, cval, origin):
    """A weight's gradient."""
    N, H, _, _ = gy.shape
    R, S = gw.shape
    for r in range(R):
        for s in range(S):
            total = 0.0
            for n in range(N):
                for p in range(H):
                    total += row_sum(gy, x, n, p, r, s, (R, S), mode, cval, origin)
            gw[r, s] = total
