"""Filters that are a product of weights along each axis."""

from collections.abc import Mapping

import numpy as np

from .. import kernels
from ..kernels.correlation.weights import gaussian_taps as gaussian_taps

LEAST_SIGMA = 1e-15  # below it an axis is not blurred, as in SciPy


def correlate_axes(
    x: np.ndarray, weights: Mapping[int, np.ndarray], *, mode: str, cval: float = 0.0, out: np.ndarray | None = None
) -> np.ndarray:
    """Correlate along each axis of ``weights``, from the first axis to the last; ``x`` itself where there is none.

    Two neighbouring axes at the end are done in one pass.
    """
    axes = sorted(weights)
    fused = len(axes) > 1 and axes[-1] == axes[-2] + 1
    for axis in axes[:-2] if fused else axes[:-1]:
        x = kernels.correlate1d(x, weights[axis], axis=axis, mode=mode, cval=cval)
    if fused:
        column, row = weights[axes[-2]], weights[axes[-1]]
        return kernels.correlate_separable2d(x, column, row, axis=axes[-2], mode=mode, cval=cval, out=out)
    if axes:
        return kernels.correlate1d(x, weights[axes[-1]], axis=axes[-1], mode=mode, cval=cval, out=out)
    return x
