"""Variant "taps": minima and maxima under windows of any shape and number of axes.

Tiles are copied with what lies around them, so that each tap of the window is a distance in memory, and all taps are
compared: a vector of pixels takes one instruction for each pixel of the window (three for floats, to keep NaN). Of
images of more than two axes, the slices that lie under a window are copied one behind another.

Tiles are computed alone, so the result does not depend on how threads share them.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch, num_threads
from ..operation import Run
from .extremes import extremes_of_rows
from .geometry import RankGeometry
from .tiles import LINE, stack_copier

_ROWS, _LINE_BYTES = 16, 4096  # of results in a tile


@kernel()
def _extremes(dtype: str, greatest: bool) -> Any:
    """Task: one tile of one slice of one image."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    copy, extremes = stack_copier(number, keys=False), extremes_of_rows(number, greatest)

    def work(begin, end, slot, block):
        x, y, offsets, rows, columns, constant = block[0], block[1], block[2], block[3], block[4], block[5]
        h, w, c, taps, left = block[8], block[9], block[10], block[11], block[12]
        high, wide, above, beside, pitch = block[13], block[14], block[15], block[16], block[17]
        deep, slices = block[19], block[20]
        bands, segments = -(-h // high), -(-w // wide)
        nowhere = pointer(rows + (h + above) * 8, types.int64)
        tile = (block[6] + LINE - 1) // LINE * LINE + slot * block[18]
        for task in range(begin, end):
            plane, band, segment = task // segments // bands, task // segments % bands, task % segments
            p, q = band * high, segment * wide
            height, width = min(high, h - p), min(wide, w - q)
            first = plane - plane % deep
            copy(
                x + first * h * w * c * size, pointer(block[7] + (plane - first) * slices * 8, types.int64), slices,
                h, pointer(rows + p * 8, types.int64), nowhere, height + above, high + above,
                pointer(columns + q * 8, types.int64), width + beside, w, c, left - q, constant, tile, pitch,
            )  # fmt: skip
            for r in range(height):
                target = y + (((plane * h + p + r) * w + q) * c) * size
                extremes(offsets, taps, tile + r * pitch, target, width * c)

    return work


def rejects(g: RankGeometry) -> str | None:
    """Why this variant does not take a call."""
    return None if g.extreme else "takes minima and maxima"


def build(g: RankGeometry, greatest: bool | None = None) -> Run:
    """Tables and sizes of one geometry, whose rank says what is wanted unless it is named."""
    if g.numbers == 0:
        return lambda arrays, outputs: None
    greatest = g.rank > 0 if greatest is None else greatest
    n, deep, h, w, c = g.stack
    size, above, beside = g.dtype.itemsize, g.footprint.rows - 1, g.footprint.columns - 1
    high, wide = min(h, _ROWS), min(w, max(1, _LINE_BYTES // (c * size)))
    pitch = -(-(wide + beside) * c * size // LINE) * LINE
    far, down, across = np.nonzero(g.window)
    offsets = ((far * (high + above) + down) * pitch + across * c * size).astype(np.int64)
    rows = np.append(g.rows(), np.full(high + above, -1))
    columns, constant, slices = g.columns(), g.constant, g.slices()
    total = slices.shape[1] * (high + above) * pitch + LINE
    tasks = n * deep * -(-h // high) * -(-w // wide)
    ns = g.numbers * size * offsets.size / 100
    sizes = h, w, c, offsets.size, g.left, high, wide, above, beside, pitch, total, *slices.shape
    template = Template(8, sizes)
    worker = _extremes.address(g.dtype.name, greatest)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], offsets, rows, columns, constant, scratch, slices)
        launch(worker, tasks, addressof(block), ns)

    return run


def build_minimum(g: RankGeometry) -> Run:
    """What runs a planned minimum."""
    return build(g, greatest=False)


def build_maximum(g: RankGeometry) -> Run:
    """What runs a planned maximum."""
    return build(g, greatest=True)
