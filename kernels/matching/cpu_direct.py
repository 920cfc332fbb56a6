"""Variant "direct": each row of places is a weighted sum of rows of the image, shifted by each tap.

    y[p, :] = sum over r, s, c of  template[r, s, c] * x[p + r, s : s + Q, c]

The sums of a block of columns stay in registers from the first tap to the last (see machine/taps.py), in float64
whatever the image's type, so integers are exact and nothing needs to be centred. With more than one channel, the rows
under the template are first written channel by channel, so that a tap's numbers lie side by side.

Rows of places are computed alone, so the result does not depend on how threads share them.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import MatchGeometry
from .measures import Measured, measured
from .pattern import Pattern

_LINE = 64  # bytes: scratch of different threads shares no cache line
_TAPS_PER_NS = 4.0


@kernel()
def _rows(dtype: str, result: str, measure: int) -> Any:
    number, kind = getattr(types, dtype), getattr(types, result)
    size = number.bitwidth // 8
    sums = weighted_sums(number, types.float64)
    of = measured(measure)

    def work(begin, end, slot, block):
        x, scales, y, weights = block[0], block[1], pointer(block[2], kind), block[3]
        h, w, c, r, s, p, q, pitch = block[5], block[6], block[7], block[8], block[9], block[10], block[11], block[12]
        templates = block[13]
        table = (block[4] + _LINE - 1) // _LINE * _LINE + slot * pitch
        taps = r * s * c
        total = table + 8 * taps
        planes = total + 8 * q
        addresses, totals, samples = pointer(table, types.int64), pointer(total, types.float64), pointer(planes, number)
        scale = pointer(scales, kind)
        for task in range(begin, end):
            first = task // p * h + task % p
            for i in range(r):
                row = x + (first + i) * w * c * size
                numbers = pointer(row, number)
                for k in range(c):
                    if c > 1:
                        for j in range(w):
                            samples[(i * c + k) * w + j] = numbers[j * c + k]
                        row = planes + (i * c + k) * w * size
                    for j in range(s):
                        addresses[(i * c + k) * s + j] = row + j * size
            sums(table, weights + task // p % templates * taps * 8, taps, 0, total, 0, q)
            if measure:
                squares, constant = pointer(scales, types.float64), float_bits(block[14])
                for j in range(q):
                    y[task * q + j] = kind(of(totals[j], squares[task * q + j] if measure > 1 else 0.0, constant))
            elif scales == 0:
                for j in range(q):
                    y[task * q + j] = kind(totals[j])
            else:
                for j in range(q):
                    y[task * q + j] = kind(min(max(totals[j] * scale[task * q + j], -1.0), 1.0))

    return work


def _run(g: MatchGeometry) -> Any:
    planes = g.r * g.c * g.w * g.dtype.itemsize if g.c > 1 else 0
    pitch = ((8 * g.taps + 8 * g.q + planes) // _LINE + 2) * _LINE
    template = Template(5, (g.h, g.w, g.c, g.r, g.s, g.p, g.q, pitch, g.templates, 0))
    worker = _rows.address(g.dtype.name, g.outputs[0][1].name, g.measure)
    ns = g.places * g.taps / _TAPS_PER_NS

    def run(x: Any, scale: np.ndarray | None, y: Any, pattern: np.ndarray, constant: float = 0.0) -> None:
        weights = np.ascontiguousarray(np.swapaxes(pattern, -2, -1), np.float64)  # a row of taps for each channel
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        block = template.filled(x, scale, y, weights, buffer)
        block[len(block) - 1] = word_of(constant)
        launch(worker, g.n * g.p, addressof(block), ns)

    return run


def build_products(g: MatchGeometry) -> Run:
    """Sums of products alone."""
    run_rows = _run(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        run_rows(arrays[0], None, outputs[0], arrays[1])

    return run


def build_scores(g: MatchGeometry) -> Run:
    """Sums of products with the centred template, times the scale of each window; or another measure."""
    if g.measure:
        return _build_measure(g)
    run_rows, measure = _run(g), Pattern(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        pattern, scale, _ = measure(*arrays)
        run_rows(arrays[0], scale, outputs[0], pattern)

    return run


def _build_measure(g: MatchGeometry) -> Run:
    """Levels are not taken off the image: the same is added to what its products need."""
    run_rows, measure = _run(g), Measured(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        pattern, squares, levels, constant = measure(*arrays)
        if squares is not None:
            constant -= float((pattern * levels).sum())
        run_rows(arrays[0], squares, outputs[0], pattern, constant)

    return run
