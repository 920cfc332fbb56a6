"""Variant "rows" of structural similarity: one row of pixels at a time, from both images to the sum of S.

    vertical    the rows of both images under the window are summed into five padded rows: x, y, xx, yy, xy
    borders     the few samples left and right are mirrored
    horizontal  each padded row, shifted by each tap, gives the window's five means
    formula     S, its sum, and the gradient's terms where they are asked for

so nothing of the size of an image is written but what the caller wants. The squared error comes from the same walk.
In a volume the vertical pass takes the rows of all slices under the window at once. All sums are in float64 whatever
the images' type, because the variances are differences of nearly equal numbers.

Rows are computed alone and their sums added in order, so the result does not depend on how threads share them.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..correlation.reference import REFLECT, border
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.taps import MOMENTS, weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import SimilarityGeometry
from .reference import gradient_terms, index_of

_LINE = 64  # bytes: scratch of different threads shares no cache line


@kernel()
def _rows(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    moments, means = weighted_sums(number, types.float64, MOMENTS), weighted_sums(types.float64, types.float64)

    def work(begin, end, slot, block):
        x, y, weights, window = block[0], block[1], block[2], block[3]
        slices, rows, pads = (
            pointer(block[4], types.int64), pointer(block[5], types.int64), pointer(block[6], types.int64),
        )  # fmt: skip
        maps, sums, squares = block[7], pointer(block[8], types.float64), pointer(block[9], types.float64)
        d, h, w, taps, deep, high = block[11], block[12], block[13], block[14], block[15], block[16]
        margin, margin_d, margin_h = block[17], block[18], block[19]
        c1, c2, scale = float_bits(block[20]), float_bits(block[21]), float_bits(block[22])
        count, plane, pitch = block[23], block[24], block[25]
        table = (block[10] + _LINE - 1) // _LINE * _LINE + slot * block[26]
        radius, under = taps // 2, deep * high
        addresses = pointer(table, types.int64)
        shifts = table + 16 * under
        shifted = pointer(shifts, types.int64)
        padded = table + 16 * under + 40 * taps
        averages = padded + 5 * pitch
        mx, my = pointer(averages, types.float64), pointer(averages + pitch, types.float64)
        mxx, myy = pointer(averages + 2 * pitch, types.float64), pointer(averages + 3 * pitch, types.float64)
        mxy = pointer(averages + 4 * pitch, types.float64)
        for k in range(5):
            for t in range(taps):
                shifted[k * taps + t] = padded + k * pitch + t * 8

        for task in range(begin, end):
            p, i, image = task % h, task // h % d, task // h // d
            inside = margin_h <= p < h - margin_h and margin_d <= i < d - margin_d
            ours, theirs = pointer(x + task * w * size, number), pointer(y + task * w * size, number)
            total = 0.0
            for j in range(w):
                difference = types.float64(ours[j]) - types.float64(theirs[j])
                total += difference * difference
            squares[task] = total
            sums[task] = 0.0
            if count == 0 and not inside:
                continue
            for a in range(deep):
                for b in range(high):
                    start = ((image * d + slices[i + a]) * h + rows[p + b]) * w * size
                    addresses[a * high + b] = x + start
                    addresses[under + a * high + b] = y + start
            moments(table, window, under, 0, padded + radius * 8, pitch, w)
            first = 0 if count > 0 else margin
            width = w - 2 * first
            for k in range(5):
                samples = pointer(padded + k * pitch, types.float64)
                for t in range(radius):
                    samples[t] = samples[radius + pads[t]]
                    samples[radius + w + t] = samples[radius + pads[radius + t]]
                means(shifts + k * taps * 8, weights, taps, first, averages + k * pitch, 0, width)

            row = padded if count == 0 else maps + task * w * 8
            s = pointer(row, types.float64)
            for j in range(width):
                s[j] = index_of(mx[j], my[j], mxx[j], myy[j], mxy[j], c1, c2, scale)
            if inside:
                total = 0.0
                for j in range(margin - first, width - (margin - first)):
                    total += s[j]
                sums[task] = total
            if count > 1:
                one = pointer(row + plane, types.float64)
                two = pointer(row + 2 * plane, types.float64)
                three = pointer(row + 3 * plane, types.float64)
                for j in range(width):
                    one[j] = gradient_terms(mx[j], my[j], mxx[j], myy[j], mxy[j], c1, c2, scale)[0]
                for j in range(width):
                    two[j] = gradient_terms(mx[j], my[j], mxx[j], myy[j], mxy[j], c1, c2, scale)[1]
                for j in range(width):
                    three[j] = gradient_terms(mx[j], my[j], mxx[j], myy[j], mxy[j], c1, c2, scale)[2]

    return work


def _mirrored(n: int, radius: int) -> np.ndarray:
    """Which sample each position from ``-radius`` to ``n - 1 + radius`` stands for."""
    return np.array([border(i, n, REFLECT) for i in range(-radius, n + radius)], np.int64)


def build(g: SimilarityGeometry) -> Run:
    """Tables and sizes of one geometry."""
    radius = g.taps // 2
    deep, high = (g.taps if g.axes > 2 else 1), (g.taps if g.axes > 1 else 1)
    slices, rows, across = _mirrored(g.d, deep // 2), _mirrored(g.h, high // 2), _mirrored(g.w, radius)
    pads = np.concatenate([across[:radius], across[radius + g.w :]])
    margins = (g.margin, g.margin if g.axes > 2 else 0, g.margin if g.axes > 1 else 0)
    inside = (g.w - 2 * margins[0]) * (g.d - 2 * margins[1]) * (g.h - 2 * margins[2])
    pitch = -(-(g.w + 2 * radius) * 8 // _LINE) * _LINE
    scratch = (16 * deep * high + 40 * g.taps + 10 * pitch) // _LINE * _LINE + 2 * _LINE
    tasks = g.n * g.d * g.h
    ns = g.pixels * (deep * high + g.taps) * 0.6
    constants = [word_of(value) for value in (g.c1, g.c2, g.scale)]
    sizes = (g.d, g.h, g.w, g.taps, deep, high, *margins, *constants, g.maps, g.pixels * 8, pitch, scratch)
    template = Template(11, sizes)
    worker = _rows.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y, weights = arrays
        means, maps, errors = outputs
        flat = weights if g.axes > 1 else np.ones(1)
        window = np.multiply.outer(weights, flat).ravel() if g.axes > 2 else flat
        sums, squares = empty((g.n, g.d * g.h), np.float64), empty((g.n, g.d * g.h), np.float64)
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        block = template.filled(x, y, weights, window, slices, rows, pads, maps, sums, squares, buffer)
        launch(worker, tasks, addressof(block), ns)
        means[...] = (sums.sum(axis=1) / inside).reshape(means.shape)
        errors[...] = (squares.sum(axis=1) / (g.d * g.h * g.w)).reshape(errors.shape)

    return run
