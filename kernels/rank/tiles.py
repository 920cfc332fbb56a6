"""Tiles of an image with what lies around them, copied row by row into a thread's scratch.

Behind a tile no border is left: what lies outside the image was looked up while it was copied, and each tap of a window
is one distance in memory. The rest of the work reads a tile many times for each time that it is copied.

A tile holds numbers as they are, or as *keys*: unsigned integers of their size in the same order, so that one kernel
that looks at bits serves all types. Of a float with the sign bit set all bits are turned, of others the sign bit; every
NaN is the greatest key of all, which no number has. Signed integers turn their sign bit.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.pointers import pointer
from ..machine.streams import read, write

LINE = 64  # bytes: rows of tiles and scratch of different threads begin on cache lines of their own


def key_type(number: Any) -> Any:
    """The unsigned integer of the same size."""
    return getattr(types, f"uint{number.bitwidth}")


def encoder(number: Any) -> Callable[..., Any]:
    """``encode(bits)``: the key of a number's bits."""
    top = np.uint64(1 << (number.bitwidth - 1))
    ones = np.uint64((1 << number.bitwidth) - 1)
    if isinstance(number, types.Float):
        infinity = np.uint64(0x7F800000 if number.bitwidth == 32 else 0x7FF0000000000000)

        @register_jitable
        def encode(bits):
            size = bits & ~top & ones
            key = (~bits & ones) if bits & top else bits | top
            return ones if size > infinity else key

    elif number.signed:

        @register_jitable
        def encode(bits):
            return bits ^ top

    else:

        @register_jitable
        def encode(bits):
            return bits

    return encode


def decoder(number: Any) -> Callable[..., Any]:
    """``decode(key)``: a number's bits; those of a quiet NaN for the greatest key of floats."""
    top = np.uint64(1 << (number.bitwidth - 1))
    ones = np.uint64((1 << number.bitwidth) - 1)
    if isinstance(number, types.Float):

        @register_jitable
        def decode(key):
            bits = (key ^ top) if key & top else ~key & ones
            return bits if key != ones else ones ^ top

    elif number.signed:

        @register_jitable
        def decode(key):
            return key ^ top

    else:

        @register_jitable
        def decode(key):
            return key

    return decode


def copier(number: Any, keys: bool) -> Callable[..., Any]:
    """The function that copies a tile, as numbers of that type or as their keys.

    ``copy(image, rows, height, columns, width, w, c, left, constant, target, pitch)`` copies ``height`` rows of
    ``width`` pixels to ``target``, ``pitch`` bytes apart. ``rows`` points to which row each of them is. ``columns``
    points to which column each pixel is, and ``left`` of them come before column 0: those that lie inside are copied
    in one run. -1 stands for the constant. Returns whether one of the keys is a NaN's.
    """
    element = key_type(number) if keys else number
    encode = encoder(number) if keys else encoder(types.uint64)
    ones = np.uint64((1 << number.bitwidth) - 1)
    watched = keys and isinstance(number, types.Float)
    size = number.bitwidth // 8

    @register_jitable
    def run(source, target, count):
        seen = False
        for i in range(count):
            value = encode(read(source, i)) if keys else read(source, i)
            write(target, i, element(value))
            if watched:
                seen |= value == ones
        return seen

    @register_jitable
    def copy(image, rows, height, columns, width, w, c, left, constant, target, pitch):
        seen = False
        fill = pointer(constant, element)[0]
        filler = element(encode(fill)) if keys else fill
        first = min(max(left, 0), width)
        last = max(first, min(width, left + w))
        for r in range(height):
            line = pointer(target + r * pitch, element)
            if rows[r] < 0:
                for i in range(width * c):
                    line[i] = filler
                if watched:
                    seen |= filler == ones
                continue
            source = image + rows[r] * w * c * size
            inside = pointer(source + (first - left) * c * size, element)
            seen |= run(inside, pointer(target + r * pitch + first * c * size, element), (last - first) * c)
            numbers = pointer(source, element)
            for side in range(2):
                for t in range(0 if side == 0 else last, first if side == 0 else width):
                    for k in range(c):
                        number = filler
                        if columns[t] >= 0:
                            bits = numbers[columns[t] * c + k]
                            number = element(encode(bits)) if keys else bits
                        line[t * c + k] = number
                        if watched:
                            seen |= number == ones
        return seen

    return copy


def stack_copier(number: Any, keys: bool) -> Callable[..., Any]:
    """The function that copies the tiles of all slices that lie under a window, one behind another.

    ``copy(images, slices, many, h, rows, nowhere, height, tall, columns, ...)``, the rest as for `copier`: ``slices``
    points to which slice of ``h`` rows each of ``many`` is, -1 for the constant, whose rows all are -1 as ``nowhere``
    has them; their tiles are ``tall`` rows apart.
    """
    copy = copier(number, keys)
    size = number.bitwidth // 8

    @register_jitable
    def copy_stack(
        images, slices, many, h, rows, nowhere, height, tall, columns, width, w, c, left, constant, target, pitch
    ):  # fmt: skip
        seen = False
        for t in range(many):
            source, tile = images + max(slices[t], 0) * h * w * c * size, target + t * tall * pitch
            those = rows if slices[t] >= 0 else nowhere
            seen |= copy(source, those, height, columns, width, w, c, left, constant, tile, pitch)
        return seen

    return copy_stack


@register_jitable
def spread(numbers, total, step, side, result, count):
    """Set the results to NaN that a NaN in a padded row lies under: those up to ``side - 1`` pixels before it."""
    for t in range(total):
        if numbers[t] != numbers[t]:
            for s in range(side):
                place = t - s * step
                if 0 <= place < count:
                    result[place] = numbers[t]
