"""The definition of exemplar inpainting, in loops.

    fill     while a pixel is open: of the pixels on the front, take that of the highest priority; of all patches that
             may be copied, find the one with the least squared difference to what is known of the patch around it; copy
             what is open (Criminisi, Perez and Toyama 2004)
    refine   in rounds: for each patch that meets the hole keep the best sources among its own, its neighbours' and
             random ones (Barnes et al. 2009); let all patches over a pixel vote on it (Wexler, Shechtman and Irani
             2007)
    fit      let them vote on what is known around the hole, too, to see how far they can be believed, and where they
             cannot, go over to the smooth surface through what is known (fit_reference.py)

Pixels are numbered through the image. A patch is named by its first pixel; it lies inside the image, so that near the
border the pixel that it is for is not in its middle. Of equals the first in raster order is taken.
"""

import math

import numpy as np
from numba.extending import register_jitable

from .fit_reference import fit
from .rules import (
    BANDWIDTH,
    CANDIDATES,
    CUT,
    DECAY,
    LEAST_DATA,
    NOISE,
    RELIANCE,
    SHARPNESS,
    SHIFT_PENALTY,
    drawn,
    moved,
    turns,
)


@register_jitable
def gradient(u, numbers, i, j):
    """The central differences of the mean of the channels; 0 where a neighbour is not known or not inside."""
    h, w = numbers.shape
    if i == 0 or j == 0 or i == h - 1 or j == w - 1:
        return 0.0, 0.0
    if not (numbers[i - 1, j] and numbers[i + 1, j] and numbers[i, j - 1] and numbers[i, j + 1]):
        return 0.0, 0.0
    return (u[i + 1, j].mean() - u[i - 1, j].mean()) / 2, (u[i, j + 1].mean() - u[i, j - 1].mean()) / 2


@register_jitable
def priority(u, hole, numbers, trust, i, j, r, s, floor):
    """Confidence times data term of a pixel of the hole, or -1 where it is not on the front."""
    h, w = hole.shape
    top, left = min(max(i - r // 2, 0), h - r), min(max(j - s // 2, 0), w - s)
    front, normal_y, normal_x = False, 0.0, 0.0
    for a in range(-1, 2):
        for b in range(-1, 2):
            y, x = min(max(i + a, 0), h - 1), min(max(j + b, 0), w - 1)
            if hole[y, x]:
                normal_y += a * (2 - abs(b))
                normal_x += b * (2 - abs(a))
            elif a == 0 or b == 0:
                front = True
    if not front:
        return -1.0
    confidence, steepest, along, across = 0.0, 0.0, 0.0, 0.0
    for y in range(top, top + r):
        for x in range(left, left + s):
            if numbers[y, x]:
                confidence += trust[y, x]
                down, right = gradient(u, numbers, y, x)
                if down * down + right * right > steepest:
                    steepest, along, across = down * down + right * right, down, right
    length = math.sqrt(normal_y**2 + normal_x**2)
    data = abs(along * normal_x - across * normal_y) / length if length > 0 else 0.0
    return confidence / (r * s) * (data + floor)


@register_jitable
def fill(u, hole, numbers, whole, floor, r, s):
    """Fill the hole of u ``(H, W, C)`` in place; where each of its pixels was copied from."""
    h, w, c = u.shape
    hole, numbers = hole.copy(), numbers.copy()
    trust = np.where(numbers, 1.0, 0.0)
    origin = np.zeros((h, w), np.int64)
    while hole.any():
        highest, ti, tj = -1.0, 0, 0
        for i in range(h):
            for j in range(w):
                if hole[i, j]:
                    rank = priority(u, hole, numbers, trust, i, j, r, s, floor)
                    if rank > highest:
                        highest, ti, tj = rank, i, j
        top, left = min(max(ti - r // 2, 0), h - r), min(max(tj - s // 2, 0), w - s)
        least, best = np.inf, -1
        for p in range(h * w):
            if not whole[p // w, p % w]:
                continue
            total = 0.0
            for a in range(r):
                for b in range(s):
                    if numbers[top + a, left + b]:
                        for k in range(c):
                            total += (u[p // w + a, p % w + b, k] - u[top + a, left + b, k]) ** 2
            if best < 0 or total < least:
                least, best = total, p
        if best < 0:
            raise ValueError("inpaint_exemplar: source leaves no patch that may be copied")
        confidence = trust[top : top + r, left : left + s].sum() / (r * s)
        for a in range(r):
            for b in range(s):
                if hole[top + a, left + b]:
                    u[top + a, left + b] = u[best // w + a, best % w + b]
                    origin[top + a, left + b] = best + a * w + b
                    trust[top + a, left + b] = confidence
        for a in range(r):
            for b in range(s):
                if hole[top + a, left + b]:
                    hole[top + a, left + b], numbers[top + a, left + b] = False, True
    return origin


@register_jitable
def difference(u, weights, target, source, r, s, shift):
    """The weighted variance of two patches' difference, plus a share of its squared mean; ``shift`` gets the mean."""
    _, w, c = u.shape
    ty, tx, sy, sx = target // w, target % w, source // w, source % w
    here = weights[ty : ty + r, tx : tx + s]
    total, weight = 0.0, here.sum()
    for k in range(c):
        error = u[ty : ty + r, tx : tx + s, k] - u[sy : sy + r, sx : sx + s, k]
        shift[k] = (here * error).sum() / weight
        total += (here * (error - shift[k]) ** 2).sum() / weight + SHIFT_PENALTY * shift[k] ** 2
    return total


@register_jitable
def improve(u, weights, meets, whole, old, new, differences, shifts, sweep, r, s):
    """For every patch that meets the hole, the best `CANDIDATES` of all that its turns propose."""
    h, w, c = u.shape
    shift = np.zeros(c)
    for target in range(h * w):
        ty, tx = target // w, target % w
        if not meets[ty, tx]:
            continue
        new[target], differences[target] = -1, np.inf
        for turn in range(turns(h, w)):
            dy, dx, rank = moved(turn, r, s)
            if rank >= 0:
                y, x = ty + dy, tx + dx
                if y < 0 or x < 0 or y >= h or x >= w or not meets[y, x] or old[y * w + x, rank] < 0:
                    continue
                sy, sx = old[y * w + x, rank] // w - dy, old[y * w + x, rank] % w - dx
            elif old[target, 0] >= 0:
                dy, dx = drawn(target, sweep, turn, h, w)
                sy, sx = old[target, 0] // w + dy, old[target, 0] % w + dx
            else:
                continue
            if sy < 0 or sx < 0 or sy >= h or sx >= w or not whole[sy, sx] or (new[target] == sy * w + sx).any():
                continue
            source = sy * w + sx
            d = difference(u, weights, target, source, r, s, shift)
            # Insert it where it belongs; the last of the table falls out.
            for k in range(CANDIDATES - 1, -1, -1):
                behind = d < differences[target, k] or (d == differences[target, k] and source < new[target, k])
                if not behind:
                    break
                if k < CANDIDATES - 1:
                    new[target, k + 1], differences[target, k + 1] = new[target, k], differences[target, k]
                    shifts[target, k + 1] = shifts[target, k]
                new[target, k], differences[target, k], shifts[target, k] = source, d, shift


@register_jitable
def vote(u, weights, reliance, meets, sources, differences, shifts, extent, i, j, r, s, values):
    """What the patches over a pixel say of it; nothing is written where there is none."""
    _, w, c = u.shape
    top, left = max(0, i - r + 1), max(0, j - s + 1)
    smallest = np.inf
    for y in range(top, i + 1):
        for x in range(left, j + 1):
            if meets[y, x]:
                smallest = min(smallest, differences[y * w + x, 0])
    width = BANDWIDTH * smallest * weights[i, j] ** SHARPNESS + NOISE * extent**2
    sums, total = np.zeros(c), 0.0
    for y in range(top, i + 1):
        for x in range(left, j + 1):
            for k in range(CANDIDATES):
                source = sources[y * w + x, k]
                if not meets[y, x] or source < 0:
                    continue
                excess = differences[y * w + x, k] - smallest
                if excess <= CUT * width:
                    share = reliance[y, x] * (math.exp(-excess / width) if excess > 0 else 1.0)
                    sums += share * (u[source // w + i - y, source % w + j - x] + shifts[y * w + x, k])
                    total += share
    if total > 0:
        values[i, j] = sums / total


@register_jitable
def refine(u, hole, numbers, whole, origin, extent, r, s, refinements):
    """Improve the hole of u ``(H, W, C)`` in place."""
    h, w, c = u.shape
    meets, covered = np.zeros((h, w), np.bool_), np.zeros((h, w), np.bool_)
    for i in range(h - r + 1):
        for j in range(w - s + 1):
            if hole[i : i + r, j : j + s].any():
                meets[i, j] = True
                covered[i : i + r, j : j + s] = True
    depth, inside = np.zeros((h, w), np.int64), hole.copy()
    while inside.any():
        depth += inside
        rest = inside.copy()
        for i in range(h):
            for j in range(w):
                rest[i, j] = (
                    inside[i, j]
                    and (i == 0 or inside[i - 1, j])
                    and (i == h - 1 or inside[i + 1, j])
                    and (j == 0 or inside[i, j - 1])
                    and (j == w - 1 or inside[i, j + 1])
                )
        inside = rest
    weights, reliance = np.zeros((h, w)), np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            weights[i, j] = DECAY ** -depth[i, j] if hole[i, j] or numbers[i, j] else 0.0
    old, new = np.full((h * w, CANDIDATES), -1), np.full((h * w, CANDIDATES), -1)
    differences, shifts = np.full((h * w, CANDIDATES), np.inf), np.zeros((h * w, CANDIDATES, c))
    for target in range(h * w):
        ty, tx = target // w, target % w
        if not meets[ty, tx]:
            continue
        reliance[ty, tx] = (weights[ty : ty + r, tx : tx + s].sum() / (r * s)) ** RELIANCE
        kept = 0
        for a in range(r):
            for b in range(s):
                sy, sx = origin[ty + a, tx + b] // w - a, origin[ty + a, tx + b] % w - b
                if not hole[ty + a, tx + b] or sy < 0 or sx < 0 or not whole[sy, sx] or kept == CANDIDATES:
                    continue
                if not (new[target] == sy * w + sx).any():
                    new[target, kept] = sy * w + sx
                    kept += 1
    values = u.copy()
    for sweep in range(refinements):
        old, new = new, old
        improve(u, weights, meets, whole, old, new, differences, shifts, sweep, r, s)
        if sweep < refinements - 1:
            for i in range(h):
                for j in range(w):
                    if hole[i, j]:
                        vote(u, weights, reliance, meets, new, differences, shifts, extent, i, j, r, s, values)
            for i in range(h):
                for j in range(w):
                    if hole[i, j]:
                        u[i, j] = values[i, j]
    values = u.copy()
    for i in range(h):
        for j in range(w):
            if covered[i, j] and (hole[i, j] or numbers[i, j]):
                vote(u, weights, reliance, meets, new, differences, shifts, extent, i, j, r, s, values)
    fit(u, values, hole, numbers, covered, depth, extent, r, s)


def inpaint_exemplar(x, mask, source, y, r, s, refinements, levels):
    """x and y are ``(N, H, W, C)``, mask and source ``(N, H, W)``; integers have ``levels + 1`` values, others 0."""
    n, h, w, c = x.shape
    for image in range(n):
        hole = mask[image] != 0
        numbers = np.zeros((h, w), np.bool_)
        u = np.zeros((h, w, c))
        for i in range(h):
            for j in range(w):
                numbers[i, j] = not hole[i, j] and np.isfinite(x[image, i, j]).all()
                if numbers[i, j]:
                    u[i, j] = x[image, i, j]
        y[image] = x[image]
        if not hole.any():
            continue
        whole = np.zeros((h, w), np.bool_)
        for i in range(h - r + 1):
            for j in range(w - s + 1):
                whole[i, j] = (numbers[i : i + r, j : j + s] & (source[image, i : i + r, j : j + s] != 0)).all()
        low, high, extent = np.zeros(c), np.zeros(c), 0.0
        for k in range(c):
            low[k] = np.where(numbers, u[:, :, k], np.inf).min()
            high[k] = np.where(numbers, u[:, :, k], -np.inf).max()
            extent = max(extent, high[k] - low[k])
        origin = fill(u, hole, numbers, whole, LEAST_DATA * extent, r, s)
        if refinements > 0:
            refine(u, hole, numbers, whole, origin, extent, r, s, refinements)
        for i in range(h):
            for j in range(w):
                for k in range(c):
                    if hole[i, j]:
                        value = min(max(u[i, j, k], low[k]), high[k])
                        y[image, i, j, k] = np.rint(value) if levels > 0 else value
