"""Interpolation and its adjoint "naive" on CUDA: one thread, one output.

The idea: each thread of `interpolate` computes its pixel's taps and weights and adds, as the definition does
(reference.py). The adjoint adds every number, weighted, to all pixels that it was made of, which several threads would
do to one pixel at once; so here each thread has a pixel of the image and *gathers*: it looks for itself among the taps
of every row of the result, and, in the rows where it is found, of every column. Rows and columns come in ascending
order, so that sums do not depend on which thread is first.

Index arithmetic: threads are numbered as results lie in memory, channels fastest. The 32 threads of a warp have the
same taps where there are 32 channels, and read runs of channels.

Memory traffic: an output reads taps x taps numbers, which neighbours find in the cache. What bounds these kernels is
that every thread computes weights anew, for each channel, and in the adjoint for every row of the result: (P + Q) taps
and more, where a table of each axis' weights, made once, would do. Rows and columns are not separated either.

Positions, weights and sums are float64, as in the definition. Takes everything.
"""

from typing import Any

from numba import cuda

from ..correlation.window_reference import saturated
from ..machine.cuda_numba import launch_each
from ..operation import Run
from . import Interpolation
from .reference import interpolated, tap


@cuda.jit
def interpolate_naive(x, y, taps, scale, mode, align_corners, antialias, outside, margin, limits):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, P, Q, C = y.shape
    n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
    total = interpolated(x, n, p, q, c, (P, Q), taps, scale, mode, align_corners, antialias, outside, margin)
    y[n, p, q, c] = saturated(total, limits[0], limits[1]) if limits[0] < limits[1] else total


@cuda.jit
def interpolate_grad_naive(gy, gx, taps, scale, mode, align_corners, antialias, outside, margin):
    """Each thread computes one element of gx."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = gx.shape
    _, P, Q, _ = gy.shape
    n, h, w, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    total = 0.0
    for p in range(P):
        for s in range(taps[0]):
            row, down = tap(p, s, H, P, scale[0], mode, align_corners, antialias, outside, margin[0])
            if row != h or down == 0.0:
                continue
            for q in range(Q):
                for t in range(taps[1]):
                    column, along = tap(q, t, W, Q, scale[1], mode, align_corners, antialias, outside, margin[1])
                    if column == w and down * along != 0.0:
                        total += down * along * gy[n, p, q, c]
    gx[n, h, w, c] = total


def _build(kernel: Any, *constants: Any) -> Run:
    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(kernel, outputs[0].size, arrays[0], outputs[0], *constants)

    return run


def build(g: Interpolation) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    return _build(interpolate_naive, *g.constants, g.limits)


def build_grad(g: Interpolation) -> Run:
    """Prepare the launch: a thread for each element of the image."""
    return _build(interpolate_grad_naive, *g.constants)
