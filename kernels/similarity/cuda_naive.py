"""Mean squared error and structural similarity "naive" on CUDA: one thread, one pixel, then sums of sums.

    errors     each thread adds the squared differences of a run of pixels
    indices    each thread computes S of one pixel, and the terms of its gradient where they are asked for
    runs       each thread adds S of a run of pixels, those inside
    means      each thread adds the runs of one image

The idea: pixels do not depend on each other, and their sum is cut into runs whose length is fixed, so that results
depend on shapes alone: every thread adds its numbers in order.

Index arithmetic: threads are numbered as pixels lie in memory. The threads of `runs` read numbers that lie a run apart;
neighbouring ones would be read together.

Memory traffic: taps^axes pairs of reads for S of one pixel, most of which the caches answer. That the window is
separable is not used; cpu_rows.py filters along one axis after the other, in one walk. What bounds it is the arithmetic
in float64, of which many GPUs have little. Takes everything.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import ErrorGeometry, SimilarityGeometry
from .reference import gradient_terms, index_of, is_inside, moments_of

RUN = 256
"""Pixels of a run."""


@cuda.jit
def error_runs_naive(x, y, runs):
    """Each thread adds one run of x and y (n, size)."""
    index = cuda.grid(1)
    if index >= runs.size:
        return
    i, run, total = index // runs.shape[1], index % runs.shape[1], 0.0
    for j in range(run * RUN, min(run * RUN + RUN, x.shape[1])):
        difference = np.float64(x[i, j]) - np.float64(y[i, j])
        total += difference * difference
    runs[i, run] = total


@cuda.jit
def similarity_naive(x, y, weights, values, maps, deep, high, c1, c2, scale):
    """Each thread computes one pixel of x and y (n, d, h, w)."""
    index = cuda.grid(1)
    if index >= values.size:
        return
    _, D, H, W = x.shape
    n, i, p, q = index // (W * H * D), index // (W * H) % D, index // W % H, index % W
    mx, my, mxx, myy, mxy = moments_of(x, y, n, i, p, q, weights, deep, high)
    value = index_of(mx, my, mxx, myy, mxy, c1, c2, scale)
    values[n, i, p, q] = value
    if maps.shape[0] > 0:
        maps[0, n, i, p, q] = value
    if maps.shape[0] > 1:
        terms = gradient_terms(mx, my, mxx, myy, mxy, c1, c2, scale)
        for m in range(3):
            maps[1 + m, n, i, p, q] = terms[m]


@cuda.jit
def similarity_runs_naive(values, runs, margin, deep, high):
    """Each thread adds what counts of one run."""
    index = cuda.grid(1)
    if index >= runs.size:
        return
    _, D, H, W = values.shape
    n, run, total = index // runs.shape[1], index % runs.shape[1], 0.0
    for place in range(run * RUN, min(run * RUN + RUN, D * H * W)):
        i, p, q = place // (W * H), place // W % H, place % W
        if is_inside(i, p, q, D, H, W, margin, deep, high):
            total += values[n, i, p, q]
    runs[n, run] = total


@cuda.jit
def means_of_runs(runs, means, count):
    """Each thread adds the runs of one image."""
    n = cuda.grid(1)
    if n >= means.size:
        return
    total = 0.0
    for run in range(runs.shape[1]):
        total += runs[n, run]
    means[n] = total / count


def _mean_of_errors(x: Any, y: Any, means: Any) -> None:
    """Of x and y (n, size)."""
    n, size = x.shape
    runs = new_like(x, (n, -(-size // RUN)), np.float64)
    launch_each(error_runs_naive, runs.size, x, y, runs)
    launch_each(means_of_runs, n, runs, means, size)


def build_error(g: ErrorGeometry) -> Run:
    """Prepare both launches of `mean_squared_error`."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y = (array.reshape((g.n, g.size)) for array in arrays)
        _mean_of_errors(x, y, outputs[0].reshape(g.n))

    return run


def build(g: SimilarityGeometry) -> Run:
    """Prepare the five launches of `structural_similarity`."""
    shape, pixels, deep, high = (g.n, g.d, g.h, g.w), g.d * g.h * g.w, g.axes > 2, g.axes > 1
    inside = (g.w - 2 * g.margin) * (g.h - 2 * g.margin if high else 1) * (g.d - 2 * g.margin if deep else 1)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y, weights = arrays[0].reshape(shape), arrays[1].reshape(shape), arrays[2]
        means, maps, errors = outputs[0].reshape(g.n), outputs[1].reshape((g.maps, *shape)), outputs[2].reshape(g.n)
        values = new_like(x, shape, np.float64)
        runs = new_like(x, (g.n, -(-pixels // RUN)), np.float64)
        _mean_of_errors(x.reshape((g.n, pixels)), y.reshape((g.n, pixels)), errors)
        launch_each(similarity_naive, values.size, x, y, weights, values, maps, deep, high, g.c1, g.c2, g.scale)
        launch_each(similarity_runs_naive, runs.size, values, runs, g.margin, deep, high)
        launch_each(means_of_runs, g.n, runs, means, inside)

    return run
