"""The "rows" variant: a task is as many rows as a thousand numbers make; all passes but the first hit the cache.

Few classes make rows shorter than a vector register. So the exponentials, which cost the most, are taken over all
numbers of a block in one loop, whatever the rows; only sums and maxima go row by row. What a worker has written and
needs again it reads plainly: `read` is for what no one writes.
"""

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import float64
from numba.extending import register_jitable

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.polynomials import exp32, exp64, log64, select
from ..machine.streams import read, stack, write
from ..machine.threads import launch
from ..operation import Run

if TYPE_CHECKING:
    from . import Rows

BLOCK = 1024  # numbers in a task, or one longer row
_LANES = 16
_NS_PER_NUMBER = {"softmax": 0.9, "log_softmax": 0.9, "softmax_grad": 0.4, "log_softmax_grad": 0.9}
EXP = {"float32": exp32, "float64": exp64}


def row_functions(dtype: str) -> tuple[Callable[..., Any], ...]:
    """``largest(x, first, columns)``, and ``shifted(x, y, rows, columns)``, which writes x less its row's largest.

    A NaN may be passed over as the largest number; the exponential of that NaN itself makes its row NaN.
    """
    real, _ = TYPES[dtype]

    @register_jitable
    def largest(x, first, columns):
        if columns < 2 * _LANES:
            top = x[first]
            for c in range(1, columns):
                top = select(x[first + c] > top, x[first + c], top)
            return top
        tops = stack(_LANES, real)
        for lane in range(_LANES):
            tops[lane] = x[first + lane]
        c = _LANES
        while c < columns:
            start = first + min(c, columns - _LANES)  # the last step may look at some numbers again
            for lane in range(_LANES):
                value = read(x, start + lane)
                tops[lane] = select(value > tops[lane], value, tops[lane])
            c += _LANES
        top = tops[0]
        for lane in range(1, _LANES):
            top = select(tops[lane] > top, tops[lane], top)
        return top

    @register_jitable
    def shifted(x, y, rows, columns):
        for row in range(rows):
            first = row * columns
            top = largest(x, first, columns)
            for c in range(columns):
                write(y, first + c, read(x, first + c) - top)

    return largest, shifted


@kernel()
def softmax(dtype: str) -> Callable[..., Any]:
    """``y = exp(x) / sum(exp(x))``."""
    (real, scalar), exp = TYPES[dtype], EXP[dtype]
    size = np.dtype(scalar).itemsize
    _, shifted = row_functions(dtype)

    def worker(begin, end, slot, block):
        total, columns, group = block[2], block[3], block[4]
        for task in range(begin, end):
            rows = min(group, total - task * group)
            start = task * group * columns * size
            x, y = pointer(block[0] + start, real), pointer(block[1] + start, real)
            shifted(x, y, rows, columns)
            for i in range(rows * columns):
                write(y, i, exp(y[i]))
            for row in range(rows):
                first, whole = row * columns, 0.0
                for c in range(columns):
                    whole += float64(y[first + c])
                factor = scalar(1.0 / whole)
                for c in range(columns):
                    write(y, first + c, y[first + c] * factor)

    return worker


@kernel()
def log_softmax(dtype: str) -> Callable[..., Any]:
    """``y = x - log(sum(exp(x)))``."""
    (real, scalar), exp = TYPES[dtype], EXP[dtype]
    size = np.dtype(scalar).itemsize
    _, shifted = row_functions(dtype)

    def worker(begin, end, slot, block):
        total, columns, group = block[2], block[3], block[4]
        powers = stack(BLOCK, real)
        for task in range(begin, end):
            rows = min(group, total - task * group)
            start = task * group * columns * size
            x, y = pointer(block[0] + start, real), pointer(block[1] + start, real)
            shifted(x, y, rows, columns)
            if columns <= BLOCK:
                for i in range(rows * columns):
                    powers[i] = exp(y[i])
            for row in range(rows):
                first, whole = row * columns, 0.0
                if columns <= BLOCK:
                    for c in range(columns):
                        whole += float64(powers[first + c])
                else:
                    for c in range(columns):
                        whole += float64(exp(y[first + c]))
                less = scalar(log64(whole))
                for c in range(columns):
                    write(y, first + c, y[first + c] - less)

    return worker


@kernel()
def softmax_grad(dtype: str) -> Callable[..., Any]:
    """``gx = y * (gy - sum(gy * y))``."""
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        total, columns, group = block[3], block[4], block[5]
        for row in range(begin * group, min(end * group, total)):
            start = row * columns * size
            gy, y = pointer(block[0] + start, real), pointer(block[1] + start, real)
            gx, whole = pointer(block[2] + start, real), 0.0
            for c in range(columns):
                whole += float64(read(gy, c)) * float64(read(y, c))
            less = scalar(whole)
            for c in range(columns):
                write(gx, c, read(y, c) * (read(gy, c) - less))

    return worker


@kernel()
def log_softmax_grad(dtype: str) -> Callable[..., Any]:
    """``gx = gy - exp(y) * sum(gy)``."""
    (real, scalar), exp = TYPES[dtype], EXP[dtype]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        total, columns, group = block[3], block[4], block[5]
        for task in range(begin, end):
            rows = min(group, total - task * group)
            start = task * group * columns * size
            gy, y = pointer(block[0] + start, real), pointer(block[1] + start, real)
            gx = pointer(block[2] + start, real)
            for i in range(rows * columns):
                write(gx, i, exp(read(y, i)))
            for row in range(rows):
                first, whole = row * columns, 0.0
                for c in range(columns):
                    whole += float64(read(gy, first + c))
                factor = scalar(whole)
                for c in range(columns):
                    write(gx, first + c, read(gy, first + c) - gx[first + c] * factor)

    return worker


_FAMILIES = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "softmax_grad": softmax_grad,
    "log_softmax_grad": log_softmax_grad,
}


def build(g: "Rows") -> Run:
    """What runs a planned call."""
    group = max(1, BLOCK // max(1, g.columns))
    template = Template(g.operands + 1, [g.rows, g.columns, group])
    address = _FAMILIES[g.operation].address(g.dtype.name)
    tasks = -(-g.rows // group) if g.columns else 0
    ns = g.size * _NS_PER_NUMBER[g.operation]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(address, tasks, ctypes.addressof(block), ns)

    return run
