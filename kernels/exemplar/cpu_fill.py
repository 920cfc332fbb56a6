"""Workers of the first half: Criminisi's order, and the search for the best patch.

One step of every image is two launches. `choose` copies the patch that the last search found into its target, brings
the priorities near it up to date, and takes the front pixel of the highest priority as the next target; it lists the
compared pixels of that target, as offsets into the planes and as values. `search` walks over the candidates, a few rows
of them to a task, a block of neighbouring columns side by side, and leaves the best of each task.

Planes are ``(C, H, pitch)`` for each image: neighbouring columns of one channel are neighbours in memory, which is what
the vectors of the search want. Rows are padded to whole blocks, so that a block may read past the last candidate; what
it finds there is not allowed to win.

Early termination: the sums of a block only grow. They are looked at after every few pixels, and a block in which no
candidate can win any more is left. A candidate as good as the best is never left out, so the first in raster order
wins ties whatever the order of work.
"""

from typing import Any

import numpy as np
from numba import types

from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer
from .differences import block_of, number_type, squared_differences
from .priority import pixel_priority

PER_IMAGE = 16  # words of state that each image keeps between steps
OPEN, TARGET_ROW, TARGET_COLUMN, COMPARED = 0, 1, 2, 3
ROWS = 4  # candidate rows to a task
_LOOK = 12  # pixels between two looks at the sums


@kernel(fastmath=False)
def choose(itemsize: int) -> Any:
    number, size = number_type(itemsize), itemsize

    def work(begin, end, slot, block):
        found = pointer(block[1], types.int64)
        best = pointer(block[2], number)
        h, w, c, r, s, pitch = block[10], block[11], block[12], block[13], block[14], block[15]
        tasks, least = block[16], float_bits(block[17])
        for image in range(begin, end):
            state = pointer(block[0] + 8 * PER_IMAGE * image, types.int64)
            if state[OPEN] == 0:
                continue
            pixels = h * w
            planes = pointer(block[3] + image * c * h * pitch * size, number)
            level = pointer(block[4] + 8 * image * pixels, types.float64)
            unknown = pointer(block[5] + image * pixels, types.uint8)
            trust = pointer(block[6] + 8 * image * pixels, types.float64)
            ranks = pointer(block[7] + 8 * image * pixels, types.float64)
            holes = pointer(block[8] + 8 * image * pixels, types.int64)
            origin = pointer(block[9] + 8 * image * pixels, types.int64)
            floor = least * pointer(block[18] + 8 * image, types.float64)[0]
            top, left = 0, 0
            bottom, right = h, w
            if state[TARGET_ROW] >= 0:
                # The best of all tasks; they are in raster order, and so of equals the first.
                place, smallest = -1, best[0]
                for task in range(image * tasks, (image + 1) * tasks):
                    if found[task] >= 0 and (place < 0 or best[task] < smallest):
                        place, smallest = found[task], best[task]
                ty, tx = state[TARGET_ROW], state[TARGET_COLUMN]
                sy, sx = place // w, place % w
                confidence = 0.0
                for i in range(r):
                    for j in range(s):
                        confidence += trust[(ty + i) * w + tx + j]
                confidence /= r * s
                for i in range(r):
                    for j in range(s):
                        at = (ty + i) * w + tx + j
                        if unknown[at] != 1:
                            continue
                        total = 0.0
                        for k in range(c):
                            value = planes[(k * h + sy + i) * pitch + sx + j]
                            planes[(k * h + ty + i) * pitch + tx + j] = value
                            total += value
                        level[at] = total / c
                        unknown[at], trust[at] = 0, confidence
                        origin[at] = (sy + i) * w + sx + j
                        ranks[at] = -1.0
                top, left = max(0, ty - r - 1), max(0, tx - s - 1)
                bottom, right = min(h, ty + 2 * r + 1), min(w, tx + 2 * s + 1)
            for p in range(top, bottom):
                for q in range(left, right):
                    if unknown[p * w + q] == 1:
                        ranks[p * w + q] = pixel_priority(level, unknown, trust, h, w, r, s, p, q, floor)
            # What is still open moves to the front of the list; the first of the highest priority is next.
            left_over, target, highest = 0, -1, -1.0
            for k in range(state[OPEN]):
                at = holes[k]
                if unknown[at] == 1:
                    holes[left_over] = at
                    left_over += 1
                    if ranks[at] > highest:
                        target, highest = at, ranks[at]
            state[OPEN] = left_over
            state[TARGET_ROW] = -1
            if left_over == 0:
                continue
            ty = min(max(target // w - r // 2, 0), h - r)
            tx = min(max(target % w - s // 2, 0), w - s)
            state[TARGET_ROW], state[TARGET_COLUMN] = ty, tx
            offsets = pointer(block[19] + 8 * image * c * r * s, types.int64)
            values = pointer(block[20] + size * image * c * r * s, number)
            compared = 0
            for i in range(r):
                for j in range(s):
                    if unknown[(ty + i) * w + tx + j] == 0:
                        for k in range(c):
                            offsets[compared] = (k * h + i) * pitch + j
                            values[compared] = planes[(k * h + ty + i) * pitch + tx + j]
                            compared += 1
            state[COMPARED] = compared

    return work


@kernel()
def search(itemsize: int) -> Any:
    number = number_type(itemsize)
    add, width, size = squared_differences(itemsize), block_of(itemsize), itemsize
    infinity = np.float64(np.inf) if itemsize == 8 else np.float32(np.inf)

    def work(begin, end, slot, block):
        found, best = pointer(block[1], types.int64), pointer(block[2], number)
        h, w, c, r, pitch, tasks = block[10], block[11], block[12], block[13], block[15], block[16]
        s = block[14]
        buffer = block[22] + slot * (width * size)
        sums = pointer(buffer, number)
        for task in range(begin, end):
            image = task // tasks
            state = pointer(block[0] + 8 * PER_IMAGE * image, types.int64)
            found[task] = -1
            if state[OPEN] == 0:
                continue
            compared = state[COMPARED]
            offsets, values = block[19] + 8 * image * c * r * s, block[20] + size * image * c * r * s
            first = task % tasks * ROWS
            bound, place = infinity, -1
            for p in range(first, min(first + ROWS, h - r + 1)):
                whole = pointer(block[21] + (image * h + p) * pitch, types.uint8)
                for q in range(0, w - s + 1, width):
                    sources = 0
                    for k in range(width):
                        sources += whole[q + k]
                    if sources == 0:
                        continue
                    for k in range(width):
                        sums[k] = 0 if whole[q + k] != 0 else infinity
                    row = block[3] + ((image * c * h + p) * pitch + q) * size
                    done, alive = 0, True
                    while done < compared and alive:
                        until = min(done + _LOOK, compared)
                        add(row, offsets, values, done, until, buffer)
                        done = until
                        least = infinity
                        for k in range(width):
                            least = min(least, sums[k])
                        alive = least <= bound
                    if not alive:
                        continue
                    for k in range(width):
                        if whole[q + k] != 0 and (place < 0 or sums[k] < bound):
                            bound, place = sums[k], p * w + q + k
            found[task], best[task] = place, bound

    return work
