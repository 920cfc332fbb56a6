"""The definition of Canny's edge detector on integers, in loops that can be checked by hand.

    gradient     Sobel's derivatives, the image continued by its edge; of several channels the one whose
                 gradient is longest, the first of equals
    norm         |dx| + |dy|, or dx dx + dy dy; zero outside the image
    suppression  an edge is a maximum along the gradient: of its two neighbours in the nearest of four directions it
                 must exceed the first and, in the two diagonal directions, the second too
    hysteresis   maxima above the high threshold are edges, and those above the low one that touch an edge

The directions' bounds are tan(22.5 degrees) as 13573 / 32768, and that plus 2 in place of tan(67.5 degrees).

Source: J. Canny, "A computational approach to edge detection", 1986; equals ``cv2.Canny``.
"""

import numpy as np
from numba.extending import register_jitable

from ..hysteresis.reference import NOTHING, STRONG, WEAK, hysteresis

TAN_22 = 13573  # of 1 << 15


@register_jitable
def sixteenth(value):
    """A sixteenth, rounded, halves to even."""
    return (value + 7 + ((value >> 4) & 1)) >> 4


@register_jitable
def norm_of(dx, dy, squared):
    return dx * dx + dy * dy if squared else abs(dx) + abs(dy)


@register_jitable
def class_of(dx, dy, norms, p, q, low, high):
    """The class of a pixel; ``norms`` has a border of one."""
    norm = norms[p + 1, q + 1]
    if norm <= low:
        return NOTHING
    x, y = abs(dx), abs(dy) << 15
    if y < x * TAN_22:
        first, second, strict = norms[p + 1, q], norms[p + 1, q + 2], False
    elif y > x * TAN_22 + (x << 16):
        first, second, strict = norms[p, q + 1], norms[p + 2, q + 1], False
    elif (dx ^ dy) < 0:
        first, second, strict = norms[p, q + 2], norms[p + 2, q], True
    else:
        first, second, strict = norms[p, q], norms[p + 2, q + 2], True
    if norm <= first or norm < second or (strict and norm == second):
        return NOTHING
    return STRONG if norm > high else WEAK


@register_jitable
def edges_of(dx, dy, norms, low, high, y):
    """Suppression and hysteresis of one image."""
    h, w = dx.shape
    classes, kept = np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8)
    for p in range(h):
        for q in range(w):
            classes[p, q] = class_of(dx[p, q], dy[p, q], norms, p, q, low, high)
    hysteresis(classes, kept, 1, 1, h, w, 2)
    for p in range(h):
        for q in range(w):
            y[p, q] = 255 if kept[p, q] else 0


def canny(x, thresholds, y, n, h, w, c, smooth, slope, divided, squared):
    """x is ``(n, h, w, c)``, y ``(n, h, w)``; gradients are divided by 16 where ``divided``."""
    taps = smooth.size
    dx, dy = np.zeros((h, w), np.int64), np.zeros((h, w), np.int64)
    norms = np.zeros((h + 2, w + 2), np.int64)
    for i in range(n):
        for p in range(h):
            for q in range(w):
                longest = -1
                for k in range(c):
                    gx, gy = 0, 0
                    for r in range(taps):
                        for s in range(taps):
                            a, b = min(max(p + r - taps // 2, 0), h - 1), min(max(q + s - taps // 2, 0), w - 1)
                            value = int(x[i, a, b, k])
                            gx += smooth[r] * slope[s] * value
                            gy += slope[r] * smooth[s] * value
                    if divided:
                        gx, gy = sixteenth(gx), sixteenth(gy)
                    norm = norm_of(gx, gy, squared)
                    if norm > longest:
                        longest, dx[p, q], dy[p, q] = norm, gx, gy
                norms[p + 1, q + 1] = longest
        edges_of(dx, dy, norms, thresholds[0], thresholds[1], y[i])


def canny_of_gradient(dx, dy, thresholds, y, n, h, w, squared):
    """dx, dy and y are ``(n, h, w)``."""
    wide_x, wide_y = np.zeros((h, w), np.int64), np.zeros((h, w), np.int64)
    norms = np.zeros((h + 2, w + 2), np.int64)
    for i in range(n):
        for p in range(h):
            for q in range(w):
                wide_x[p, q], wide_y[p, q] = dx[i, p, q], dy[i, p, q]
                norms[p + 1, q + 1] = norm_of(wide_x[p, q], wide_y[p, q], squared)
        edges_of(wide_x, wide_y, norms, thresholds[0], thresholds[1], y[i])
