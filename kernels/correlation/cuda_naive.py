"""Correlation with weights of one axis, and of two apart, "naive" on CUDA: one thread, one output.

    y[o, i, j] = sum over t of  weights[t] * x[o, i + t - size // 2 - origin, j]
    y[o, p, q, c] = sum over s of  row[s] * (sum over r of  column[r] * x[o, p + r - R // 2, q + s - S // 2, c])

The idea: outputs do not depend on each other, so each goes to a thread, which keeps the loops over the taps.

Index arithmetic: threads are numbered in the order in which y lies in memory, channels fastest, and the number is taken
apart again by division. The 32 threads of a warp hold neighbours of one row, so for each tap they read one run of
memory, shifted by the tap: coalesced. At the border `border` names the pixel that a position stands for.

Memory traffic: of two axes R * S reads for an output, and R * S + S multiply-adds where R + S would do: what makes the
filter separable, that a sum down the column serves all outputs whose row window crosses it, is not used, because
threads share nothing. In cuda_tiled.py they do.

Takes everything: any number of taps and channels, every border, float32 and float64, bytes in fixed point.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch, launch_each
from ..operation import Run
from .geometry import CorrelationGeometry
from .reference import MODES, border, fixed_sum, line_sum

THREADS = 128

border_on_device = cuda.jit(device=True)(border)


@cuda.jit
def correlate1d_naive(x, weights, y, mode, cval, origin):
    """Each thread computes one element of y; x and y are (outer, n, inner)."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, n, inner = x.shape
    o, i, j = index // (inner * n), index // inner % n, index % inner
    y[o, i, j] = line_sum(x, weights, o, i, j, mode, cval, origin)


@cuda.jit
def correlate_fixed2d_naive(x, column, row, y, mode, cval):
    """Each thread computes one element of y; x and y are (outer, H, W, inner)."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    o, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    y[o, p, q, c] = fixed_sum(x, column, row, o, p, q, c, mode, cval)


@cuda.jit
def correlate_separable2d_naive(x, column, row, y, mode, cval):
    """Each thread computes one element of y; x and y are (outer, H, W, inner)."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    R, S = column.size, row.size
    c = index % C
    q = index // C % W
    p = index // (C * W) % H
    o = index // (C * W * H)

    zero = cval - cval
    total = zero
    for s in range(S):
        m = border_on_device(q + s - S // 2, W, mode)
        down = cval
        if m >= 0:
            down = zero
            for r in range(R):
                k = border_on_device(p + r - R // 2, H, mode)
                down += column[r] * (cval if k < 0 else x[o, k, m, c])
        total += row[s] * down
    y[o, p, q, c] = total


def build(geometry: CorrelationGeometry) -> Run:
    """Prepare the launch: enough blocks of 128 threads for every output."""
    g = geometry
    shape, blocks = (g.outer, g.h, g.w, g.inner), -(-g.pixels // THREADS)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, column, row), (y,) = arrays, outputs
        column, row = column.astype(g.dtype), row.astype(g.dtype)
        border_of = MODES[g.mode], g.dtype.type(g.cval)
        if blocks:
            launch(
                correlate_separable2d_naive, (blocks,), (THREADS,), x.reshape(shape), column, row, y.reshape(shape),
                *border_of,
            )  # fmt: skip

    return run


def build_one_axis(g: CorrelationGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    shape = (g.outer, g.w, g.inner)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, weights), (y,) = arrays, outputs
        border_of = MODES[g.mode], g.cval, g.origin
        launch_each(correlate1d_naive, g.pixels, x.reshape(shape), weights, y.reshape(shape), *border_of)

    return run


def build_fixed(g: CorrelationGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    shape = (g.outer, g.h, g.w, g.inner)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, *weights), (y,) = arrays, outputs
        border_of = MODES[g.mode], int(g.cval)
        launch_each(correlate_fixed2d_naive, g.pixels, x.reshape(shape), *weights, y.reshape(shape), *border_of)

    return run
