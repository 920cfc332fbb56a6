"""The definition of denoising by total variation, in loops that can be checked by hand.

Of all images u, the one that is wanted makes ``sum |u - x|^2 / 2 + weight * sum |gradient of u|`` least. It is x plus
the negative divergence of a field p of vectors, which Chambolle's projection finds step by step:

    d = (p0 of the pixel above) - p0 + (p1 of the pixel to the left) - p1        u = x + d
    g = (u of the pixel below - u, u of the pixel to the right - u)              0 where there is none
    p = (p - tau g) / (1 + tau |g| / weight)                                     tau = 1/4

It ends where the energy ``(sum d^2 + weight * sum |g|) / pixels`` has changed by less than ``eps`` times its first
value, or after so many steps, with the u of the last one.
"""

import math

import numpy as np
from numba.extending import register_jitable

TAU = 0.25


@register_jitable
def divergence(down, right, plane, i, j):
    """The negative divergence of the field at a pixel."""
    d = -down[plane, i, j] - right[plane, i, j]
    if i > 0:
        d += down[plane, i - 1, j]
    if j > 0:
        d += right[plane, i, j - 1]
    return d


@register_jitable
def gradient(u, plane, i, j):
    """The differences to the pixels below and to the right."""
    value = np.float64(u[plane, i, j])
    below = u[plane, i + 1, j] - value if i + 1 < u.shape[1] else 0.0
    beside = u[plane, i, j + 1] - value if j + 1 < u.shape[2] else 0.0
    return below, beside


@register_jitable
def stepped(p, slope, norm, weight):
    """One component of the field after a step."""
    return (p - TAU * slope) / (1 + TAU / weight * norm)


def total_variation(x, y, planes, h, w, weight, eps, steps):
    source, u = x.reshape((planes, h, w)), y.reshape((planes, h, w))
    down, right = np.zeros((planes, h, w)), np.zeros((planes, h, w))
    for plane in range(planes):
        first, previous = 0.0, 0.0
        for step in range(steps):
            energy = 0.0
            for i in range(h):
                for j in range(w):
                    d = divergence(down, right, plane, i, j)
                    u[plane, i, j] = source[plane, i, j] + d
                    energy += d * d
            for i in range(h):
                for j in range(w):
                    below, beside = gradient(u, plane, i, j)
                    norm = math.sqrt(below * below + beside * beside)
                    energy += weight * norm
                    down[plane, i, j] = stepped(down[plane, i, j], below, norm, weight)
                    right[plane, i, j] = stepped(right[plane, i, j], beside, norm, weight)
            energy /= h * w
            if step == 0:
                first = energy
            elif abs(previous - energy) < eps * first:
                break
            previous = energy
