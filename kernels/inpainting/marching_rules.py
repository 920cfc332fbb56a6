"""What the definition and the fast variant of inpainting by fast marching share: constants and arithmetic.

Results are to equal OpenCV's bit for bit, so every sum and product here has its type and its place.
"""

import math

import numpy as np
from numba import njit

NAVIER_STOKES, TELEA = 0, 1

KNOWN, INSIDE, CHANGED = 0, 2, 3

FAR = np.float32(1e6)
"""The arrival time of pixels that the front has not reached."""


@njit(forceinline=True)
def arrival(t, f, at, vertical, horizontal):
    """When the front reaches a pixel from one vertical and one horizontal neighbour, which are steps in ``t``."""
    a, b = np.float64(t[at + vertical]), np.float64(t[at + horizontal])
    if f[at + vertical] == INSIDE:
        return np.float32(1 + (min(a, b) if f[at + horizontal] == INSIDE else b))
    if f[at + horizontal] == INSIDE:
        return np.float32(1 + a)
    if abs(a - b) >= 1.0:
        return np.float32(1 + min(a, b))
    return np.float32((a + b + math.sqrt(2 - (a - b) * (a - b))) * 0.5)


@njit(forceinline=True)
def first_arrival(t, f, at, pitch):
    """The least over the four corners."""
    above = min(arrival(t, f, at, -pitch, -1), arrival(t, f, at, -pitch, 1))
    below = min(arrival(t, f, at, pitch, -1), arrival(t, f, at, pitch, 1))
    return min(above, below)


@njit(forceinline=True)
def slope(before, here, after, known_before, known_after):
    """The derivative of the arrival time along one axis, from the side or sides that are known."""
    if known_after:
        return (after - before) * np.float32(0.5) if known_before else after - here
    return here - before if known_before else np.float32(0)
