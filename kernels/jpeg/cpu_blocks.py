"""Variant "blocks": two passes over the image, a row of blocks at a time, then a row of pixels at a time.

    1  a row of 8 (or 16) rows of pixels becomes planes of Y, Cb, Cr; chroma is averaged; each block of 8 x 8 goes
       through its frequencies and comes back as 8-bit samples. Only these, of some 1.5 bytes a pixel, are written.
    2  each row of pixels is made of a row of Y and of the rows of chroma above and below.

Images of floating-point numbers become levels as the first pass reads them, and numbers again as the second writes.

The second pass waits for the first, since chroma is interpolated across rows of blocks. A transform takes the columns
of a block, which lie beside each other, so that eight transforms are one in vectors; for the rows the block is turned.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.rounding import saturating
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import JPEGGeometry
from .reference import (
    BITS,
    EXTRA,
    backward8,
    blue,
    blueness,
    clamp,
    forward8,
    green,
    luma,
    red,
    redness,
)

_LINE = 64  # bytes: scratch of different threads shares no cache line


def _levels(dtype: str) -> tuple[Any, Any, Any]:
    """The type of an image; what makes a level of a number of it, and a number of a level."""
    kind = getattr(types, dtype)
    if dtype == "uint8":
        return kind, register_jitable(lambda number: number), register_jitable(lambda level: types.uint8(level))
    nearest = saturating(kind, types.uint8)  # NaN becomes 0

    @register_jitable
    def level_of(number):
        return nearest(number * kind(255))

    @register_jitable
    def number_of(level):
        return kind(level) / kind(255)

    return kind, level_of, number_of


@register_jitable
def _turn(source, target):
    for i in range(8):
        for j in range(8):
            target[8 * j + i] = source[8 * i + j]


@register_jitable
def _forward(block, even_shift, shift):
    """All columns of a block to frequencies."""
    for j in range(8):
        y0, y1, y2, y3, y4, y5, y6, y7 = forward8(
            block[j], block[8 + j], block[16 + j], block[24 + j], block[32 + j], block[40 + j], block[48 + j],
            block[56 + j], even_shift, shift,
        )  # fmt: skip
        block[j], block[8 + j], block[16 + j], block[24 + j] = y0, y1, y2, y3
        block[32 + j], block[40 + j], block[48 + j], block[56 + j] = y4, y5, y6, y7


@register_jitable
def _backward(block, shift):
    """All columns of a block back from frequencies."""
    for j in range(8):
        x0, x1, x2, x3, x4, x5, x6, x7 = backward8(
            block[j], block[8 + j], block[16 + j], block[24 + j], block[32 + j], block[40 + j], block[48 + j],
            block[56 + j], shift,
        )  # fmt: skip
        block[j], block[8 + j], block[16 + j], block[24 + j] = x0, x1, x2, x3
        block[32 + j], block[40 + j], block[48 + j], block[56 + j] = x4, x5, x6, x7


@register_jitable
def _quantised(frequency, divisor):
    """`quantised` by a division of float32, which processors do for a whole register.

    Numerators are below 2**16 and exact, with the half that is added too. That half keeps quotients a sixteenth of a
    divisor's inverse away from whole numbers, many times what rounding moves them.
    """
    step = types.float32(divisor)
    halfway = types.float32(types.int32(abs(frequency))) + types.float32(4) * step + types.float32(0.5)
    size = types.int64(types.int32(halfway / (types.float32(8) * step))) * divisor
    return size if frequency >= 0 else -size


@register_jitable
def _through_blocks(samples, pitch, width, table, block, turned, target):
    """Eight rows of samples through their frequencies, into 8 rows of a plane."""
    for left in range(0, width, 8):
        for i in range(8):
            for j in range(8):
                turned[8 * j + i] = samples[i * pitch + left + j] - 128
        _forward(turned, -EXTRA, BITS - EXTRA)
        _turn(turned, block)
        _forward(block, EXTRA, BITS + EXTRA)
        for k in range(64):
            block[k] = _quantised(block[k], table[k])
        _backward(block, BITS - EXTRA)
        _turn(block, turned)
        _backward(turned, BITS + EXTRA + 3)
        for i in range(8):
            for j in range(8):
                target[i * width + left + j] = clamp(turned[8 * j + i] + 128)


@kernel()
def _block_rows(dtype: str) -> Any:
    number = types.int64
    kind, level_of, _ = _levels(dtype)
    size_of = kind.bitwidth // 8

    def work(begin, end, slot, block):
        x, planes, tables = block[0], block[1], pointer(block[2], number)
        h, w, c, across, down = block[4], block[5], block[6], block[7], block[8]
        height, width, rows, all_samples, pitch = block[9], block[10], block[11], block[12], block[13]
        scratch = (block[3] + _LINE - 1) // _LINE * _LINE + slot * pitch
        first, second = pointer(scratch, number), pointer(scratch + 512, number)
        size = 8 * down * width
        y, cb, cr = (
            pointer(scratch + 1024, number), pointer(scratch + 1024 + 8 * size, number),
            pointer(scratch + 1024 + 16 * size, number),
        )  # fmt: skip
        wide = width // across
        for task in range(begin, end):
            image, top = task // rows, task % rows * 8 * down
            for r in range(8 * down):
                pixel = pointer(x + (image * h + min(top + r, h - 1)) * w * c * size_of, kind)
                start = r * width
                if c == 1:
                    for q in range(w):
                        y[start + q] = level_of(pixel[q])
                else:
                    for q in range(w):
                        red_, green_ = number(level_of(pixel[3 * q])), number(level_of(pixel[3 * q + 1]))
                        blue_ = number(level_of(pixel[3 * q + 2]))
                        y[start + q] = luma(red_, green_, blue_)
                        cb[start + q] = blueness(red_, green_, blue_)
                        cr[start + q] = redness(red_, green_, blue_)
                for q in range(w, width):
                    y[start + q] = y[start + w - 1]
                    if c > 1:
                        cb[start + q], cr[start + q] = cb[start + w - 1], cr[start + w - 1]
            plane = planes + image * all_samples
            for r in range(0, 8 * down, 8):
                samples = pointer(scratch + 1024 + 8 * r * width, number)
                target = pointer(plane + (top + r) * width, types.uint8)
                _through_blocks(samples, width, width, tables, first, second, target)
            if c == 1:
                continue
            last = (h + down - 1) // down - 1 - top // down  # the last row of means of pixels of the image
            for k in range(2):
                chroma = pointer(scratch + 1024 + 8 * size * (k + 1), number)
                if across == 2:
                    for r in range(8):
                        source, start = min(r, last) * down * width, r * wide
                        if r > last:
                            for q in range(wide):
                                chroma[start + q] = chroma[last * wide + q]
                        elif down == 1:
                            for q in range(wide):
                                chroma[start + q] = (chroma[source + 2 * q] + chroma[source + 2 * q + 1] + (q & 1)) >> 1
                        else:
                            below = source + width
                            for q in range(wide):
                                total = chroma[source + 2 * q] + chroma[source + 2 * q + 1]
                                total += chroma[below + 2 * q] + chroma[below + 2 * q + 1]
                                chroma[start + q] = (total + 1 + (q & 1)) >> 2
                target = pointer(plane + height * width + k * (height // down) * wide + top // down * wide, types.uint8)
                _through_blocks(chroma, wide, wide, pointer(block[2] + 512, number), first, second, target)

    return work


@register_jitable
def _vertical(plane, wide, p, rows, columns, down, target):
    """The row of chroma samples for row ``p`` of the image, four times as large where ``down`` is 2."""
    if down == 1 or columns <= 2:
        start = p // down * wide
        for j in range(columns):
            target[j] = plane[start + j]
        return
    i = p // 2
    below = min(max(i + (1 if p % 2 else -1), 0), rows - 1)
    for j in range(columns):
        target[j] = 3 * plane[i * wide + j] + types.int32(plane[below * wide + j])


@register_jitable
def _horizontal(samples, w, columns, across, down, target):
    """A row of chroma samples at the resolution of the image."""
    if across == 1:
        for q in range(w):
            target[q] = samples[q]
        return
    if columns <= 2:
        for q in range(w):
            target[q] = samples[q // 2]
        return
    shift, bias = (2, 1) if down == 1 else (4, 8)
    odd = 1 if down == 1 else -1
    for q in range(w):
        j = q // 2
        beside = min(max(j + (1 if q % 2 else -1), 0), columns - 1)
        target[q] = (3 * samples[j] + samples[beside] + bias + odd * (q % 2)) >> shift


@kernel()
def _pixel_rows(dtype: str) -> Any:
    number = types.int32
    kind, _, number_of = _levels(dtype)
    size_of = kind.bitwidth // 8

    def work(begin, end, slot, block):
        planes, y = block[0], block[1]
        h, w, c, across, down = block[3], block[4], block[5], block[6], block[7]
        height, width, all_samples, pitch = block[8], block[9], block[10], block[11]
        scratch = (block[2] + _LINE - 1) // _LINE * _LINE + slot * pitch
        rows, columns, wide = (h + down - 1) // down, (w + across - 1) // across, width // across
        samples = pointer(scratch, number)
        cb, cr = pointer(scratch + 4 * width, number), pointer(scratch + 8 * width, number)
        for task in range(begin, end):
            image, p = task // h, task % h
            plane = planes + image * all_samples
            luminance = pointer(plane + p * width, types.uint8)
            target = pointer(y + task * w * c * size_of, kind)
            if c == 1:
                for q in range(w):
                    target[q] = number_of(luminance[q])
                continue
            chroma = plane + height * width
            _vertical(pointer(chroma, types.uint8), wide, p, rows, columns, down, samples)
            _horizontal(samples, w, columns, across, down, cb)
            _vertical(pointer(chroma + (height // down) * wide, types.uint8), wide, p, rows, columns, down, samples)
            _horizontal(samples, w, columns, across, down, cr)
            for q in range(w):
                light = number(luminance[q])
                target[3 * q] = number_of(red(light, cr[q]))
                target[3 * q + 1] = number_of(green(light, cb[q], cr[q]))
                target[3 * q + 2] = number_of(blue(light, cb[q]))

    return work


def build(g: JPEGGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    height, width = g.size
    rows = height // (8 * g.down)
    samples = height * width + (g.c - 1) * (height // g.down) * (width // g.across)
    tables = np.ascontiguousarray(g.tables)
    first_pitch = (1024 + 24 * 8 * g.down * width) // _LINE * _LINE + _LINE
    second_pitch = 12 * width // _LINE * _LINE + _LINE
    sizes = (g.h, g.w, g.c, g.across, g.down, height, width)
    first = Template(4, (*sizes, rows, samples, first_pitch))
    second = Template(3, (*sizes, samples, second_pitch))
    block_rows, pixel_rows = _block_rows.address(g.dtype.name), _pixel_rows.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        planes = empty((g.n * samples,), np.uint8)
        scratch = empty((num_threads() * max(first_pitch, second_pitch) + _LINE,), np.uint8)
        block = first.filled(arrays[0], planes, tables, scratch)
        launch(block_rows, g.n * rows, addressof(block), g.samples * 4)
        block = second.filled(planes, outputs[0], scratch)
        launch(pixel_rows, g.n * g.h, addressof(block), g.pixels * g.c)

    return run
