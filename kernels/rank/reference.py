"""The definition of rank filters in loops that can be checked by hand.

The numbers under the window are sorted, and the one of the given rank is taken; where one of them is NaN, NaN is.
"""

import numpy as np

from ..correlation.reference import border


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
                                row, column = border(p - top + r, h, mode), border(q - left + s, w, mode)
                                inside = row >= 0 and column >= 0
                                numbers[found] = x[i, row, column, k] if inside else constant[0]
                                found += 1
                    numbers.sort()
                    last = numbers[found - 1]  # NaN is sorted behind all numbers
                    y[i, p, q, k] = numbers[rank] if last == last else last


def window_places(x, y, places, footprint):
    """The place ``h * W + w`` of the first number under each whole window that equals y, NaN included.

    x is (N, H, W, C), y and places are (N, H - R + 1, W - S + 1, C).
    """
    n, p, q, c = y.shape
    w = x.shape[2]
    rows, columns = footprint.shape
    for i in range(n):
        for a in range(p):
            for b in range(q):
                for k in range(c):
                    wanted = y[i, a, b, k]
                    place = -1
                    for r in range(rows):
                        for s in range(columns):
                            number = x[i, a + r, b + s, k]
                            equal = number == wanted or (number != number and wanted != wanted)
                            if footprint[r, s] and equal and place < 0:
                                place = (a + r) * w + b + s
                    places[i, a, b, k] = place
