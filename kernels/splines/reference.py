"""The definition of a spline's coefficients: with them, the spline takes the image's values at the image's pixels.

Along an axis of n pixels the spline of coefficients c has, at pixel i, the value

    x[i] = sum over t of  B(t) * c[border(i + t)]

B being the centred B-spline of the degree. That is a system of n equations, and along two axes one after the other.
"""

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import border
from ..interpolation.reference import b_spline


@register_jitable
def inverse(n, degree, outside):
    """The inverse of the matrix that makes n samples of n coefficients, by elimination (its diagonal is dominant)."""
    both = np.zeros((n, 2 * n))
    for i in range(n):
        both[i, n + i] = 1.0
        for t in range(-2, 3):
            both[i, border(i + t, n, outside)] += b_spline(degree, float(t))
    for i in range(n):
        both[i] /= both[i, i]
        for k in range(n):
            if k != i:
                both[k] -= both[k, i] * both[i]
    return both[:, n:].copy()


@register_jitable
def solve(x, y, rows, columns):
    """``y = rows @ x @ columns.T`` for each image and channel."""
    N, H, W, C = x.shape
    for n in range(N):
        for c in range(C):
            middle = np.zeros((H, W))
            for p in range(H):
                for q in range(W):
                    for h in range(H):
                        middle[p, q] += rows[p, h] * x[n, h, q, c]
            for p in range(H):
                for q in range(W):
                    total = 0.0
                    for w in range(W):
                        total += columns[q, w] * middle[p, w]
                    y[n, p, q, c] = total


def spline_filter2d(x, y, degree, outside):
    """The coefficients of images."""
    solve(x, y, inverse(x.shape[1], degree, outside), inverse(x.shape[2], degree, outside))


def spline_filter2d_grad(gy, gx, degree, outside):
    """The adjoint: the transposed inverses."""
    _, H, W, _ = gy.shape
    solve(gy, gx, inverse(H, degree, outside).T.copy(), inverse(W, degree, outside).T.copy())
