"""Variant "recursive": the chain of recursive filters of poles.py, vectorised over lines.

A line cannot be computed in parallel with itself, so lines stand side by side. Down the columns, neighbours in memory
belong to different lines, and a strip of them is one vectorised loop. Along the rows, the lines are a few rows, whose
chains of additions the processor interleaves; where channels fill a vector, they are the lines instead.
"""

import math
from ctypes import addressof
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from ..machine.blocks import Template, address_of
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch
from ..operation import Run
from .poles import filter_tables

if TYPE_CHECKING:
    from . import SplineGeometry

_STRIP = 256  # columns of a strip: some hundred rows of them stay in the second-level cache
_ROWS = 8  # rows side by side
_NS = 1.5


@kernel()
def _lines(dtype: str, adjoint: bool, together: bool) -> Any:
    """Task: up to ``side`` lines of an image; ``together`` says that they are neighbours in memory."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        source, target = block[0], block[1]
        starts, places = pointer(block[2], types.int64), pointer(block[3], types.int64)
        weights, poles = pointer(block[4], number), pointer(block[5], number)
        n, step, lane, count, side, image, channels, many = (
            block[6], block[7], block[8], block[9], block[10], block[11], block[12], block[13],
        )  # fmt: skip
        gain = poles[many]
        blocks = (count + side - 1) // side
        for task in range(begin, end):
            channel, rest = task % channels, task // channels
            first = rest % blocks * side
            wide = min(side, count - first)
            near = np.int64(1) if together else lane
            offset = (rest // blocks * image + channel + first * near) * size
            x, y = pointer(source + offset, number), pointer(target + offset, number)
            for i in range(n):
                for j in range(wide):
                    y[i * step + j * near] = gain * x[i * step + j * near]
            last = (n - 1) * step
            for turn in range(many):
                k = many - 1 - turn if adjoint else turn
                before, after, stop, pole = starts[2 * k], starts[2 * k + 1], starts[2 * k + 2], poles[k]
                if adjoint:
                    for i in range(n - 1):
                        for j in range(wide):
                            here = y[i * step + j * near]
                            y[(i + 1) * step + j * near] += pole * here
                            y[i * step + j * near] = -pole * here
                    for j in range(wide):
                        here = y[last + j * near]
                        y[last + j * near] = number(0)
                        for t in range(after, stop):
                            y[places[t] * step + j * near] += weights[t] * here
                    for i in range(n - 1, 0, -1):
                        for j in range(wide):
                            y[(i - 1) * step + j * near] += pole * y[i * step + j * near]
                    for j in range(wide):
                        here = y[j * near]
                        y[j * near] = number(0)
                        for t in range(before, after):
                            y[places[t] * step + j * near] += weights[t] * here
                    continue
                for j in range(wide):
                    total = number(0)
                    for t in range(before, after):
                        total += weights[t] * y[places[t] * step + j * near]
                    y[j * near] = total
                for i in range(1, n):
                    for j in range(wide):
                        y[i * step + j * near] += pole * y[(i - 1) * step + j * near]
                for j in range(wide):
                    total = number(0)
                    for t in range(after, stop):
                        total += weights[t] * y[places[t] * step + j * near]
                    y[last + j * near] = total
                for i in range(n - 2, -1, -1):
                    for j in range(wide):
                        y[i * step + j * near] = pole * (y[(i + 1) * step + j * near] - y[i * step + j * near])

    return work


class _Axis:
    """Filters all lines along one axis: a launch."""

    def __init__(self, g: "SplineGeometry", rows: bool, adjoint: bool) -> None:
        N, H, W, C = g.image
        n = W if rows else H
        self.tables = filter_tables(n, g.degree, g.border, g.dtype)
        poles = len(self.tables[3]) - 1
        if not rows:
            images, step, lane, count, side, image, channels = N, W * C, 1, W * C, _STRIP, H * W * C, 1
        elif lanes(g.dtype.itemsize) <= C:
            images, step, lane, count, side, image, channels = N * H, C, 1, C, _STRIP, W * C, 1
        else:
            images, step, lane, count, side, image, channels = 1, C, W * C, N * H, _ROWS, N * H * W * C, C
        self.tasks = images * -(-count // side) * channels if math.prod(g.image) else 0
        words = (n, step, lane, count, side, image, channels, poles)
        self.template = Template(2, [*map(address_of, self.tables), *words])
        self.worker = _lines.address(g.dtype.name, adjoint, lane == 1)
        self.ns = math.prod(g.image) * poles * _NS

    def __call__(self, source: np.ndarray, target: np.ndarray) -> None:
        block = self.template.filled(source, target)
        launch(self.worker, self.tasks, addressof(block), self.ns)


def _built(g: "SplineGeometry", adjoint: bool) -> Run:
    down, along = _Axis(g, False, adjoint), _Axis(g, True, adjoint)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        down(arrays[0], outputs[0])
        along(outputs[0], outputs[0])

    return run


def build(g: "SplineGeometry") -> Run:
    """What runs a planned `spline_filter2d`."""
    return _built(g, adjoint=False)


def build_grad(g: "SplineGeometry") -> Run:
    """What runs a planned `spline_filter2d_grad`."""
    return _built(g, adjoint=True)
