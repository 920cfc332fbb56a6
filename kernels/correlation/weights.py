"""Weights of well-known filters."""

import numpy as np

LARGEST_RADIUS = 2**26


def gaussian_taps(sigma: float, truncate: float) -> np.ndarray:
    """Samples of a Gaussian out to ``truncate`` standard deviations, rounded to a whole radius; they add up to 1.

    A radius of more than 2^26 pixels is refused.

    >>> gaussian_taps(1.0, 1.0).round(3)
    array([0.274, 0.452, 0.274])
    """
    radius = int(truncate * sigma + 0.5)
    if radius > LARGEST_RADIUS:
        raise ValueError(
            f"gaussian: sigma = {sigma:g} and truncate = {truncate:g} make a window that reaches {radius} pixels, "
            f"of at most {LARGEST_RADIUS}"
        )
    if radius == 0:
        return np.ones(1)
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    return weights / weights.sum()
