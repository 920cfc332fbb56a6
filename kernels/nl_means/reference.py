"""The definitions of non-local means, in loops that can be checked by hand.

Every pixel becomes a mean of the pixels around it, each weighted by how much the patch around it resembles the patch
around the pixel itself:

    y[p] = sum over t of  w(p, p + t) * x[p + t]  /  sum over t of w(p, p + t)

where t runs over a square search window, and w falls exponentially with the squared distance of the two patches.
"""

import math

import numpy as np

from ..correlation.reference import MIRROR, border


def nl_means(x, weights, y, shape, before, distance, inside, scale, offset, cutoff):
    """Weights are ``exp(-max(d, 0))`` of the distance ``d``, and 0 beyond ``cutoff``.

    ``d = scale * sum over i, j, c of weights[i] * weights[j] * ((x[p + (i, j) - before] - x[q + ...])^2 - offset)``.
    What lies outside the image mirrors it; with ``inside`` only pixels of the image itself are averaged.
    """
    n, h, w, channels = shape
    taps = weights.size
    source, target = x.reshape(shape), y.reshape(shape)
    for image in range(n):
        for p in range(h):
            for q in range(w):
                total, sums = 0.0, np.zeros(channels)
                for dy in range(-distance, distance + 1):
                    for dx in range(-distance, distance + 1):
                        if inside and not (0 <= p + dy < h and 0 <= q + dx < w):
                            continue
                        d = 0.0
                        for i in range(taps):
                            k = border(p + i - before, h, MIRROR)
                            m = border(p + dy + i - before, h, MIRROR)
                            for j in range(taps):
                                r = border(q + j - before, w, MIRROR)
                                s = border(q + dx + j - before, w, MIRROR)
                                for c in range(channels):
                                    difference = source[image, k, r, c] - source[image, m, s, c]
                                    d += scale * weights[i] * weights[j] * (difference * difference - offset)
                        # Not `d > cutoff`: the distance of a patch that holds a NaN is none.
                        weight = math.exp(-max(d, 0.0)) if d <= cutoff else 0.0
                        total += weight
                        m, s = border(p + dy, h, MIRROR), border(q + dx, w, MIRROR)
                        for c in range(channels):
                            sums[c] += weight * source[image, m, s, c]
                for c in range(channels):
                    target[image, p, q, c] = sums[c] / total if total != 0.0 else np.nan


def nl_means_uint8(x, y, shape, table, patch, distance, shift):
    """Weights are the integers ``table[d >> shift]`` of the squared distance ``d``, and 0 beyond the table."""
    n, h, w, channels = shape
    before = patch // 2
    source, target = x.reshape(shape), y.reshape(shape)
    for image in range(n):
        for p in range(h):
            for q in range(w):
                total, sums = np.int64(0), np.zeros(channels, np.int64)
                for dy in range(-distance, distance + 1):
                    for dx in range(-distance, distance + 1):
                        d = np.int64(0)
                        for i in range(-before, before + 1):
                            k, m = border(p + i, h, MIRROR), border(p + dy + i, h, MIRROR)
                            for j in range(-before, before + 1):
                                r, s = border(q + j, w, MIRROR), border(q + dx + j, w, MIRROR)
                                for c in range(channels):
                                    difference = np.int64(source[image, k, r, c]) - np.int64(source[image, m, s, c])
                                    d += difference * difference
                        if d >> shift < len(table):
                            weight = np.int64(table[d >> shift])
                            total += weight
                            m, s = border(p + dy, h, MIRROR), border(q + dx, w, MIRROR)
                            for c in range(channels):
                                sums[c] += weight * np.int64(source[image, m, s, c])
                for c in range(channels):
                    target[image, p, q, c] = (sums[c] + total // 2) // total
