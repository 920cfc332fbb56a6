"""Variant "rows": places under windows, one row of windows at a time.

The taps of a window are gone over from the last to the first, and each overwrites the places of those columns whose
number it equals: the first one in the window stays. A row of places stays in the first-level cache meanwhile.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from .geometry import PlacesGeometry


@kernel()
def _places(dtype: str) -> Any:
    """Task: one row of windows of one image."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        x, y, found = block[0], block[1], block[2]
        down, across = pointer(block[3], types.int64), pointer(block[4], types.int64)
        columns = pointer(block[5], types.int32)
        taps, h, w, c, p, q = block[6], block[7], block[8], block[9], block[10], block[11]
        for task in range(begin, end):
            image, row = task // p, task % p
            wanted = pointer(y + task * q * c * size, number)
            places = pointer(found + task * q * c * 4, types.int32)
            for i in range(q * c):
                write(places, i, types.int32(-1))
            for t in range(taps - 1, -1, -1):
                first = (row + down[t]) * w + across[t]
                numbers = pointer(x + (image * h * w + first) * c * size, number)
                for i in range(q * c):
                    a, b = read(numbers, i), read(wanted, i)
                    equal = (a == b) | ((a != a) & (b != b))
                    write(places, i, types.int32(first + read(columns, i)) if equal else places[i])

    return work


def build(g: PlacesGeometry) -> Run:
    """Tables and sizes of one geometry."""
    (n, p, q, c), _ = g.outputs[0]
    if n * p * q * c == 0:
        return lambda arrays, outputs: None
    down, across = (axis.astype(np.int64) for axis in np.nonzero(g.footprint.array))
    columns = np.repeat(np.arange(q, dtype=np.int32), c)
    template = Template(6, (down.size, *g.shape[1:], p, q))
    worker = _places.address(g.dtype.name)
    ns = n * p * q * c * down.size * 0.3

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs, down, across, columns)
        launch(worker, n * p, addressof(block), ns)

    return run
