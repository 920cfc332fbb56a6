"""Variant "flood": the classes are copied into a map with a border, which is flooded (flooding.py)."""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.threads import launch
from ..operation import Run
from .flooding import CELLS, Flooding, maps_of
from .geometry import HysteresisGeometry


@kernel()
def _fill() -> Any:
    def work(begin, end, slot, block):
        x, cells = block[0], block[1]
        size, lines, rows, line, row, w = block[2], block[3], block[4], block[5], block[6], block[7]
        high = line // row  # rows of a line, border included
        for task in range(begin, end):
            place, image = task % ((lines + 2) * high), task // ((lines + 2) * high)
            p, q = place // high - 1, place % high - (1 if high > 1 else 0)
            target = pointer(cells + image * size + place * row, types.uint8)
            if p < 0 or p >= lines or q < 0 or q >= rows:
                for i in range(row):
                    target[i] = 0
                continue
            source = pointer(x + ((image * lines + p) * rows + q) * w, types.uint8)
            target[0] = 0
            for i in range(w):
                target[i + 1] = source[i]
            for i in range(w + 1, row):
                target[i] = 0

    return work


def build(g: HysteresisGeometry) -> Run:
    """Sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    maps = maps_of(g.n, g.shape, g.connectivity)
    flooding = Flooding(maps, g.shape[-1], 1)
    template = Template(2, (maps.size, maps.lines, maps.rows, maps.line, maps.row, g.shape[-1]))
    worker, tasks = _fill.address(), maps.n * maps.size // maps.row

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        memory, stacks = maps.new(), flooding.stacks()
        block = template.filled(arrays[0], memory[CELLS:])
        launch(worker, tasks, addressof(block), maps.n * maps.size * 0.1)
        flooding.bands(memory, stacks)
        flooding.finish(memory, stacks, outputs[0].view(np.uint8))

    return run
