"""Variant "sums" of the mean squared error: sums over fixed runs of numbers, added in order.

The runs are cut from the shape alone, so the result does not depend on how many threads there are.
"""

from typing import Any

import numpy as np
from numba import types

from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import block_of, launch
from ..operation import Run
from .geometry import ErrorGeometry

_RUN = 16384


@kernel()
def _squared_error(dtype: str):  # type: ignore[no-untyped-def]
    number = getattr(types, dtype)

    def work(begin, end, slot, block):  # type: ignore[no-untyped-def]
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
    runs = -(-g.count // _RUN)
    ns = g.n * g.count * g.dtype.itemsize * 0.1

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        sums = empty((g.n, runs), np.float64)
        words = (arrays[0].ctypes.data, arrays[1].ctypes.data, sums.ctypes.data, g.count, runs, _RUN)
        launch(_squared_error, (g.dtype.name,), g.n * runs, block_of(words), ns)
        outputs[0][...] = (sums.sum(axis=1) / g.count).reshape(outputs[0].shape)

    return run
