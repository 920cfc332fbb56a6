"""Variant "sums" of the mean squared error: sums over fixed runs of numbers, added in order.

The runs are cut from the shape alone, so the result does not depend on how many threads there are.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch
from ..operation import Run
from .geometry import ErrorGeometry

_RUN = 16384


@kernel()
def _squared_error(dtype: str) -> Any:
    number = getattr(types, dtype)

    def work(begin, end, slot, block):
        x, y, sums = pointer(block[0], number), pointer(block[1], number), pointer(block[2], types.float64)
        count, runs, run = block[3], block[4], block[5]
        for task in range(begin, end):
            first = task // runs * count + task % runs * run
            last = min(first + run, task // runs * count + count)
            total = 0.0
            for i in range(first, last):
                difference = types.float64(x[i]) - types.float64(y[i])
                total += difference * difference
            sums[task] = total

    return work


def build(g: ErrorGeometry) -> Run:
    runs = -(-g.size // _RUN)
    ns = g.n * g.size * g.dtype.itemsize * 0.1

    template = Template(3, (g.size, runs, _RUN))
    worker = _squared_error.address(g.dtype.name)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        sums = empty((g.n, runs), np.float64)
        block = template.filled(*arrays, sums)
        launch(worker, g.n * runs, addressof(block), ns)
        outputs[0][...] = (sums.sum(axis=1) / g.size).reshape(outputs[0].shape)

    return run
