"""Variant "direct": each pixel of the result from the image where its matrix says.

A worker is compiled for each mode, so that the weights are straight-line code and the loops over the taps unroll. It
computes places and weights of a pixel once for all its channels. Almost every pixel takes all its taps from inside the
image, where they follow one another in memory; only the others ask what lies outside.

Rows of the result are computed alone. In the adjoint, pixels of any row may add to the same pixel of the image, so
there an image is one task, and its sums have one order.

Fast-math is off: where a place lies just between two pixels, the definition and this code must choose the same one.
"""

import math
from ctypes import addressof
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from ..correlation.reference import border
from ..interpolation.reference import TAPS, first_tap, weight
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import stack
from ..machine.threads import launch
from ..operation import Run
from .reference import coordinate, mirrored

if TYPE_CHECKING:
    from . import WarpGeometry

_NS_PER_TAP = 1.0


@kernel(fastmath=False)
def _warp(dtype: str, mode: int, adjoint: bool) -> Any:
    """Task: a row of the result; in the adjoint, an image."""
    number, taps = getattr(types, dtype), TAPS[mode]
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        image_at, matrix_at, result_at = block[0], block[1], block[2]
        H, W, P, Q, C, matrices, outside = block[3], block[4], block[5], block[6], block[7], block[8], block[9]
        cval = number(float_bits(block[10]))
        down, along = stack(taps, number), stack(taps, number)
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
            for q in range(Q):
                w = m6 * q + m7 * p + m8
                column = mirrored(coordinate(m0 * q + m1 * p + m2, w), W, mode, outside)
                row = mirrored(coordinate(m3 * q + m4 * p + m5, w), H, mode, outside)
                top, left = np.int64(first_tap(mode, row)), np.int64(first_tap(mode, column))
                below, beside = row - top, column - left
                for t in range(taps):
                    down[t], along[t] = number(weight(mode, below, t)), number(weight(mode, beside, t))
                if top >= 0 and left >= 0 and top + taps <= H and left + taps <= W:
                    first = (top * W + left) * C
                    for c in range(C):
                        total, grad = number(0), result[q * C + c] if adjoint else number(0)
                        for s in range(taps):
                            for t in range(taps):
                                place, share = first + (s * W + t) * C + c, down[s] * along[t]
                                if adjoint:
                                    image[place] += share * grad if share != number(0) else number(0)
                                else:
                                    total += share * image[place] if share != number(0) else number(0)
                        if not adjoint:
                            result[q * C + c] = total
                    continue
                for t in range(taps):
                    rows[t], columns[t] = border(top + t, H, outside) * W, border(left + t, W, outside)
                for c in range(C):
                    total = number(0)
                    for s in range(taps):
                        for t in range(taps):
                            share = down[s] * along[t]
                            if share == number(0):
                                continue
                            outer = rows[s] < 0 or columns[t] < 0
                            if adjoint:
                                if not outer:
                                    image[(rows[s] + columns[t]) * C + c] += share * result[q * C + c]
                            elif outer:
                                total += share * cval
                            else:
                                total += share * image[(rows[s] + columns[t]) * C + c]
                    if not adjoint:
                        result[q * C + c] = total

    return work


def _words(g: "WarpGeometry") -> tuple[int, ...]:
    return *g.image[1:3], *g.size, g.image[3], g.matrices, g.border, word_of(g.cval)


def build(g: "WarpGeometry") -> Run:
    """What runs a planned `warp2d`."""
    template = Template(3, _words(g))
    worker = _warp.address(g.dtype.name, g.mode, False)
    tasks = g.image[0] * g.size[0] if g.size[1] * g.image[3] else 0
    ns = math.prod(g.warped) * g.taps * g.taps * _NS_PER_TAP

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(arrays[0], arrays[1], outputs[0])
        launch(worker, tasks, addressof(block), ns)

    return run


def build_grad(g: "WarpGeometry") -> Run:
    """What runs a planned `warp2d_grad`."""
    template = Template(3, _words(g))
    worker = _warp.address(g.dtype.name, g.mode, True)
    tasks = g.image[0] if math.prod(g.warped) * g.image[3] else 0
    ns = math.prod(g.warped) * g.taps * g.taps * _NS_PER_TAP

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if tasks == 0:
            outputs[0][...] = 0
        block = template.filled(outputs[0], arrays[1], arrays[0])
        launch(worker, tasks, addressof(block), ns)

    return run
