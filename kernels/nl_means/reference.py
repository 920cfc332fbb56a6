"""The definitions of non-local means, in loops that can be checked by hand.

Every pixel becomes a mean of the pixels around it, each weighted by how much the patch around it resembles the patch
around the pixel itself:

    y[p] = sum over t of  w(p, p + t) * x[p + t]  /  sum over t of w(p, p + t)

where t runs over a square search window, and w falls exponentially with the squared distance of the two patches.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import MIRROR, border


@register_jitable
def weight_of(x, image, p, q, dy, dx, weights, before, scale, offset, cutoff):
    """How much the patch of pixel (p, q) resembles the one that is (dy, dx) away from it."""
    H, W, taps = x.shape[1], x.shape[2], weights.size
    d = 0.0
    for i in range(taps):
        k, m = border(p + i - before, H, MIRROR), border(p + dy + i - before, H, MIRROR)
        for j in range(taps):
            r, s = border(q + j - before, W, MIRROR), border(q + dx + j - before, W, MIRROR)
            for c in range(x.shape[3]):
                difference = np.float64(x[image, k, r, c]) - np.float64(x[image, m, s, c])
                d += scale * weights[i] * weights[j] * (difference * difference - offset)
    # Not `d > cutoff`: the distance of a patch that holds a NaN is none.
    return math.exp(-max(d, 0.0)) if d <= cutoff else 0.0


@register_jitable
def mean_of(x, image, p, q, c, weights, before, distance, inside, scale, offset, cutoff):
    """The weighted mean of channel c over the search window of pixel (p, q)."""
    H, W = x.shape[1], x.shape[2]
    total, values = 0.0, 0.0
    for dy in range(-distance, distance + 1):
        for dx in range(-distance, distance + 1):
            if inside and not (0 <= p + dy < H and 0 <= q + dx < W):
                continue
            weight = weight_of(x, image, p, q, dy, dx, weights, before, scale, offset, cutoff)
            total += weight
            values += weight * np.float64(x[image, border(p + dy, H, MIRROR), border(q + dx, W, MIRROR), c])
    return values / total if total != 0.0 else np.nan


def nl_means(x, weights, y, shape, before, distance, inside, scale, offset, cutoff):
    """Weights are ``exp(-max(d, 0))`` of the distance ``d``, and 0 beyond ``cutoff``.

    ``d = scale * sum over i, j, c of weights[i] * weights[j] * ((x[p + (i, j) - before] - x[q + ...])^2 - offset)``.
    What lies outside the image mirrors it; with ``inside`` only pixels of the image itself are averaged.
    """
    n, h, w, channels = shape
    source, target = x.reshape(shape), y.reshape(shape)
    for image in range(n):
        for p in range(h):
            for q in range(w):
                for c in range(channels):
                    target[image, p, q, c] = mean_of(
                        source, image, p, q, c, weights, before, distance, inside, scale, offset, cutoff
                    )


@register_jitable
def squared_distance(x, image, p, q, dy, dx, before):
    """Of the patch of pixel (p, q) from the one that is (dy, dx) away from it; an integer."""
    H, W = x.shape[1], x.shape[2]
    d = np.int64(0)
    for i in range(-before, before + 1):
        k, m = border(p + i, H, MIRROR), border(p + dy + i, H, MIRROR)
        for j in range(-before, before + 1):
            r, s = border(q + j, W, MIRROR), border(q + dx + j, W, MIRROR)
            for c in range(x.shape[3]):
                difference = np.int64(x[image, k, r, c]) - np.int64(x[image, m, s, c])
                d += difference * difference
    return d


@register_jitable
def integer_mean(x, image, p, q, c, table, patch, distance, shift):
    """The mean, rounded half up, with weights ``table[d >> shift]`` of the squared distance d, and 0 beyond."""
    H, W = x.shape[1], x.shape[2]
    total, values = np.int64(0), np.int64(0)
    for dy in range(-distance, distance + 1):
        for dx in range(-distance, distance + 1):
            place = squared_distance(x, image, p, q, dy, dx, patch // 2) >> shift
            if place < table.size:
                weight = np.int64(table[place])
                total += weight
                values += weight * np.int64(x[image, border(p + dy, H, MIRROR), border(q + dx, W, MIRROR), c])
    return (values + total // 2) // total


def nl_means_uint8(x, y, shape, table, patch, distance, shift):
    """Of bytes, in integers."""
    n, h, w, channels = shape
    source, target = x.reshape(shape), y.reshape(shape)
    for image in range(n):
        for p in range(h):
            for q in range(w):
                for c in range(channels):
                    target[image, p, q, c] = integer_mean(source, image, p, q, c, table, patch, distance, shift)
