"""Warping and its adjoint "naive" on CUDA: one thread, one output.

The idea: each thread of `warp2d` finds its pixel's place and adds what lies around it, as the definition does
(reference.py). The adjoint would have several threads add to one pixel at once, so there each thread has a pixel of the
image and looks at *every* pixel of the result, in their order, for its share in it: a matrix may bring any of them
here. That makes sums which do not depend on which thread is first, and takes time that grows with the square of the
number of pixels; a thread could look at those alone that the inverse matrix brings near, were it not for borders.

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest. Threads of a warp have neighbouring
pixels, which a matrix leaves near each other: their reads fall into few pieces of memory.

Memory traffic: taps x taps reads for a number of `warp2d`. Places, weights and sums are float64. Takes everything.
"""

from typing import TYPE_CHECKING, Any

from numba import cuda

from ..correlation.reference import border
from ..correlation.window_reference import saturated
from ..interpolation.reference import first_tap, weight
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .reference import mirrored, place_of, warped

if TYPE_CHECKING:
    from . import WarpGeometry

border_on_device = cuda.jit(device=True)(border)


@cuda.jit
def warp2d_naive(x, matrices, y, taps, mode, outside, cval, limits):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, P, Q, C = y.shape
    n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
    total = warped(x, matrices[n % matrices.shape[0]], n, p, q, c, taps, mode, outside, cval)
    y[n, p, q, c] = saturated(total, limits[0], limits[1]) if limits[0] < limits[1] else total


@cuda.jit(device=True)
def share_along(at, place, taps, mode, size, outside):
    """The sum of the weights with which a place along one axis takes the number ``at``."""
    place = mirrored(place, size, mode, outside)
    first, total = first_tap(mode, place), 0.0
    for s in range(taps):
        if border_on_device(first + s, size, outside) == at:
            total += weight(mode, place - first, s)
    return total


@cuda.jit
def warp2d_grad_naive(gy, matrices, gx, taps, mode, outside):
    """Each thread computes one element of gx."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = gx.shape
    n, h, k, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    m, total = matrices[n % matrices.shape[0]], 0.0
    for p in range(gy.shape[1]):
        for q in range(gy.shape[2]):
            row, column = place_of(mode, m, p, q)
            down = share_along(h, row, taps, mode, H, outside)
            if down != 0.0:
                along = share_along(k, column, taps, mode, W, outside)
                if along != 0.0:
                    total += down * along * gy[n, p, q, c]
    gx[n, h, k, c] = total


def build(g: "WarpGeometry") -> Run:
    """Prepare the launch: a thread for each element of the result."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(warp2d_naive, outputs[0].size, *arrays, *outputs, g.taps, g.mode, g.border, g.cval, g.limits)

    return run


def build_grad(g: "WarpGeometry") -> Run:
    """Prepare the launch: a thread for each element of the image."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(warp2d_grad_naive, outputs[0].size, *arrays, *outputs, g.taps, g.mode, g.border)

    return run
