"""The definition of padding: which pixel of the image each pixel of the padded one copies."""

import numpy as np
from numba.extending import register_jitable

MODES = ("constant", "reflect", "replicate", "circular", "symmetric")
CONSTANT, REFLECT, REPLICATE, CIRCULAR, SYMMETRIC = range(5)


@register_jitable
def source(position, size, mode):
    """The index that stands at a position, which may lie outside the ``size`` there are; -1 where nothing does."""
    if 0 <= position < size:
        return position
    if mode == REPLICATE:
        return 0 if position < 0 else size - 1
    if mode == CIRCULAR:
        return position % size
    if mode == REFLECT:
        return -position if position < 0 else 2 * (size - 1) - position
    if mode == SYMMETRIC:
        return -1 - position if position < 0 else 2 * size - 1 - position
    return -1


@register_jitable
def padded(x, n, p, q, c, top, left, mode, value):
    """What stands at pixel (p, q) of the padded image."""
    h, w = source(p - top, x.shape[1], mode), source(q - left, x.shape[2], mode)
    return value if h < 0 or w < 0 else x[n, h, w, c]


def pad(x, y, top, left, mode, value):
    """``y[p, q] = x`` at the sources of ``p - top`` and ``q - left``, or ``value`` where there are none."""
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = padded(x, n, p, q, c, top, left, mode, value)


def pad_grad(gy, gx, top, left, mode):
    """Every number of ``gy`` is added to the one it would be a copy of."""
    gx[...] = 0
    for n, p, q, c in np.ndindex(gy.shape):
        h, w = source(p - top, gx.shape[1], mode), source(q - left, gx.shape[2], mode)
        if h >= 0 and w >= 0:
            gx[n, h, w, c] += gy[n, p, q, c]
