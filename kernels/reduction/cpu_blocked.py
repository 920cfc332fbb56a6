"""The "blocked" variant: sums over the rows of (outer, rows, inner) arrays in float64, in an order fixed by the shape.

Float32 numbers are added four at a time, and those sums in float64. To widen every number would take as long as
reading it from the last-level cache; to widen every fourth costs next to nothing, and two roundings to float32 harm a
sum no more than its own does, however many terms there are. A large common offset does not harm it either.

Where there are few results, the rows are cut into chunks (by the shape, never by the number of threads), whose partial
sums a second pass adds.

    inner == 1   each result is the sum of contiguous numbers: independent partial sums in vector registers
    inner > 1    results lie side by side: up to 256 columns of partial sums on the stack take four rows at a time.
                 Fewer than 32 columns would leave most of a register empty; there several rows are taken as one
                 longer row, and its sums folded at the end.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float64
from numba.extending import register_jitable

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import read, stack
from ..machine.threads import launch
from ..operation import Run
from .geometry import Pass, Reduction

WIDTH = 256  # columns of partial sums on the stack
_NARROW = 32
_CHUNK = 16384  # numbers in a task
_TASKS = 64  # chunks are no smaller than makes this many tasks, so that there are few partial sums
_NS_PER_NUMBER = 0.15


@register_jitable
def add_rows(x, sums, rows, width, stride):
    """``sums[c] += sum over rows of x[row * stride + c]``."""
    row = 0
    while row + 4 <= rows:
        first = row * stride
        second, third, fourth = first + stride, first + 2 * stride, first + 3 * stride
        for c in range(width):
            sums[c] += float64((read(x, first + c) + read(x, second + c)) + (read(x, third + c) + read(x, fourth + c)))
        row += 4
    while row < rows:
        for c in range(width):
            sums[c] += float64(read(x, row * stride + c))
        row += 1


@register_jitable
def sum_rows(x, sums, rows, width, stride):
    """`add_rows` from zero, several rows at a time where they are short and follow one another."""
    fold = WIDTH // width if width == stride and width < _NARROW else 1
    wide = fold * width
    for c in range(wide):
        sums[c] = 0.0
    whole = rows // fold
    add_rows(x, sums, whole, wide, fold * stride)
    for part in range(1, fold):
        for c in range(width):
            sums[c] += sums[part * width + c]
    for row in range(whole * fold, rows):
        for c in range(width):
            sums[c] += float64(read(x, row * stride + c))


@kernel()
def sum_contiguous(dtype: str, result: str) -> Callable[..., Any]:
    """Sums of contiguous numbers: unit ``o * chunks + chunk`` is a piece of row o."""
    (real, scalar), (out_real, out_scalar) = TYPES[dtype], TYPES[result]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        y = pointer(block[1], out_real)
        outer, rows, chunk, chunks, group = block[2], block[3], block[5], block[6], block[7]
        scale = float_bits(block[8])
        for unit in range(begin * group, min(end * group, outer * chunks)):
            o = unit // chunks
            first = (unit - o * chunks) * chunk
            x = pointer(block[0] + (o * rows + first) * size, real)
            total, count = 0.0, min(chunk, rows - first)
            quarter = count // 4
            second, third = quarter, 2 * quarter
            fourth = second + third
            for i in range(quarter):
                total += float64((read(x, i) + read(x, second + i)) + (read(x, third + i) + read(x, fourth + i)))
            for i in range(4 * quarter, count):
                total += float64(read(x, i))
            y[unit] = out_scalar(total * scale)

    return worker


@kernel()
def sum_columns(dtype: str, result: str) -> Callable[..., Any]:
    """Sums of columns: unit ``(o * chunks + chunk) * strips + strip`` is up to `WIDTH` columns of a piece of o."""
    (real, scalar), (out_real, out_scalar) = TYPES[dtype], TYPES[result]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        y = pointer(block[1], out_real)
        outer, rows, inner, chunk, chunks, group = block[2], block[3], block[4], block[5], block[6], block[7]
        scale = float_bits(block[8])
        strips = (inner + WIDTH - 1) // WIDTH
        sums = stack(WIDTH, float64)
        for unit in range(begin * group, min(end * group, outer * chunks * strips)):
            piece = unit // strips
            column = (unit - piece * strips) * WIDTH
            o = piece // chunks
            first = (piece - o * chunks) * chunk
            width = min(WIDTH, inner - column)
            x = pointer(block[0] + ((o * rows + first) * inner + column) * size, real)
            sum_rows(x, sums, min(chunk, rows - first), width, inner)
            for c in range(width):
                y[piece * inner + column + c] = out_scalar(sums[c] * scale)

    return worker


class Step:
    """One launch: sum chunks of rows of a pass."""

    def __init__(self, p: Pass, chunk: int, dtype: str, result: str, scale: float) -> None:
        self.chunks = max(1, -(-p.rows // chunk))
        self.size = p.outer * self.chunks * p.inner  # numbers in the result
        units = p.outer * self.chunks * (1 if p.inner == 1 else -(-p.inner // WIDTH))
        group = max(1, _CHUNK // max(1, min(chunk, p.rows) * min(p.inner, WIDTH)))
        self.tasks = -(-units // group)
        self.address = (sum_contiguous if p.inner == 1 else sum_columns).address(dtype, result)
        self.template = Template(2, [*p, chunk, self.chunks, group, word_of(scale)])
        self.ns = p.outer * p.rows * p.inner * _NS_PER_NUMBER

    def run(self, x: np.ndarray, y: np.ndarray) -> None:
        block = self.template.filled(x, y)
        launch(self.address, self.tasks, ctypes.addressof(block), self.ns)


def steps(passes: tuple[Pass, ...], dtype: str, scale: float) -> list[Step]:
    """The launches of consecutive passes: float64 in between, ``dtype`` and the scale at the end."""
    pieces: list[tuple[Pass, int]] = []
    for p in passes:
        units = p.outer * -(-p.inner // WIDTH)
        chunk = max(-(-p.rows * units // _TASKS), _CHUNK // max(1, p.inner), 1) if units < _TASKS else max(1, p.rows)
        pieces.append((p, chunk))
        if chunk < p.rows:
            chunks = -(-p.rows // chunk)
            pieces.append((Pass(p.outer, chunks, p.inner), chunks))
    made, last = [], len(pieces) - 1
    for index, (p, chunk) in enumerate(pieces):
        source = dtype if index == 0 else "float64"
        made.append(Step(p, chunk, source, dtype if index == last else "float64", scale if index == last else 1.0))
    return made


def build(g: Reduction) -> Run:
    """What runs a planned call."""
    sequence = steps(g.passes, g.dtype.name, g.scale)
    double = np.dtype(np.float64)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        source = arrays[0]
        for step in sequence[:-1]:
            partial = empty((step.size,), double)
            step.run(source, partial)
            source = partial
        sequence[-1].run(source, outputs[0])

    return run
