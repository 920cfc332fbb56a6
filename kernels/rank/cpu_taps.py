"""Variant "taps": minima and maxima under windows of any shape.

Tiles are copied with what lies around them, so that each tap of the window is a distance in memory, and all taps are
compared: a vector of pixels takes one instruction for each pixel of the window (three for floats, to keep NaN).

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
from .tiles import LINE, copier

_ROWS, _LINE_BYTES = 16, 4096  # of results in a tile


@kernel()
def _extremes(dtype: str, greatest: bool) -> Any:
    """Task: one tile of one image."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    copy, extremes = copier(number, keys=False), extremes_of_rows(number, greatest)

    def work(begin, end, slot, block):
        x, y, offsets, rows, columns, constant = block[0], block[1], block[2], block[3], block[4], block[5]
        h, w, c, taps, left = block[7], block[8], block[9], block[10], block[11]
        high, wide, above, beside, pitch = block[12], block[13], block[14], block[15], block[16]
        bands, segments = -(-h // high), -(-w // wide)
        tile = (block[6] + LINE - 1) // LINE * LINE + slot * block[17]
        for task in range(begin, end):
            image, band, segment = task // segments // bands, task // segments % bands, task % segments
            p, q = band * high, segment * wide
            height, width = min(high, h - p), min(wide, w - q)
            copy(
                x + image * h * w * c * size, pointer(rows + p * 8, types.int64), height + above,
                pointer(columns + q * 8, types.int64), width + beside, w, c, left - q, constant, tile, pitch,
            )  # fmt: skip
            for r in range(height):
                target = y + (((image * h + p + r) * w + q) * c) * size
                extremes(offsets, taps, tile + r * pitch, target, width * c)

    return work


def _build(g: RankGeometry, greatest: bool) -> Run:
    """Tables and sizes of one geometry."""
    if g.numbers == 0:
        return lambda arrays, outputs: None
    n, h, w, c = g.shape
    size, above, beside = g.dtype.itemsize, g.footprint.rows - 1, g.footprint.columns - 1
    high, wide = min(h, _ROWS), min(w, max(1, _LINE_BYTES // (c * size)))
    pitch = -(-(wide + beside) * c * size // LINE) * LINE
    down, across = np.nonzero(g.footprint.array)
    offsets = (down * pitch + across * c * size).astype(np.int64)
    rows, columns, constant = g.rows(), g.columns(), g.constant
    total = (high + above) * pitch + LINE
    tasks = n * -(-h // high) * -(-w // wide)
    ns = g.numbers * size * offsets.size / 100
    template = Template(7, (h, w, c, offsets.size, g.left, high, wide, above, beside, pitch, total))
    worker = _extremes.address(g.dtype.name, greatest)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        scratch = empty((num_threads() * total + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], offsets, rows, columns, constant, scratch)
        launch(worker, tasks, addressof(block), ns)

    return run


def build_minimum(g: RankGeometry) -> Run:
    """What runs a planned minimum."""
    return _build(g, greatest=False)


def build_maximum(g: RankGeometry) -> Run:
    """What runs a planned maximum."""
    return _build(g, greatest=True)
