"""The "fused" variant of the norm: one pass over all arrays laid end to end, a partial sum for each task."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import float64, int64

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import address_of
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.streams import read
from ..machine.threads import launch
from ..operation import Run
from .in_place import CHUNK, addresses

if TYPE_CHECKING:
    from .norm import Arrays

_NS_PER_NUMBER = 0.15


@kernel()
def squares(dtype: str) -> Callable[..., Any]:
    """Sums of squares, one for each task; the table has the arrays' ends, then their addresses."""
    real, _ = TYPES[dtype]

    def worker(begin, end, slot, block):
        table, first_rows, sums = pointer(block[0], int64), pointer(block[1], int64), pointer(block[2], float64)
        rows, total = block[3], block[4]
        for task in range(begin, end):
            row, at, part = first_rows[task], task * CHUNK, 0.0
            stop = min(at + CHUNK, total)
            while at < stop:
                upto = min(stop, table[row])
                base = table[row - 1] if row > 0 else 0
                array = pointer(table[rows + row], real)
                for i in range(at - base, upto - base):
                    value = float64(read(array, i))
                    part += value * value
                at = upto
                row += 1
            sums[task] = part

    return worker


def build(g: "Arrays") -> Run:
    """What runs a planned call."""
    worker, ends = squares.address(g.dtype.name), np.cumsum(g.sizes, dtype=np.int64)
    tasks = -(-g.size // CHUNK)
    first_rows = np.searchsorted(ends, np.arange(tasks) * CHUNK, side="right")
    ns = g.size * _NS_PER_NUMBER

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        table, sums = np.array([ends, addresses(arrays)], np.int64), np.zeros(tasks)
        words = (address_of(table), address_of(first_rows), address_of(sums), len(g.sizes), g.size)
        block = np.array(words, np.int64)
        launch(worker, tasks, address_of(block), ns)
        outputs[0][()] = math.sqrt(float(sums.sum()))

    return run
