"""Spline coefficients "naive" on CUDA: one thread, one line, along one axis and then along the other.

The idea: a recursive filter (poles.py) cannot be computed in parallel with itself, but lines are apart.

Index arithmetic: an image is (outer, n, inner) with the axis in the middle. Threads of a warp have neighbouring `inner`
places: columns, when the axis runs down, which are read together; along rows of a gray image they lie a row apart, and
each reads memory of its own.

Memory traffic: each number is read and written in three passes for each pole, one number after the other, so that the
latency of memory bounds it: an image of H rows has W C lines, few threads for a large GPU. Numbers are float64 between
the passes. Takes everything.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cuda

from ..arrays import beside, new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .poles import filter_tables

if TYPE_CHECKING:
    from . import SplineGeometry


@cuda.jit(device=True)
def end_of(y, o, c, places, weights, begin, end):
    """The sum of a list of weighted places of a line."""
    total = 0.0
    for t in range(begin, end):
        total += weights[t] * y[o, places[t], c]
    return total


@cuda.jit
def spline_lines_naive(y, starts, places, weights, poles):
    """Each thread filters one line of y (outer, n, inner), in place."""
    index = cuda.grid(1)
    outer, n, inner = y.shape
    if index >= outer * inner:
        return
    o, c, many = index // inner, index % inner, poles.size - 1
    for i in range(n):
        y[o, i, c] *= poles[many]
    for k in range(many):
        pole = poles[k]
        y[o, 0, c] = end_of(y, o, c, places, weights, starts[2 * k], starts[2 * k + 1])
        for i in range(1, n):
            y[o, i, c] += pole * y[o, i - 1, c]
        y[o, n - 1, c] = end_of(y, o, c, places, weights, starts[2 * k + 1], starts[2 * k + 2])
        for i in range(n - 2, -1, -1):
            y[o, i, c] = pole * (y[o, i + 1, c] - y[o, i, c])


@cuda.jit(device=True)
def share_end(y, o, c, at, places, weights, begin, end):
    """The adjoint of writing `end_of` to place ``at``."""
    here = y[o, at, c]
    y[o, at, c] = 0.0
    for t in range(begin, end):
        y[o, places[t], c] += weights[t] * here


@cuda.jit
def spline_lines_grad_naive(y, starts, places, weights, poles):
    """Each thread takes the transposed steps from the last to the first."""
    index = cuda.grid(1)
    outer, n, inner = y.shape
    if index >= outer * inner:
        return
    o, c, many = index // inner, index % inner, poles.size - 1
    for i in range(n):
        y[o, i, c] *= poles[many]
    for k in range(many - 1, -1, -1):
        pole = poles[k]
        for i in range(n - 1):
            here = y[o, i, c]
            y[o, i + 1, c] += pole * here
            y[o, i, c] = -pole * here
        share_end(y, o, c, n - 1, places, weights, starts[2 * k + 1], starts[2 * k + 2])
        for i in range(n - 1, 0, -1):
            y[o, i - 1, c] += pole * y[o, i, c]
        share_end(y, o, c, 0, places, weights, starts[2 * k], starts[2 * k + 1])


def _build(kernel: Any, g: "SplineGeometry") -> Run:
    N, H, W, C = g.image
    axes = [
        (shape, filter_tables(shape[1], g.degree, g.border, np.dtype(np.float64)))
        for shape in ((N, H, W * C), (N * H, W, C))
        if 0 not in shape
    ]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        lines = new_like(arrays[0], g.image, np.float64)
        lines[...] = arrays[0]
        for shape, tables in axes:
            launch_each(kernel, shape[0] * shape[2], lines.reshape(shape), *[beside(lines, t) for t in tables])
        outputs[0][...] = lines

    return run


def build(g: "SplineGeometry") -> Run:
    """Prepare both launches: a thread for each column, then for each row."""
    return _build(spline_lines_naive, g)


def build_grad(g: "SplineGeometry") -> Run:
    """Prepare both launches of the adjoint."""
    return _build(spline_lines_grad_naive, g)
