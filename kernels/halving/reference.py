"""The definition of halving."""

import math

import numpy as np
from numba.extending import register_jitable


@register_jitable
def mean_at(x, n, p, q, c, whole):
    """The mean of 2x2 pixels; of whole numbers with halves up: their sum, 2 more, and the quotient's floor."""
    total = 0.0
    for i in range(2):
        for j in range(2):
            total += np.float64(x[n, 2 * p + i, 2 * q + j, c])
    return math.floor((total + 2) / 4) if whole else total / 4


def halve(x, y, whole):
    """Every pixel of y is such a mean."""
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = mean_at(x, n, p, q, c, whole)
