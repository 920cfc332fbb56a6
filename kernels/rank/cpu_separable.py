"""Variant "separable": minima and maxima under full windows, the columns first and then the rows.

    vertical    a window of few rows: the rows are compared as they are. Of many: van Herk's and Gil and Werman's three
                comparisons, however many they are. Results go in blocks of as many rows as the window has. Of the
                rows from the block's first one on, minima run backwards to each row; of the rows behind the block,
                forwards; a window is one of the former and one of the latter.
    borders     the row of minima is continued left and right by what lies there
    horizontal  a window of few columns: the row, shifted by each tap. Of many: each number is combined with the one
                1 further on, then 2, 4, 8 ..., which doubles the width; the last step overlaps. In a row, whose
                neighbours share a register, these logarithmically many steps of whole vectors are fewer instructions
                than three steps of single numbers.

The image between both passes is one row that stays in the first-level cache; windows of one column need no second
pass. Blocks of rows are computed alone, so the result does not depend on how threads share them.

Source: M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels",
1992; J. Gil and M. Werman, "Computing 2-D min, median, and max filters", 1993.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..operation import Run
from .extremes import extremes_of_rows, widener
from .geometry import RankGeometry
from .tiles import LINE

_FEW = 7  # rows or columns that are compared one by one
_ROWS = 8  # of results in a block where the window has few rows


def rejects(g: RankGeometry) -> str | None:
    """Why this variant does not take a call."""
    return "takes full windows" if g.footprint.chosen is not None else None


@kernel()
def _extremes(dtype: str, greatest: bool) -> Any:
    """Task: one block of rows of one image."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    extremes, widen = extremes_of_rows(number, greatest), widener(number, greatest)

    def work(begin, end, slot, block):
        x, y, rows, pads, constant = (
            block[0], block[1], pointer(block[2], types.int64), pointer(block[3], types.int64),
            pointer(block[4], number)[0],
        )  # fmt: skip
        h, w, c, high, tall, wide, left = block[6], block[7], block[8], block[9], block[10], block[11], block[12]
        pitch = block[13]
        table = (block[5] + LINE - 1) // LINE * LINE + slot * block[14]
        addresses = pointer(table, types.int64)
        shifts = table + block[15]
        shifted = pointer(shifts, types.int64)
        outside = shifts + block[16]  # the constant's row, the padded row, minima forwards, minima backwards
        padded = outside + pitch
        forwards, backwards = padded + pitch, padded + 2 * pitch
        count, step = w * c, c * size
        line = padded + left * step
        filler, numbers = pointer(outside, number), pointer(padded, number)
        for i in range(count):
            filler[i] = constant
        for t in range(min(wide, _FEW)):
            shifted[t] = padded + t * step
        blocks = -(-h // high)

        for task in range(begin, end):
            image, p = task // blocks, task % blocks * high
            base = x + image * h * w * step
            if tall > _FEW:
                for r in range(tall - 1, -1, -1):
                    k = rows[p + r]
                    addresses[0] = outside if k < 0 else base + k * w * step
                    addresses[1] = backwards + (r + 1) * pitch
                    extremes(table, 1 if r == tall - 1 else 2, 0, backwards + r * pitch, count)
            for r in range(min(high, h - p)):
                target = y + (((image * h + p + r) * w) * step)
                least = line if wide > 1 else target
                if tall <= _FEW:
                    for t in range(tall):
                        k = rows[p + r + t]
                        addresses[t] = outside if k < 0 else base + k * w * step
                    extremes(table, tall, 0, least, count)
                else:
                    if r > 0:
                        k = rows[p + r + tall - 1]
                        addresses[0] = outside if k < 0 else base + k * w * step
                        addresses[1] = forwards
                        extremes(table, min(r, 2), 0, forwards, count)
                    addresses[0], addresses[1] = backwards + r * pitch, forwards
                    extremes(table, min(r + 1, 2), 0, least, count)
                if wide == 1:
                    continue
                for t in range(wide - 1):
                    place = (t if t < left else t + w) * c
                    for k in range(c):
                        numbers[place + k] = constant if pads[t] < 0 else numbers[(left + pads[t]) * c + k]
                if wide <= _FEW:
                    extremes(shifts, wide, 0, target, count)
                    continue
                reach = 1
                while 2 * reach <= wide:
                    widen(padded, reach * step, (w + wide - 1) * c)
                    reach *= 2
                addresses[0], addresses[1] = padded, padded + (wide - reach) * step
                extremes(table, 2, 0, target, count)

    return work


def _build(g: RankGeometry, greatest: bool) -> Run:
    """Tables and sizes of one geometry."""
    if g.numbers == 0:
        return lambda arrays, outputs: None
    n, h, w, c = g.shape
    size, tall, wide = g.dtype.itemsize, g.footprint.rows, g.footprint.columns
    high = _ROWS if tall <= _FEW else tall
    rows, columns, constant = g.rows(), g.columns(), g.constant
    pads = np.concatenate([columns[: g.left], columns[g.left + w :]])
    # Widening reads a vector and half the window behind the padded row.
    pitch = _lines(((w + wide - 1 + wide) * c + lanes(size)) * size)
    tables = _lines(8 * max(2, min(tall, _FEW))), _lines(8 * _FEW)
    total = sum(tables) + (3 + (tall + 1 if tall > _FEW else 0)) * pitch
    tasks = n * -(-h // high)
    ns = g.numbers * size * (min(tall, 3) + min(wide, 3)) / 32
    template = Template(6, (h, w, c, high, tall, wide, g.left, pitch, total, *tables), {2: rows, 3: pads, 4: constant})
    worker = _extremes.address(g.dtype.name, greatest)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], None, None, None, scratch)
        launch(worker, tasks, addressof(block), ns)

    return run


def _lines(size: int) -> int:
    return -(-size // LINE) * LINE


def build_minimum(g: RankGeometry) -> Run:
    """What runs a planned minimum."""
    return _build(g, greatest=False)


def build_maximum(g: RankGeometry) -> Run:
    """What runs a planned maximum."""
    return _build(g, greatest=True)
