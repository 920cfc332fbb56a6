"""Variant "tiles": the bilateral filter, each pair of pixels weighed once, in tiles that stay near the processor.

Two pixels weigh each other alike. So the window's taps are taken in pairs, ``t`` and ``-t``: for a row of pixels and
one tap ``t`` below, or to the right, the weights are computed in one loop and serve both ends,

    near totals at p       += w, w * x[p + t]
    far totals at p + t    += w, w * x[p]

which halves the exponentials, nearly all of the work. Near and far totals are different arrays, so that no loop reads
what it has just written elsewhere and LLVM makes it vector code. A tile also goes over the rows above it, as far as
pairs reach down into it. The weight is a polynomial: no table, no gather.

    tile     the image around a tile is copied in the type of the sums, one plane a channel; tables name the samples
             that stand outside the image
    sums     the loops above; of one channel all in one loop, of several a loop for each step
    result   (near + far + x) / (near + far + 1)

Tiles are cut from the shape alone and computed alone.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..correlation.reference import MODES, border
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import exp2_weight8, exp2_weight32, exp2_weight64, fma, magnitude, nearest
from ..machine.streams import read, whole_vectors, write
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import BilateralGeometry

_TILE_ROWS = 32
_TILE_COLUMNS = 512
_LINE = 64


@kernel(fastmath=False)
def _tiles(dtype: str, city: bool, single: bool) -> Any:
    """``single``: the images have one channel."""
    sample = getattr(types, dtype)
    number = types.float64 if dtype == "float64" else types.float32
    size = number.bitwidth // 8
    exp2_weight = {"uint8": exp2_weight8, "float32": exp2_weight32, "float64": exp2_weight64}[dtype]
    rounded = dtype == "uint8"

    @register_jitable
    def copy(target, x, place, channels, count):
        """One channel of a row of pixels."""
        samples, step = pointer(target, number), 1 if single else channels
        for j in range(count):
            samples[j] = number(read(x, place + j * step))

    @register_jitable
    def means(pixels, near, far, sums, y, place, channels, count):
        """The results of a row, of one channel, whose totals lie ``sums`` behind those of the weights."""
        near_weights, far_weights = pointer(near, number), pointer(far, number)
        near_sums, far_sums = pointer(near + sums, number), pointer(far + sums, number)
        x, step = pointer(pixels, number), 1 if single else channels
        for j in range(count):
            mean = (near_sums[j] + far_sums[j] + x[j]) / (near_weights[j] + far_weights[j] + number(1))
            if rounded:
                write(y, place + j * step, types.uint8(types.int32(nearest(mean))))
            else:
                write(y, place + j * step, mean)

    @register_jitable
    def add(totals, values, weights, count):
        for j in range(count):
            write(totals, j, fma(weights[j], read(values, j), totals[j]))

    @register_jitable
    def pairs(here, there, near, far, plane, channels, scratch, pitch, color, space, count):
        """One tap of a row: addresses of the pixels, and of the totals, at both ends."""
        whole_vectors()
        if single:
            a, b = pointer(here, number), pointer(there, number)
            near_weights, near_sums = pointer(near, number), pointer(near + plane, number)
            far_weights, far_sums = pointer(far, number), pointer(far + plane, number)
            for j in range(count):
                one, other = read(a, j), read(b, j)
                difference = other - one
                weight = exp2_weight(fma(difference * difference, color, space))
                write(near_weights, j, near_weights[j] + weight)
                write(near_sums, j, fma(weight, other, near_sums[j]))
                write(far_weights, j, far_weights[j] + weight)
                write(far_sums, j, fma(weight, one, far_sums[j]))
            return
        d, weights = pointer(scratch, number), pointer(scratch + pitch, number)
        for j in range(count):
            write(d, j, number(0))
        for channel in range(channels):
            a, b = pointer(here + channel * plane, number), pointer(there + channel * plane, number)
            for j in range(count):
                difference = read(b, j) - read(a, j)
                if city:
                    write(d, j, d[j] + magnitude(difference))
                else:
                    write(d, j, fma(difference, difference, d[j]))
        near_weights, far_weights = pointer(near, number), pointer(far, number)
        for j in range(count):
            squared = d[j] * d[j] if city else d[j]
            write(weights, j, exp2_weight(fma(squared, color, space)))
        for j in range(count):
            write(near_weights, j, near_weights[j] + weights[j])
            write(far_weights, j, far_weights[j] + weights[j])
        for channel in range(channels):
            add(
                pointer(near + (channel + 1) * plane, number), pointer(there + channel * plane, number), weights, count
            )  # fmt: skip
            add(pointer(far + (channel + 1) * plane, number), pointer(here + channel * plane, number), weights, count)

    def work(begin, end, slot, block):
        x, y, colors = pointer(block[0], sample), pointer(block[1], sample), pointer(block[2], number)
        rows, columns = pointer(block[3], types.int64), pointer(block[4], types.int64)
        taps, spaces = pointer(block[5], types.int64), pointer(block[6], number)
        divisors = pointer(block[8], number)
        h, w, channels, radius, count = block[9], block[10], block[11], block[12], block[13]
        across, down, cval = block[14], block[15], number(float_bits(block[16]))
        pitch, plane = block[17], block[18]
        planes = (block[7] + _LINE - 1) // _LINE * _LINE + slot * block[19]
        near = planes + channels * plane
        far = near + (channels + 1) * plane
        scratch = far + (channels + 1) * plane
        zero, one = number(0), number(1)

        for task in range(begin, end):
            tile, image = task % (across * down), task // (across * down)
            left, end_column = tile % across * w // across, (tile % across + 1) * w // across
            top, bottom = tile // across * h // down, (tile // across + 1) * h // down
            high, wide = bottom - top, end_column - left
            color = colors[image]

            start = max(0, radius - left)  # the columns of the image itself among the tile's and its border's
            stop = min(wide + 2 * radius, w - left + radius)
            for channel in range(channels):
                for i in range(high + 2 * radius):
                    row = rows[top + i]
                    target = planes + channel * plane + i * pitch
                    samples = pointer(target, number)
                    if row < 0:
                        for j in range(wide + 2 * radius):
                            samples[j] = cval
                        continue
                    source = (image * h + row) * w * channels + channel
                    copy(target + start * size, x, source + (left + start - radius) * channels, channels, stop - start)
                    for k in range(start + wide + 2 * radius - stop):
                        j = k if k < start else k - start + stop
                        column = columns[left + j]
                        samples[j] = cval if column < 0 else number(x[source + column * channels])
            totals = pointer(near, number)
            for j in range(2 * (channels + 1) * plane // size):
                totals[j] = zero

            for p in range(-radius, high):
                for tap in range(count):
                    dy, dx = taps[2 * tap], taps[2 * tap + 1]
                    if p + dy < 0 and p < 0:
                        continue
                    # Of the pairs that have an end in the tile; the outer columns serve the ends' totals alone.
                    first, last = min(0, -dx), wide + max(0, -dx)
                    place = (radius + p) * pitch + (radius + first) * size
                    moved = place + dy * pitch + dx * size
                    pairs(
                        planes + place, planes + moved, near + place, far + moved, plane, channels, scratch, pitch,
                        color, spaces[tap], last - first,
                    )  # fmt: skip

            for p in range(high):
                place = (radius + p) * pitch + radius * size
                near_weights, far_weights = pointer(near + place, number), pointer(far + place, number)
                pixel = (image * h + top + p) * w + left
                for channel in range(channels):
                    means(
                        planes + place + channel * plane,
                        near + place,
                        far + place,
                        (channel + 1) * plane,
                        y,
                        pixel * channels + channel,
                        channels,
                        wide,
                    )
                if block[8] != 0:
                    for j in range(wide):
                        divisors[pixel + j] = near_weights[j] + far_weights[j] + one

    return work


def positions(n: int, outside: int, mode: str) -> np.ndarray:
    """Which sample each position from ``-outside`` to ``n + outside - 1`` stands for."""
    return np.array([border(i, n, MODES[mode]) for i in range(-outside, n + outside)], np.int64)


def rates(sigmas: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Factors of squared distances of colours in exponents of 2."""
    return (-0.5 / math.log(2) / np.square(sigmas)).astype(dtype)


def exponents(g: BilateralGeometry, taps: list[tuple[int, int]], dtype: np.dtype) -> np.ndarray:
    """The part of exponents of 2 that taps alone decide."""
    squared = np.array([i * i + j * j for i, j in taps], np.float64)
    return (-0.5 / math.log(2) / g.sigma_space / g.sigma_space * squared).astype(dtype)


def build(g: BilateralGeometry) -> Run:
    """What runs a planned call."""
    run = forward(g)
    return lambda arrays, outputs: run(*arrays, outputs[0], None)


def forward(g: BilateralGeometry) -> Any:
    """``run(x, sigmas, y, divisors)``; the sums of each pixel's weights are wanted where ``divisors`` is an array."""
    n, h, w, channels = g.shape
    if g.pixels * channels == 0:
        return lambda x, sigmas, y, divisors: None
    number = np.dtype(np.float64 if g.dtype == np.float64 else np.float32)
    taps = [tap for tap in g.taps if tap > (0, 0)]
    offsets, spaces = np.array(taps, np.int64).reshape(-1, 2), exponents(g, taps, number)
    rows, columns = positions(h, g.radius, g.mode), positions(w, g.radius, g.mode)
    across, down = -(-w // _TILE_COLUMNS), -(-h // _TILE_ROWS)
    pitch = -(-(min(w, _TILE_COLUMNS) + 2 * g.radius) * number.itemsize // _LINE) * _LINE
    plane = pitch * (min(h, _TILE_ROWS) + 2 * g.radius)
    scratch = (3 * channels + 2) * plane + 2 * pitch + _LINE
    tasks = n * across * down
    ns = g.flops * number.itemsize / 50
    sizes = (h, w, channels, g.radius, len(taps), across, down, word_of(g.cval), pitch, plane, scratch)
    template = Template(9, sizes)
    worker = _tiles.address(g.dtype.name, g.city, channels == 1)

    def run(x: np.ndarray, sigmas: np.ndarray, y: np.ndarray, divisors: np.ndarray | None) -> None:
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        colors = rates(sigmas, number)
        block = template.filled(x, y, colors, rows, columns, offsets, spaces, buffer, divisors)
        launch(worker, tasks, addressof(block), ns)

    return run
