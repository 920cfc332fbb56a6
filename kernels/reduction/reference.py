"""The definition of sum and mean: one walk over the input, each number added to the output it belongs to."""

import numpy as np


def reduce(x, y, shape, steps, scale):
    """``y[j] = scale * sum of the x[i] that belong to j``; axis a of x moves j by ``steps[a]``, 0 if reduced."""
    numbers, results = x.reshape(-1), y.reshape(-1)
    totals = np.zeros(y.size)
    for i in range(x.size):
        rest, j = i, 0
        for back in range(len(shape)):
            axis = len(shape) - 1 - back
            j += rest % shape[axis] * steps[axis]
            rest //= shape[axis]
        totals[j] += numbers[i]
    for j in range(y.size):
        results[j] = totals[j] * scale
