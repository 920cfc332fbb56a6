"""The bilateral filter and its gradient "naive" on CUDA: one thread, one output.

The idea: outputs do not depend on each other, so each thread walks its window as the definition does (reference.py).
A thread has one channel, and the weights are those of all channels: of three channels each weight is computed three
times, where a thread of cpu_tiles.py computes it once for both pixels that it joins.

The gradient is two launches. The first gives each thread a number of the result, and keeps it with the sum of weights.
In the second a thread has a pixel of the image and *gathers*: what its own window pulls on it, and, as a neighbour, the
share that it has in the result of every pixel whose window sees it. Near a border one pixel stands for several
positions; which these are, is found by looking at the positions of the margin. Sums come in a fixed order.

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest, so that the 32 threads of a warp
read neighbouring numbers for each offset of the window.

Memory traffic: (2 radius + 1)^2 C reads for an output, most of which the cache answers; what bounds it is the
exponential of each, in float64. Takes everything.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..correlation.reference import MODES, border, position
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import BilateralGeometry
from .reference import is_outside, pull_of, slope_of, weight_of, weighted


@cuda.jit
def bilateral_naive(x, sigmas, y, radius, disk, city, sigma_space, mode, cval, rounded):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    total, values = weighted(x, n, p, q, c, radius, disk, sigmas[n], sigma_space, city, mode, cval)
    y[n, p, q, c] = round(values / total) if rounded else values / total


@cuda.jit
def bilateral_means_naive(x, sigmas, means, totals, radius, disk, city, sigma_space, mode, cval):
    """Each thread computes one element of the result and, of the first channel, the sum of its weights."""
    index = cuda.grid(1)
    if index >= means.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    total, values = weighted(x, n, p, q, c, radius, disk, sigmas[n], sigma_space, city, mode, cval)
    means[n, p, q, c] = values / total
    if c == 0:
        totals[n, p, q] = total


@cuda.jit(device=True)
def force_on(gy, x, means, totals, n, p, q, i, j, c, sigma, sigma_space, city, mode, cval):
    """The weight of offset (i, j) of pixel (p, q), and how the difference of the two numbers pulls on both."""
    weight = weight_of(x, n, p, q, i, j, sigma, sigma_space, city, mode, cval)
    pull = pull_of(x, gy, means, totals[n, p, q], n, p, q, i, j, mode, cval)
    return weight, pull * weight * slope_of(x, n, p, q, i, j, c, city, mode, cval) / sigma**2


@cuda.jit
def bilateral_grad_naive(gy, x, sigmas, means, totals, gx, radius, disk, city, sigma_space, mode, cval):
    """Each thread computes one element of gx."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = x.shape
    n, k, m, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    sigma, result = sigmas[n], 0.0
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if not is_outside(i, j, radius, disk):
                result += force_on(gy, x, means, totals, n, k, m, i, j, c, sigma, sigma_space, city, mode, cval)[1]
    for above in range(2 * radius + 1):
        row = position(above, radius, H, k)
        if border(row, H, mode) != k:
            continue
        for beside in range(2 * radius + 1):
            column = position(beside, radius, W, m)
            if border(column, W, mode) != m:
                continue
            for p in range(max(row - radius, 0), min(row + radius + 1, H)):
                for q in range(max(column - radius, 0), min(column + radius + 1, W)):
                    i, j = row - p, column - q
                    if is_outside(i, j, radius, disk):
                        continue
                    weight, force = force_on(
                        gy, x, means, totals, n, p, q, i, j, c, sigma, sigma_space, city, mode, cval
                    )
                    result += gy[n, p, q, c] * weight / totals[n, p, q] - force
    gx[n, k, m, c] = result


def _constants(g: BilateralGeometry) -> tuple[Any, ...]:
    return g.radius, g.disk, g.city, g.sigma_space, MODES[g.mode], g.cval


def build(g: BilateralGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, sigmas), (y,) = arrays, outputs
        launch_each(bilateral_naive, y.size, x, sigmas, y, *_constants(g), g.dtype.kind == "u")

    return run


def build_grad(g: BilateralGeometry) -> Run:
    """Prepare both launches: a thread for each element."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, x, sigmas), (gx,) = arrays, outputs
        means, totals = new_like(x, g.shape, np.float64), new_like(x, g.shape[:3], np.float64)
        launch_each(bilateral_means_naive, gx.size, x, sigmas, means, totals, *_constants(g))
        launch_each(bilateral_grad_naive, gx.size, gy, x, sigmas, means, totals, gx, *_constants(g))

    return run
