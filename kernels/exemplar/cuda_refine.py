"""The second step on CUDA: better patches for every place, and the mean of what they say.

    first      each thread lists the sources that one target begins with: where its pixels were copied from
    improve    each thread tries for one target what its turns propose, and keeps the best
    vote       each thread computes one number of a pixel from what the patches over it say

The idea: rounds read one table and write another, so that in none it matters which thread is first. What the steps are
stands in cpu_refine.py. Differences are computed as they are defined, the means first and then what lies about them:
twice the reads, and no cancellation.

Index arithmetic: targets are the patches that meet a hole, numbered through the batch in raster order; ``index`` tells
the number of the one that begins at a pixel. Tables hold `CANDIDATES` sources for each, the best first, their
differences, and how far each channel of a source is shifted; the last row of shifts is that of the candidate in hand.
A thread that votes has one channel, and computes the shares of the patches again for each.

Memory traffic: some 85 candidates of 2 r s C numbers for each target and round, and r s `CANDIDATES` for each number
of a vote, of which neighbouring threads share most. What bounds it is the latency of scattered reads.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like, to_device
from ..machine.cuda_numba import launch_each
from .cuda_fit import fit
from .geometry import ExemplarGeometry
from .prepare import targets_of
from .rules import BANDWIDTH, CANDIDATES, CUT, NOISE, SHARPNESS, SHIFT_PENALTY, drawn, moved, turns
from .scene import Scene


@cuda.jit(device=True)
def is_among(sources, source):
    met = False
    for k in range(CANDIDATES):
        met = met or sources[k] == source
    return met


@cuda.jit
def exemplar_first(origin, whole, targets, sources, shape):
    t = cuda.grid(1)
    if t >= targets.size:
        return
    h, w, r, s = shape
    n, target = targets[t] // (h * w), targets[t] % (h * w)
    for k in range(CANDIDATES):
        sources[t, k] = -1
    kept = 0
    for i in range(r):
        for j in range(s):
            # Of known pixels the origin is -1; beyond the left border lie columns where no patch begins.
            source = origin[n, target + i * w + j] - i * w - j
            if source < 0 or kept == CANDIDATES:
                continue
            if whole[n, source] != 0 and not is_among(sources[t], source):
                sources[t, kept] = source
                kept += 1


@cuda.jit(device=True)
def difference(u, weights, shift, target, source, w, r, s):
    """The weighted variance of two patches' difference, plus a share of its squared mean; ``shift`` gets the mean."""
    total, weight = u.dtype.type(0), u.dtype.type(0)
    for i in range(r):
        for j in range(s):
            weight += weights[target + i * w + j]
    for k in range(u.shape[1]):
        mean, squares = u.dtype.type(0), u.dtype.type(0)
        for i in range(r):
            for j in range(s):
                at = i * w + j
                mean += weights[target + at] * (u[target + at, k] - u[source + at, k])
        mean /= weight
        for i in range(r):
            for j in range(s):
                at = i * w + j
                rest = u[target + at, k] - u[source + at, k] - mean
                squares += weights[target + at] * rest * rest
        shift[k] = mean
        total += squares / weight + u.dtype.type(SHIFT_PENALTY) * mean * mean
    return total


@cuda.jit(device=True)
def insert(sources, differences, shifts, source, found):
    """Put the candidate in hand where it belongs; the last of the table falls out."""
    place = CANDIDATES
    while place > 0 and (
        found < differences[place - 1] or (found == differences[place - 1] and source < sources[place - 1])
    ):
        place -= 1
    if place == CANDIDATES:
        return
    for k in range(CANDIDATES - 1, place, -1):
        sources[k], differences[k] = sources[k - 1], differences[k - 1]
        for channel in range(shifts.shape[1]):
            shifts[k, channel] = shifts[k - 1, channel]
    sources[place], differences[place] = source, found
    for channel in range(shifts.shape[1]):
        shifts[place, channel] = shifts[CANDIDATES, channel]


@cuda.jit
def exemplar_improve(u, weights, whole, index, targets, old, new, differences, shifts, sweep, shape):
    t = cuda.grid(1)
    if t >= targets.size:
        return
    h, w, r, s = shape
    n, target = targets[t] // (h * w), targets[t] % (h * w)
    for k in range(CANDIDATES):
        new[t, k], differences[t, k] = -1, math.inf
    for turn in range(turns(h, w)):
        dy, dx, rank = moved(turn, r, s)
        if rank >= 0:  # a candidate of the neighbour (dy, dx) away, moved back
            y, x = target // w + dy, target % w + dx
            if y < 0 or x < 0 or y >= h or x >= w or index[n, y * w + x] < 0:
                continue
            near = old[index[n, y * w + x], rank]
            dy, dx = -dy, -dx
        else:
            near = old[t, 0]
            dy, dx = drawn(target, sweep, turn, h, w)
        if near < 0:
            continue
        y, x = near // w + dy, near % w + dx
        if y < 0 or x < 0 or y >= h or x >= w or whole[n, y * w + x] == 0 or is_among(new[t], y * w + x):
            continue
        found = difference(u[n], weights[n], shifts[t, CANDIDATES], target, y * w + x, w, r, s)
        insert(new[t], differences[t], shifts[t], y * w + x, found)


@cuda.jit
def exemplar_vote(u, weights, index, places, reliance, sources, differences, shifts, extent, result, shape):
    """Each thread writes one number of ``result`` (which may be u: what is read is known and never voted on)."""
    thread, channels = cuda.grid(1), u.shape[2]
    if thread >= places.size * channels:
        return
    h, w, r, s = shape
    n, at, channel = places[thread // channels] // (h * w), places[thread // channels] % (h * w), thread % channels
    y, x = at // w, at % w
    top, bottom, left, right = max(0, y - r + 1), min(y, h - r), max(0, x - s + 1), min(x, w - s)
    smallest = math.inf
    for p in range(top, bottom + 1):
        for q in range(left, right + 1):
            t = index[n, p * w + q]
            if t >= 0:
                smallest = min(smallest, np.float64(differences[t, 0]))
    width = BANDWIDTH * smallest * np.float64(weights[n, at]) ** SHARPNESS + NOISE * extent[n] * extent[n]
    value, total = 0.0, 0.0
    for p in range(top, bottom + 1):
        for q in range(left, right + 1):
            t = index[n, p * w + q]
            if t < 0:
                continue
            for k in range(CANDIDATES):
                if sources[t, k] < 0 or differences[t, k] - smallest > CUT * width:
                    continue
                excess = differences[t, k] - smallest
                share = reliance[t] * (math.exp(-excess / width) if excess > 0 else 1.0)
                from_ = sources[t, k] + (y - p) * w + x - q
                value += share * (np.float64(u[n, from_, channel]) + shifts[t, k, channel])
                total += share
    if total > 0:
        result[n, at, channel] = value / total


def refine(g: ExemplarGeometry, scene: Scene, origin: Any) -> None:
    """Improve the holes of the images in rounds, and fit what the last one says into its surroundings."""
    u, shape, flat = scene.u, (g.h, g.w, g.r, g.s), (g.n, g.h * g.w)
    tables = targets_of(g, scene.hole, scene.numbers)
    targets, reliance = (to_device(table, scene.device) for table in (tables.places, tables.reliance))
    index, weights = (to_device(table.reshape(flat), scene.device) for table in (tables.numbering, tables.weights))
    holes, covered = (to_device(np.flatnonzero(mask), scene.device) for mask in (scene.hole, tables.covered))
    old, new = (new_like(u, (targets.size, CANDIDATES), np.int64) for _ in range(2))
    differences = new_like(u, (targets.size, CANDIDATES), g.work)
    shifts = new_like(u, (targets.size, CANDIDATES + 1, g.c), g.work)
    launch_each(exemplar_first, targets.size, origin, scene.whole, targets, new, shape)
    for sweep in range(g.refinements):
        old, new = new, old
        launch_each(
            exemplar_improve, targets.size,
            u, weights, scene.whole, index, targets, old, new, differences, shifts, sweep, shape,
        )  # fmt: skip
        last = sweep == g.refinements - 1
        places, result = (covered, u.copy()) if last else (holes, u)
        launch_each(
            exemplar_vote, places.size * g.c,
            u, weights, index, places, reliance, new, differences, shifts, scene.extent, result, shape,
        )  # fmt: skip
    fit(g, scene, result, holes, tables.covered, tables.depth)
