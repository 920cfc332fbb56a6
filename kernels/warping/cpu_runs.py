"""Runs of variant "direct": pixels of a row of an affine map that take all their taps from inside the image.

No pixel asks anything. A run is taken in chunks of some hundred pixels, and a chunk in three loops:

    places    where the taps of each pixel begin, and how far its place lies behind that, in vectors
    copies    what lies there, pixel after pixel, is copied side by side into small arrays on the stack
    sums      what was copied is weighed, in vectors again

The second loop is all that cannot be done in vectors: places are anywhere. Processors have an instruction that gathers
what lies apart into one register, but some take longer for it than for single loads, so `copy` keeps LLVM from it. With
one channel, numbers of a line that follow one another are copied together; with another number than one or three, there
is nothing to put side by side, and each pixel's channels are weighed where they lie.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..interpolation.reference import BICUBIC, BILINEAR, CATMULL_ROM, NEAREST_EVEN, NEAREST_EXACT, weight
from ..machine.rounding import saturating
from ..machine.streams import copy, read, stack, write
from .reference import line

_CHUNK = 128  # pixels
_WEIGHTS = 4 * _CHUNK  # of four taps each
_LINES = 4 * _WEIGHTS  # of four numbers each
_NUMBERS = 3 * _CHUNK  # of three channels
_WIDE = 4 * _NUMBERS  # of their taps' weights
_TAPS = 16 * _NUMBERS
_CORNERS = 2 * _NUMBERS  # left and right


def run_of(number: Any, real: Any, mode: int, channels: int) -> Any:
    """``run(image, result, first, last, W, C, m0, along, m3, down)`` of pixels ``first .. last - 1``, or None.

    ``channels`` is C where it is known when the run is compiled, 1 or 3, and else 0. The place of pixel q is column
    ``m0 q + along[0] + along[1]`` and row ``m3 q + down[0] + down[1]``.
    """
    if mode == NEAREST_EXACT:
        return _nearest
    if mode == NEAREST_EVEN:
        return _even(channels)
    if mode == BILINEAR:
        return _straight(number, real, channels)
    return _cubic(number, real, mode, channels) if mode in (BICUBIC, CATMULL_ROM) else None


@register_jitable
def _nearest(image, result, first, last, W, C, m0, along, m3, down):
    for q in range(first, last):
        column = np.int64(np.floor((m0 * q + along[0]) + along[1] + 0.5))
        row = np.int64(np.floor((m3 * q + down[0]) + down[1] + 0.5))
        place = (row * W + column) * C
        for c in range(C):
            write(result, q * C + c, read(image, place + c))


def _even(channels: int) -> Callable[..., Any]:
    @register_jitable
    def even(image, result, first, last, W, C, m0, along, m3, down):
        places = stack(_CHUNK, types.int32)
        for begin in range(first, last, _CHUNK):
            count = min(_CHUNK, last - begin)
            for j in range(count):
                column = np.int32(np.rint(line(NEAREST_EVEN, m0, begin + j, along[0], along[1])))
                row = np.int32(np.rint(line(NEAREST_EVEN, m3, begin + j, down[0], down[1])))
                places[j] = np.int32(np.int32(np.int32(row * np.int32(W)) + column) * np.int32(C))
            for j in range(count):
                if channels > 0:
                    copy(result, (begin + j) * channels, image, np.int64(places[j]), channels)
                    continue
                for c in range(C):
                    write(result, (begin + j) * C + c, read(image, np.int64(places[j]) + c))

    return even


def _share(number: Any, real: Any) -> Callable[..., Any]:
    whole = isinstance(number, types.Integer)

    @register_jitable
    def share_of(weight, value):
        """What has no weight may be NaN and does not count."""
        return weight * (real(value) if whole or weight != real(0) else real(0))

    return share_of


@register_jitable
def _find(places, rights, belows, begin, count, before, W, C, m0, along, m3, down):
    """Where the taps of ``count`` pixels begin, ``before`` pixels before their places, and how far behind those lie."""
    for j in range(count):
        q = begin + j
        column, row = (m0 * q + along[0]) + along[1], (m3 * q + down[0]) + down[1]
        # Of numbers that are not negative.
        left, top = np.int32(np.int32(column) - np.int32(before)), np.int32(np.int32(row) - np.int32(before))
        rights[j], belows[j] = column - left, row - top
        places[j] = np.int32(np.int32(np.int32(top * np.int32(W)) + left) * np.int32(C))


def _straight(number: Any, real: Any, channels: int) -> Callable[..., Any]:
    converted, share_of = saturating(real, number), _share(number, real)

    @register_jitable
    def weighed(right, below, v0, v1, v2, v3):
        left, above = real(real(1) - right), real(real(1) - below)
        upper = share_of(above * left, v0) + share_of(above * right, v1)
        lower = share_of(below * left, v2) + share_of(below * right, v3)
        return converted(real(upper + lower))

    @register_jitable
    def one(image, result, begin, count, places, rights, belows, W, C):
        upper, lower = stack(_CORNERS, number), stack(_CORNERS, number)
        for j in range(count):
            k = np.int64(places[j])
            copy(upper, 2 * j, image, k, 2)
            copy(lower, 2 * j, image, k + W, 2)
        for j in range(count):
            right, below, i = real(rights[j]), real(belows[j]), 2 * j
            write(result, begin + j, weighed(right, below, upper[i], upper[i + 1], lower[i], lower[i + 1]))

    @register_jitable
    def few(image, result, begin, count, places, rights, belows, W, C):
        upper, lower = stack(_CORNERS, number), stack(_CORNERS, number)
        across, downward = stack(_NUMBERS, real), stack(_NUMBERS, real)
        for j in range(count):
            i, k = j * channels, np.int64(places[j])
            copy(upper, i, image, k, channels)
            copy(upper, _NUMBERS + i, image, k + channels, channels)
            k += W * channels
            copy(lower, i, image, k, channels)
            copy(lower, _NUMBERS + i, image, k + channels, channels)
            for c in range(channels):
                across[i + c], downward[i + c] = real(rights[j]), real(belows[j])
        for i in range(count * channels):
            v0, v1, v2, v3 = upper[i], upper[_NUMBERS + i], lower[i], lower[_NUMBERS + i]
            write(result, begin * channels + i, weighed(across[i], downward[i], v0, v1, v2, v3))

    @register_jitable
    def many(image, result, begin, count, places, rights, belows, W, C):
        for j in range(count):
            right, below = real(rights[j]), real(belows[j])
            for c in range(C):
                k = np.int64(places[j]) + c
                v0, v1 = read(image, k), read(image, k + C)
                v2, v3 = read(image, k + W * C), read(image, k + W * C + C)
                write(result, (begin + j) * C + c, weighed(right, below, v0, v1, v2, v3))

    return _in_chunks({0: many, 1: one}.get(channels, few), 0)


def _cubic(number: Any, real: Any, mode: int, channels: int) -> Callable[..., Any]:
    converted, share_of = saturating(real, number), _share(number, real)

    @register_jitable
    def weigh(across, downward, count, rights, belows):
        for t in range(4):
            for j in range(count):
                across[t * _CHUNK + j] = real(weight(mode, rights[j], t))
            for j in range(count):
                downward[t * _CHUNK + j] = real(weight(mode, belows[j], t))

    @register_jitable
    def one(image, result, begin, count, places, rights, belows, W, C):
        across, downward, lines = stack(_WEIGHTS, real), stack(_WEIGHTS, real), stack(_LINES, number)
        weigh(across, downward, count, rights, belows)
        for s in range(4):
            for j in range(count):
                copy(lines, 4 * (s * _CHUNK + j), image, np.int64(places[j]) + s * W, 4)
        for j in range(count):
            total = real(0)
            for s in range(4):
                below, i = downward[s * _CHUNK + j], 4 * (s * _CHUNK + j)
                for t in range(4):
                    total += share_of(below * across[t * _CHUNK + j], lines[i + t])
            write(result, begin + j, converted(total))

    @register_jitable
    def few(image, result, begin, count, places, rights, belows, W, C):
        across, downward = stack(_WEIGHTS, real), stack(_WEIGHTS, real)
        right, below, taps = stack(_WIDE, real), stack(_WIDE, real), stack(_TAPS, number)
        weigh(across, downward, count, rights, belows)
        for j in range(count):
            i, k = j * channels, np.int64(places[j])
            for t in range(4):
                for s in range(4):
                    copy(taps, (4 * s + t) * _NUMBERS + i, image, k + (s * W + t) * channels, channels)
                for c in range(channels):
                    right[t * _NUMBERS + i + c] = across[t * _CHUNK + j]
                    below[t * _NUMBERS + i + c] = downward[t * _CHUNK + j]
        for i in range(count * channels):
            total = real(0)
            for s in range(4):
                for t in range(4):
                    weight_of_tap = below[s * _NUMBERS + i] * right[t * _NUMBERS + i]
                    total += share_of(weight_of_tap, taps[(4 * s + t) * _NUMBERS + i])
            write(result, begin * channels + i, converted(total))

    @register_jitable
    def many(image, result, begin, count, places, rights, belows, W, C):
        across, downward = stack(_WEIGHTS, real), stack(_WEIGHTS, real)
        weigh(across, downward, count, rights, belows)
        for j in range(count):
            for c in range(C):
                total = real(0)
                for s in range(4):
                    below, k = downward[s * _CHUNK + j], np.int64(places[j]) + s * W * C + c
                    for t in range(4):
                        total += share_of(below * across[t * _CHUNK + j], read(image, k + t * C))
                write(result, (begin + j) * C + c, converted(total))

    return _in_chunks({0: many, 1: one}.get(channels, few), 1)


def _in_chunks(chunk: Callable[..., Any], before: int) -> Callable[..., Any]:
    """A run of ``chunk(image, result, begin, count, places, rights, belows, W, C)``."""

    @register_jitable
    def run(image, result, first, last, W, C, m0, along, m3, down):
        places, rights, belows = stack(_CHUNK, types.int32), stack(_CHUNK, types.float64), stack(_CHUNK, types.float64)
        for begin in range(first, last, _CHUNK):
            count = min(_CHUNK, last - begin)
            _find(places, rights, belows, begin, count, before, W, C, m0, along, m3, down)
            chunk(image, result, begin, count, places, rights, belows, W, C)

    return run
