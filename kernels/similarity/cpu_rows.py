"""Variant "rows" of structural similarity: one row of pixels at a time, from both images to the sum of S.

    vertical    the rows of both images under the window are summed into five padded rows: x, y, xx, yy, xy
    borders     the few samples left and right are mirrored
    horizontal  each padded row, shifted by each tap, gives the window's five means
    formula     S, its sum, and the gradient's terms where they are asked for

so nothing of the size of an image is written but what the caller wants. In a volume the vertical pass takes the rows
of all slices under the window at once. All sums are in float64 whatever the images' type, because the variances are
differences of nearly equal numbers.

Rows are computed alone and their sums added in order, so the result does not depend on how threads share them.
"""

from typing import Any

import numpy as np
from numba import types

from ..correlation.reference import REFLECT, border
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.taps import MOMENTS, weighted_sums
from ..machine.threads import block_of, launch, num_threads
from ..operation import Run
from .geometry import SimilarityGeometry
from .reference import gradient_terms, index_of

_LINE = 64  # bytes: scratch of different threads shares no cache line


@kernel()
def _rows(dtype: str):  # type: ignore[no-untyped-def]
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    moments, means = weighted_sums(number, types.float64, MOMENTS), weighted_sums(types.float64, types.float64)

    def work(begin, end, slot, block):  # type: ignore[no-untyped-def]
        x, y, d, h, w = block[0], block[1], block[2], block[3], block[4]
        taps, weights, deep, high, window = block[5], block[6], block[7], block[8], block[9]
        slices, rows = pointer(block[10], types.int64), pointer(block[11], types.int64)
        pads = pointer(block[12], types.int64)
        margin, margin_d, margin_h = block[13], block[14], block[15]
        c1, c2, scale = float_bits(block[16]), float_bits(block[17]), float_bits(block[18])
        maps, count, plane, sums = block[19], block[20], block[21], pointer(block[22], types.float64)
        table, pitch = block[23] + slot * block[24], block[25]
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
    tables = [a.ctypes.data for a in (slices, rows, pads)]
    constants = [word_of(value) for value in (g.c1, g.c2, g.scale)]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, y, weights = arrays
        means, maps = outputs
        flat = weights if g.axes > 1 else np.ones(1)
        window = np.multiply.outer(weights, flat).ravel() if g.axes > 2 else flat
        sums = empty((g.n, g.d * g.h), np.float64)
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        words = (
            x.ctypes.data, y.ctypes.data, g.d, g.h, g.w,
            g.taps, weights.ctypes.data, deep, high, window.ctypes.data, *tables,
            *margins, *constants,
            maps.ctypes.data, g.maps, g.pixels * 8, sums.ctypes.data,
            -(-buffer.ctypes.data // _LINE) * _LINE, scratch, pitch,
        )  # fmt: skip
        launch(_rows, (g.dtype.name,), tasks, block_of(words), ns)
        means[...] = (sums.sum(axis=1) / inside).reshape(means.shape)

    run.tables = (slices, rows, pads)  # type: ignore[attr-defined]  # the block holds their addresses only
    return run
