"""match_template and window_sums "naive" on CUDA: one thread, one place.

    rows      each thread adds the finite numbers of one channel in one row of an image, and counts them
    levels    each thread adds those rows for one channel: the image's mean, from which flat windows are told
    scores    each thread goes over its window and the template, first for their means, then for the sums of products

The idea: places do not depend on each other, so each thread does what the definition does (reference.py). That windows
share most of their numbers, and that the template's length is the same for all, is not used: threads share nothing.

Index arithmetic: threads are numbered as places lie in memory. The 32 threads of a warp read neighbouring pixels, C
numbers apart, and one number of the template for all.

Memory traffic: four reads for each number of the template and place, most of which the cache answers. What bounds it is
their number, R * S * C of each place, and that sums are in float64; a mean over all channels is computed anew for each
channel. In cpu_fourier.py the template's size hardly matters.

Takes everything. Rows are added in a fixed order, so that results do not depend on which thread is first.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import MatchGeometry
from .reference import channels_of, finite_sum, measure_at, sums_at


@cuda.jit
def match_template_rows(x, totals, counts):
    """Each thread writes one total and its count; both are (N, H, C)."""
    index = cuda.grid(1)
    if index < totals.size:
        _, H, C = totals.shape
        n, h, c = index // (C * H), index // C % H, index % C
        totals[n, h, c], counts[n, h, c] = finite_sum(x, n, h, c)


@cuda.jit
def match_template_levels(totals, counts, levels, centre):
    """Each thread computes one of ``levels``, which are (N, C)."""
    index = cuda.grid(1)
    if index >= levels.size:
        return
    _, H, C = totals.shape
    n, c = index // C, index % C
    first, last = channels_of(c, C, centre)
    total, count = 0.0, 0.0
    for k in range(first, last):
        for h in range(H):
            total += totals[n, h, k]
            count += counts[n, h, k]
    levels[n, c] = total / max(count, 1.0)


@cuda.jit
def match_template_scores(x, template, levels, y, centre, measure):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index < y.size:
        _, P, Q = y.shape
        n, p, q = index // (Q * P), index // Q % P, index % Q
        y[n, p, q] = measure_at(x[n], template, levels[n], p, q, centre, measure)


@cuda.jit
def window_sums_naive(x, sums, squares, R, S):
    """Each thread computes one sum of numbers and one of squares."""
    index = cuda.grid(1)
    if index < sums.size:
        _, P, Q, C = sums.shape
        n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
        sums[n, p, q, c], squares[n, p, q, c] = sums_at(x, n, p, q, c, R, S)


def build(g: MatchGeometry) -> Run:
    """Prepare the launches: a thread for each row, for each level and for each place."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, template), (y,) = arrays, outputs
        totals, counts = new_like(x, (g.n, g.h, g.c), np.float64), new_like(x, (g.n, g.h, g.c), np.float64)
        levels = new_like(x, (g.n, g.c), np.float64)
        launch_each(match_template_rows, totals.size, x, totals, counts)
        launch_each(match_template_levels, levels.size, totals, counts, levels, g.centre)
        launch_each(match_template_scores, g.places, x, template, levels, y, g.centre, g.measure)

    return run


def build_sums(g: MatchGeometry) -> Run:
    """Prepare the launch: a thread for each sum."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(window_sums_naive, outputs[0].size, *arrays, *outputs, g.r, g.s)

    return run
