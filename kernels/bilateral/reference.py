"""The definition of the bilateral filter and of its gradient, in loops that can be checked by hand.

    y[p] = sum over t of  w(p, t) * x[p + t]  /  sum over t of w(p, t)
    w(p, t) = exp(-D(x[p], x[p + t])^2 / (2 sigma_color^2) - |t|^2 / (2 sigma_space^2))

where t runs over a square of pixels or over those of a disk, D is the Euclidean distance of two colours or the sum of
the differences' sizes, and a position outside the image stands for the sample that `border` names.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import border


@register_jitable
def is_outside(i, j, radius, disk):
    """Whether the window leaves out offset (i, j)."""
    return disk and i * i + j * j > radius * radius


@register_jitable
def sample(x, image, p, q, c, mode, cval):
    """The number that position (p, q) stands for."""
    k, m = border(p, x.shape[1], mode), border(q, x.shape[2], mode)
    return np.float64(cval) if k < 0 or m < 0 else np.float64(x[image, k, m, c])


@register_jitable
def weight_of(x, image, p, q, i, j, sigma_color, sigma_space, city, mode, cval):
    """``w((p, q), (i, j))``; ``city`` is the distance that adds up sizes."""
    d = 0.0
    for c in range(x.shape[3]):
        difference = sample(x, image, p + i, q + j, c, mode, cval) - np.float64(x[image, p, q, c])
        d += abs(difference) if city else difference * difference
    d = d * d if city else d
    return math.exp(-d / (2 * sigma_color**2) - (i * i + j * j) / (2 * sigma_space**2))


@register_jitable
def weighted(x, image, p, q, c, radius, disk, sigma_color, sigma_space, city, mode, cval):
    """The sum of a pixel's weights, and of its weighted samples of channel c."""
    total, values = 0.0, 0.0
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if not is_outside(i, j, radius, disk):
                weight = weight_of(x, image, p, q, i, j, sigma_color, sigma_space, city, mode, cval)
                total += weight
                values += weight * sample(x, image, p + i, q + j, c, mode, cval)
    return total, values


def bilateral(x, sigmas, y, shape, radius, disk, city, sigma_space, mode, cval, rounded):
    """Image n has the colour sigma ``sigmas[n]``."""
    n, h, w, channels = shape
    source, target = x.reshape(shape), y.reshape(shape)
    for image in range(n):
        for p in range(h):
            for q in range(w):
                for c in range(channels):
                    total, values = weighted(
                        source, image, p, q, c, radius, disk, sigmas[image], sigma_space, city, mode, cval
                    )
                    target[image, p, q, c] = np.rint(values / total) if rounded else values / total


@register_jitable
def pull_of(x, gy, means, total, image, p, q, i, j, mode, cval):
    """What the sum of ``gy * y`` at a pixel gains where the weight of offset (i, j) grows."""
    pull = 0.0
    for c in range(x.shape[3]):
        value = sample(x, image, p + i, q + j, c, mode, cval)
        pull += np.float64(gy[image, p, q, c]) * (value - means[image, p, q, c]) / total
    return pull


@register_jitable
def slope_of(x, image, p, q, i, j, c, city, mode, cval):
    """Half the gradient of the squared distance of two colours by the neighbour's channel c."""
    difference = sample(x, image, p + i, q + j, c, mode, cval) - np.float64(x[image, p, q, c])
    if not city:
        return difference
    size = 0.0
    for other in range(x.shape[3]):
        size += abs(sample(x, image, p + i, q + j, other, mode, cval) - np.float64(x[image, p, q, other]))
    return size if difference > 0 else -size if difference < 0 else 0.0 * difference


def bilateral_grad(gy, x, sigmas, gx, shape, radius, disk, city, sigma_space, mode, cval):
    """``gx`` is the gradient by x of the sum of ``gy * bilateral(x)``."""
    n, h, w, channels = shape
    source, result, given = x.reshape(shape), gx.reshape(shape), gy.reshape(shape)
    means = np.zeros(shape)
    result[:] = 0.0
    for image in range(n):
        sigma = sigmas[image]
        for p in range(h):
            for q in range(w):
                total = 0.0
                for c in range(channels):
                    total, values = weighted(source, image, p, q, c, radius, disk, sigma, sigma_space, city, mode, cval)
                    means[image, p, q, c] = values / total
                for i in range(-radius, radius + 1):
                    for j in range(-radius, radius + 1):
                        if is_outside(i, j, radius, disk):
                            continue
                        k, m = border(p + i, h, mode), border(q + j, w, mode)
                        weight = weight_of(source, image, p, q, i, j, sigma, sigma_space, city, mode, cval)
                        pull = pull_of(source, given, means, total, image, p, q, i, j, mode, cval)
                        for c in range(channels):
                            slope = slope_of(source, image, p, q, i, j, c, city, mode, cval)
                            force = pull * weight * slope / sigma**2
                            result[image, p, q, c] += force
                            if k >= 0 and m >= 0:
                                result[image, k, m, c] += given[image, p, q, c] * weight / total - force
