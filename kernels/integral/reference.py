"""The definition of integral images."""

import numpy as np


def integral(x, y):
    """``y[n, i, j, c]`` is the sum of ``x[n, :i, :j, c]``, in float64."""
    N, H, W, C = x.shape
    y[:] = 0
    for n in range(N):
        for c in range(C):
            column = np.zeros(W)
            for i in range(H):
                total = 0.0
                for j in range(W):
                    column[j] += np.float64(x[n, i, j, c])
                    total += column[j]
                    y[n, i + 1, j + 1, c] = total
