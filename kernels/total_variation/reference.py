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


def total_variation(x, y, planes, h, w, weight, eps, steps):
    source, target = x.reshape((planes, h, w)), y.reshape((planes, h, w))
    tau = 0.25
    for plane in range(planes):
        down, right = np.zeros((h, w)), np.zeros((h, w))
        first, previous = 0.0, 0.0
        for step in range(steps):
            energy = 0.0
            for i in range(h):
                for j in range(w):
                    d = -down[i, j] - right[i, j]
                    if i > 0:
                        d += down[i - 1, j]
                    if j > 0:
                        d += right[i, j - 1]
                    target[plane, i, j] = source[plane, i, j] + d
                    energy += d * d
            for i in range(h):
                for j in range(w):
                    value = target[plane, i, j]
                    below = target[plane, i + 1, j] - value if i + 1 < h else 0.0
                    beside = target[plane, i, j + 1] - value if j + 1 < w else 0.0
                    norm = math.sqrt(below * below + beside * beside)
                    energy += weight * norm
                    down[i, j] = (down[i, j] - tau * below) / (1 + tau / weight * norm)
                    right[i, j] = (right[i, j] - tau * beside) / (1 + tau / weight * norm)
            energy /= h * w
            if step == 0:
                first = energy
            elif abs(previous - energy) < eps * first:
                break
            previous = energy
