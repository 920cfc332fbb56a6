"""The definition of the pixel shuffle: which channel becomes which pixel of a block."""

import numpy as np


def pixel_shuffle(x, y, factor):
    """``y[h * r + i, w * r + j, c] = x[h, w, c * r * r + i * r + j]`` with r = factor."""
    r = factor
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = x[n, p // r, q // r, c * r * r + p % r * r + q % r]


def pixel_unshuffle(x, y, factor):
    """``y[h, w, c * r * r + i * r + j] = x[h * r + i, w * r + j, c]`` with r = factor."""
    r = factor
    for n, h, w, k in np.ndindex(y.shape):
        c, i, j = k // (r * r), k // r % r, k % r
        y[n, h, w, k] = x[n, h * r + i, w * r + j, c]
