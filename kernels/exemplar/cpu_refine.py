"""The second step, in compiled workers: better patches for every place, and the mean of what they say.

`_improve` looks for better source patches of every target patch: among those of its neighbours, moved along, since
where one patch fits, the next one over fits the neighbour; and at random distances from its own best. That is
PatchMatch (Barnes et al. 2009) with all targets at once, from one table into another, so that it does not matter which
thread takes which. `_vote` gives each pixel the weighted mean of what the patches over it propose (Wexler et al. 2007).

Tables hold `CANDIDATES` sources for each target, the best first; their difference; and, for each channel, by how much
the source is shifted to the level of the target.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import njit, types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch, num_threads
from .cpu_fit import fit
from .differences import number_type
from .geometry import ExemplarGeometry
from .prepare import Prepared, targets_of
from .rules import BANDWIDTH, CANDIDATES, CUT, NOISE, SHARPNESS, SHIFT_PENALTY, drawn, moved, turns

_TARGETS = 16  # to a task
_PIXELS = 64
_LINE = 64
_TARGET_NS = 20_000.0
_PIXEL_NS = 5_000.0


def _difference(itemsize: int) -> Any:
    """Variance of the difference of two patches, plus a little of its squared mean; infinite where above ``limit``.

    The sum of squares about the mean grows with every row, so it can be left as soon as it exceeds the limit.
    """
    real = np.float64 if itemsize == 8 else np.float32
    penalty, slack = real(SHIFT_PENALTY), real(1.0001)

    @njit(forceinline=True)
    def difference(planes, weights, shift, h, w, c, pitch, r, s, target, source, weight, limit):
        ty, tx, sy, sx = target // w, target % w, source // w, source % w
        total = real(0)
        for k in range(c):
            squares, sums, passed = real(0), real(0), real(0)
            for i in range(r):
                at, ours = (ty + i) * w + tx, (k * h + ty + i) * pitch + tx
                theirs = (k * h + sy + i) * pitch + sx
                for j in range(s):
                    value = weights[at + j]
                    d = planes[ours + j] - planes[theirs + j]
                    squares += value * d * d
                    sums += value * d
                    passed += value
                if passed > 0 and total + squares - sums * sums / passed > limit * weight * slack:
                    return real(np.inf)
            mean = sums / weight
            shift[k] = mean
            total += max(squares - sums * mean, real(0)) + penalty * mean * mean * weight
        return total / weight

    return difference


@kernel()
def _improve(itemsize: int) -> Any:
    number, size = number_type(itemsize), itemsize
    difference = _difference(itemsize)
    real = np.float64 if itemsize == 8 else np.float32
    infinity = real(np.inf)

    def work(begin, end, slot, block):
        targets = pointer(block[1], types.int64)
        old, new = pointer(block[2], types.int64), pointer(block[3], types.int64)
        differences, shifts = pointer(block[4], number), pointer(block[5], number)
        h, w, c, r, s, pitch = block[10], block[11], block[12], block[13], block[14], block[15]
        count, sweep = block[16], block[17]
        shift = pointer(block[9] + slot * block[18], number)
        pixels = h * w
        for t in range(begin * _TARGETS, min(end * _TARGETS, count)):
            image, target = targets[t] // pixels, targets[t] % pixels
            planes = pointer(block[0] + image * c * h * pitch * size, number)
            weights = pointer(block[6] + image * pixels * size, number)
            index = pointer(block[7] + 8 * image * pixels, types.int64)
            whole = pointer(block[8] + image * pixels, types.uint8)
            ty, tx = target // w, target % w
            weight = real(0)
            for i in range(r):
                for j in range(s):
                    weight += weights[(ty + i) * w + tx + j]
            first = t * CANDIDATES
            last = first + CANDIDATES - 1
            for k in range(first, last + 1):
                new[k], differences[k] = -1, infinity
            for turn in range(turns(h, w)):
                dy, dx, rank = moved(turn, r, s)
                if rank >= 0:  # a candidate of the neighbour (dy, dx) away, moved back
                    y, x = ty + dy, tx + dx
                    if y < 0 or x < 0 or y > h - r or x > w - s or index[y * w + x] < 0:
                        continue
                    proposed = old[index[y * w + x] * CANDIDATES + rank]
                    if proposed < 0:
                        continue
                    sy, sx = proposed // w - dy, proposed % w - dx
                else:
                    if old[first] < 0:
                        continue
                    dy, dx = drawn(target, sweep, turn, h, w)
                    sy, sx = old[first] // w + dy, old[first] % w + dx
                if sy < 0 or sx < 0 or sy > h - r or sx > w - s or whole[sy * w + sx] == 0:
                    continue
                source = sy * w + sx
                met = False
                for k in range(first, last + 1):
                    met = met or new[k] == source
                if met:
                    continue
                d = difference(planes, weights, shift, h, w, c, pitch, r, s, target, source, weight, differences[last])
                if not (d < differences[last] or (d == differences[last] and d < infinity and source < new[last])):
                    continue
                k = last
                while k > first and (d < differences[k - 1] or (d == differences[k - 1] and source < new[k - 1])):
                    differences[k], new[k] = differences[k - 1], new[k - 1]
                    for channel in range(c):
                        shifts[k * c + channel] = shifts[(k - 1) * c + channel]
                    k -= 1
                differences[k], new[k] = d, source
                for channel in range(c):
                    shifts[k * c + channel] = shift[channel]

    return work


@kernel()
def _vote(itemsize: int) -> Any:
    number, size = number_type(itemsize), itemsize
    real = np.float64 if itemsize == 8 else np.float32

    def work(begin, end, slot, block):
        places, reliance = pointer(block[1], types.int64), pointer(block[2], number)
        sources = pointer(block[3], types.int64)
        differences, shifts = pointer(block[4], number), pointer(block[5], number)
        h, w, c, r, s, pitch = block[11], block[12], block[13], block[14], block[15], block[16]
        sums, count = pointer(block[9] + slot * block[18], number), block[17]
        ranges = pointer(block[10], types.float64)
        pixels = h * w
        for k in range(begin * _PIXELS, min(end * _PIXELS, count)):
            image, at = places[k] // pixels, places[k] % pixels
            planes = pointer(block[0] + image * c * h * pitch * size, number)
            result = pointer(block[8] + image * c * h * pitch * size, number)
            weights = pointer(block[6] + image * pixels * size, number)
            index = pointer(block[7] + 8 * image * pixels, types.int64)
            y, x = at // w, at % w
            top, bottom = max(0, y - r + 1), min(y, h - r)
            left, right = max(0, x - s + 1), min(x, w - s)
            smallest = real(np.inf)
            for p in range(top, bottom + 1):
                for q in range(left, right + 1):
                    t = index[p * w + q]
                    if t >= 0:
                        smallest = min(smallest, differences[t * CANDIDATES])
            width = real(BANDWIDTH) * smallest * weights[at] ** SHARPNESS + real(NOISE * ranges[image] * ranges[image])
            total = real(0)
            for channel in range(c):
                sums[channel] = 0
            for p in range(top, bottom + 1):
                for q in range(left, right + 1):
                    t = index[p * w + q]
                    if t < 0:
                        continue
                    for k in range(t * CANDIDATES, (t + 1) * CANDIDATES):
                        excess = differences[k] - smallest
                        if sources[k] < 0 or excess > real(CUT) * width:
                            continue
                        share = reliance[t] * (math.exp(-excess / width) if excess > 0 else real(1))
                        total += share
                        from_ = (sources[k] // w + y - p) * pitch + sources[k] % w + x - q
                        for channel in range(c):
                            sums[channel] += share * (planes[channel * h * pitch + from_] + shifts[k * c + channel])
            if total > 0:
                for channel in range(c):
                    result[(channel * h + y) * pitch + x] = sums[channel] / total

    return work


def workers(g: ExemplarGeometry) -> tuple[int, int]:
    """The addresses of both."""
    return _improve.address(g.work.itemsize), _vote.address(g.work.itemsize)


def refine(g: ExemplarGeometry, state: Prepared, origin: np.ndarray, addresses: tuple[int, int]) -> None:
    """Improve the holes of the planes in rounds, and fit what the last one says into its surroundings."""
    improve, vote = addresses
    targets = targets_of(g, state.hole, state.numbers)
    new = _first_sources(g, state, origin, targets.places)
    old = np.empty_like(new)
    differences = empty(new.shape, g.work)
    shifts = empty((*new.shape, g.c), g.work)
    scratch = -(-g.c * g.work.itemsize // _LINE) * _LINE
    buffer = empty((num_threads() * scratch,), np.uint8)
    sizes = (g.h, g.w, g.c, g.r, g.s, state.planes.shape[3])

    def voted(places: np.ndarray, result: np.ndarray) -> None:
        block = Template(11, (*sizes, places.size, scratch)).filled(
            state.planes, places, targets.reliance, new, differences, shifts, targets.weights, targets.numbering,
            result, buffer, state.range,
        )  # fmt: skip
        launch(vote, -(-places.size // _PIXELS), addressof(block), _PIXEL_NS * places.size)

    for sweep in range(g.refinements):
        old, new = new, old
        block = Template(10, (*sizes, targets.places.size, sweep, scratch)).filled(
            state.planes, targets.places, old, new, differences, shifts, targets.weights, targets.numbering,
            state.whole, buffer,
        )  # fmt: skip
        launch(improve, -(-targets.places.size // _TARGETS), addressof(block), _TARGET_NS * targets.places.size)
        if sweep < g.refinements - 1:
            voted(state.places, state.planes)
    guess = state.planes.copy()
    voted(np.flatnonzero(targets.covered), guess)
    fit(g, state, guess, targets.covered, targets.depth)


def _first_sources(g: ExemplarGeometry, state: Prepared, origin: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The sources that each target begins with: where its pixels were copied from, each taken once."""
    table = np.full((targets.size, CANDIDATES), -1, np.int64)
    kept = np.zeros(targets.size, np.int64)
    image, rest = np.divmod(targets, g.h * g.w)
    row, column = np.divmod(rest, g.w)
    for i in range(g.r):
        for j in range(g.s):
            from_ = origin[image, row + i, column + j]
            y, x = from_ // g.w - i, from_ % g.w - j
            fits = state.hole[image, row + i, column + j] & (kept < CANDIDATES)
            fits &= (y >= 0) & (x >= 0) & (y <= g.h - g.r) & (x <= g.w - g.s)
            fits[fits] = state.whole[image[fits], y[fits], x[fits]] != 0
            place = y * g.w + x
            fits &= ~(table == place[:, None]).any(axis=1)
            table[fits, kept[fits]] = place[fits]
            kept[fits] += 1
    return table
