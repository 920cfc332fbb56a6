"""Variant "heap" of inpainting by fast marching: a binary heap, and what all channels share computed once.

One image is one task, because every pixel depends on those filled before it; the text of it stands in marching_fill.py.
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
from .geometry import MarchingGeometry
from .marching_fill import distances, marcher, real_of

_LINE = 64


@kernel(fastmath=False)
def _march(dtype: str, telea: bool) -> Any:
    number, real = getattr(types, dtype), getattr(types, np.dtype(real_of(dtype)).name)
    size = number.bitwidth // 8
    march = marcher(dtype, telea)

    def work(begin, end, slot, block):
        h, w, c, radius = block[4], block[5], block[6], block[7]
        room = (w + 2) * (h + 2)
        scratch = block[3] + slot * block[8]
        marks = scratch + 24 * c + 20 * room
        for image in range(begin, end):
            march(
                pointer(block[0] + image * h * w * c * size, number),
                pointer(block[1] + image * h * w, types.uint8),
                pointer(block[2], real),
                pointer(scratch, real),
                pointer(scratch + 24 * c, types.int64),
                pointer(scratch + 24 * c + 8 * room, types.int64),
                pointer(scratch + 24 * c + 16 * room, types.float32),
                pointer(marks, types.uint8),
                pointer(marks + room, types.uint8),
                pointer(marks + 2 * room, types.uint8),
                h,
                w,
                c,
                radius,
            )

    return work


def build(g: MarchingGeometry) -> Run:
    """Room for the front of each thread's image, and the table of distances."""
    if g.n * g.h * g.w * g.c == 0:
        return lambda arrays, outputs: None
    room = (g.h + 2) * (g.w + 2)
    scratch = -(-(22 * room + 24 * g.c + g.w + 2) // _LINE) * _LINE
    table = distances(g.radius, g.c, g.telea, real_of(g.dtype.name))
    template = Template(4, (g.h, g.w, g.c, g.radius, scratch))
    worker = _march.address(g.dtype.name, g.telea)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mask = arrays
        np.copyto(outputs[0], x)
        buffer = empty((min(num_threads(), g.n) * scratch,), np.uint8)
        block = template.filled(outputs[0], mask, table, buffer)
        launch(worker, g.n, addressof(block), 20.0 * g.n * room)

    return run
