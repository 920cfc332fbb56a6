"""The first step on CUDA: Criminisi's order, and the search for the best patch. Two launches for each target:

    choose    the block of an image copies the patch that the last search found into its target, then ranks the open
              pixels, a thread every 128th, and takes the first of the highest priority as the next target
    search    each thread compares one candidate, and each block leaves the best of its own

The idea: targets come one after the other, since each is compared with what was copied before; all that a target asks
for is done side by side, and so are images. `choose` is one block for each image, whose threads wait for each other
between copying, ranking and choosing; nothing but the end of a launch would hold back a thread of another block.

Order: of equals the first in raster order is taken, by threads, by blocks and among blocks. A sum of squares adds its
pixels in the order of the CPU's, each with one fma, and priorities take their products from `times`: the same patches
are copied, and a filled image has the bits of the CPU's.

Index arithmetic: pixels of an image are numbered as they lie, and a patch is named by its first. Threads of a warp have
neighbouring candidates and read neighbouring pixels.

Memory traffic: r s C numbers for each candidate, which those next to it read too, so that most come from the cache;
the target's are the same for all. What bounds it is the arithmetic of the search, for holes in small images the two
launches, and that the host reads after each target how many pixels are left.
"""

from typing import Any

import numpy as np
from numba import cuda, float64, int64

from ..arrays import new_like, to_device
from ..machine.cuda_numba import THREADS, fma, launch
from ..machine.products import times
from .geometry import ExemplarGeometry
from .prepare import KNOWN, OPEN, states_of
from .priority import pixel_priority
from .rules import LEAST_DATA
from .scene import Scene


@cuda.jit(device=True)
def first_of_least(scores, places, threads):
    """The thread of a block whose score is the least; of equals, that of the first place. None has place -1."""
    best = 0
    for t in range(1, threads):
        if places[t] >= 0 and (
            places[best] < 0 or scores[t] < scores[best] or (scores[t] == scores[best] and places[t] < places[best])
        ):
            best = t
    return best


@cuda.jit
def exemplar_choose(u, level, unknown, trust, origin, holes, counts, found, best, extent, target, left, shape):
    """Each block copies what was found for its image, and takes its next target; ``left`` are open pixels."""
    n, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    h, w, r, s = shape
    channels = u.shape[2]
    scores = cuda.shared.array(THREADS, float64)
    places = cuda.shared.array(THREADS, int64)
    still = cuda.shared.array(THREADS, int64)
    if left[n] == 0:
        return
    corner = target[n]
    if corner >= 0:
        least, first = 0.0, -1
        for block in range(thread, found.shape[1], threads):
            if found[n, block] >= 0 and (first < 0 or best[n, block] < least):
                least, first = best[n, block], found[n, block]
        scores[thread], places[thread] = least, first
        confidence = 0.0
        for i in range(r):
            for j in range(s):
                confidence += trust[n, corner + i * w + j]
        cuda.syncthreads()
        place = places[first_of_least(scores, places, threads)]
        for k in range(thread, r * s, threads):
            at, from_ = corner + k // s * w + k % s, place + k // s * w + k % s
            if unknown[n, at] != OPEN:
                continue
            total = 0.0
            for channel in range(channels):
                u[n, at, channel] = u[n, from_, channel]
                total += u[n, from_, channel]
            level[n, at], unknown[n, at] = total / channels, KNOWN
            trust[n, at], origin[n, at] = confidence / (r * s), from_
        cuda.syncthreads()
    least, first, count, floor = 0.0, -1, 0, times(LEAST_DATA, extent[n])
    for k in range(thread, counts[n], threads):
        at = holes[n, k]
        if unknown[n, at] != OPEN:
            continue
        count += 1
        rank = pixel_priority(level[n], unknown[n], trust[n], h, w, r, s, at // w, at % w, floor)
        if first < 0 or -rank < least:
            least, first = -rank, at
    scores[thread], places[thread], still[thread] = least, first, count
    cuda.syncthreads()
    if thread == 0:
        count = 0
        for t in range(threads):
            count += still[t]
        left[n] = count
        if count > 0:
            at = places[first_of_least(scores, places, threads)]
            target[n] = min(max(at // w - r // 2, 0), h - r) * w + min(max(at % w - s // 2, 0), w - s)


@cuda.jit
def exemplar_search(u, unknown, whole, target, left, found, best, shape):
    """Each thread compares the patch that begins at one pixel with its image's target; blocks leave their best."""
    thread, threads, blocks = cuda.threadIdx.x, cuda.blockDim.x, found.shape[1]
    n, block = cuda.blockIdx.x // blocks, cuda.blockIdx.x % blocks
    _, w, r, s = shape
    scores = cuda.shared.array(THREADS, float64)
    places = cuda.shared.array(THREADS, int64)
    if left[n] == 0:
        return
    place, corner, total = block * threads + thread, target[n], u.dtype.type(0)
    is_candidate = place < whole.shape[1] and whole[n, place] != 0
    if is_candidate:
        for i in range(r):
            for j in range(s):
                step = i * w + j
                if unknown[n, corner + step] != KNOWN:
                    continue
                for k in range(u.shape[2]):
                    difference = u[n, place + step, k] - u[n, corner + step, k]
                    total = fma(difference, difference, total)
    scores[thread], places[thread] = total, place if is_candidate else -1
    cuda.syncthreads()
    if thread == 0:
        first = first_of_least(scores, places, threads)
        found[n, block], best[n, block] = places[first], scores[first]


def fill(g: ExemplarGeometry, scene: Scene) -> Any:
    """Fill the holes of the images; where each hole pixel was copied from, -1 elsewhere: (N, H W) int64."""
    pixels, shape = g.h * g.w, (g.h, g.w, g.r, g.s)
    flat = scene.hole.reshape(g.n, pixels)
    count = flat.sum(axis=1)
    most = int(count.max())
    order = np.argsort(~flat, axis=1, kind="stable")[:, :most]  # open pixels first, in raster order
    masks = (states_of(scene.hole, scene.numbers), scene.numbers.astype(np.float64))
    unknown, trust = (to_device(mask.reshape(flat.shape), scene.device) for mask in masks)
    tables = (np.full(flat.shape, -1), order.copy(), count, np.full(g.n, -1), count.copy())
    origin, holes, counts, target, left = (to_device(table, scene.device) for table in tables)
    threads = min(THREADS, pixels)
    blocks = -(-pixels // threads)
    found, best = (new_like(scene.u, (g.n, blocks), dtype) for dtype in (np.int64, np.float64))
    for _ in range(most + 1):  # each target is open in one pixel at least
        launch(
            exemplar_choose, (g.n,), (threads,),
            scene.u, scene.level, unknown, trust, origin, holes, counts, found, best, scene.extent, target, left, shape,
        )  # fmt: skip
        if not to_device(left, "cpu").any():
            break
        launch(
            exemplar_search, (g.n * blocks,), (threads,),
            scene.u, unknown, scene.whole, target, left, found, best, shape,
        )  # fmt: skip
    return origin
