"""The first step, in compiled workers: Criminisi's order, and the search for the best patch.

One step of every image is two launches. `_choose` copies the patch that the last search found into its target, brings
the priorities near it up to date, and takes the front pixel of the highest priority as the next target; it lists the
compared pixels of that target, as offsets into the planes and as values. `_search` walks over the candidates, a few
rows of them to a task, a block of neighbouring columns side by side, and leaves the best of each task.

Images are planes ``(C, H, pitch)``: neighbouring columns of one channel are neighbours in memory, which is what the
vectors of the search want. Rows are padded to whole blocks, so that a block may read past the last candidate; what it
finds there is not allowed to win.

Early termination: the sums of a block only grow. They are looked at after every few pixels, and a block in which no
candidate can win any more is left. One as good as the best is never left out, so that of equals the first in raster
order wins, whatever the order of work.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.threads import launch, num_threads
from .differences import block_of, number_type, squared_differences
from .geometry import ExemplarGeometry
from .prepare import KNOWN, OPEN, Prepared, states_of
from .priority import pixel_priority
from .rules import LEAST_DATA

_ROWS = 4  # candidate rows to a task
_LOOK = 12  # pixels between two looks at the sums
_STEP_NS = 20_000.0  # what choosing a target takes
_WORDS = 4  # of each image: how many pixels are open, the next target, how many of its numbers are compared
_OPEN, _ROW, _COLUMN, _COMPARED = 0, 1, 2, 3
_LINE = 64


@kernel(fastmath=False)
def _choose(itemsize: int) -> Any:
    number, size = number_type(itemsize), itemsize

    def work(begin, end, slot, block):
        found, best = pointer(block[1], types.int64), pointer(block[2], number)
        h, w, c, r, s, pitch, tasks = block[15], block[16], block[17], block[18], block[19], block[20], block[21]
        pixels = h * w
        for image in range(begin, end):
            state = pointer(block[0] + 8 * _WORDS * image, types.int64)
            if state[_OPEN] == 0:
                continue
            planes = pointer(block[3] + image * c * h * pitch * size, number)
            level = pointer(block[4] + 8 * image * pixels, types.float64)
            unknown = pointer(block[5] + image * pixels, types.uint8)
            trust = pointer(block[6] + 8 * image * pixels, types.float64)
            ranks = pointer(block[7] + 8 * image * pixels, types.float64)
            holes = pointer(block[8] + 8 * image * pixels, types.int64)
            origin = pointer(block[9] + 8 * image * pixels, types.int64)
            floor = float_bits(block[22]) * pointer(block[10] + 8 * image, types.float64)[0]
            top, left, bottom, right = 0, 0, h, w
            ty, tx = state[_ROW], state[_COLUMN]
            if ty >= 0:
                # Tasks follow each other in raster order, and so of equals the first is taken.
                place, smallest = -1, best[0]
                for task in range(image * tasks, (image + 1) * tasks):
                    if found[task] >= 0 and (place < 0 or best[task] < smallest):
                        place, smallest = found[task], best[task]
                confidence = 0.0
                for i in range(r):
                    for j in range(s):
                        confidence += trust[(ty + i) * w + tx + j]
                confidence /= r * s
                for i in range(r):
                    for j in range(s):
                        at = (ty + i) * w + tx + j
                        if unknown[at] != OPEN:
                            continue
                        from_ = place + i * w + j
                        total = 0.0
                        for k in range(c):
                            value = planes[(k * h + from_ // w) * pitch + from_ % w]
                            planes[(k * h + ty + i) * pitch + tx + j] = value
                            total += value
                        level[at], unknown[at], trust[at], origin[at] = total / c, KNOWN, confidence, from_
                # A priority changes where its patch, or the gradients in it, or its front meet what was copied.
                top, left = max(0, ty - r - 1), max(0, tx - s - 1)
                bottom, right = min(h, ty + 2 * r + 1), min(w, tx + 2 * s + 1)
            for p in range(top, bottom):
                for q in range(left, right):
                    if unknown[p * w + q] == OPEN:
                        ranks[p * w + q] = pixel_priority(level, unknown, trust, h, w, r, s, p, q, floor)
            # What is still open moves to the front of the list; the first of the highest priority is next.
            still, target, highest = 0, 0, -1.0
            for k in range(state[_OPEN]):
                at = holes[k]
                if unknown[at] == OPEN:
                    holes[still] = at
                    still += 1
                    if ranks[at] > highest:
                        target, highest = at, ranks[at]
            state[_OPEN] = still
            if still == 0:
                continue
            ty = min(max(target // w - r // 2, 0), h - r)
            tx = min(max(target % w - s // 2, 0), w - s)
            offsets = pointer(block[11] + 8 * image * c * r * s, types.int64)
            values = pointer(block[12] + size * image * c * r * s, number)
            compared = 0
            for i in range(r):
                for j in range(s):
                    if unknown[(ty + i) * w + tx + j] == KNOWN:
                        for k in range(c):
                            offsets[compared] = (k * h + i) * pitch + j
                            values[compared] = planes[(k * h + ty + i) * pitch + tx + j]
                            compared += 1
            state[_ROW], state[_COLUMN], state[_COMPARED] = ty, tx, compared

    return work


@kernel()
def _search(itemsize: int) -> Any:
    number, size = number_type(itemsize), itemsize
    add, width = squared_differences(itemsize), block_of(itemsize)
    infinity = np.float64(np.inf) if itemsize == 8 else np.float32(np.inf)

    def work(begin, end, slot, block):
        found, best = pointer(block[1], types.int64), pointer(block[2], number)
        h, w, c, r, s, pitch, tasks = block[15], block[16], block[17], block[18], block[19], block[20], block[21]
        sums_address = block[14] + slot * (width * size)
        sums = pointer(sums_address, number)
        for task in range(begin, end):
            image = task // tasks
            state = pointer(block[0] + 8 * _WORDS * image, types.int64)
            found[task] = -1
            if state[_OPEN] == 0:
                continue
            compared = state[_COMPARED]
            offsets, values = block[11] + 8 * image * c * r * s, block[12] + size * image * c * r * s
            first = task % tasks * _ROWS
            bound, place = infinity, -1
            for p in range(first, min(first + _ROWS, h - r + 1)):
                whole = pointer(block[13] + (image * h + p) * pitch, types.uint8)
                for q in range(0, w - s + 1, width):
                    candidates = 0
                    for k in range(width):
                        candidates += whole[q + k]
                        sums[k] = 0 if whole[q + k] != 0 else infinity
                    if candidates == 0:
                        continue
                    row = block[3] + ((image * c * h + p) * pitch + q) * size
                    done, hopeful = 0, True
                    while done < compared and hopeful:
                        until = min(done + _LOOK, compared)
                        add(row, offsets, values, done, until, sums_address)
                        done = until
                        least = infinity
                        for k in range(width):
                            least = min(least, sums[k])
                        hopeful = bool(least <= bound)
                    if hopeful:
                        for k in range(width):
                            if whole[q + k] != 0 and (place < 0 or sums[k] < bound):
                                bound, place = sums[k], p * w + q + k
            found[task], best[task] = place, bound

    return work


def workers(g: ExemplarGeometry) -> tuple[int, int]:
    """The addresses of both."""
    return _choose.address(g.work.itemsize), _search.address(g.work.itemsize)


def fill(g: ExemplarGeometry, state: Prepared, addresses: tuple[int, int]) -> np.ndarray:
    """Fill the holes of the planes; where each hole pixel was copied from, a place in its image: (N, H, W)."""
    choose, search = addresses
    width, pitch = block_of(g.work.itemsize), state.planes.shape[3]
    tasks = -(-(g.h - g.r + 1) // _ROWS)
    flat = state.hole.reshape(g.n, -1)
    holes = np.argsort(~flat, axis=1, kind="stable")  # open pixels first, in raster order
    words = np.full((g.n, _WORDS), -1, np.int64)
    words[:, _OPEN] = flat.sum(axis=1)
    unknown = states_of(state.hole, state.numbers)
    level = state.planes[..., : g.w].mean(axis=1, dtype=np.float64)
    whole = np.zeros((g.n, g.h, pitch), np.uint8)
    whole[..., : g.w] = state.whole
    trust, ranks = state.numbers.astype(np.float64), np.full(state.hole.shape, -1.0)
    origin = np.zeros(state.hole.shape, np.int64)
    found, best = empty((g.n * tasks,), np.int64), empty((g.n * tasks,), g.work)
    offsets, values = empty((g.n, g.c * g.r * g.s), np.int64), empty((g.n, g.c * g.r * g.s), g.work)
    sums = empty((num_threads() * width,), g.work)
    block = Template(15, (g.h, g.w, g.c, g.r, g.s, pitch, tasks, word_of(LEAST_DATA))).filled(
        words, found, best, state.planes, level, unknown, trust, ranks, holes, origin,
        state.range, offsets, values, whole, sums,
    )  # fmt: skip
    ns = g.flops / 40
    while True:
        launch(choose, g.n, addressof(block), g.n * _STEP_NS)
        if not words[:, _OPEN].any():
            return origin
        launch(search, g.n * tasks, addressof(block), ns)
