"""canny "naive" on CUDA: one thread, one pixel, in every step.

    gradients   each thread computes both derivatives of its pixel, and writes them and their norm
    classes     each thread compares its pixel's norm with two neighbours', and writes 0, 1 or 2
    grow        each thread whose pixel is weak looks whether a neighbour is strong; again, until nothing changes
    edges       0 or 255

Of given derivatives a first step writes the norms alone.

The idea: within a step pixels do not depend on each other, so every loop over pixels becomes a grid of threads, and
each step's result goes to memory, where the next one reads it. Threads are numbered in the order in which pixels lie in
memory, so the 32 of a warp read and write neighbouring words.

Memory traffic: 9 reads for a gradient of aperture 3, 12 bytes written and read again for each pixel between the steps.
Growing is worst: an edge of a thousand pixels that is strong at one end takes a thousand launches, each of which reads
the whole map, and after each the host waits for the flag that says whether anything changed. In cuda_tiled.py
derivatives stay in shared memory, and a launch follows an edge through a whole tile.

A pixel that becomes strong while others look may be seen or not: then the next launch sees it. What is strong in the
end is the same, since pixels only ever become strong, and only where a weak path leads.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import beside, new_like
from ..hysteresis.cuda_naive import until_nothing_changes
from ..hysteresis.reference import NOTHING, STRONG, WEAK
from ..machine.cuda_numba import launch
from ..operation import Run
from .apertures import DIVIDED, SLOPE, SMOOTH
from .geometry import CannyGeometry
from .reference import TAN_22

THREADS = 128


@cuda.jit(device=True)
def gradient_of(x, n, p, q, k, weights, divided):
    """Both derivatives of one channel at a pixel; ``weights`` holds the smoothing ones and the slope."""
    H, W, taps = x.shape[1], x.shape[2], weights.shape[1]
    dx, dy = 0, 0
    for r in range(taps):
        a = min(max(p + r - taps // 2, 0), H - 1)
        for s in range(taps):
            value = int(x[n, a, min(max(q + s - taps // 2, 0), W - 1), k])
            dx += int(weights[0, r]) * int(weights[1, s]) * value
            dy += int(weights[1, r]) * int(weights[0, s]) * value
    if divided:  # a sixteenth, halves to even
        dx, dy = (dx + 7 + ((dx >> 4) & 1)) >> 4, (dy + 7 + ((dy >> 4) & 1)) >> 4
    return dx, dy


@cuda.jit(device=True)
def strongest_gradient(x, n, p, q, weights, divided, squared):
    """The derivatives and the norm of the channel where it is largest."""
    longest, best_x, best_y = -1, 0, 0
    for k in range(x.shape[3]):
        dx, dy = gradient_of(x, n, p, q, k, weights, divided)
        norm = dx * dx + dy * dy if squared else abs(dx) + abs(dy)
        if norm > longest:
            longest, best_x, best_y = norm, dx, dy
    return longest, best_x, best_y


@cuda.jit(device=True)
def steps_of(dx, dy):
    """The way to the first neighbour, down and right, and whether the second, which lies opposite, may be equal."""
    x, y = abs(dx), abs(dy) << 15
    if y < x * TAN_22:
        return 0, -1, True
    if y > x * TAN_22 + (x << 16):
        return -1, 0, True
    if (dx ^ dy) < 0:
        return -1, 1, False
    return -1, -1, False


@cuda.jit(device=True)
def class_of(norm, first, second, may_be_equal, low, high):
    if norm <= low or norm <= first or norm < second or (norm == second and not may_be_equal):
        return NOTHING
    return STRONG if norm > high else WEAK


@cuda.jit
def canny_gradients_naive(x, dx, dy, norms, weights, divided, squared):
    index = cuda.grid(1)
    if index >= norms.size:
        return
    _, H, W = norms.shape
    q, p, n = index % W, index // W % H, index // (H * W)
    norms[n, p, q], dx[n, p, q], dy[n, p, q] = strongest_gradient(x, n, p, q, weights, divided, squared)


@cuda.jit
def canny_norms_naive(dx, dy, norms, squared):
    index = cuda.grid(1)
    if index >= norms.size:
        return
    _, H, W = norms.shape
    q, p, n = index % W, index // W % H, index // (H * W)
    across, down = int(dx[n, p, q]), int(dy[n, p, q])
    norms[n, p, q] = across * across + down * down if squared else abs(across) + abs(down)


@cuda.jit(device=True)
def norm_at(norms, n, p, q):
    """0 outside the image."""
    _, H, W = norms.shape
    return norms[n, p, q] if 0 <= p < H and 0 <= q < W else 0


@cuda.jit
def canny_classes_naive(dx, dy, norms, thresholds, classes):
    index = cuda.grid(1)
    if index >= norms.size:
        return
    _, H, W = norms.shape
    q, p, n = index % W, index // W % H, index // (H * W)
    down, right, may_be_equal = steps_of(int(dx[n, p, q]), int(dy[n, p, q]))
    first, second = norm_at(norms, n, p + down, q + right), norm_at(norms, n, p - down, q - right)
    classes[n, p, q] = class_of(norms[n, p, q], first, second, may_be_equal, thresholds[0], thresholds[1])


@cuda.jit
def canny_grow_naive(classes, changed):
    index = cuda.grid(1)
    if index >= classes.size:
        return
    _, H, W = classes.shape
    q, p, n = index % W, index // W % H, index // (H * W)
    if classes[n, p, q] != WEAK:
        return
    for a in range(max(p - 1, 0), min(p + 2, H)):
        for b in range(max(q - 1, 0), min(q + 2, W)):
            if classes[n, a, b] == STRONG:
                classes[n, p, q] = STRONG
                changed[0] = 1
                return


@cuda.jit
def canny_edges(classes, y):
    index = cuda.grid(1)
    if index < y.size:
        _, H, W = y.shape
        q, p, n = index % W, index // W % H, index // (H * W)
        y[n, p, q] = 255 if classes[n, p, q] == STRONG else 0


def weights_of(g: CannyGeometry) -> np.ndarray:
    return np.array([SMOOTH[g.aperture], SLOPE[g.aperture]], np.int32)


def build(g: CannyGeometry) -> Run:
    """Prepare the launches: enough blocks of 128 threads for every pixel."""
    grid, block = (-(-g.pixels // THREADS),), (THREADS,)
    weights, divided = weights_of(g), g.aperture == DIVIDED

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, thresholds), (y,) = arrays, outputs
        if not g.pixels:
            return
        dx, dy, norms = (new_like(x, y.shape, np.int32) for _ in range(3))
        classes = new_like(x, y.shape, np.uint8)
        launch(canny_gradients_naive, grid, block, x, dx, dy, norms, beside(x, weights), divided, g.squared)
        _edges(grid, block, dx, dy, norms, thresholds, classes, y)

    return run


def build_of_gradient(g: CannyGeometry) -> Run:
    """Prepare the launches; norms of any 16-bit derivatives need more than 32 bits."""
    grid, block = (-(-g.pixels // THREADS),), (THREADS,)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (dx, dy, thresholds), (y,) = arrays, outputs
        if not g.pixels:
            return
        norms, classes = new_like(dx, y.shape, np.int64), new_like(dx, y.shape, np.uint8)
        launch(canny_norms_naive, grid, block, dx, dy, norms, g.squared)
        _edges(grid, block, dx, dy, norms, thresholds, classes, y)

    return run


def _edges(grid: Any, block: Any, dx: Any, dy: Any, norms: Any, thresholds: Any, classes: Any, y: Any) -> None:
    """What follows from derivatives and norms."""
    launch(canny_classes_naive, grid, block, dx, dy, norms, thresholds, classes)
    until_nothing_changes(canny_grow_naive, grid, block, classes)
    launch(canny_edges, grid, block, classes, y)
