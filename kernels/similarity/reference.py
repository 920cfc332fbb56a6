"""The definitions of mean squared error and structural similarity, in loops that can be checked by hand.

Structural similarity compares two images in a window around each pixel by the window's weighted means ``mx, my``,
variances ``vx, vy`` and covariance ``vxy``:

    S = (2 mx my + c1) (2 vxy + c2) / ((mx^2 + my^2 + c1) (vx + vy + c2))

The window is the product of the same weights along each axis. At the border the image is mirrored about its edge.
"""

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import REFLECT, border


@register_jitable
def mean_squared_error(x, y, means, n, count):
    """``means[i] = sum over j of (x[i, j] - y[i, j])^2 / count``."""
    xs, ys, result = x.reshape((n, count)), y.reshape((n, count)), means.reshape((n,))
    for i in range(n):
        total = 0.0
        for j in range(count):
            difference = np.float64(xs[i, j]) - np.float64(ys[i, j])
            total += difference * difference
        result[i] = total / count


@register_jitable
def index_of(mx, my, mxx, myy, mxy, c1, c2, scale):
    """S from the window's means of x, y, x x, y y and x y; ``scale`` turns the moments into the wanted variances."""
    vx, vy, vxy = scale * (mxx - mx * mx), scale * (myy - my * my), scale * (mxy - mx * my)
    return ((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))


@register_jitable
def gradient_terms(mx, my, mxx, myy, mxy, c1, c2, scale):
    """The three numbers whose windowed means, times x, y and 1, add up to half the gradient of the sum of S by y."""
    vx, vy, vxy = scale * (mxx - mx * mx), scale * (myy - my * my), scale * (mxy - mx * my)
    a1, a2 = 2 * mx * my + c1, 2 * vxy + c2
    b1, b2 = mx * mx + my * my + c1, vx + vy + c2
    s = (a1 * a2) / (b1 * b2)
    return a1 / (b1 * b2), -s / b2, (mx * (a2 - a1) - my * (b2 - b1) * s) / (b1 * b2)


@register_jitable
def moments_of(xs, ys, image, i, p, q, weights, deep, high):
    """The windowed means of x, y, x x, y y and x y around a pixel; the window has one tap along unused axes."""
    _, d, h, w = xs.shape
    taps, radius = weights.size, weights.size // 2
    mx = my = mxx = myy = mxy = 0.0
    for a in range(taps if deep else 1):
        k = border(i + a - radius, d, REFLECT) if deep else 0
        for b in range(taps if high else 1):
            r = border(p + b - radius, h, REFLECT) if high else 0
            for c in range(taps):
                s = border(q + c - radius, w, REFLECT)
                weight = weights[c] * (weights[b] if high else 1.0) * (weights[a] if deep else 1.0)
                u, v = np.float64(xs[image, k, r, s]), np.float64(ys[image, k, r, s])
                mx += weight * u
                my += weight * v
                mxx += weight * u * u
                myy += weight * v * v
                mxy += weight * u * v
    return mx, my, mxx, myy, mxy


@register_jitable
def is_inside(i, p, q, d, h, w, margin, deep, high):
    """Whether a pixel counts in the mean."""
    return (
        margin <= q < w - margin and (not high or margin <= p < h - margin) and (not deep or margin <= i < d - margin)
    )


def structural_similarity(x, y, weights, means, maps, errors, shape, axes, margin, c1, c2, scale):
    """``means`` of S over the pixels at least ``margin`` from the border, and ``maps``: S, and the gradient's terms.

    ``errors`` are the means of (x - y)^2 over all pixels.

    ``shape`` is (N, D, H, W); of the last three the last ``axes`` are the image's, the others are 1.
    """
    n, d, h, w = shape
    deep, high = axes > 2, axes > 1
    mean_squared_error(x, y, errors, n, d * h * w)
    xs, ys = x.reshape((n, d, h, w)), y.reshape((n, d, h, w))
    result, images = means.reshape((n,)), maps.reshape((len(maps), n, d, h, w))
    for image in range(n):
        total, inside = 0.0, 0
        for i in range(d):
            for p in range(h):
                for q in range(w):
                    moments = moments_of(xs, ys, image, i, p, q, weights, deep, high)
                    value = index_of(*moments, c1, c2, scale)
                    if is_inside(i, p, q, d, h, w, margin, deep, high):
                        total += value
                        inside += 1
                    if len(maps) > 0:
                        images[0, image, i, p, q] = value
                    if len(maps) > 1:
                        terms = gradient_terms(*moments, c1, c2, scale)
                        for m in range(3):
                            images[1 + m, image, i, p, q] = terms[m]
        result[image] = total / inside
