"""The definition of correlation along one axis, and along two, in loops that can be checked by hand.

    y[i] = sum over t of  weights[t] * x[i + t - size // 2 - origin]

where a position outside the array stands for the sample that `border` names.
"""

import numpy as np
from numba.extending import register_jitable

CONSTANT, NEAREST, REFLECT, MIRROR, WRAP = 0, 1, 2, 3, 4
MODES = {
    "constant": CONSTANT,
    "grid-constant": CONSTANT,
    "nearest": NEAREST,
    "reflect": REFLECT,
    "grid-mirror": REFLECT,
    "mirror": MIRROR,
    "wrap": WRAP,
    "grid-wrap": WRAP,
}


@register_jitable
def border(i, n, mode):
    """The index below ``n`` that position ``i`` stands for, at any distance outside; -1 for the constant.

    constant  k k k k | a b c d | k k k k        mirror  d c b | a b c d | c b a
    nearest   a a a a | a b c d | d d d d        wrap    b c d | a b c d | a b c
    reflect   d c b a | a b c d | d c b a
    """
    if 0 <= i < n:
        return i
    if mode == CONSTANT:
        return -1
    if mode == NEAREST:
        return 0 if i < 0 else n - 1
    if mode == WRAP:
        return i % n
    if mode == REFLECT:
        i = i % (2 * n)
        return i if i < n else 2 * n - 1 - i
    if n == 1:
        return 0
    i = i % (2 * n - 2)
    return i if i < n else 2 * n - 2 - i


@register_jitable
def position(number, before, n, at):
    """The positions that may stand for index ``at``: itself for 0, then ``before`` before the array, then those behind.

    Where a window reaches ``before`` positions before the array, and in all has R, numbers below R list all of them
    that it may read.
    """
    if number == 0:
        return at
    return -number if number <= before else n - 1 + number - before


@register_jitable
def line_sum(x, weights, o, i, j, mode, cval, origin):
    """``y[o, i, j]`` of `correlate1d`."""
    total = 0.0
    for t in range(weights.size):
        k = border(i + t - weights.size // 2 - origin, x.shape[1], mode)
        total += weights[t] * (cval if k < 0 else x[o, k, j])
    return total


def correlate1d(x, weights, y, outer, n, inner, mode, cval, origin):
    """x and y are ``(outer, n, inner)``, the filtered axis in the middle."""
    source, target = x.reshape((outer, n, inner)), y.reshape((outer, n, inner))
    for o in range(outer):
        for i in range(n):
            for j in range(inner):
                target[o, i, j] = line_sum(source, weights, o, i, j, mode, cval, origin)


def correlate_separable2d(x, column, row, y, outer, h, w, inner, mode, cval):
    """`correlate1d` by ``column`` down axis H of ``(outer, H, W, inner)``, then by ``row`` along axis W."""
    r, s = column.size, row.size
    source, target = x.reshape((outer, h, w, inner)), y.reshape((outer, h, w, inner))
    middle = np.empty(w)  # one row between the passes
    for o in range(outer):
        for c in range(inner):
            for p in range(h):
                for q in range(w):
                    total = 0.0
                    for t in range(r):
                        k = border(p + t - r // 2, h, mode)
                        total += column[t] * (cval if k < 0 else source[o, k, q, c])
                    middle[q] = total
                for q in range(w):
                    total = 0.0
                    for t in range(s):
                        k = border(q + t - s // 2, w, mode)
                        total += row[t] * (cval if k < 0 else middle[k])
                    target[o, p, q, c] = total


@register_jitable
def fixed_sum(x, column, row, o, p, q, c, mode, cval):
    """The sum of integer products at a pixel, divided by 65536 and rounded: halves up."""
    total = np.int64(0)
    for t in range(column.size):
        k = border(p + t - column.size // 2, x.shape[1], mode)
        for u in range(row.size):
            m = border(q + u - row.size // 2, x.shape[2], mode)
            total += column[t] * row[u] * np.int64(cval if k < 0 or m < 0 else x[o, k, m, c])
    return (total + 32768) // 65536


def correlate_fixed2d(x, column, row, y, outer, h, w, inner, mode, cval):
    """`correlate_separable2d` by integers, which are 256 times the weights, and rounded once."""
    source, target = x.reshape((outer, h, w, inner)), y.reshape((outer, h, w, inner))
    for o in range(outer):
        for p in range(h):
            for q in range(w):
                for c in range(inner):
                    target[o, p, q, c] = fixed_sum(source, column, row, o, p, q, c, mode, cval)
