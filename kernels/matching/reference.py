"""The definitions of template matching, in loops that can be checked by hand.

A template is laid over every window of the image that it fits into, and the numbers that lie on each other are
multiplied and added. Alone that sum says little, since bright windows give large sums; divided by the lengths of both
vectors of numbers, their means subtracted first, it is their correlation coefficient: 1 where the window is the
template, whatever its brightness and contrast.

Sums are in float64. Integers stay exact there: 255 * 255 * (R * S * C) is below 2**53 for windows of 10**11 numbers.
"""

import math

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
    """``y[n, p, q] = sum over r, s, c of x[n, p + r, q + s, c] * template[n % T, r, s, c]``, of T templates."""
    N, P, Q = y.shape
    T, R, S, C = template.shape
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                total = 0.0
                for r in range(R):
                    for s in range(S):
                        for c in range(C):
                            total += np.float64(x[n, p + r, q + s, c]) * np.float64(template[n % T, r, s, c])
                y[n, p, q] = total


@register_jitable
def sums_at(x, n, p, q, c, R, S):
    """The sum of the numbers of channel c in the window at (p, q), and of their squares."""
    total, square = 0.0, 0.0
    for r in range(R):
        for s in range(S):
            value = np.float64(x[n, p + r, q + s, c])
            total += value
            square += value * value
    return total, square


def window_sums(x, sums, squares, R, S):
    """Sums of the numbers and of their squares in every window of R x S pixels, channel by channel."""
    N, P, Q, C = sums.shape
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for c in range(C):
                    sums[n, p, q, c], squares[n, p, q, c] = sums_at(x, n, p, q, c, R, S)


@register_jitable
def channels_of(c, C, centre):
    """The channels whose mean is subtracted from channel c: the first of them, and the one behind the last."""
    if centre == 0:
        return 0, 0
    return (c, c + 1) if centre == 1 else (0, C)


@register_jitable
def mean_at(x, p, q, c, R, S, centre):
    """What is subtracted from channel c of the window at (p, q)."""
    first, last = channels_of(c, x.shape[2], centre)
    mean = 0.0
    for k in range(first, last):
        for r in range(R):
            for s in range(S):
                mean += np.float64(x[p + r, q + s, k]) / (R * S * (last - first))
    return mean


@register_jitable
def measure_at(x, template, level, p, q, centre, measure):
    """How like the template the window at (p, q) of an image is; ``level`` has the image's mean for each channel."""
    R, S, C = template.shape
    total, length, own = 0.0, 0.0, 0.0
    squares, raw, difference = 0.0, 0.0, 0.0
    for c in range(C):
        mean, middle = mean_at(x, p, q, c, R, S, centre), mean_at(template, 0, 0, c, R, S, centre)
        for r in range(R):
            for s in range(S):
                value, number = np.float64(x[p + r, q + s, c]), np.float64(template[r, s, c])
                total += (value - mean) * (number - middle)
                length += (value - mean) ** 2
                own += (number - middle) ** 2
                squares += (value - level[c]) ** 2
                raw += number**2
                difference += (value - number) ** 2
    if not own <= LARGEST or not length <= LARGEST:
        return np.nan
    if measure == 1:
        return total
    if measure == 2:
        return difference
    if measure == 3:
        return min(1.0, difference / (math.sqrt(length) * math.sqrt(own))) if length > 0 and own > 0 else 1.0
    if own <= FLAT_TEMPLATE * raw or length <= FLAT * squares:
        return 0.0
    return min(1.0, max(-1.0, total / (math.sqrt(length) * math.sqrt(own))))


@register_jitable
def finite_sum(x, n, h, c):
    """The sum of the finite numbers of channel c in a row of an image, and how many there are."""
    total, count = 0.0, 0.0
    for w in range(x.shape[2]):
        value = np.float64(x[n, h, w, c])
        if abs(value) <= LARGEST:
            total += value
            count += 1.0
    return total, count


def match_template(x, template, y, centre, measure):
    """``y[n, p, q]``: the sum of products of window and template over the product of their lengths.

    ``centre`` says what is subtracted from both first: 0 nothing, 1 each channel's mean, 2 the mean over all channels.
    By ``measure`` it may also be 1 the sum of products alone, 2 the sum of squared differences, or 3 that over the
    product of lengths, at most 1.
    """
    N, P, Q = y.shape
    H, C = x.shape[1], x.shape[3]
    level = np.zeros(C)
    for n in range(N):
        for c in range(C):
            first, last = channels_of(c, C, centre)
            total, count = 0.0, 0.0
            for k in range(first, last):
                for h in range(H):
                    of_row = finite_sum(x, n, h, k)
                    total += of_row[0]
                    count += of_row[1]
            level[c] = total / max(count, 1.0)
        for p in range(P):
            for q in range(Q):
                y[n, p, q] = measure_at(x[n], template, level, p, q, centre, measure)
