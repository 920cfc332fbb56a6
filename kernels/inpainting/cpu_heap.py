"""Variant "heap" of inpainting by fast marching: a binary heap, and what all channels share computed once.

The front is a heap of words: the bits of the arrival time above, the number of the entry below. Times are not negative,
so their bits compare as they do, and of equal times the first that came goes first; one comparison of integers decides.

Everything about a neighbour that does not depend on the channel (distance, arrival time, which sides of it are known)
is worked out once for all channels, the weights of distances once for all pixels. The sums keep OpenCV's order.
One image is one task, because every pixel depends on those that were filled before it.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32, njit, types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import MarchingGeometry
from .marching_rules import CHANGED, FAR, INSIDE, KNOWN, first_arrival, slope

_TIME = 32  # bits below the arrival time
_NUMBER = (1 << _TIME) - 1
_NEAREST = np.float32(0.01)  # no other float lies between this one and the double 0.01
_LEAST = np.float32(0.000001)
_LINE = 64


@njit(forceinline=True)
def _push(heap, size, key, place, places):
    """Add an entry; its number is the place of its pixel in ``places``."""
    at = size
    while at > 0 and heap[(at - 1) // 2] > key:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = key
    places[key & _NUMBER] = place


@njit(forceinline=True)
def _pop(heap, size):
    """Remove the least of ``size`` entries and return it."""
    least, moved = heap[0], heap[size - 1]
    at, last = 0, size - 1
    while True:
        child = 2 * at + 1
        if child >= last:
            break
        if child + 1 < last and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= moved:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = moved
    return least


@njit(forceinline=True)
def _front(f, t, bits, heap, places, h, w, pitch):
    """Begin with the known pixels beside the hole, in raster order: the front at time 0. How many there are."""
    entries = 0
    for i in range(1, h + 1):
        for at in range(i * pitch + 1, i * pitch + w + 1):
            if f[at] == INSIDE:
                continue
            if f[at - pitch] == INSIDE or f[at + pitch] == INSIDE or f[at - 1] == INSIDE or f[at + 1] == INSIDE:
                t[at] = 0
                _push(heap, entries, np.int64(entries), at, places)
                entries += 1
    return entries


@njit(forceinline=True)
def _surround(f, o, near, h, w, pitch, radius):
    """Mark in ``o`` what lies within ``radius`` rows and columns of the hole, the hole itself and the rim left out."""
    for i in range(1, h + 1):
        row, found = i * pitch, False
        last = -radius - 1
        for j in range(1, w + 1):
            last = j if f[row + j] == INSIDE else last
            near[j] = 1 if j - last <= radius else 0
        last = w + radius + 2
        for j in range(w, 0, -1):
            last = j if f[row + j] == INSIDE else last
            if last - j <= radius:
                near[j] = 1
            found = found or near[j] == 1
        if not found:
            continue
        for k in range(max(1, i - radius), min(h, i + radius) + 1):
            for j in range(1, w + 1):
                o[k * pitch + j] |= near[j] * np.uint8(INSIDE)
    for at in range(pitch * (h + 2)):
        if f[at] == INSIDE:
            o[at] = KNOWN


@njit(forceinline=True)
def _march_outwards(o, t, bits, heap, places, entries, h, w, pitch):
    """Arrival times around the hole, as negative numbers: how far away a known pixel is."""
    size = entries
    while size > 0:
        at = places[_pop(heap, size) & _NUMBER]
        size -= 1
        o[at] = CHANGED
        for side in range(4):
            there = at + (-pitch if side == 0 else -1 if side == 1 else pitch if side == 2 else 1)
            if o[there] == INSIDE:
                t[there] = first_arrival(t, o, there, pitch)
                o[there] = KNOWN
                _push(heap, size, (np.int64(bits[there]) << _TIME) | entries, there, places)
                entries += 1
                size += 1
    for at in range(pitch * (h + 2)):
        if o[at] == CHANGED:
            t[at] = -t[at]


def _rounded(dtype: str) -> Any:
    """The nearest number of the type, of halves the even one."""
    if dtype == "float32":
        return njit(forceinline=True)(lambda value: np.float32(value))
    largest, number = float(np.iinfo(dtype).max), getattr(np, dtype)
    return njit(forceinline=True)(lambda value: number(min(max(np.rint(value), 0.0), largest)))


def _difference(dtype: str) -> Any:
    """``a - b`` of two pixels in float32; of integers without a rounding."""
    if dtype == "float32":
        return njit(forceinline=True)(lambda a, b: a - b)
    return njit(forceinline=True)(lambda a, b: np.float32(np.int64(a) - np.int64(b)))


def _telea(dtype: str) -> Any:
    """Telea's mean: what the neighbours say by their values and gradients, weighted by direction, distance and time."""
    rounded, minus = _rounded(dtype), _difference(dtype)
    bias = np.float32(0.0 if dtype == "float32" else 0.5)
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)

    @njit(forceinline=True)
    def fill(y, f, t, table, sums, i, j, h, w, c, pitch, radius):
        at = i * pitch + j
        time = t[at]
        across = slope(t[at - 1], time, t[at + 1], f[at - 1] != INSIDE, f[at + 1] != INSIDE)
        down = slope(t[at - pitch], time, t[at + pitch], f[at - pitch] != INSIDE, f[at + pitch] != INSIDE)
        for k in range(3 * c):
            sums[k] = zero
        total = np.float32(1e-20)
        side = 2 * radius + 1
        for k in range(max(1, i - radius), min(h, i + radius) + 1):
            upper, lower = k - 1 + (1 if k == 1 else 0), k - 1 - (1 if k == h else 0)
            for l in range(max(1, j - radius), min(w, j + radius) + 1):
                distance = table[(k - i + radius) * side + l - j + radius]
                there = k * pitch + l
                if distance == zero or f[there] == INSIDE:
                    continue
                left, right = l - 1 + (1 if l == 1 else 0), l - 1 - (1 if l == w else 0)
                ry, rx = np.float32(i - k), np.float32(j - l)
                level = np.float32(1.0 / np.float64(one + abs(t[there] - time)))
                direction = rx * across + ry * down
                if abs(direction) <= _NEAREST:
                    direction = _LEAST
                weight = abs(distance * level * direction)
                east, west = f[there + 1] != INSIDE, f[there - 1] != INSIDE
                south, north = f[there + pitch] != INSIDE, f[there - pitch] != INSIDE
                for channel in range(c):
                    middle = y[(upper * w + left) * c + channel]
                    gx, gy = zero, zero
                    if east:
                        after = y[(upper * w + right + 1) * c + channel]
                        gx = minus(after, y[(upper * w + left - 1) * c + channel]) * two if west else minus(after, middle)
                    elif west:
                        gx = minus(y[(upper * w + right) * c + channel], y[(upper * w + left - 1) * c + channel])
                    if south:
                        after = y[((lower + 1) * w + left) * c + channel]
                        gy = minus(after, y[((upper - 1) * w + left) * c + channel]) * two if north else minus(after, middle)
                    elif north:
                        gy = minus(y[(lower * w + left) * c + channel], y[((upper - 1) * w + left) * c + channel])
                    sums[3 * channel] += weight * np.float32(middle)
                    sums[3 * channel + 1] -= weight * (gx * rx)
                    sums[3 * channel + 2] -= weight * (gy * ry)
                total += weight
        for channel in range(c):
            jx, jy = sums[3 * channel + 1], sums[3 * channel + 2]
            steep = (jx + jy) / (math.sqrt(jx * jx + jy * jy) + np.float32(1e-20))
            value = sums[3 * channel] / total + steep + bias
            y[((i - 1) * w + j - 1) * c + channel] = rounded(value)

    return fill


def _navier_stokes(dtype: str) -> Any:
    """Bertalmio's transport along the isophotes: neighbours count whose isophote points here."""
    rounded, minus = _rounded(dtype), _difference(dtype)
    zero, two = np.float32(0), np.float32(2)

    @njit(forceinline=True)
    def fill(y, f, t, table, sums, i, j, h, w, c, pitch, radius):
        for k in range(2 * c):
            sums[k] = zero
        for channel in range(c):
            sums[2 * channel + 1] = np.float32(1e-20)
        side = 2 * radius + 1
        for k in range(max(1, i - radius), min(h, i + radius) + 1):
            upper, lower = k - 1 + (1 if k == 1 else 0), k - 1 - (1 if k == h else 0)
            for l in range(max(1, j - radius), min(w, j + radius) + 1):
                distance = table[(k - i + radius) * side + l - j + radius]
                there = k * pitch + l
                if distance == zero or f[there] == INSIDE:
                    continue
                left, right = l - 1 + (1 if l == 1 else 0), l - 1 - (1 if l == w else 0)
                ry, rx = np.float32(i - k), np.float32(j - l)
                length = rx * rx + ry * ry
                east, west = f[there + 1] != INSIDE, f[there - 1] != INSIDE
                south, north = f[there + pitch] != INSIDE, f[there - pitch] != INSIDE
                for channel in range(c):
                    middle = y[(upper * w + left) * c + channel]
                    base = y[(lower * w + left) * c + channel]
                    gx, gy = zero, zero
                    if south:
                        gx = abs(minus(y[((lower + 1) * w + left) * c + channel], base))
                        if north:
                            gx = gx + abs(minus(base, y[((upper - 1) * w + left) * c + channel]))
                        else:
                            gx = gx * two
                    elif north:
                        gx = abs(minus(base, y[((upper - 1) * w + left) * c + channel])) * two
                    if east:
                        gy = abs(minus(y[(upper * w + right + 1) * c + channel], middle))
                        if west:
                            gy = gy + abs(minus(middle, y[(upper * w + left - 1) * c + channel]))
                        else:
                            gy = gy * two
                    elif west:
                        gy = abs(minus(middle, y[(upper * w + left - 1) * c + channel])) * two
                    along = rx * -gx + ry * gy
                    direction = _LEAST
                    if abs(along) > _NEAREST:
                        direction = abs(along / math.sqrt(length * (gx * gx + gy * gy)))
                    weight = distance * direction
                    sums[2 * channel] += weight * np.float32(middle)
                    sums[2 * channel + 1] += weight
        for channel in range(c):
            value = np.float64(sums[2 * channel]) / np.float64(sums[2 * channel + 1])
            y[((i - 1) * w + j - 1) * c + channel] = rounded(value)

    return fill


@kernel(fastmath=False)
def _march(dtype: str, telea: bool) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    fill = (_telea if telea else _navier_stokes)(dtype)

    def work(begin, end, slot, block):
        table = pointer(block[2], float32)
        h, w, c, radius = block[4], block[5], block[6], block[7]
        pitch = w + 2
        room = pitch * (h + 2)
        scratch = block[3] + slot * block[8]
        heap, places = pointer(scratch, types.int64), pointer(scratch + 8 * room, types.int64)
        t, bits = pointer(scratch + 16 * room, float32), pointer(scratch + 16 * room, types.int32)
        sums = pointer(scratch + 20 * room, float32)
        f = pointer(scratch + 20 * room + 12 * c, types.uint8)
        o = pointer(scratch + 21 * room + 12 * c, types.uint8)
        near = pointer(scratch + 22 * room + 12 * c, types.uint8)
        for image in range(begin, end):
            y = pointer(block[0] + image * h * w * c * size, number)
            mask = pointer(block[1] + image * h * w, types.uint8)
            for at in range(room):
                f[at], o[at], t[at] = KNOWN, KNOWN, FAR
            for i in range(h):
                for j in range(w):
                    if mask[i * w + j] != 0:
                        f[(i + 1) * pitch + j + 1] = INSIDE
            entries = _front(f, t, bits, heap, places, h, w, pitch)
            if telea:
                _surround(f, o, near, h, w, pitch, radius)
                for k in range(entries):
                    o[places[k]] = KNOWN
                _march_outwards(o, t, bits, heap, places, entries, h, w, pitch)
                entries = _front(f, t, bits, heap, places, h, w, pitch)
            waiting = entries
            while waiting > 0:
                at = places[_pop(heap, waiting) & _NUMBER]
                waiting -= 1
                for side in range(4):
                    there = at + (-pitch if side == 0 else -1 if side == 1 else pitch if side == 2 else 1)
                    i, j = there // pitch, there % pitch
                    if i <= 1 or j <= 1 or f[there] != INSIDE:
                        continue
                    t[there] = first_arrival(t, f, there, pitch)
                    fill(y, f, t, table, sums, i, j, h, w, c, pitch, radius)
                    f[there] = KNOWN
                    _push(heap, waiting, (np.int64(bits[there]) << _TIME) | entries, there, places)
                    entries += 1
                    waiting += 1

    return work


def _distances(radius: int, telea: bool) -> np.ndarray:
    """What the distance of a neighbour contributes to its weight; 0 at the pixel itself and outside the disc."""
    steps = np.arange(-radius, radius + 1, dtype=np.float32)
    squares = steps[:, None] ** 2 + steps**2
    with np.errstate(divide="ignore"):
        if telea:
            weights = (1.0 / (squares * np.sqrt(squares.astype(np.float64)))).astype(np.float32)
        else:
            weights = np.float32(1) / (squares * squares + np.float32(1))
    weights[(squares > radius * radius) | (squares == 0)] = 0
    return weights


def build(g: MarchingGeometry) -> Run:
    if g.n * g.h * g.w * g.c == 0:
        return lambda arrays, outputs: None
    room = (g.h + 2) * (g.w + 2)
    scratch = -(-(22 * room + 12 * g.c + g.w + 2) // _LINE) * _LINE
    table = _distances(g.radius, g.telea)
    template = Template(4, (g.h, g.w, g.c, g.radius, scratch))
    worker = _march.address(g.dtype.name, g.telea)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mask = arrays
        np.copyto(outputs[0], x)
        buffer = empty((min(num_threads(), g.n) * scratch,), np.uint8)
        block = template.filled(outputs[0], mask, table, buffer)
        launch(worker, g.n, addressof(block), 20.0 * g.n * room)

    return run
