"""The definition of halving."""

import numpy as np
from numba.extending import register_jitable


@register_jitable
def mean_at(x, n, p, q, c):
    """The mean of 2x2 pixels, halves up: the sum of four integers, 2 more, and the quotient's floor."""
    total = 0
    for i in range(2):
        for j in range(2):
            total += int(x[n, 2 * p + i, 2 * q + j, c])
    return (total + 2) // 4


def halve(x, y):
    """Every pixel of y is such a mean."""
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = mean_at(x, n, p, q, c)
