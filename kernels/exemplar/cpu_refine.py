"""Workers of the second half: better patches for every place, and the mean of what they say.

`improve` looks for better source patches of every target patch, among those of its neighbours (moved along: where one
patch fits, the next one over fits its neighbour) and at random distances from its best: PatchMatch (Barnes et al. 2009),
with all targets at once from one table into another, so that it does not matter which thread takes which. `vote` gives
each hole pixel the weighted mean of all source pixels that the patches over it propose (Wexler et al. 2007).
"""

import math
from typing import Any

import numpy as np
from numba import njit, types

from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer
from ..random.philox import LOW, words_at
from .differences import number_type
from .rules import CANDIDATES

TARGETS = 16  # to a task
PIXELS = 64


def patch_difference(itemsize: int) -> Any:
    """Variance of the difference of two patches, plus a little of its squared mean; infinite where above ``limit``.

    The sum of squares about the mean grows with every row, so that it can be left as soon as it exceeds the limit.
    """
    real = np.float64 if itemsize == 8 else np.float32

    @njit(forceinline=True)
    def difference(planes, weights, shift, h, w, c, pitch, r, s, target, source, weight, limit, penalty):
        ty, tx, sy, sx = target // w, target % w, source // w, source % w
        total = real(0)
        for k in range(c):
            squares, sums, passed = real(0), real(0), real(0)
            for i in range(r):
                at, theirs, ours = (
                    (ty + i) * w + tx, (k * h + sy + i) * pitch + sx, (k * h + ty + i) * pitch + tx,
                )  # fmt: skip
                for j in range(s):
                    value = weights[at + j]
                    d = planes[ours + j] - planes[theirs + j]
                    squares += value * d * d
                    sums += value * d
                    passed += value
                if passed > 0 and total + squares - sums * sums / passed > limit * weight * real(1.0001):
                    return real(np.inf)
            mean = sums / weight
            shift[k] = mean
            total += max(squares - sums * mean, real(0)) + penalty * mean * mean * weight
        return total / weight

    return difference


@kernel()
def improve(itemsize: int) -> Any:
    number = number_type(itemsize)
    difference = patch_difference(itemsize)
    real = np.float64 if itemsize == 8 else np.float32
    infinity = real(np.inf)

    def work(begin, end, slot, block):
        targets, count = pointer(block[1], types.int64), block[2]
        old, new = pointer(block[3], types.int64), pointer(block[4], types.int64)
        distances, shifts = pointer(block[5], number), pointer(block[6], number)
        h, w, c, r, s, pitch = block[10], block[11], block[12], block[13], block[14], block[15]
        step, sweep, levels = block[16], block[17], block[18]
        shift = pointer(block[19] + slot * block[20], number)
        pixels = h * w
        penalty = real(float_bits(block[21]))
        for t in range(begin * TARGETS, min(end * TARGETS, count)):
            image, target = targets[t] // pixels, targets[t] % pixels
            planes = pointer(block[0] + image * c * h * pitch * itemsize, number)
            weights = pointer(block[7] + image * pixels * itemsize, number)
            index = pointer(block[8] + 8 * image * pixels, types.int64)
            whole = pointer(block[9] + image * h * pitch, types.uint8)
            ty, tx = target // w, target % w
            weight = real(0)
            for i in range(r):
                for j in range(s):
                    weight += weights[(ty + i) * w + tx + j]
            first = t * CANDIDATES
            for k in range(CANDIDATES):
                new[first + k] = -1
                distances[first + k] = infinity
            own = old[first]
            for turn in range(9 * CANDIDATES + levels):
                if turn < 9 * CANDIDATES:
                    neighbour, k = turn // CANDIDATES, turn % CANDIDATES
                    away = 1 if neighbour < 5 else step
                    side = (neighbour - 1) % 4
                    dy = 0 if neighbour == 0 or side > 1 else away * (2 * side - 1)
                    dx = 0 if neighbour == 0 or side < 2 else away * (2 * side - 5)
                    y, x = ty + dy, tx + dx
                    if y < 0 or x < 0 or y > h - r or x > w - s or index[y * w + x] < 0:
                        continue
                    proposed = old[index[y * w + x] * CANDIDATES + k]
                    if proposed < 0:
                        continue
                    sy, sx = proposed // w - dy, proposed % w - dx
                else:
                    level = turn - 9 * CANDIDATES
                    if own < 0:
                        continue
                    draw = words_at(np.uint64(target), np.uint64(sweep), np.uint64(level))
                    reach = max(h, w) >> level
                    span = np.uint64(2 * reach + 1)
                    sy = own // w - reach + np.int64(((draw[0] & LOW) * span) >> np.uint64(32))
                    sx = own % w - reach + np.int64(((draw[1] & LOW) * span) >> np.uint64(32))
                if sy < 0 or sx < 0 or sy > h - r or sx > w - s or whole[sy * pitch + sx] == 0:
                    continue
                source = sy * w + sx
                known = False
                for k in range(CANDIDATES):
                    known = known or new[first + k] == source
                if known:
                    continue
                last = first + CANDIDATES - 1
                d = difference(
                    planes, weights, shift, h, w, c, pitch, r, s, target, source, weight, distances[last], penalty
                )
                if not (d < distances[last] or (d == distances[last] and d < infinity and source < new[last])):
                    continue
                k = last
                while k > first and (d < distances[k - 1] or (d == distances[k - 1] and source < new[k - 1])):
                    distances[k], new[k] = distances[k - 1], new[k - 1]
                    for channel in range(c):
                        shifts[k * c + channel] = shifts[(k - 1) * c + channel]
                    k -= 1
                distances[k], new[k] = d, source
                for channel in range(c):
                    shifts[k * c + channel] = shift[channel]

    return work


@kernel()
def vote(itemsize: int) -> Any:
    number = number_type(itemsize)
    real = np.float64 if itemsize == 8 else np.float32

    def work(begin, end, slot, block):
        holes, count = pointer(block[1], types.int64), block[2]
        sources, reliance = pointer(block[3], types.int64), pointer(block[4], number)
        distances, shifts = pointer(block[5], number), pointer(block[6], number)
        h, w, c, r, s, pitch = block[10], block[11], block[12], block[13], block[14], block[15]
        sums = pointer(block[19] + slot * block[20], number)
        pixels = h * w
        bandwidth, power = real(float_bits(block[16])), real(float_bits(block[17]))
        for hole in range(begin * PIXELS, min(end * PIXELS, count)):
            image, at = holes[hole] // pixels, holes[hole] % pixels
            planes = pointer(block[0] + image * c * h * pitch * itemsize, number)
            result = pointer(block[9] + image * c * h * pitch * itemsize, number)
            weights = pointer(block[7] + image * pixels * itemsize, number)
            index = pointer(block[8] + 8 * image * pixels, types.int64)
            y, x = at // w, at % w
            smallest = real(np.inf)
            for p in range(max(0, y - r + 1), min(y, h - r) + 1):
                for q in range(max(0, x - s + 1), min(x, w - s) + 1):
                    if index[p * w + q] >= 0:
                        smallest = min(smallest, distances[index[p * w + q] * CANDIDATES])
            width = bandwidth * smallest * weights[at] ** power
            for k in range(c):
                sums[k] = 0
            total = real(0)
            for p in range(max(0, y - r + 1), min(y, h - r) + 1):
                for q in range(max(0, x - s + 1), min(x, w - s) + 1):
                    t = index[p * w + q]
                    if t < 0:
                        continue
                    for k in range(t * CANDIDATES, (t + 1) * CANDIDATES):
                        excess = distances[k] - smallest
                        if sources[k] < 0 or not excess < 20 * width:
                            if excess != 0:
                                continue
                        share = reliance[t] * (math.exp(-excess / width) if excess > 0 else real(1))
                        total += share
                        from_ = (sources[k] // w + y - p) * pitch + sources[k] % w + x - q
                        for channel in range(c):
                            sums[channel] += share * (planes[channel * h * pitch + from_] + shifts[k * c + channel])
            for channel in range(c):
                result[(channel * h + y) * pitch + x] = sums[channel] / total

    return work
