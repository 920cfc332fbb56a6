"""correlate2d and its gradients "naive" on CUDA: one thread, one output.

The idea: outputs do not depend on each other, so each thread adds the products of its window as the definition does
(window_reference.py). In the gradient by the images the definition adds every product to the pixel that it read, which
several threads would do to one pixel at once; so here each thread has a pixel of the image and *gathers*. Near a border
a pixel stands for several positions; which these are, is found by looking at the positions of the margin, and of each
position the thread adds the products of all windows that read it. The gradient by the weights has few outputs, each a
sum over all images: there a thread adds one row of an image for one weight, and those sums are added by a second
launch, with a thread for each weight. All sums come in a fixed order.

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest, so that the 32 threads of a warp
read neighbouring numbers for each tap. In the gradient by the weights they have neighbouring rows of one image, and
what they read at once lies W * C numbers apart.

Memory traffic: R * S reads for an output, most of which the cache answers. What bounds it is the arithmetic of
positions beside each, and of the gradient by the weights that both images are read R * S times.

Sums are float64, as in the definition. Takes everything.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .reference import MODES, border, position
from .window_geometry import WindowGeometry
from .window_reference import row_sum, saturated, window_sum


@cuda.jit
def correlate2d_naive(x, weights, y, mode, cval, origin, delta, limits):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    total = window_sum(x, weights, n, p, q, c, mode, cval, origin, delta)
    y[n, p, q, c] = saturated(total, limits[0], limits[1]) if limits[0] < limits[1] else total


@cuda.jit(device=True)
def sent_to(gy, weights, n, row, column, c, before):
    """What all windows that read position (row, column) send back to it."""
    _, H, W, _ = gy.shape
    R, S = weights.shape
    total = 0.0
    for r in range(R):
        p = row + before[0] - r
        if not 0 <= p < H:
            continue
        for s in range(S):
            q = column + before[1] - s
            if 0 <= q < W:
                total += weights[r, s] * gy[n, p, q, c]
    return total


@cuda.jit
def correlate2d_input_grad_naive(gy, weights, gx, mode, before):
    """Each thread computes one element of gx."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = gx.shape
    R, S = weights.shape
    n, k, m, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    total = 0.0
    for i in range(R):
        row = position(i, before[0], H, k)
        if border(row, H, mode) != k:
            continue
        for j in range(S):
            column = position(j, before[1], W, m)
            if border(column, W, mode) == m:
                total += sent_to(gy, weights, n, row, column, c, before)
    gx[n, k, m, c] = total


@cuda.jit
def correlate2d_weight_grad_rows(gy, x, rows, shape, mode, cval, origin):
    """Each thread adds one row of an image for one weight; ``rows`` is (R * S, N * H)."""
    index = cuda.grid(1)
    if index >= rows.size:
        return
    H, S = gy.shape[1], shape[1]
    weight, line = index // rows.shape[1], index % rows.shape[1]
    n, p, r, s = line // H, line % H, weight // S, weight % S
    rows[weight, line] = row_sum(gy, x, n, p, r, s, shape, mode, cval, origin)


@cuda.jit
def correlate2d_weight_grad_weights(rows, gw):
    """Each thread adds the rows of one weight."""
    index = cuda.grid(1)
    if index >= gw.size:
        return
    total = 0.0
    for line in range(rows.shape[1]):
        total += rows[index, line]
    gw[index // gw.shape[1], index % gw.shape[1]] = total


def build(g: WindowGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    constants = (MODES[g.mode], g.cval, g.origin, g.delta, g.limits)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(correlate2d_naive, g.pixels, *arrays, *outputs, *constants)

    return run


def build_input_grad(g: WindowGeometry) -> Run:
    """Prepare the launch: a thread for each element of the image."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(correlate2d_input_grad_naive, g.pixels, *arrays, *outputs, MODES[g.mode], g.before)

    return run


def build_weight_grad(g: WindowGeometry) -> Run:
    """Prepare both launches: a thread for each weight and row of the images, and one for each weight."""
    shape = (g.r, g.s)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, x), (gw,) = arrays, outputs
        rows = new_like(x, (g.r * g.s, g.n * g.h), np.float64)
        launch_each(correlate2d_weight_grad_rows, rows.size, gy, x, rows, shape, MODES[g.mode], g.cval, g.origin)
        launch_each(correlate2d_weight_grad_weights, gw.size, rows, gw)

    return run
