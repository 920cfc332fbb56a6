"""Weights of well-known filters."""

import numpy as np


def gaussian_taps(sigma: float, truncate: float) -> np.ndarray:
    """Samples of a Gaussian out to ``truncate`` standard deviations, rounded to a whole radius; they add up to 1.

    >>> gaussian_taps(1.0, 1.0).round(3)
    array([0.274, 0.452, 0.274])
    """
    radius = int(truncate * sigma + 0.5)
    if sigma == 0:
        return np.ones(1)
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    return weights / weights.sum()
