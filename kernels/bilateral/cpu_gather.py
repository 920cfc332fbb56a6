"""Variant "gather" of the gradient: every pixel of the image and of its border adds up what depends on it.

With the result y, the sum of weights Z and the incoming gradient gy of each pixel, let

    G = gy / Z        s = sum over channels of G * y        both 0 outside the image.

A pixel k then gets, from each pixel u of its window, k itself included,

    w(k, u) * (G[u] + D / sigma^2 * (G[u] . x[k] + G[k] . x[u] - s[u] - s[k]))

where D is half the gradient of their squared distance by x[k] with its sign turned: x[u] - x[k] for the Euclidean one.
The first term is the weighted mean's own, the second that of the weights, which both ends decide. Gradients of samples
outside the image, where k lies as far out as a window reaches, are then added to the pixels that they stand for.

Rows are computed alone, with no sum shared between them.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.polynomials import exp2_weight32, exp2_weight64, fma, magnitude, with_sign
from ..machine.streams import read, whole_vectors, write
from ..machine.threads import launch, num_threads
from ..operation import Run
from .cpu_tiles import exponents, forward, positions, rates
from .geometry import BilateralGeometry

_LINE = 64


@kernel(fastmath=False)
def _rows(dtype: str, city: bool) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    exp2_weight = exp2_weight32 if size == 4 else exp2_weight64

    def work(begin, end, slot, block):
        whole_vectors()
        colors, taps, spaces = pointer(block[3], number), pointer(block[4], types.int64), pointer(block[5], number)
        slopes = pointer(block[6], number)
        high, wide, channels, radius, count = block[8], block[9], block[10], block[11], block[12]
        scratch = (block[7] + _LINE - 1) // _LINE * _LINE + slot * block[13]
        line = wide + 2 * radius  # of the padded images, whose pixel (radius, radius) is the results' first
        plane = (high + 2 * radius) * line * size
        distance, weight = pointer(scratch, number), pointer(scratch + wide * size, number)
        pull, zero = pointer(scratch + 2 * wide * size, number), number(0)

        for task in range(begin, end):
            p, image = task % high, task // high
            place = ((p + radius) * line + radius) * size
            pixels = block[0] + image * channels * plane + place
            given = block[1] + image * (channels + 1) * plane + place
            target = block[2] + (image * channels * high + p) * wide * size
            color, slope = colors[image], slopes[image]
            for channel in range(channels):
                total = pointer(target + channel * high * wide * size, number)
                for j in range(wide):
                    total[j] = zero

            for tap in range(count):
                moved = (taps[2 * tap] * line + taps[2 * tap + 1]) * size
                s, t = pointer(given + channels * plane, number), pointer(given + channels * plane + moved, number)
                for j in range(wide):
                    write(distance, j, zero)
                    write(pull, j, -read(s, j) - read(t, j))
                for channel in range(channels):
                    a, b = pointer(pixels + channel * plane, number), pointer(pixels + channel * plane + moved, number)
                    f, g = pointer(given + channel * plane, number), pointer(given + channel * plane + moved, number)
                    for j in range(wide):
                        difference = read(b, j) - read(a, j)
                        more = magnitude(difference) if city else difference * difference
                        write(distance, j, distance[j] + more)
                        write(pull, j, fma(read(g, j), read(a, j), fma(read(f, j), read(b, j), pull[j])))
                space = spaces[tap]
                for j in range(wide):
                    d = distance[j]
                    write(weight, j, exp2_weight(fma(d * d if city else d, color, space)))
                    write(pull, j, pull[j] * slope)
                for channel in range(channels):
                    a, b = pointer(pixels + channel * plane, number), pointer(pixels + channel * plane + moved, number)
                    g = pointer(given + channel * plane + moved, number)
                    total = pointer(target + channel * high * wide * size, number)
                    for j in range(wide):
                        difference = read(b, j) - read(a, j)
                        if city and difference != zero:
                            difference = with_sign(distance[j], difference)
                        change = fma(difference, pull[j], read(g, j))
                        write(total, j, fma(weight[j], change, total[j]))

    return work


def _folded(padded: np.ndarray, places: np.ndarray, outside: int, n: int) -> np.ndarray:
    """Sums of samples along the third axis at the places that they stand for."""
    result = padded[:, :, outside : outside + n].copy()
    for i in (*range(outside), *range(outside + n, n + 2 * outside)):
        if places[i] >= 0:
            result[:, :, places[i]] += padded[:, :, i]
    return result


def build(g: BilateralGeometry) -> Run:
    """What runs a planned call."""
    n, h, w, channels = g.shape
    if g.pixels * channels == 0:
        return lambda arrays, outputs: None
    filtered, radius = forward(g), g.radius
    offsets, spaces = np.array(g.taps, np.int64), exponents(g, g.taps, g.dtype)
    rows, columns = positions(h, 2 * radius, g.mode), positions(w, 2 * radius, g.mode)
    high, wide = h + 2 * radius, w + 2 * radius
    scratch = -(-3 * wide * g.dtype.itemsize // _LINE) * _LINE
    template = Template(8, (high, wide, channels, radius, len(g.taps), scratch))
    ns = 4 * g.flops * g.dtype.itemsize / 50
    worker = _rows.address(g.dtype.name, g.city)
    inner = (slice(2 * radius, 2 * radius + h), slice(2 * radius, 2 * radius + w))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x, sigmas = arrays
        y, divisors = empty(g.shape, g.dtype), empty(g.shape[:3], g.dtype)
        filtered(x, sigmas, y, divisors)
        outside = g.dtype.type(g.cval)
        pixels = np.where((rows < 0)[:, None, None] | (columns < 0)[:, None], outside, x[:, rows][:, :, columns])
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 3, 1))
        given = np.zeros((n, channels + 1, h + 4 * radius, w + 4 * radius), g.dtype)
        part = gy / divisors[..., None]
        given[:, :channels, *inner] = np.moveaxis(part, 3, 1)
        given[:, channels, *inner] = (part * y).sum(axis=3)
        padded = empty((n, channels, high, wide), g.dtype)
        slopes = np.square(1 / sigmas).astype(g.dtype)
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        block = template.filled(pixels, given, padded, rates(sigmas, g.dtype), offsets, spaces, slopes, buffer)
        launch(worker, n * high, addressof(block), ns)
        down = _folded(padded, rows[radius:-radius] if radius else rows, radius, h)
        across = _folded(down.swapaxes(2, 3), columns[radius:-radius] if radius else columns, radius, w)
        outputs[0][...] = across.transpose(0, 3, 2, 1)

    return run
