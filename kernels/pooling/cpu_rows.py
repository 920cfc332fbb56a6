"""The "rows" variant of max pooling and its gradients: all channels of a pixel at once, in vector registers.

A window's pixels are compared four at a time; comparing one twice changes nothing, so the last four may repeat it. The
gradient is gathered: each pixel of the image takes, of the windows that it lies in, what those passed on that found
their greatest number there. So no two tasks write to one place, and sums have one order.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float32, float64, int32, int64
from numba.extending import register_jitable

from ..machine.blocks import Template, address_of
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.rows import ADDED, PLACES, max_rows, sum_chosen
from ..machine.separable import Taps
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from .geometry import Pooling

_NS_PER_TAP = 0.06


@register_jitable
def _following(i, j, height, width):
    """The next of the pairs (i, j), columns first; the last one follows itself."""
    if j + 1 < width:
        return i, j + 1
    if i + 1 < height:
        return i + 1, 0
    return i, j


@kernel()
def max_of_windows(itemsize: int, mode: int) -> Callable[..., Any]:
    """Task: one row of one output image.

    block = x, y, places, the rows of windows (starts, index), their columns (starts, index), H, W, P, Q, C
    """
    again = mode | ADDED

    def worker(begin, end, slot, block):
        row_starts, row_index = pointer(block[3], int64), pointer(block[4], int64)
        column_starts, column_index = pointer(block[5], int64), pointer(block[6], int64)
        H, W, P, Q, C = block[7], block[8], block[9], block[10], block[11]
        pixel = C * itemsize
        for task in range(begin, end):
            n = task // P
            p = task - n * P
            image = block[0] + n * H * W * pixel
            first_row, height = row_starts[p], row_starts[p + 1] - row_starts[p]
            for q in range(Q):
                first_column, width = column_starts[q], column_starts[q + 1] - column_starts[q]
                target, places = block[1] + (task * Q + q) * pixel, block[2] + (task * Q + q) * C * 4
                i, j, left = int64(0), int64(0), height * width
                while left > 0:
                    a = row_index[first_row + i] * W + column_index[first_column + j]
                    i, j = _following(i, j, height, width)
                    b = row_index[first_row + i] * W + column_index[first_column + j]
                    i, j = _following(i, j, height, width)
                    c = row_index[first_row + i] * W + column_index[first_column + j]
                    i, j = _following(i, j, height, width)
                    d = row_index[first_row + i] * W + column_index[first_column + j]
                    i, j = _following(i, j, height, width)
                    at_a, at_b, at_c, at_d = image + a * pixel, image + b * pixel, image + c * pixel, image + d * pixel
                    if left == height * width:
                        max_rows(itemsize, 4, mode, target, places, at_a, at_b, at_c, at_d, a, b, c, d, C)
                    else:
                        max_rows(itemsize, 4, again, target, places, at_a, at_b, at_c, at_d, a, b, c, d, C)
                    left -= 4

    return worker


@kernel()
def gathered(itemsize: int) -> Callable[..., Any]:
    """Task: one row of one image.

    block = gy, places, gx, the rows of windows that a row of pixels lies in (starts, index), the columns likewise,
    H, W, P, Q, C
    """
    real = float32 if itemsize == 4 else float64

    def worker(begin, end, slot, block):
        row_starts, row_index = pointer(block[3], int64), pointer(block[4], int64)
        column_starts, column_index = pointer(block[5], int64), pointer(block[6], int64)
        H, W, P, Q, C = block[7], block[8], block[9], block[10], block[11]
        for task in range(begin, end):
            n = task // H
            h = task - n * H
            first_row, height = row_starts[h], row_starts[h + 1] - row_starts[h]
            for w in range(W):
                first_column, width = column_starts[w], column_starts[w + 1] - column_starts[w]
                target, place = block[2] + (task * W + w) * C * itemsize, h * W + w
                if height * width == 0:
                    numbers = pointer(target, real)
                    for c in range(C):
                        write(numbers, c, real(0))
                for i in range(height):
                    line = (n * P + row_index[first_row + i]) * Q
                    for j in range(0, width, 2):
                        a = (line + column_index[first_column + j]) * C
                        b = a
                        if j + 1 < width:
                            b = (line + column_index[first_column + j + 1]) * C
                        gy_a, gy_b = block[0] + a * itemsize, block[0] + b * itemsize
                        of_a, of_b = block[1] + a * 4, block[1] + b * 4
                        if i + j == 0:
                            if width == 1:
                                sum_chosen(itemsize, 1, 0, target, gy_a, 0, 0, 0, of_a, 0, 0, 0, place, C)
                            else:
                                sum_chosen(itemsize, 2, 0, target, gy_a, gy_b, 0, 0, of_a, of_b, 0, 0, place, C)
                        elif j + 1 < width:
                            sum_chosen(itemsize, 2, ADDED, target, gy_a, gy_b, 0, 0, of_a, of_b, 0, 0, place, C)
                        else:
                            sum_chosen(itemsize, 1, ADDED, target, gy_a, 0, 0, 0, of_a, 0, 0, 0, place, C)

    return worker


@kernel()
def taken(itemsize: int) -> Callable[..., Any]:
    """Task: one row of one output image. block = x, places, y, H * W, P, Q, C"""
    real = float32 if itemsize == 4 else float64

    def worker(begin, end, slot, block):
        pixels, P, Q, C = block[3], block[4], block[5], block[6]
        for task in range(begin, end):
            x = pointer(block[0] + task // P * pixels * C * itemsize, real)
            places, y = pointer(block[1] + task * Q * C * 4, int32), pointer(block[2] + task * Q * C * itemsize, real)
            for q in range(Q):
                for c in range(q * C, (q + 1) * C):
                    write(y, c, read(x, int64(read(places, c)) * C + c - q * C))

    return worker


def _tables(g: Pooling, transposed: bool) -> list[np.ndarray]:
    tables = []
    for axis in (0, 1):
        taps = Taps.of([[(i, 1.0) for i in window] for window in g.windows(axis)], g.image[1 + axis])
        taps = taps.transposed() if transposed else taps
        tables += [taps.starts, taps.indices]
    return tables


def _sizes(g: Pooling) -> list[int]:
    return [*g.image[1:3], g.p, g.q, g.image[3]]


def build(g: Pooling) -> Run:
    """What runs a planned max pooling, with places where the geometry has two outputs."""
    tables = _tables(g, transposed=False)
    template = Template(3, [*map(address_of, tables), *_sizes(g)])
    worker = max_of_windows.address(g.dtype.itemsize, PLACES if len(g.outputs) == 2 else 0)
    tasks, ns = g.image[0] * g.p, g.flops * _NS_PER_TAP

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...], tables: list[np.ndarray] = tables) -> None:
        block = template.filled(*arrays, *outputs)  # it has the addresses of the tables
        launch(worker, tasks, ctypes.addressof(block), ns)

    return run


def build_grad(g: Pooling) -> Run:
    """What runs a planned gradient of max pooling."""
    tables = _tables(g, transposed=True)
    template = Template(3, [*map(address_of, tables), *_sizes(g)])
    worker = gathered.address(g.dtype.itemsize)
    tasks, ns = g.image[0] * g.image[1], g.flops * _NS_PER_TAP

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...], tables: list[np.ndarray] = tables) -> None:
        block = template.filled(*arrays, *outputs)  # it has the addresses of the tables
        launch(worker, tasks, ctypes.addressof(block), ns)

    return run


def build_take(g: Pooling) -> Run:
    """What runs a planned `take_pixels`."""
    template = Template(3, [g.image[1] * g.image[2], g.p, g.q, g.image[3]])
    worker, tasks, ns = taken.address(g.dtype.itemsize), g.image[0] * g.p, g.flops * 1.0

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(worker, tasks, ctypes.addressof(block), ns)

    return run
