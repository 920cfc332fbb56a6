"""Variant "bands": the gradient's length of a blurred image, of which a few rows are kept at a time.

    blur      down the columns into a padded row, and along it into the ring: a row of the blurred image
    ring      as many such rows as the derivatives have taps
    lengths   of a row, from the ring (cpu_rows.py)

    row p - 1  o o o o  \\
    row p      o o o o   |  ring        a band of rows also blurs those around it: bands do not wait for one another
    row p + 1  o o o o  /

The blurred image is never written to memory, nor read from there. The rows of the ring are those that the derivatives
ask for, in that order: outside the image they stand for the rows that the border names, or for its constant.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .cpu_rows import lengths, pads_of, positions
from .geometry import GradientGeometry

_LINE = 64  # bytes: scratch of different threads shares no cache line
_BAND = 48  # rows


def _blurs(dtype: str) -> Any:
    """``blur(block, image, k, room, target)``: row k of an image, blurred."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    sums = weighted_sums(number, number)

    @register_jitable
    def blur(block, image, k, room, target):
        x, weights, rows, pads = block[0], block[4], pointer(block[8], types.int64), pointer(block[9], types.int64)
        constant, h, line, inner, taps = block[7], block[11], block[12], block[13], block[15]
        outside = pointer(block[19], number)[2]
        radius = taps // 2
        table, shifted = pointer(room, types.int64), pointer(room + 8 * taps, types.int64)
        padded = room + 16 * taps
        samples = pointer(padded, number)
        for t in range(taps):
            source = rows[k + t]
            table[t] = constant if source < 0 else x + (image * h + source) * line * size
            shifted[t] = padded + t * inner * size
        sums(room, weights, taps, 0, padded + radius * inner * size, 0, line)
        for t in range(taps - 1):
            place = (t if t < radius else t + line // inner) * inner
            for c in range(inner):
                samples[place + c] = outside if pads[t] < 0 else samples[(radius + pads[t]) * inner + c]
        sums(room + 8 * taps, weights, taps, 0, target, 0, line)

    return blur


@kernel()
def _bands(dtype: str) -> Any:
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    blur, length = _blurs(dtype), lengths(dtype)

    def work(begin, end, slot, block):
        y, rows, pads = block[1], pointer(block[5], types.int64), pointer(block[6], types.int64)
        constant, h, line, inner, taps, bands = block[7], block[11], block[12], block[13], block[14], block[16]
        outsides, divisor = pointer(block[19], number), number(float_bits(block[20]))
        table = (block[10] + _LINE - 1) // _LINE * _LINE + slot * block[17]
        addresses, weights = pointer(table, types.int64), (block[2], block[3], taps)
        room = table + 8 * taps
        ring = room + block[18]
        for task in range(begin, end):
            band, image = task % bands, task // bands
            first, last = band * _BAND, min(band * _BAND + _BAND, h)
            for v in range(first, last + taps - 1):  # of `rows`: row p of the result has those from p on
                target, k = ring + v % taps * line * size, rows[v]
                if k >= 0:
                    blur(block, image, k, room, target)
                p = v - taps + 1
                if p < first:
                    continue
                for t in range(taps):
                    addresses[t] = constant if rows[p + t] < 0 else ring + (p + t) % taps * line * size
                length(
                    table, room, line, inner, weights, outsides, pads, divisor, y + (image * h + p) * line * size
                )  # fmt: skip

    return work


def rejects(g: GradientGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    return None if g.blur else "is for images that are blurred before"


def build(g: GradientGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    line, size, bands = g.w * g.inner, g.dtype.itemsize, -(-g.h // _BAND)
    kept = {
        5: positions(g.h, g.column, g.mode), 6: pads_of(g.w, g.column, g.mode), 7: np.full(line, g.cval, g.dtype),
        8: positions(g.h, g.blur, g.mode), 9: pads_of(g.w, g.blur, g.mode),
    }  # fmt: skip
    room = 16 * g.blur + (line + (g.blur - 1) * g.inner) * size
    room = max(room, 8 * g.column + (3 * line + (g.column - 1) * g.inner) * size)
    room = -(-room // _LINE) * _LINE
    pitch = ((8 * g.column + room + g.column * line * size) // _LINE + 2) * _LINE
    divisor = word_of(float(np.sqrt(2, dtype=g.dtype)))
    words = (g.h, line, g.inner, g.column, g.blur, bands, pitch, room, 0, divisor)
    template, worker = Template(11, words, kept), _bands.address(g.dtype.name)
    ns = g.pixels * (4 * g.column + 2 * g.blur + 8) * size / 80

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        smooth, slope, blur = [weights.astype(g.dtype) for weights in arrays[1:]]
        outsides = g.cval * np.array([smooth.sum(), slope.sum(), blur.sum()], g.dtype)
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(
            arrays[0], outputs[0], smooth, slope, blur, None, None, None, None, None, buffer
        )  # fmt: skip
        block[19] = outsides.ctypes.data
        launch(worker, g.outer * bands, addressof(block), ns)

    return run
