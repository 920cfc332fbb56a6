"""integral "naive" on CUDA: one thread, one column, then one thread, one row.

The idea: columns do not depend on each other, and rows of their sums do not either. Two launches, the second of which
reads what the first has written.

Index arithmetic: in the first launch threads are numbered as numbers of a row lie in memory, so that a warp reads 32
that lie side by side. In the second, neighbouring threads are channels of one row, and then rows: what a warp reads
lies a row apart.

Memory traffic: the sums of columns are written and read again, and those reads use a few bytes of each line that they
fetch, which bounds it. There are N * W * C and then N * H * C threads, too few for a single image to fill a GPU. Takes
everything.
"""

from typing import TYPE_CHECKING, Any

from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run

if TYPE_CHECKING:
    from . import Integral


@cuda.jit
def integral_down(x, sums):
    """Each thread sums one column of x (N, H, W, C) downwards into sums."""
    index = cuda.grid(1)
    N, H, W, C = x.shape
    if index >= N * W * C:
        return
    n, w, c = index // (C * W), index // C % W, index % C
    total = sums.dtype.type(0)
    for h in range(H):
        total += x[n, h, w, c]
        sums[n, h, w, c] = total


@cuda.jit
def integral_across(sums, y):
    """Each thread writes one row of one channel of y (N, H + 1, W + 1, C)."""
    index = cuda.grid(1)
    N, rows, columns, C = y.shape
    if index >= N * rows * C:
        return
    n, i, c = index // (C * rows), index // C % rows, index % C
    total = sums.dtype.type(0)
    y[n, i, 0, c] = 0
    for j in range(1, columns):
        if i > 0:
            total += sums[n, i - 1, j - 1, c]
        y[n, i, j, c] = total


def build(g: "Integral") -> Run:
    """Prepare both launches."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        sums = new_like(arrays[0], (g.n, g.h, g.w, g.c), g.working)
        launch_each(integral_down, g.n * g.w * g.c, arrays[0], sums)
        launch_each(integral_across, g.n * (g.h + 1) * g.c, sums, outputs[0])

    return run
