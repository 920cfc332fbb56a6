"""The moving front of fast marching: a binary heap of arrival times, and the times themselves.

The heap holds words: the bits of the arrival time above, the number of the entry below. Times are not negative, so
their bits compare as they do, and of equal times the first that came goes first; one comparison of integers decides.

Images have a rim of one pixel, so that every pixel has four neighbours; ``pitch`` is the length of a padded row. Times
are float32, and each sum and product has its type and its place: results are to equal OpenCV's bit for bit.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..machine.products import times

KNOWN, INSIDE, CHANGED = 0, 2, 3

FAR = np.float32(1e6)
"""The time of pixels that the front has not reached."""

_TIME = 32  # bits below the time of an entry
_NUMBER = (1 << _TIME) - 1


@register_jitable(forceinline=True)
def push(heap, size, key, place, places):
    """Add an entry to ``size`` others; its number is where ``places`` keeps its pixel."""
    at = size
    while at > 0 and heap[(at - 1) // 2] > key:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = key
    places[key & _NUMBER] = place


@register_jitable(forceinline=True)
def pop(heap, size, places):
    """Remove the first of ``size`` entries; its pixel."""
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
    return places[least & _NUMBER]


@register_jitable(forceinline=True)
def key_of(time, number):
    return (np.int64(np.float32(time).view(np.int32)) << _TIME) | number


@register_jitable(forceinline=True)
def beside(at, side, pitch):
    """The neighbour on one of four sides, in OpenCV's order: above, left, below, right."""
    return at + (-pitch if side == 0 else -1 if side == 1 else pitch if side == 2 else 1)


@register_jitable(forceinline=True)
def _corner(t, f, at, vertical, horizontal):
    """When the front reaches a pixel from a vertical and a horizontal neighbour, which are steps in ``t``."""
    a, b = np.float64(t[at + vertical]), np.float64(t[at + horizontal])
    if f[at + vertical] == INSIDE:
        return np.float32(1 + (min(a, b) if f[at + horizontal] == INSIDE else b))
    if f[at + horizontal] == INSIDE:
        return np.float32(1 + a)
    if abs(a - b) >= 1.0:
        return np.float32(1 + min(a, b))
    return np.float32((a + b + math.sqrt(2 - times(a - b, a - b))) * 0.5)


@register_jitable(forceinline=True)
def arrival(t, f, at, pitch):
    """When the front reaches a pixel: the least over its four corners."""
    above = min(_corner(t, f, at, -pitch, -1), _corner(t, f, at, -pitch, 1))
    below = min(_corner(t, f, at, pitch, -1), _corner(t, f, at, pitch, 1))
    return min(above, below)


@register_jitable(forceinline=True)
def slope(before, here, after, known_before, known_after):
    """The derivative of the time along one axis, from the side or sides that are known."""
    if known_after:
        return (after - before) * np.float32(0.5) if known_before else after - here
    return here - before if known_before else np.float32(0)


@register_jitable(forceinline=True)
def begin_front(f, t, heap, places, h, w, pitch):
    """Put the known pixels beside the hole into the heap, in raster order, at time 0. How many there are."""
    entries = 0
    for i in range(1, h + 1):
        for at in range(i * pitch + 1, i * pitch + w + 1):
            if f[at] == INSIDE:
                continue
            if f[at - pitch] == INSIDE or f[at + pitch] == INSIDE or f[at - 1] == INSIDE or f[at + 1] == INSIDE:
                t[at] = 0
                push(heap, entries, np.int64(entries), at, places)
                entries += 1
    return entries


@register_jitable(forceinline=True)
def mark_around(f, o, near, h, w, pitch, radius):
    """Mark in ``o``, which is `KNOWN` throughout, what lies within ``radius`` rows and columns outside the hole."""
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


@register_jitable(forceinline=True)
def march_outwards(o, t, heap, places, entries, h, pitch):
    """Times of what is marked in ``o``, as negative numbers: how far from the hole it lies. The heap is used up."""
    for k in range(entries):
        o[places[k]] = KNOWN
    waiting = entries
    while waiting > 0:
        at = pop(heap, waiting, places)
        waiting -= 1
        o[at] = CHANGED
        for side in range(4):
            there = beside(at, side, pitch)
            if o[there] == INSIDE:
                t[there] = arrival(t, o, there, pitch)
                o[there] = KNOWN
                push(heap, waiting, key_of(t[there], entries), there, places)
                entries += 1
                waiting += 1
    for at in range(pitch * (h + 2)):
        if o[at] == CHANGED:
            t[at] = -t[at]
