"""What a pixel is filled with when the front reaches it, and the march of the front through an image.

One text for both devices: cpu_heap.py compiles it for a thread of the CPU, cuda_march.py for one of the GPU. Everything
about a neighbour that does not depend on the channel (distance, time, which sides of it are known) is worked out once
for all channels, the weights of distances once for all pixels. The sums keep OpenCV's order and types, and no compiler
may reorder or contract them: where something is added to a product, that is one of `times`.
"""

import functools
import math
from typing import Any

import numpy as np
from numba.extending import register_jitable

from ..machine.products import times
from .marching_front import (
    FAR,
    INSIDE,
    KNOWN,
    arrival,
    begin_front,
    beside,
    key_of,
    march_outwards,
    mark_around,
    pop,
    push,
    slope,
)

_NEAREST = 0.01  # directions at most that long count as none; as float32 it lies below, and no float32 lies between
_LEAST = 0.000001
_SMALL = 1e-20


def real_of(dtype: str) -> Any:
    """The type of the arithmetic: OpenCV's float32, or float64 for images of that."""
    return np.float64 if dtype == "float64" else np.float32


@register_jitable(forceinline=True)
def _around(k, n):
    """The samples that OpenCV takes beside the ``k``-th of n, counted from 1: one before, itself, itself, one after.

    At the first the former two lie one further on, at the last the latter two one further back.
    """
    first, last = 1 if k == 1 else 0, 1 if k == n else 0
    return max(min(k - 2 + first, n - 1), 0), min(k - 1 + first, n - 1), max(k - 1 - last, 0), min(k - last, n - 1)


def _rounded(dtype: str) -> Any:
    """The nearest number of the type, of halves the even one."""
    if dtype in ("float32", "float64"):
        real = real_of(dtype)
        return register_jitable(forceinline=True)(lambda value: real(value))
    largest, number = int(np.iinfo(dtype).max), getattr(np, dtype)
    return register_jitable(forceinline=True)(lambda value: number(min(max(round(value), 0), largest)))


def _difference(dtype: str) -> Any:
    """``a - b`` of two pixels; of integers without a rounding."""
    if dtype in ("float32", "float64"):
        return register_jitable(forceinline=True)(lambda a, b: a - b)
    return register_jitable(forceinline=True)(lambda a, b: np.float32(np.int64(a) - np.int64(b)))


def _telea(dtype: str) -> Any:
    """Telea's mean: what the neighbours say by their values and gradients, weighted by direction, distance and time."""
    rounded, minus = _rounded(dtype), _difference(dtype)
    real = real_of(dtype)
    bias = 0.0 if dtype in ("float32", "float64") else 0.5
    zero, two, nearest, least, small = real(0), real(2), real(_NEAREST), real(_LEAST), real(_SMALL)

    @register_jitable(forceinline=True)
    def fill(y, f, t, table, sums, i, j, h, w, c, pitch, radius):
        at = i * pitch + j
        time = t[at]
        across = real(slope(t[at - 1], time, t[at + 1], f[at - 1] != INSIDE, f[at + 1] != INSIDE))
        down = real(slope(t[at - pitch], time, t[at + pitch], f[at - pitch] != INSIDE, f[at + pitch] != INSIDE))
        for k in range(3 * c):
            sums[k] = zero
        total = small
        side = 2 * radius + 1
        for k in range(max(1, i - radius), min(h, i + radius) + 1):
            rows = _around(k, h)
            for m in range(max(1, j - radius), min(w, j + radius) + 1):
                distance = table[(k - i + radius) * side + m - j + radius]
                there = k * pitch + m
                if distance == zero or f[there] == INSIDE:
                    continue
                columns = _around(m, w)
                ry, rx = real(i - k), real(j - m)
                level = real(1.0 / (1.0 + np.float64(abs(t[there] - time))))
                direction = times(rx, across) + times(ry, down)
                if abs(direction) <= nearest:
                    direction = least
                weight = abs(distance * level * direction)
                east, west = f[there + 1] != INSIDE, f[there - 1] != INSIDE
                south, north = f[there + pitch] != INSIDE, f[there - pitch] != INSIDE
                for channel in range(c):
                    middle = y[(rows[1] * w + columns[1]) * c + channel]
                    gx, gy = zero, zero
                    if east:
                        after = y[(rows[1] * w + columns[3]) * c + channel]
                        gx = (
                            minus(after, y[(rows[1] * w + columns[0]) * c + channel]) * two
                            if west
                            else minus(after, middle)
                        )
                    elif west:
                        gx = minus(
                            y[(rows[1] * w + columns[2]) * c + channel], y[(rows[1] * w + columns[0]) * c + channel]
                        )
                    if south:
                        after = y[(rows[3] * w + columns[1]) * c + channel]
                        gy = (
                            minus(after, y[(rows[0] * w + columns[1]) * c + channel]) * two
                            if north
                            else minus(after, middle)
                        )
                    elif north:
                        gy = minus(
                            y[(rows[2] * w + columns[1]) * c + channel], y[(rows[0] * w + columns[1]) * c + channel]
                        )
                    sums[3 * channel] += times(weight, real(y[((k - 1) * w + m - 1) * c + channel]))
                    sums[3 * channel + 1] -= times(weight, gx * rx)
                    sums[3 * channel + 2] -= times(weight, gy * ry)
                total += weight
        for channel in range(c):
            jx, jy = sums[3 * channel + 1], sums[3 * channel + 2]
            steep = (jx + jy) / (real(math.sqrt(times(jx, jx) + times(jy, jy))) + small)
            # In float64, or a value just above a level would become a half, and be rounded to the even side.
            value = np.float64(sums[3 * channel] / total + steep) + bias
            y[((i - 1) * w + j - 1) * c + channel] = rounded(value)

    return fill


def _navier_stokes(dtype: str) -> Any:
    """Bertalmio's transport along the isophotes: neighbours count whose isophote points here."""
    rounded, minus = _rounded(dtype), _difference(dtype)
    real = real_of(dtype)
    zero, two, nearest, least, small = real(0), real(2), real(_NEAREST), real(_LEAST), real(_SMALL)

    @register_jitable(forceinline=True)
    def fill(y, f, t, table, sums, i, j, h, w, c, pitch, radius):
        for k in range(2 * c):
            sums[k] = zero
        for channel in range(c):
            sums[2 * channel + 1] = small
        side = 2 * radius + 1
        for k in range(max(1, i - radius), min(h, i + radius) + 1):
            rows = _around(k, h)
            for m in range(max(1, j - radius), min(w, j + radius) + 1):
                distance = table[(k - i + radius) * side + m - j + radius]
                there = k * pitch + m
                if distance == zero or f[there] == INSIDE:
                    continue
                columns = _around(m, w)
                ry, rx = real(i - k), real(j - m)
                length = rx * rx + ry * ry
                east, west = f[there + 1] != INSIDE, f[there - 1] != INSIDE
                south, north = f[there + pitch] != INSIDE, f[there - pitch] != INSIDE
                for channel in range(c):
                    middle = y[(rows[1] * w + columns[1]) * c + channel]
                    base = y[(rows[2] * w + columns[1]) * c + channel]
                    gx, gy = zero, zero
                    if south:
                        gx = abs(minus(y[(rows[3] * w + columns[1]) * c + channel], base))
                        gx = gx + abs(minus(base, y[(rows[0] * w + columns[1]) * c + channel])) if north else gx * two
                    elif north:
                        gx = abs(minus(base, y[(rows[0] * w + columns[1]) * c + channel])) * two
                    if east:
                        gy = abs(minus(y[(rows[1] * w + columns[3]) * c + channel], middle))
                        gy = gy + abs(minus(middle, y[(rows[1] * w + columns[0]) * c + channel])) if west else gy * two
                    elif west:
                        gy = abs(minus(middle, y[(rows[1] * w + columns[0]) * c + channel])) * two
                    along = times(rx, -gx) + times(ry, gy)
                    direction = least
                    if abs(along) > nearest:
                        direction = abs(along / real(math.sqrt(length * (times(gx, gx) + times(gy, gy)))))
                    weight = distance * direction
                    sums[2 * channel] += times(weight, real(y[((k - 1) * w + m - 1) * c + channel]))
                    sums[2 * channel + 1] += weight
        for channel in range(c):
            value = np.float64(sums[2 * channel]) / np.float64(sums[2 * channel + 1])
            y[((i - 1) * w + j - 1) * c + channel] = rounded(value)

    return fill


@functools.cache
def marcher(dtype: str, telea: bool) -> Any:
    """``march(y, mask, table, sums, heap, places, t, f, o, near, h, w, c, radius)`` fills the holes of one image.

    All are flat: ``y`` is the image ``(h, w, c)``, ``mask`` its holes and ``table`` its `distances`. ``sums`` has room
    for 3 numbers a channel; ``heap``, ``places`` (int64), ``t`` (float32), ``f``, ``o`` and ``near`` (uint8) for one of
    each pixel of the padded image.
    """
    fill = (_telea if telea else _navier_stokes)(dtype)

    @register_jitable(forceinline=True)
    def march(y, mask, table, sums, heap, places, t, f, o, near, h, w, c, radius):
        pitch = w + 2
        for at in range(pitch * (h + 2)):
            f[at], o[at], t[at] = KNOWN, KNOWN, FAR
        for i in range(h):
            for j in range(w):
                if mask[i * w + j] != 0:
                    f[(i + 1) * pitch + j + 1] = INSIDE
        entries = begin_front(f, t, heap, places, h, w, pitch)
        if telea:
            mark_around(f, o, near, h, w, pitch, radius)
            march_outwards(o, t, heap, places, entries, h, pitch)
            entries = begin_front(f, t, heap, places, h, w, pitch)
        waiting = entries
        while waiting > 0:
            at = pop(heap, waiting, places)
            waiting -= 1
            for side in range(4):
                there = beside(at, side, pitch)
                if f[there] != INSIDE:
                    continue
                t[there] = arrival(t, f, there, pitch)
                fill(y, f, t, table, sums, there // pitch, there % pitch, h, w, c, pitch, radius)
                f[there] = KNOWN
                push(heap, waiting, key_of(t[there], entries), there, places)
                entries += 1
                waiting += 1

    return march


def distances(radius: int, channels: int, telea: bool, real: Any) -> np.ndarray:
    """What the distance of a neighbour contributes to its weight; 0 at the pixel itself and outside the disc.

    Telea's for three channels is computed in float64 and rounded last, as OpenCV does it for colour alone: where the
    pixels around are equal, one bit of a weight decides to which side a half is rounded.
    """
    wide = np.float64 if telea and channels == 3 else real
    steps = np.arange(-radius, radius + 1, dtype=wide)
    squares = steps[:, None] ** 2 + steps**2
    with np.errstate(divide="ignore"):
        weights = wide(1) / (squares * np.sqrt(squares)) if telea else wide(1) / (squares * squares + wide(1))
    weights[(squares > radius * radius) | (squares == 0)] = 0
    return weights.astype(real)
