"""smoothed_edges "naive" on CUDA: one thread, one pixel, in every step.

    columns    each thread smooths its pixel down the column
    rows       each thread smooths what came of that along the row, and divides it
    gradients  each thread computes both derivatives of its pixel and their length
    classes    each thread compares its pixel's length with those of its neighbours

The idea: within a step pixels do not depend on each other, and each step ends with a launch, behind which all of its
numbers can be read. What the definition computes for a pixel, its own functions compute (reference.py).

Products are rounded before they are added to: a compiler of device code would join both into one operation, which is
more exact, but on symmetric images maxima are ties, and the last bit decides which pixels are edges. So results are the
bits of the definition (`times` of kernels/machine/products.py).

Index arithmetic: threads are numbered as pixels lie in memory, so the 32 of a warp read and write neighbouring numbers.

Memory traffic: taps reads in each of the first two steps, 18 for the derivatives, most of which the cache answers; some
9 numbers for each pixel written and read again between the steps. What bounds it is the arithmetic of positions and,
in steps 1 and 2, that sums are in float64. Takes everything.
"""

from typing import Any

from numba import cuda

from ..arrays import new_like
from ..correlation.reference import MODES
from ..hysteresis.reference import NOTHING
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import SmoothedEdgesGeometry
from .reference import CLASSES, NORMS, SMOOTHED, class_of, derivative, divisor_at, is_inside, length, smoothed


@cuda.jit
def smoothed_edges_columns(x, column, middle, mode, cval, scale):
    index = cuda.grid(1)
    if index < x.size:
        _, H, W = x.shape
        n, p, q = index // (W * H), index // W % H, index % W
        middle[n, p, q] = smoothed(x[n], p, q, 1, 0, column, mode, cval, scale)


@cuda.jit
def smoothed_edges_rows(middle, row, divisor, smooth, mode, cval):
    index = cuda.grid(1)
    if index >= smooth.size:
        return
    _, H, W = smooth.shape
    n, p, q = index // (W * H), index // W % H, index % W
    smooth[n, p, q] = smoothed(middle[n], p, q, 0, 1, row, mode, cval, 1.0)
    if divisor.shape[1] > 0:
        smooth[n, p, q] /= divisor_at(divisor, n, p, q, H)


@cuda.jit
def smoothed_edges_gradients(smooth, down, along, norms):
    index = cuda.grid(1)
    if index < norms.size:
        _, H, W = norms.shape
        n, p, q = index // (W * H), index // W % H, index % W
        down[n, p, q] = derivative(smooth[n], p, q, 1, 0)
        along[n, p, q] = derivative(smooth[n], p, q, 0, 1)
        norms[n, p, q] = length(down[n, p, q], along[n, p, q])


@cuda.jit
def smoothed_edges_classes(down, along, norms, inside, thresholds, y):
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W = y.shape
    n, p, q = index // (W * H), index // W % H, index % W
    y[n, p, q] = NOTHING
    if is_inside(inside, n, p, q, H, W):
        low, high = thresholds[n, 0], thresholds[n, 1]
        y[n, p, q] = class_of(down[n, p, q], along[n, p, q], norms[n], p, q, low, high)


def build(g: SmoothedEdgesGeometry) -> Run:
    """Prepare the launches, as many as the stage takes: a thread for each pixel."""
    border_of = MODES[g.mode], g.cval

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, column, row, divisor, inside, thresholds), (y,) = arrays, outputs
        middle = new_like(x, x.shape, g.kind)
        smooth = y if g.stage == SMOOTHED else new_like(x, x.shape, g.kind)
        launch_each(smoothed_edges_columns, y.size, x, column, middle, *border_of, g.scale)
        launch_each(smoothed_edges_rows, y.size, middle, row, divisor, smooth, *border_of)
        if g.stage == SMOOTHED:
            return
        norms = y if g.stage == NORMS else new_like(x, x.shape, g.kind)
        down, along = middle, new_like(x, x.shape, g.kind)
        launch_each(smoothed_edges_gradients, y.size, smooth, down, along, norms)
        if g.stage == CLASSES:
            launch_each(smoothed_edges_classes, y.size, down, along, norms, inside, thresholds, y)

    return run
