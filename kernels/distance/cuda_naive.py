"""distance_transform "naive" on CUDA: one thread, one pixel, in two steps.

    columns   each thread looks for the nearest zero in its pixel's column
    rows      each thread looks along its pixel's row at what the columns found, and takes the nearest of all

The idea: of each column only its nearest zero can be the nearest of all, so two searches along a line take the place of
one over the image. Of several nearest zeros the upper one in a column counts, and of columns the first.

Index arithmetic: threads are numbered as pixels lie in memory. In the first step those of a warp walk neighbouring
columns, and in the second one row together: they read neighbouring numbers, or the same.

Memory traffic: H + W reads for a pixel, most of which the caches answer, where cpu_columns.py needs a few. Takes
everything.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import DistanceGeometry


@cuda.jit
def nearest_in_column(x, nearest):
    """Each thread writes a row, or -1 where the column has no zero."""
    index = cuda.grid(1)
    if index >= nearest.size:
        return
    _, H, W = nearest.shape
    n, p, q = index // (W * H), index // W % H, index % W
    found = -1
    for i in range(H):
        if x[n, i, q] == 0 and (found < 0 or abs(p - i) < abs(p - found)):
            found = i
    nearest[n, p, q] = found


@cuda.jit
def nearest_in_row(nearest, distances, indices, step_h, step_w):
    """Each thread writes one distance, and where the pixel is that has it."""
    index = cuda.grid(1)
    if index >= nearest.size:
        return
    _, H, W = nearest.shape
    n, p, q = index // (W * H), index // W % H, index % W
    least, row, column = math.inf, -1, -1
    for j in range(W):
        i = nearest[n, p, j]
        if i >= 0:
            squared = (step_h * (p - i)) ** 2 + (step_w * (q - j)) ** 2
            if squared < least:
                least, row, column = squared, i, j
    distances[n, p, q] = math.sqrt(least)
    if indices.size > 0:
        indices[0, n, p, q] = row
        indices[1, n, p, q] = column


def build(g: DistanceGeometry) -> Run:
    """Prepare both launches: a thread for each pixel."""
    shape = (g.n, g.h, g.w)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, (distances, indices) = arrays[0].reshape(shape), outputs
        nearest = new_like(x, shape, np.int32)
        launch_each(nearest_in_column, nearest.size, x, nearest)
        places = indices.reshape((2, *shape) if indices.size else (2, 0, 0, 0))
        launch_each(nearest_in_row, nearest.size, nearest, distances.reshape(shape), places, g.step_h, g.step_w)

    return run
