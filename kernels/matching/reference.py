"""The definitions of template matching, in loops that can be checked by hand.

A template is laid over every window of the image that it fits into, and the numbers that lie on each other are
multiplied and added. Alone that sum says little, since bright windows give large sums; divided by the lengths of both
vectors of numbers, their means subtracted first, it is their correlation coefficient: 1 where the window is the
template, whatever its brightness and contrast.

Sums are in float64. Integers stay exact there: 255 * 255 * (R * S * C) is below 2**53 for windows of 10**11 numbers.
"""

import numpy as np
from numba.extending import register_jitable

LARGEST = float(np.finfo(np.float64).max)

FLAT = 1e-14
"""A window whose squared deviations add up to no more than this part of its squares has no contrast.

Squares are counted from the image's mean. Rounding leaves up to some 4e-15 of them where all numbers are equal.
"""

FLAT_TEMPLATE = 1e-26
"""The same of a template, whose deviations are summed after its mean is known: rounding leaves its own square."""


def match_products(x, template, y):
    """``y[n, p, q] = sum over r, s, c of x[n, p + r, q + s, c] * template[r, s, c]``."""
    N, P, Q = y.shape
    R, S, C = template.shape
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                total = 0.0
                for r in range(R):
                    for s in range(S):
                        for c in range(C):
                            total += np.float64(x[n, p + r, q + s, c]) * np.float64(template[r, s, c])
                y[n, p, q] = total


def window_sums(x, sums, squares, R, S):
    """Sums of the numbers and of their squares in every window of R x S pixels, channel by channel."""
    N, P, Q, C = sums.shape
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for c in range(C):
                    total, square = 0.0, 0.0
                    for r in range(R):
                        for s in range(S):
                            value = np.float64(x[n, p + r, q + s, c])
                            total += value
                            square += value * value
                    sums[n, p, q, c] = total
                    squares[n, p, q, c] = square


def match_template(x, template, y, centre):
    """``y[n, p, q]``: the sum of products of window and template over the product of their lengths.

    ``centre`` says what is subtracted from both first: 0 nothing, 1 each channel's mean, 2 the mean over all channels.
    """
    N, P, Q = y.shape
    R, S, C = template.shape
    pattern = np.zeros((R, S, C))
    own, raw = centred(template, 0, 0, np.zeros(C), centre, pattern)
    values = np.zeros((R, S, C))
    image = np.zeros(C)
    for n in range(N):
        image_means(x, n, centre, image)
        for p in range(P):
            for q in range(Q):
                length, level = centred(x[n], p, q, image, centre, values)
                if not own <= LARGEST or not length <= LARGEST:
                    y[n, p, q] = np.nan
                elif own <= FLAT_TEMPLATE * raw or length <= FLAT * level:
                    y[n, p, q] = 0.0
                else:
                    total = 0.0
                    for r in range(R):
                        for s in range(S):
                            for c in range(C):
                                total += values[r, s, c] * pattern[r, s, c]
                    y[n, p, q] = min(1.0, max(-1.0, total / (np.sqrt(length) * np.sqrt(own))))


@register_jitable
def centred(x, p, q, shift, centre, values):
    """Write the window at (p, q) less what ``centre`` says; the sums of squares of the result and of ``x - shift``."""
    R, S, C = values.shape
    means = np.zeros(C)
    if centre > 0:
        for c in range(C):
            for r in range(R):
                for s in range(S):
                    means[c] += np.float64(x[p + r, q + s, c]) / (R * S)
    if centre == 2:
        means[:] = means.sum() / C
    length, level = 0.0, 0.0
    for r in range(R):
        for s in range(S):
            for c in range(C):
                values[r, s, c] = np.float64(x[p + r, q + s, c]) - means[c]
                length += values[r, s, c] ** 2
                level += (np.float64(x[p + r, q + s, c]) - shift[c]) ** 2
    return length, level


@register_jitable
def image_means(x, n, centre, means):
    """Write the mean of the finite numbers of each channel (``centre`` 1) or of all (2), and 0 for ``centre`` 0."""
    _, H, W, C = x.shape
    means[:] = 0.0
    counts = np.zeros(C)
    if centre == 0:
        return
    for h in range(H):
        for w in range(W):
            for c in range(C):
                value = np.float64(x[n, h, w, c])
                if abs(value) <= LARGEST:
                    means[c] += value
                    counts[c] += 1
    if centre == 2:
        means[:], counts[:] = means.sum(), counts.sum()
    for c in range(C):
        means[c] /= max(counts[c], 1.0)
