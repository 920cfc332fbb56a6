"""hysteresis "naive" on CUDA: one thread, one pixel.

The idea: a thread whose pixel is weak looks whether a neighbour is kept, and keeps its own then. A pixel that is kept
while others look may be seen or not: then the next launch sees it. What is kept in the end is the same, since pixels
are only ever added, and only where a weak path leads.

Memory traffic: each launch reads the whole map, and a path of a thousand weak pixels takes up to a thousand launches.
After each the host waits for the flag that says whether anything changed, so that it cannot be captured in a graph. In
cuda_tiled.py of kernels/canny a launch follows a path through a whole tile; cuda_blocks.cu needs no flag.

Index arithmetic: threads are numbered as pixels lie in memory, images before planes before rows.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import THREADS, launch
from ..operation import Run
from .geometry import HysteresisGeometry
from .reference import STRONG, WEAK


@cuda.jit
def hysteresis_start(classes, kept):
    index = cuda.grid(1)
    if index < kept.size:
        _, D, H, W = kept.shape
        n, z, p, q = index // (W * H * D), index // (W * H) % D, index // W % H, index % W
        kept[n, z, p, q] = classes[n, z, p, q] == STRONG


@cuda.jit
def hysteresis_grow_naive(classes, kept, connectivity, changed):
    index = cuda.grid(1)
    if index >= kept.size:
        return
    _, D, H, W = kept.shape
    n, z, p, q = index // (W * H * D), index // (W * H) % D, index // W % H, index % W
    if classes[n, z, p, q] != WEAK or kept[n, z, p, q]:
        return
    for a in range(max(z - 1, 0), min(z + 2, D)):
        for b in range(max(p - 1, 0), min(p + 2, H)):
            for c in range(max(q - 1, 0), min(q + 2, W)):
                if abs(a - z) + abs(b - p) + abs(c - q) <= connectivity and kept[n, a, b, c]:
                    kept[n, z, p, q] = True
                    changed[0] = 1
                    return


def until_nothing_changes(kernel: Any, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any) -> None:
    """Launch ``kernel(*arguments, changed)`` until the flag stays down; reading it waits for the device."""
    changed = new_like(arguments[0], (1,), np.int32)
    while True:
        changed[0] = 0
        launch(kernel, grid, block, *arguments, changed)
        if not int(changed[0]):
            return


def build(g: HysteresisGeometry) -> Run:
    """Prepare the launches: enough blocks of threads for every pixel."""
    shape = (g.n, *(1, 1, *g.shape)[-3:])

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        classes, kept = arrays[0].reshape(shape), outputs[0].reshape(shape)
        if not kept.size:
            return
        grid, block = (-(-kept.size // THREADS),), (THREADS,)
        launch(hysteresis_start, grid, block, classes, kept)
        until_nothing_changes(hysteresis_grow_naive, grid, block, classes, kept, g.connectivity)

    return run
