"""Non-local means "naive" on CUDA: one thread, one output.

The idea: outputs do not depend on each other, so each thread walks its search window, and for every offset both
patches, as the definition does (reference.py). That two pixels share a weight, and that the distances of neighbouring
patches share all but their edges, is not used: what cpu_tiles.py does with a few operations for each offset takes
taps^2 of them here. A thread has one channel, and computes the weights of all.

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest, so that the 32 threads of a warp
read neighbouring numbers for each offset and tap.

Memory traffic: (2 distance + 1)^2 taps^2 C pairs of reads for an output, which the cache answers. What bounds it is
the arithmetic of indices and, of floating-point images, that it is in float64. Takes everything.
"""

from typing import Any

from numba import cuda

from ..arrays import beside
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import IntegerGeometry, MeansGeometry
from .reference import integer_mean, mean_of
from .weights import weights_of


@cuda.jit
def nl_means_naive(x, weights, y, before, distance, inside, scale, offset, cutoff):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    y[n, p, q, c] = mean_of(x, n, p, q, c, weights, before, distance, inside, scale, offset, cutoff)


@cuda.jit
def nl_means_uint8_naive(x, table, y, patch, distance, shift):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    n, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    y[n, p, q, c] = integer_mean(x, n, p, q, c, table, patch, distance, shift)


def build(g: MeansGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    constants = (g.before, g.distance, g.inside, g.scale, g.offset, g.cutoff)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(nl_means_naive, outputs[0].size, *arrays, *outputs, *constants)

    return run


def build_uint8(g: IntegerGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    weights = weights_of(*g.key)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        launch_each(nl_means_uint8_naive, y.size, x, beside(x, weights.table), y, g.patch, g.distance, weights.shift)

    return run
