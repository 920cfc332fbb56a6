"""derivative2d, laplacian2d and gradient_magnitude2d "naive" on CUDA: one thread, one output.

The idea: outputs do not depend on each other, so each thread adds the products of its window as the definition does
(reference.py). That weights are a product of two lines, so that sums down the columns serve all windows of a row that
cross them, is not used: threads share nothing.

Index arithmetic: threads are numbered as numbers lie in memory, channels fastest, so that the 32 threads of a warp
read neighbouring numbers for each tap.

Memory traffic: taps * taps reads for an output, most of which the cache answers. What bounds it is the arithmetic of
positions beside each, and of lengths that their sums are in float64.

Takes any weights and border, and no image that is to be blurred before; derivatives of bytes are exact.
"""

from typing import Any

from numba import cuda

from ..correlation.reference import MODES
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import GradientGeometry, LaplacianGeometry
from .reference import derivative_at, laplacian_at, magnitude_at


@cuda.jit
def derivative2d_naive(x, column, row, y, mode, cval):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    o, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    y[o, p, q, c] = derivative_at(x, column, row, o, p, q, c, mode, cval)


@cuda.jit
def laplacian2d_naive(x, y, corners, mode, cval):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    o, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    y[o, p, q, c] = laplacian_at(x, corners, o, p, q, c, mode, cval)


@cuda.jit
def gradient_magnitude2d_naive(x, smooth, slope, y, mode, cval):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, C = x.shape
    o, p, q, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    y[o, p, q, c] = magnitude_at(x, smooth, slope, None, o, p, q, c, mode, cval)


def _build(kernel: Any, g: GradientGeometry) -> Run:
    shape = (g.outer, g.h, g.w, g.inner)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, *weights), (y,) = arrays[:3], outputs
        launch_each(kernel, g.pixels, x.reshape(shape), *weights, y.reshape(shape), MODES[g.mode], g.cval)

    return run


def rejects_blurred(g: GradientGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    return "blurs nothing" if g.blur else None


def build_derivative(g: GradientGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    return _build(derivative2d_naive, g)


def build_laplacian(g: LaplacianGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    shape = (g.outer, g.h, g.w, g.inner)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        constants = (g.corners, MODES[g.mode], g.cval)
        launch_each(laplacian2d_naive, g.pixels, x.reshape(shape), y.reshape(shape), *constants)

    return run


def build_magnitude(g: GradientGeometry) -> Run:
    """Prepare the launch: a thread for each element of the result."""
    return _build(gradient_magnitude2d_naive, g)
