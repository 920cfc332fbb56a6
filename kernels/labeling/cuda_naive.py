"""Connected components and their measures "naive" on CUDA: one thread, one pixel.

    start      each thread writes its pixel's own index, or -1 for background
    join       each thread takes the least index among its neighbours', follows that once, and writes it; again, until
               nothing changes
    rows       each thread counts the roots of one row, the pixels that have kept their own index
    images     each thread adds the counts of one image's rows
    numbers    each thread numbers the roots of one row
    labels     each thread writes the number of its pixel's root

The idea: in the end every pixel has the index of the first one of its component, whichever thread was faster: indices
only fall, and none falls below that. Since first pixels are roots, counting them in raster order numbers the components
in the order of the definition. To follow an index once more in each launch lets a component of a thousand pixels in a
row join in some ten launches. After each the host waits for the flag that says whether anything changed, so that it
cannot be captured in a graph. cuda_blocks.cu needs no flag.

Measures are added by atomic operations on integers: minima, maxima and sums of integers have no order.

Memory traffic: each launch of `join` reads the map once, and jumps.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..hysteresis.cuda_naive import until_nothing_changes
from ..machine.cuda_numba import THREADS, launch_each
from ..operation import Run
from .geometry import LabelGeometry, MeasureGeometry


@cuda.jit
def label_start(x, roots, background):
    index = cuda.grid(1)
    if index >= roots.size:
        return
    _, D, H, W = x.shape
    n, place = index // (D * H * W), index % (D * H * W)
    value = x[n, place // (W * H), place // W % H, place % W]
    roots[n, place] = -1 if value == background else place


@cuda.jit
def label_join(x, roots, connectivity, equal, changed):
    index = cuda.grid(1)
    if index >= roots.size:
        return
    _, D, H, W = x.shape
    n, place = index // (D * H * W), index % (D * H * W)
    root = roots[n, place]
    if root < 0:
        return
    i, p, q = place // (W * H), place // W % H, place % W
    least = root
    for a in range(max(0, i - 1), min(D, i + 2)):
        for b in range(max(0, p - 1), min(H, p + 2)):
            for c in range(max(0, q - 1), min(W, q + 2)):
                other = roots[n, (a * H + b) * W + c]
                if other < 0 or abs(a - i) + abs(b - p) + abs(c - q) > connectivity:
                    continue
                if not equal or x[n, a, b, c] == x[n, i, p, q]:
                    least = min(least, other)
    least = roots[n, least]
    if least < root:
        roots[n, place] = least
        changed[0] = 1


@cuda.jit
def label_rows(roots, counts, width):
    """Each thread counts the roots of one row."""
    index = cuda.grid(1)
    if index >= counts.size:
        return
    n, row, count = index // counts.shape[1], index % counts.shape[1], 0
    for place in range(row * width, (row + 1) * width):
        if roots[n, place] == place:
            count += 1
    counts[n, row] = count


@cuda.jit
def label_images(counts, number):
    """Each thread replaces the counts of one image's rows by how many roots lie above."""
    n = cuda.grid(1)
    if n >= number.size:
        return
    total = 0
    for row in range(counts.shape[1]):
        count = counts[n, row]
        counts[n, row] = total
        total += count
    number[n] = total


@cuda.jit
def label_numbers(roots, counts, numbers, width):
    """Each thread numbers the roots of one row, from 1."""
    index = cuda.grid(1)
    if index >= counts.size:
        return
    n, row = index // counts.shape[1], index % counts.shape[1]
    number = counts[n, row]
    for place in range(row * width, (row + 1) * width):
        if roots[n, place] == place:
            number += 1
            numbers[n, place] = number


@cuda.jit
def label_pixels(roots, numbers, labels):
    index = cuda.grid(1)
    if index < labels.size:
        n, place = index // roots.shape[1], index % roots.shape[1]
        root = roots[n, place]
        labels[n, place] = 0 if root < 0 else numbers[n, root]


@cuda.jit
def measure_start(boxes, sums, H, W):
    index = cuda.grid(1)
    if index >= boxes.shape[0] * boxes.shape[1]:
        return
    n, k = index // boxes.shape[1], index % boxes.shape[1]
    boxes[n, k, 0], boxes[n, k, 1] = H, W
    boxes[n, k, 2], boxes[n, k, 3], boxes[n, k, 4] = -1, -1, 0
    sums[n, k, 0], sums[n, k, 1] = 0, 0


@cuda.jit
def measure_pixels(labels, boxes, sums):
    index = cuda.grid(1)
    if index >= labels.size:
        return
    _, H, W = labels.shape
    n, p, q = index // (W * H), index // W % H, index % W
    k = labels[n, p, q]
    if k < 0 or k >= boxes.shape[1]:
        return
    cuda.atomic.min(boxes, (n, k, 0), p)
    cuda.atomic.min(boxes, (n, k, 1), q)
    cuda.atomic.max(boxes, (n, k, 2), p)
    cuda.atomic.max(boxes, (n, k, 3), q)
    cuda.atomic.add(boxes, (n, k, 4), 1)
    cuda.atomic.add(sums, (n, k, 0), p)
    cuda.atomic.add(sums, (n, k, 1), q)


def build(g: LabelGeometry) -> Run:
    """Prepare the launches of `label_components`."""
    shape, pixels, rows = (g.n, g.d, g.h, g.w), g.d * g.h * g.w, g.d * g.h

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, labels, number = arrays[0].reshape(shape), outputs[0].reshape((g.n, pixels)), outputs[1].reshape(g.n)
        roots, numbers = (new_like(x, (g.n, pixels), np.int64) for _ in range(2))
        counts = new_like(x, (g.n, rows), np.int64)
        launch_each(label_start, roots.size, x, roots, g.background)
        if roots.size:
            grid, block = (-(-roots.size // THREADS),), (THREADS,)
            until_nothing_changes(label_join, grid, block, x, roots, g.connectivity, g.equal)
        launch_each(label_rows, counts.size, roots, counts, g.w)
        launch_each(label_images, g.n, counts, number)
        launch_each(label_numbers, counts.size, roots, counts, numbers, g.w)
        launch_each(label_pixels, roots.size, roots, numbers, labels)

    return run


def build_measures(g: MeasureGeometry) -> Run:
    """Prepare both launches of `measure_components`."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        labels = arrays[0].reshape((g.n, g.h, g.w))
        boxes, sums = outputs[0].reshape((g.n, g.components, 5)), outputs[1].reshape((g.n, g.components, 2))
        launch_each(measure_start, g.n * g.components, boxes, sums, g.h, g.w)
        launch_each(measure_pixels, labels.size, labels, boxes, sums)

    return run
