"""The "rows" variant: rows are copied whole; in the gradient a task owns rows of the table, so that no two threads add
into one.

The numbers are sorted by counting, which keeps the order of equal ones: ``order[starts[r]:starts[r + 1]]`` are the
terms of row r as they stand in the gradient.
"""

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import float64, int64

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.streams import read, stack, write
from ..machine.threads import launch
from ..operation import Run

if TYPE_CHECKING:
    from . import Embedding

_NUMBERS = 4096  # in a task
_STRIP = 256  # columns of sums on the stack
_NS_PER_NUMBER = 0.3


@kernel()
def taken_rows(dtype: str) -> Callable[..., Any]:
    """``y[i] = weight[indices[i]]``."""
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        indices = pointer(block[1], int64)
        count, width, group = block[3], block[4], block[5]
        for i in range(begin * group, min(end * group, count)):
            row, y = pointer(block[0] + indices[i] * width * size, real), pointer(block[2] + i * width * size, real)
            for d in range(width):
                write(y, d, read(row, d))

    return worker


@kernel()
def sorted_places() -> Callable[..., Any]:
    """``starts`` and ``order`` of a stable counting sort."""

    def worker(begin, end, slot, block):
        indices, starts, order = pointer(block[0], int64), pointer(block[1], int64), pointer(block[2], int64)
        count, rows = block[3], block[4]
        for r in range(rows + 2):
            starts[r] = 0
        for i in range(count):
            starts[indices[i] + 2] += 1
        for r in range(rows):
            starts[r + 2] += starts[r + 1]
        for i in range(count):  # starts[r + 1] runs from where row r begins to where it ends
            order[starts[indices[i] + 1]] = i
            starts[indices[i] + 1] += 1

    return worker


@kernel()
def added_rows(dtype: str) -> Callable[..., Any]:
    """``gw[r] = sum of gy[i] over order[starts[r]:starts[r + 1]]``."""
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        starts, order = pointer(block[1], int64), pointer(block[2], int64)
        rows, width, group = block[4], block[5], block[6]
        sums = stack(_STRIP, float64)
        for r in range(begin * group, min(end * group, rows)):
            for column in range(0, width, _STRIP):
                columns = min(_STRIP, width - column)
                for c in range(columns):
                    sums[c] = 0.0
                for k in range(starts[r], starts[r + 1]):
                    gy = pointer(block[0] + (order[k] * width + column) * size, real)
                    for c in range(columns):
                        sums[c] += float64(read(gy, c))
                gw = pointer(block[3] + (r * width + column) * size, real)
                for c in range(columns):
                    gw[c] = scalar(sums[c])

    return worker


def build(g: "Embedding") -> Run:
    """What runs a planned `embedding`."""
    group = max(1, _NUMBERS // max(1, g.width))
    address, template = taken_rows.address(g.dtype.name), Template(3, [g.taken, g.width, group])
    tasks, ns = -(-g.taken // group), g.taken * g.width * _NS_PER_NUMBER

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(address, tasks, ctypes.addressof(block), ns)

    return run


def build_grad(g: "Embedding") -> Run:
    """What runs a planned `embedding_grad`."""
    group = max(1, _NUMBERS // max(1, g.width))
    sort, question = sorted_places.address(), Template(3, [g.taken, g.rows])
    add, template = added_rows.address(g.dtype.name), Template(4, [g.rows, g.width, group])
    tasks, ns = -(-g.rows // group), (g.taken + g.rows) * g.width * _NS_PER_NUMBER

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, indices = arrays
        starts, order = empty((g.rows + 2,), np.int64), empty((g.taken,), np.int64)
        block = question.filled(indices, starts, order)
        launch(sort, 1, ctypes.addressof(block), 0.0)
        block = template.filled(gy, starts, order, *outputs)
        launch(add, tasks, ctypes.addressof(block), ns)

    return run
