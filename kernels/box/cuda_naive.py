"""box2d "naive" on CUDA: one thread, one output.

The idea: outputs do not depend on each other, so each thread adds its window as the definition does (reference.py).

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest, so that the 32 threads of a warp
read neighbouring numbers for each pixel of the window.

Memory traffic: R * S reads for an output, most of which the cache answers. What bounds it is their number, and the
arithmetic of positions beside each: that neighbouring windows share all but their edges, which lets cpu_sums.py take a
few additions whatever R and S are, is not used.

Sums are float64, in which those of integers are exact. Takes everything.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import BoxGeometry
from .reference import of_sum, sum_at


@cuda.jit
def box2d_naive(x, y, size, mode, cval, origin, kind, scale, offset, limits):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    total = sum_at(x, n, p, q, c, size, mode, cval, origin)
    y[n, p, q, c] = of_sum(total, kind, scale, offset, size[0] * size[1], limits[0], limits[1])


def build(g: BoxGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    shape, *constants = g.constants

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(box2d_naive, g.pixels, arrays[0].reshape(shape), outputs[0].reshape(shape), *constants)

    return run
