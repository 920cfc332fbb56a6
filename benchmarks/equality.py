"""Whether two sides computed the same, asked before either is timed."""

from collections.abc import Sequence

import numpy as np


def difference(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
    """The largest error of any pair of arrays, relative to the largest value of theirs; infinite where shapes differ.

    A NaN on either side is infinitely wrong.

    >>> difference([np.array([1.0, 4.0])], [np.array([1.0, 5.0])])
    0.2
    >>> difference([np.ones(2)], [np.ones(3)])
    inf
    """
    if len(ours) != len(theirs):
        return np.inf
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape:
            return np.inf
        if a.size:
            largest = float(np.abs(b).max())
            error = float(np.abs(a.astype(np.float64) - b).max())
            if not np.isfinite(error):
                return np.inf
            worst = max(worst, error / largest if largest else error)
    return worst
