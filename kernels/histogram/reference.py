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


@register_jitable
def bin_of(value, edges, bins):
    """The bin k with ``edges[k] <= value < edges[k + 1]``, of which the last one is closed; -1 where there is none."""
    if not edges[0] <= value <= edges[bins]:
        return -1
    k = bins - 1
    while value < edges[k]:
        k -= 1
    return k


def count_between(x, edges, counts, n, size, bins):
    """``counts[i, k]`` = how many numbers of image i lie in bin k of ``edges[i]``."""
    images, result, borders = x.reshape((n, size)), counts.reshape((n, bins)), edges.reshape((n, bins + 1))
    result[:] = 0
    for i in range(n):
        for j in range(size):
            k = bin_of(images[i, j], borders[i], bins)
            if k >= 0:
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


@register_jitable
def on_polyline(value, xs, ys, points):
    """The polyline through ``(xs[k], ys[k])`` at a value, constant beyond its ends; NaN stays NaN."""
    if value != value:
        return np.float64(value)
    if value < xs[0]:
        return np.float64(ys[0])
    if value >= xs[points - 1]:
        return np.float64(ys[points - 1])
    k = 0
    while value >= xs[k + 1]:
        k += 1
    return np.float64(between_points(value, xs, ys, k))


def piecewise_linear(x, xp, fp, y, n, size, points):
    """The polyline of image i through ``(xp[i, k], fp[i, k])``."""
    images, results = x.reshape((n, size)), y.reshape((n, size))
    xs, ys = xp.reshape((n, points)), fp.reshape((n, points))
    for i in range(n):
        for j in range(size):
            results[i, j] = on_polyline(images[i, j], xs[i], ys[i], points)


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
        return round(np.float32(total) * (np.float32(top) / np.float32(pixels)))
    return int(min(np.float64(total) * (np.float64(top) / np.float64(pixels)), np.float64(top)))


@register_jitable
def map_of_counts(counts, bins, limit, top, pixels, rule, result):
    """``result[k]`` = the level of value k, from the counts of a tile, which are clipped in place."""
    if limit > 0 and rule == OPENCV:
        clip_once(counts, bins, limit)
    elif limit > 0:
        clip_until_shared(counts, bins, limit)
    total = 0
    for k in range(bins):
        total += counts[k]
        result[k] = level(total, top, pixels, rule)


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
                map_of_counts(counts, bins, limit, top, tile_h * tile_w, rule, results[i, a, b])


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
        before = int(math.floor(place))  # noqa: RUF046  # on CUDA, Numba's floor is a float
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
        return np.float32(round(above * (one - y) + below * y))
    total = np.float32(a * ((1 - along) * (1 - down)))
    total += np.float32(b * (along * (1 - down)))
    total += np.float32(c * ((1 - along) * down))
    total += np.float32(d * (along * down))
    return total


@register_jitable
def blended_level(value, tables, p, q, tile_h, tile_w, rule):
    """What the maps of one image, (rows, columns, bins), make of a value at pixel (p, q)."""
    above, below, down = neighbours(p, tile_h, tables.shape[0], rule)
    left, right, along = neighbours(q, tile_w, tables.shape[1], rule)
    k = min(max(int(value), 0), tables.shape[2] - 1)
    a, b = tables[above, left, k], tables[above, right, k]
    return int(blended(a, b, tables[below, left, k], tables[below, right, k], down, along, rule))


def blend_tile_maps(x, maps, y, n, h, w, tile_h, tile_w, grid_h, grid_w, bins, rule):
    """Each pixel's value by the maps of the four tiles around it, interpolated between their centres."""
    images, results = x.reshape((n, h, w)), y.reshape((n, h, w))
    tables = maps.reshape((n, grid_h, grid_w, bins))
    for i in range(n):
        for p in range(h):
            for q in range(w):
                results[i, p, q] = blended_level(images[i, p, q], tables[i], p, q, tile_h, tile_w, rule)
