"""Otsu's threshold of bytes in OpenCV's recurrence, in its order of operations.

Each of 256 steps needs the one before, so there is nothing to do side by side but histograms, of which there is often
one. In NumPy a step costs a dozen calls; here the loops are compiled as they stand.
"""

from typing import Any

import numpy as np

from ..machine.compile import compile_loops

_LEAST = float(np.finfo(np.float32).eps)  # the smallest class that is looked at


def _thresholds(counts, thresholds, least):
    for i in range(counts.shape[0]):
        total, mean = 0.0, 0.0
        for value in range(counts.shape[1]):
            total += counts[i, value]
            mean += counts[i, value] * value
        scale = 1.0 / total
        mean *= scale
        below, mean_below, best = 0.0, 0.0, 0.0
        thresholds[i] = 0.0
        for value in range(counts.shape[1]):
            share = counts[i, value] * scale
            mean_below *= below
            below += share
            above = 1.0 - below
            # Where a class is as good as empty, OpenCV goes on with the sum in the mean's place.
            if min(below, above) < least or max(below, above) > 1.0 - least:
                continue
            mean_below = (mean_below + value * share) / below
            mean_above = (mean - below * mean_below) / above
            variance = below * above * (mean_below - mean_above) * (mean_below - mean_above)
            if variance > best:
                best = variance
                thresholds[i] = value


_compiled: Any = compile_loops(_thresholds)


def otsu_thresholds(counts: np.ndarray) -> np.ndarray:
    """The threshold of each of (N, 256) histograms, as float64; none may be empty."""
    thresholds = np.empty(len(counts))
    _compiled(np.ascontiguousarray(counts, np.int64), thresholds, _LEAST)
    return thresholds
