"""The definition of the bilateral filter and of its gradient, in loops that can be checked by hand.

    y[p] = sum over t of  w(p, t) * x[p + t]  /  sum over t of w(p, t)
    w(p, t) = exp(-D(x[p], x[p + t])^2 / (2 sigma_color^2) - |t|^2 / (2 sigma_space^2))

where t runs over a square of pixels or over those of a disk, D is the Euclidean distance of two colours or the sum of
the differences' sizes, and a position outside the image stands for the sample that `border` names.
"""

import math

import numpy as np

from ..correlation.reference import border


def bilateral(x, sigmas, y, shape, radius, disk, city, sigma_space, mode, cval, rounded):
    """Image n has the colour sigma ``sigmas[n]``; ``city`` is the distance that adds up sizes."""
    n, h, w, channels = shape
    source, target = x.reshape(shape), y.reshape(shape)
    for image in range(n):
        for p in range(h):
            for q in range(w):
                total, sums = 0.0, np.zeros(channels)
                for i in range(-radius, radius + 1):
                    for j in range(-radius, radius + 1):
                        if disk and i * i + j * j > radius * radius:
                            continue
                        k, m = border(p + i, h, mode), border(q + j, w, mode)
                        d = 0.0
                        for c in range(channels):
                            value = np.float64(cval) if k < 0 or m < 0 else np.float64(source[image, k, m, c])
                            difference = value - np.float64(source[image, p, q, c])
                            d += abs(difference) if city else difference * difference
                        d = d * d if city else d
                        weight = math.exp(-d / (2 * sigmas[image] ** 2) - (i * i + j * j) / (2 * sigma_space**2))
                        total += weight
                        for c in range(channels):
                            value = np.float64(cval) if k < 0 or m < 0 else np.float64(source[image, k, m, c])
                            sums[c] += weight * value
                for c in range(channels):
                    target[image, p, q, c] = np.rint(sums[c] / total) if rounded else sums[c] / total


def bilateral_grad(gy, x, sigmas, gx, shape, radius, disk, city, sigma_space, mode, cval):
    """``gx`` is the gradient by x of the sum of ``gy * bilateral(x)``."""
    n, h, w, channels = shape
    source, result, given = x.reshape(shape), gx.reshape(shape), gy.reshape(shape)
    values, differences, slopes = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    weights = np.zeros((2 * radius + 1, 2 * radius + 1))
    mean = np.zeros(channels)
    for image in range(n):
        for p in range(h):
            for q in range(w):
                result[image, p, q, :] = 0.0
        for p in range(h):
            for q in range(w):
                total = 0.0
                mean[:] = 0.0
                for i in range(-radius, radius + 1):
                    for j in range(-radius, radius + 1):
                        weights[i + radius, j + radius] = 0.0
                        if disk and i * i + j * j > radius * radius:
                            continue
                        k, m = border(p + i, h, mode), border(q + j, w, mode)
                        d = 0.0
                        for c in range(channels):
                            values[c] = cval if k < 0 or m < 0 else source[image, k, m, c]
                            difference = values[c] - source[image, p, q, c]
                            d += abs(difference) if city else difference * difference
                        d = d * d if city else d
                        weight = math.exp(-d / (2 * sigmas[image] ** 2) - (i * i + j * j) / (2 * sigma_space**2))
                        weights[i + radius, j + radius] = weight
                        total += weight
                        mean += weight * values
                mean /= total
                for i in range(-radius, radius + 1):
                    for j in range(-radius, radius + 1):
                        if disk and i * i + j * j > radius * radius:
                            continue
                        k, m = border(p + i, h, mode), border(q + j, w, mode)
                        size, pull = 0.0, 0.0
                        for c in range(channels):
                            value = cval if k < 0 or m < 0 else source[image, k, m, c]
                            differences[c] = value - source[image, p, q, c]
                            size += abs(differences[c])
                            # What the result gains where this neighbour's weight grows.
                            pull += given[image, p, q, c] * (value - mean[c]) / total
                        weight = weights[i + radius, j + radius]
                        for c in range(channels):
                            # Half the gradient of the squared distance by the neighbour.
                            slopes[c] = size * np.sign(differences[c]) if city else differences[c]
                            force = pull * weight * slopes[c] / sigmas[image] ** 2
                            result[image, p, q, c] += force
                            if k >= 0 and m >= 0:
                                result[image, k, m, c] += given[image, p, q, c] * weight / total - force
