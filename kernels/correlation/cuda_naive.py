"""correlate_separable2d "naive" on CUDA: one thread, one output.

    y[o, p, q, c] = sum over s of  row[s] * (sum over r of  column[r] * x[o, p + r - R // 2, q + s - S // 2, c])

The idea: outputs do not depend on each other, so each goes to a thread, which keeps both loops over the taps.

Index arithmetic: threads are numbered in the order in which y lies in memory, channels fastest, and the number is taken
apart again by division. The 32 threads of a warp hold neighbours of one row, so for each tap they read one run of
memory, shifted by the tap: coalesced. At the border `border` names the pixel that a position stands for.

Memory traffic: R * S reads for an output, and R * S + S multiply-adds where R + S would do: what makes the filter
separable, that a sum down the column serves all outputs whose row window crosses it, is not used, because threads share
nothing. In cuda_tiled.py they do.

Takes everything: any number of taps and channels, every border, float32 and float64.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch
from ..operation import Run
from .geometry import CorrelationGeometry
from .reference import MODES, border

THREADS = 128

border_on_device = cuda.jit(device=True)(border)


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
