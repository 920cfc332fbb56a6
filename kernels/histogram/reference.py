"""The definitions of histograms, of tables applied to images, and of adaptive equalisation, in loops."""

import math

import numpy as np
from numba.extending import register_jitable


def count_values(x, counts, n, size, bins, low):
    """``counts[i, k]`` = how many numbers of image i are ``low + k``."""
    images, result = x.reshape((n, size)), counts.reshape((n, bins))
    result[:] = 0
    for i in range(n):
        for j in range(size):
            k = int(images[i, j]) - low
            if 0 <= k < bins:
                result[i, k] += 1


def count_between(x, edges, counts, n, size, bins):
    """``counts[i, k]`` = how many of image i lie in ``[edges[i, k], edges[i, k + 1])``; the last bin is closed."""
    images, result, borders = x.reshape((n, size)), counts.reshape((n, bins)), edges.reshape((n, bins + 1))
    result[:] = 0
    for i in range(n):
        for j in range(size):
            value = images[i, j]
            if borders[i, 0] <= value <= borders[i, bins]:
                k = bins - 1
                while value < borders[i, k]:
                    k -= 1
                result[i, k] += 1


def look_up(x, table, y, n, size, tables, entries, low):
    """``y = table[x - low]``, with the table's first and last entries below and above it."""
    images, results, rows = x.reshape((n, size)), y.reshape((n, size)), table.reshape((tables, entries))
    for i in range(n):
        for j in range(size):
            results[i, j] = rows[i % tables, min(max(int(images[i, j]) - low, 0), entries - 1)]


@register_jitable
def between_points(value, xs, ys, k):
    """The line through points k and k + 1 at a value that lies between them."""
    if value == xs[k] or ys[k] == ys[k + 1]:
        return ys[k]
    return (ys[k + 1] - ys[k]) / (xs[k + 1] - xs[k]) * (value - xs[k]) + ys[k]


def piecewise_linear(x, xp, fp, y, n, size, points):
    """The polyline of image i through ``(xp[i, k], fp[i, k])``, constant beyond its ends; NaN stays NaN."""
    images, results = x.reshape((n, size)), y.reshape((n, size))
    xs, ys = xp.reshape((n, points)), fp.reshape((n, points))
    for i in range(n):
        for j in range(size):
            value = images[i, j]
            if value != value:
                results[i, j] = value
            elif value < xs[i, 0]:
                results[i, j] = ys[i, 0]
            elif value >= xs[i, points - 1]:
                results[i, j] = ys[i, points - 1]
            else:
                k = 0
                while value >= xs[i, k + 1]:
                    k += 1
                results[i, j] = between_points(value, xs[i], ys[i], k)


OPENCV, SKIMAGE = 0, 1
RULES = {"opencv": OPENCV, "skimage": SKIMAGE}


@register_jitable
def clip_once(counts, bins, limit):
    """OpenCV's rule: what exceeds the limit is shared among all bins, the rest among bins at equal steps."""
    excess = 0
    for k in range(bins):
        if counts[k] > limit:
            excess += counts[k] - limit
            counts[k] = limit
    share = excess // bins
    rest = excess - share * bins
    for k in range(bins):
        counts[k] += share
    if rest > 0:
        step = max(bins // rest, 1)
        k = 0
        while k < bins and rest > 0:
            counts[k] += 1
            k += step
            rest -= 1


@register_jitable
def clip_until_shared(counts, bins, limit):
    """scikit-image's rule: what exceeds the limit is shared among the bins below it, again and again."""
    excess = 0
    for k in range(bins):
        if counts[k] > limit:
            excess += counts[k] - limit
            counts[k] = limit
    share = excess // bins
    upper = limit - share
    for k in range(bins):
        if counts[k] < upper:
            counts[k] += share
            excess -= share
    for k in range(bins):
        if upper <= counts[k] < limit:
            excess -= limit - counts[k]
            counts[k] = limit
    while excess > 0:
        before = excess
        first = 0
        while first < bins and excess > 0:
            under = 0
            for k in range(bins):
                if counts[k] < limit:
                    under += 1
            step = max(under // excess, 1)
            for k in range(first, bins, step):
                if counts[k] < limit:
                    counts[k] += 1
                    excess -= 1
            first += 1
        if excess == before:
            return


@register_jitable
def level(total, top, pixels, rule):
    """The level that a cumulative count becomes."""
    if rule == OPENCV:
        return int(np.rint(np.float32(total) * (np.float32(top) / np.float32(pixels))))
    return int(min(np.float64(total) * (np.float64(top) / np.float64(pixels)), np.float64(top)))


def tile_maps(x, maps, n, h, w, tile_h, tile_w, grid_h, grid_w, bins, limit, top, rule):
    """Of each tile of each image, continued beyond its last row and column by reflection: value -> level."""
    images, results = x.reshape((n, h, w)), maps.reshape((n, grid_h, grid_w, bins))
    counts = np.zeros(bins, np.int64)
    for i in range(n):
        for a in range(grid_h):
            for b in range(grid_w):
                counts[:] = 0
                for p in range(a * tile_h, (a + 1) * tile_h):
                    for q in range(b * tile_w, (b + 1) * tile_w):
                        value = int(images[i, reflected(p, h), reflected(q, w)])
                        if 0 <= value < bins:
                            counts[value] += 1
                if limit > 0 and rule == OPENCV:
                    clip_once(counts, bins, limit)
                elif limit > 0:
                    clip_until_shared(counts, bins, limit)
                total = 0
                for k in range(bins):
                    total += counts[k]
                    results[i, a, b, k] = level(total, top, tile_h * tile_w, rule)


@register_jitable
def reflected(i, n):
    """The index below n that position i >= 0 stands for: a b c d | c b a."""
    if n == 1:
        return 0
    i = i % (2 * n - 2)
    return i if i < n else 2 * n - 2 - i


@register_jitable
def neighbours(q, tile, tiles, rule):
    """The tiles whose centres lie before and after position q, and how far q is on the way from one to the other."""
    if rule == OPENCV:
        place = np.float32(q) * (np.float32(1) / np.float32(tile)) - np.float32(0.5)
        before = math.floor(place)
        return max(before, 0), min(before + 1, tiles - 1), np.float64(place - np.float32(before))
    before = (q + tile // 2) // tile - 1
    return max(before, 0), min(before + 1, tiles - 1), np.float64((q + tile // 2) % tile) / np.float64(tile)


@register_jitable
def blended(a, b, c, d, down, along, rule):
    """Levels a b of the tiles above and c d of those below, ``down`` and ``along`` the way between their centres.

    A real number: what is behind its point is to be cut off.
    """
    if rule == OPENCV:
        one, y, x = np.float32(1), np.float32(down), np.float32(along)
        above = np.float32(a) * (one - x) + np.float32(b) * x
        below = np.float32(c) * (one - x) + np.float32(d) * x
        return np.rint(above * (one - y) + below * y)
    total = np.float32(a * ((1 - along) * (1 - down)))
    total += np.float32(b * (along * (1 - down)))
    total += np.float32(c * ((1 - along) * down))
    total += np.float32(d * (along * down))
    return total


def blend_tile_maps(x, maps, y, n, h, w, tile_h, tile_w, grid_h, grid_w, bins, rule):
    """Each pixel's value by the maps of the four tiles around it, interpolated between their centres."""
    images, results = x.reshape((n, h, w)), y.reshape((n, h, w))
    tables = maps.reshape((n, grid_h, grid_w, bins))
    for i in range(n):
        for p in range(h):
            above, below, down = neighbours(p, tile_h, grid_h, rule)
            for q in range(w):
                left, right, along = neighbours(q, tile_w, grid_w, rule)
                k = min(max(int(images[i, p, q]), 0), bins - 1)
                of_tiles = (
                    tables[i, above, left, k], tables[i, above, right, k],
                    tables[i, below, left, k], tables[i, below, right, k],
                )  # fmt: skip
                results[i, p, q] = int(blended(*of_tiles, down, along, rule))
