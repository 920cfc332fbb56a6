"""Structural similarity of images with more axes than three, for which there is no kernel: one axis after the other."""

from typing import Any

import numpy as np

from ..kernels.similarity.reference import gradient_terms, index_of
from .separable import correlate_axes


def similarity_by_axes(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    *,
    c1: float,
    c2: float,
    scale: float,
    axes: int,
    margin: int,
    maps: int,
) -> tuple[np.ndarray, Any, np.ndarray]:
    """What `tilegrad.kernels.structural_similarity` gives of images of one to three axes; ``maps`` of 0 are None.

    The five means under the windows are whole arrays, each filtered along one axis after the other.
    """
    x, y = x.astype(np.float64, copy=False), y.astype(np.float64, copy=False)
    batch = x.ndim - axes
    spatial = tuple(range(batch, x.ndim))
    windows = dict.fromkeys(spatial, weights)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):  # NaN and infinities have their windows
        moments = [correlate_axes(a, windows, mode="reflect") for a in (x, y, x * x, y * y, x * y)]
        found = [index_of(*moments, c1, c2, scale)]
        if maps > 1:
            found += gradient_terms(*moments, c1, c2, scale)
        errors = np.square(x - y).mean(axis=spatial)
    inside = (slice(None),) * batch + (slice(margin, -margin or None),) * axes
    return found[0][inside].mean(axis=spatial), np.stack(found) if maps else None, errors
