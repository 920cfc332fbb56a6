"""The definition of the pixel shuffle: which channel becomes which pixel of a block."""

import numpy as np
from numba.extending import register_jitable


@register_jitable
def shuffled(x, n, p, q, c, r):
    """What stands at pixel (p, q) and channel c after a shuffle by r."""
    return x[n, p // r, q // r, c * r * r + p % r * r + q % r]


@register_jitable
def unshuffled(x, n, h, w, k, r):
    """What stands at pixel (h, w) and channel k after a shuffle back."""
    c, i, j = k // (r * r), k // r % r, k % r
    return x[n, h * r + i, w * r + j, c]


def pixel_shuffle(x, y, factor):
    """``y[h * r + i, w * r + j, c] = x[h, w, c * r * r + i * r + j]`` with r = factor."""
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = shuffled(x, n, p, q, c, factor)


def pixel_unshuffle(x, y, factor):
    """``y[h, w, c * r * r + i * r + j] = x[h * r + i, w * r + j, c]`` with r = factor."""
    for n, h, w, k in np.ndindex(y.shape):
        y[n, h, w, k] = unshuffled(x, n, h, w, k, factor)
