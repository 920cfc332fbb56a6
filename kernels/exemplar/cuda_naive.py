"""inpaint_exemplar "naive" on CUDA: the three steps of "patches", one thread, one pixel, patch or number.

    start           each thread copies one pixel, and takes part in the least and the largest number of its channels
    cuda_fill.py    a block for the next target of each image, a thread for each candidate that is compared with it
    cuda_refine.py  a thread for each patch, then for each number that patches vote on
    cuda_fit.py     a thread for each pixel
    write           each thread clips and rounds one number of a hole

The idea: within a step pixels, patches and candidates do not depend on each other, and neither do images. What follows
from the masks alone (which patches may be copied, which meet a hole, how deep pixels lie in it) is computed in main
memory, by the functions that serve the CPU (prepare.py). Before the rounds an image has the bits of the CPU's; they
and the fit add in an order of their own, a fixed one, and stay within rounding.

The host waits: for masks and extremes, after each target for how many pixels are left, and in inpaint_biharmonic. So
it cannot be captured in a graph.

Memory traffic: see the steps. Takes everything.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import is_on_cuda, new_like, to_device
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .cuda_fill import fill
from .cuda_refine import refine
from .geometry import ExemplarGeometry
from .prepare import copyable
from .scene import Scene


@cuda.jit
def exemplar_start(x, numbers, u, level, low, high):
    """Atomic operations have no order, and minima need none."""
    index = cuda.grid(1)
    if index >= numbers.size:
        return
    _, pixels, channels = x.shape
    n, at = index // pixels, index % pixels
    total = 0.0
    for k in range(channels):
        u[n, at, k] = 0
        if numbers[n, at]:
            u[n, at, k] = x[n, at, k]
            total += x[n, at, k]
            cuda.atomic.min(low, (n, k), u[n, at, k])
            cuda.atomic.max(high, (n, k), u[n, at, k])
    level[n, at] = total / channels


@cuda.jit
def exemplar_write(u, places, low, high, y, rounded):
    index = cuda.grid(1)
    _, pixels, channels = u.shape
    if index >= places.size * channels:
        return
    place, k = places[index // channels], index % channels
    n, at = place // pixels, place % pixels
    value = min(max(u[n, at, k], low[n, k]), high[n, k])
    y[n, at, k] = round(value) if rounded else value


def build(g: ExemplarGeometry) -> Run:
    """How many launches there are depends on the mask."""
    flat = (g.n, g.h * g.w)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, (y,) = arrays[0], outputs
        y[...] = x
        hole, allowed = (to_device(mask, "cpu") != 0 for mask in arrays[1:])
        if not (y.size and hole.any()):
            return
        numbers = ~hole if g.levels else ~hole & to_device(np.isfinite(x).all(axis=-1), "cpu")
        whole, device = copyable(g, hole, numbers & allowed), "cuda" if is_on_cuda(x) else "cpu"
        x, y = x.reshape((*flat, g.c)), y.reshape((*flat, g.c))
        u, level = new_like(x, x.shape, g.work), new_like(x, flat, np.float64)
        low, high = (to_device(np.full((g.n, g.c), end, g.work), device) for end in (math.inf, -math.inf))
        marks, whole = (to_device(mask.reshape(flat), device) for mask in (numbers, whole))
        launch_each(exemplar_start, marks.size, x, marks, u, level, low, high)
        extent = (to_device(high, "cpu").astype(np.float64) - to_device(low, "cpu")).max(axis=1)
        scene = Scene(device, u, level, whole, to_device(extent, device), hole, numbers)
        origin = fill(g, scene)
        if g.refinements:
            refine(g, scene, origin)
        places = to_device(np.flatnonzero(hole), device)
        launch_each(exemplar_write, places.size * g.c, u, places, low, high, y, g.levels > 0)

    return run
