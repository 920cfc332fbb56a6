"""The definition of rank filters in loops that can be checked by hand.

The numbers under the window are sorted, and the one of the given rank is taken; where one of them is NaN, NaN is.
"""

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import border


@register_jitable
def number_at(x, n, p, q, c, mode, outside):
    """The number that position (p, q) stands for; ``outside`` for the constant."""
    k, m = border(p, x.shape[1], mode), border(q, x.shape[2], mode)
    return outside if k < 0 or m < 0 else x[n, k, m, c]


def rank_filter(x, y, footprint, rank, mode, constant, top, left):
    """x and y are (N, H, W, C); the window of (h, w) begins at ``(h - top, w - left)``."""
    n, h, w, c = x.shape
    rows, columns = footprint.shape
    numbers = np.empty(footprint.sum(), x.dtype)
    for i in range(n):
        for p in range(h):
            for q in range(w):
                for k in range(c):
                    found = 0
                    for r in range(rows):
                        for s in range(columns):
                            if footprint[r, s]:
                                numbers[found] = number_at(x, i, p - top + r, q - left + s, k, mode, constant[0])
                                found += 1
                    numbers.sort()
                    last = numbers[found - 1]  # NaN is sorted behind all numbers
                    y[i, p, q, k] = numbers[rank] if last == last else last


def rank_filter_nd(x, y, slices, window, rank, mode, constant, top, left):
    """x and y are (N, ..., H, W, C): all axes between N and H count slices of an image.

    The window is (slices, rows, columns); its slice t lies on slice ``slices[i, t]`` of the image where slice i is
    computed, or on the constant alone where that is -1.
    """
    h, w, c = x.shape[-3:]
    high, rows, columns = window.shape
    deep = len(slices)
    planes = x.shape[0] * deep
    xs, ys = x.reshape((planes, h, w, c)), y.reshape((planes, h, w, c))
    numbers = np.empty(window.sum(), x.dtype)
    for plane in range(planes):
        image = plane - plane % deep
        for p in range(h):
            for q in range(w):
                for k in range(c):
                    found = 0
                    for t in range(high):
                        i = slices[plane - image, t]
                        for r in range(rows):
                            for s in range(columns):
                                if window[t, r, s]:
                                    a, b = p - top + r, q - left + s
                                    numbers[found] = constant[0]
                                    if i >= 0:
                                        numbers[found] = number_at(xs, image + i, a, b, k, mode, constant[0])
                                    found += 1
                    numbers.sort()
                    last = numbers[found - 1]  # NaN is sorted behind all numbers
                    ys[plane, p, q, k] = numbers[rank] if last == last else last


@register_jitable
def place_of(wanted, x, n, a, b, c, footprint):
    """The place of the first number under the window that begins at (a, b) that is ``wanted``, or -1."""
    rows, columns = footprint.shape
    for r in range(rows):
        for s in range(columns):
            number = x[n, a + r, b + s, c]
            if footprint[r, s] and (number == wanted or (number != number and wanted != wanted)):
                return (a + r) * x.shape[2] + b + s
    return -1


def window_places(x, y, places, footprint):
    """The place ``h * W + w`` of the first number under each whole window that equals y, NaN included.

    x is (N, H, W, C), y and places are (N, H - R + 1, W - S + 1, C).
    """
    n, p, q, c = y.shape
    for i in range(n):
        for a in range(p):
            for b in range(q):
                for k in range(c):
                    places[i, a, b, k] = place_of(y[i, a, b, k], x, i, a, b, k, footprint)
