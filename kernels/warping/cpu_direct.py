"""Variant "direct": each pixel of the result from the image where its matrix says.

A worker is compiled for each mode, so that the weights are straight-line code and the loops over the taps unroll. It
computes places and weights of a pixel once for all its channels. Almost every pixel takes all its taps from inside the
image, where they follow one another in memory; only the others ask what lies outside.

Where the map is affine, the pixels of a row that take all their taps from inside the image are one run, since both
places grow or fall along it. Of nearest pixels, straight lines and Keys' cubics that run has loops of its own, in
cpu_runs.py.

Integers are read as they lie, weighted in float32, and rounded as they are stored. Rows of the result are computed
alone. In the adjoint, pixels of any row may add to the same pixel of the image, so there an image is one task, and its
sums have one order.

Fast-math is off: where a place lies just between two pixels, the definition and this code must choose the same one.
"""

import math
from ctypes import addressof
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..correlation.reference import CONSTANT, border
from ..interpolation.reference import TAPS, first_tap, weight
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.rounding import saturating
from ..machine.streams import stack
from ..machine.threads import launch
from ..operation import Run
from .cpu_runs import run_of
from .reference import coordinate, line, mirrored, start

if TYPE_CHECKING:
    from . import WarpGeometry

_NS_PER_TAP = 1.0
_CONSTANT = (1, 3)  # numbers of channels that a worker knows when it is compiled


@kernel(fastmath=False)
def _warp(dtype: str, mode: int, adjoint: bool, channels: int) -> Any:
    """Task: a row of the result; in the adjoint, an image."""
    number, taps = getattr(types, dtype), TAPS[mode]
    real = number if isinstance(number, types.Float) else types.float32
    size = number.bitwidth // 8
    converted, run = saturating(real, number), run_of(number, real, mode, channels)
    has_run = run is not None and not adjoint

    def work(begin, end, slot, block):
        image_at, matrix_at, result_at = block[0], block[1], block[2]
        H, W, P, Q, C, matrices, outside = block[3], block[4], block[5], block[6], block[7], block[8], block[9]
        cval = real(float_bits(block[10]))
        down, along = stack(taps, real), stack(taps, real)
        rows, columns = stack(taps, types.int64), stack(taps, types.int64)
        first_row = begin * P if adjoint else begin
        last_row = end * P if adjoint else end
        for task in range(first_row, last_row):
            n, p = task // P, task % P
            m = pointer(matrix_at + n % matrices * 72, types.float64)
            image = pointer(image_at + n * H * W * C * size, number)
            result = pointer(result_at + task * Q * C * size, number)
            if adjoint and p == 0:
                for i in range(H * W * C):
                    image[i] = number(0)
            m0, m1, m2, m3, m4, m5 = m[0], m[1], m[2], m[3], m[4], m[5]
            m6, m7, m8 = m[6], m[7], m[8]
            begun, first, last, ended = 0, 0, 0, Q
            places_along, places_down = (start(mode, m1, p), m2), (start(mode, m4, p), m5)
            if has_run and m6 == 0 and m7 == 0 and m8 == 1 and H * W * C < 1 << 31:
                if outside == CONSTANT:
                    begun, ended = _within(taps, Q, H, W, m0, places_along, m3, places_down)
                    for i in range(begun * C):
                        result[i] = converted(cval)
                    for i in range(ended * C, Q * C):
                        result[i] = converted(cval)
                first, last = _inside(begun, ended, H, W, taps, mode, m0, places_along, m3, places_down)
                run(image, result, first, last, W, C, m0, places_along, m3, places_down)
            for i in range(begun, ended - (last - first)):
                q = i if i < first else i + (last - first)
                w = line(mode, m6, q, start(mode, m7, p), m8)
                column = coordinate(mode, line(mode, m0, q, places_along[0], places_along[1]), w)
                row = coordinate(mode, line(mode, m3, q, places_down[0], places_down[1]), w)
                column, row = mirrored(column, W, mode, outside), mirrored(row, H, mode, outside)
                top, left = np.int64(first_tap(mode, row)), np.int64(first_tap(mode, column))
                below, beside = row - top, column - left
                for t in range(taps):
                    down[t], along[t] = real(weight(mode, below, t)), real(weight(mode, beside, t))
                if top >= 0 and left >= 0 and top + taps <= H and left + taps <= W:
                    corner = (top * W + left) * C
                    for c in range(C):
                        total, grad = real(0), real(result[q * C + c]) if adjoint else real(0)
                        for s in range(taps):
                            for t in range(taps):
                                place, share = corner + (s * W + t) * C + c, down[s] * along[t]
                                if adjoint:
                                    image[place] += number(share * grad) if share != real(0) else number(0)
                                else:
                                    total += share * real(image[place]) if share != real(0) else real(0)
                        if not adjoint:
                            result[q * C + c] = converted(total)
                    continue
                for t in range(taps):
                    rows[t], columns[t] = border(top + t, H, outside) * W, border(left + t, W, outside)
                for c in range(C):
                    total = real(0)
                    for s in range(taps):
                        for t in range(taps):
                            share = down[s] * along[t]
                            if share == real(0):
                                continue
                            outer = rows[s] < 0 or columns[t] < 0
                            if adjoint:
                                if not outer:
                                    image[(rows[s] + columns[t]) * C + c] += number(share * real(result[q * C + c]))
                            elif outer:
                                total += share * cval
                            else:
                                total += share * real(image[(rows[s] + columns[t]) * C + c])
                    if not adjoint:
                        result[q * C + c] = converted(total)

    return work


@register_jitable
def _within(reach, Q, H, W, m0, along, m3, down):
    """The first pixel of a row whose place is no further than ``reach`` from the image, and the one behind the last."""
    first, last = 0, Q
    while first < last and not _is_within(reach, first, H, W, m0, along, m3, down):
        first += 1
    while last > first and not _is_within(reach, last - 1, H, W, m0, along, m3, down):
        last -= 1
    return first, last


@register_jitable
def _is_within(reach, q, H, W, m0, along, m3, down):
    column, row = (m0 * q + along[0]) + along[1], (m3 * q + down[0]) + down[1]
    return -reach <= column <= W + reach and -reach <= row <= H + reach


@register_jitable
def _inside(first, last, H, W, taps, mode, m0, along, m3, down):
    """The first pixel of a part of a row that takes all its taps from inside the image, and the one behind the last."""
    while first < last and not _is_inside(first, H, W, taps, mode, m0, along, m3, down):
        first += 1
    while last > first and not _is_inside(last - 1, H, W, taps, mode, m0, along, m3, down):
        last -= 1
    return first, last


@register_jitable
def _is_inside(q, H, W, taps, mode, m0, along, m3, down):
    column, row = line(mode, m0, q, along[0], along[1]), line(mode, m3, q, down[0], down[1])
    if not (0.0 <= column <= W - 1.0 and 0.0 <= row <= H - 1.0):  # nowhere else is a nearest pixel looked for as it is
        return False
    left, top = first_tap(mode, column), first_tap(mode, row)
    return left >= 0 and top >= 0 and left + taps <= W and top + taps <= H


def _words(g: "WarpGeometry") -> tuple[int, ...]:
    return *g.image[1:3], *g.size, g.image[3], g.matrices, g.border, word_of(g.cval)


def build(g: "WarpGeometry") -> Run:
    """What runs a planned `warp2d`."""
    template = Template(3, _words(g))
    worker = _warp.address(g.dtype.name, g.mode, False, g.image[3] if g.image[3] in _CONSTANT else 0)
    tasks = g.image[0] * g.size[0] if g.size[1] * g.image[3] else 0
    ns = math.prod(g.warped) * g.taps * g.taps * _NS_PER_TAP

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(arrays[0], arrays[1], outputs[0])
        launch(worker, tasks, addressof(block), ns)

    return run


def build_grad(g: "WarpGeometry") -> Run:
    """What runs a planned `warp2d_grad`."""
    template = Template(3, _words(g))
    worker = _warp.address(g.dtype.name, g.mode, True, 0)
    tasks = g.image[0] if math.prod(g.warped) * g.image[3] else 0
    ns = math.prod(g.warped) * g.taps * g.taps * _NS_PER_TAP

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if tasks == 0:
            outputs[0][...] = 0
        block = template.filled(outputs[0], arrays[1], arrays[0])
        launch(worker, tasks, addressof(block), ns)

    return run
