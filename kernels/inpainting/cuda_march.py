"""inpaint_marching "naive" on CUDA: one thread, one image.

The idea: the order of the front decides what each pixel is filled from, so the pixels of an image come one after the
other, and what is left to do side by side are images. The thread walks the text that the CPU walks (marching_fill.py),
with a heap of its own, and results have the bits of the CPU.

Index arithmetic: there is none of threads but that image n is block n, so that images lie on different multiprocessors
and their threads, which take different branches, do not wait for each other.

What bounds it: the latency of one thread, whose loads and sums follow each other: some (2 radius + 1)^2 neighbours of
each open pixel, a dozen numbers of each. A thread of the CPU is many times as fast. It is here so that pictures that
lie on the device need not leave it, and for batches; it waits for nothing and can be captured in a graph.

Memory traffic: the front has 23 bytes for each pixel of an image, which only the neighbourhood of holes touches again.
Takes everything.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import beside, new_like
from ..machine.cuda_numba import launch
from ..operation import Run
from .geometry import MarchingGeometry
from .marching_fill import distances, marcher, real_of


@functools.cache
def _kernel(dtype: str, telea: bool) -> Any:
    march = marcher(dtype, telea)

    @cuda.jit
    def inpaint_marching(y, mask, table, sums, heap, places, t, f, o, near, shape, radius):
        n = cuda.blockIdx.x
        h, w, c = shape
        march(y[n], mask[n], table, sums[n], heap[n], places[n], t[n], f[n], o[n], near[n], h, w, c, radius)

    return inpaint_marching


def build(g: MarchingGeometry) -> Run:
    """Prepare one launch with a block of one thread for each image."""
    room, real = (g.h + 2) * (g.w + 2), real_of(g.dtype.name)
    table = distances(g.radius, g.c, g.telea, real).reshape(-1)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, mask), (y,) = arrays, outputs
        y[...] = x
        if not y.size:
            return
        heap, places = (new_like(x, (g.n, room), np.int64) for _ in range(2))
        f, o, near = (new_like(x, (g.n, room), np.uint8) for _ in range(3))
        t, sums = new_like(x, (g.n, room), np.float32), new_like(x, (g.n, 3 * g.c), real)
        images, masks, shape = y.reshape((g.n, -1)), mask.reshape((g.n, -1)), (g.h, g.w, g.c)
        launch(
            _kernel(g.dtype.name, g.telea), (g.n,), (1,),
            images, masks, beside(x, table), sums, heap, places, t, f, o, near, shape, g.radius,
        )  # fmt: skip

    return run
