"""The "rows" variant of max pooling and its gradients: all channels of a pixel at once, in vector registers.

A window's pixels are compared four at a time; comparing one twice changes nothing, so the last four may repeat it. The
gradient is gathered: each pixel of the image takes, of the windows that it lies in, what those passed on that found
their greatest number there. So no two tasks write to one place, and sums have one order. Where windows do not overlap,
there is nothing to gather: each spreads its gradient over its own pixels, and is read once.
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
from ..machine.rows import ADDED, PLACES, max_rows, spread_chosen, sum_chosen
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


@register_jitable
def _zeros(address, count, real):
    numbers = pointer(address, real)
    for i in range(count):
        write(numbers, i, real(0))


@kernel()
def spread(itemsize: int) -> Callable[..., Any]:
    """Task: one row of windows of one image, with the rows of pixels up to the next one's.

    block = gy, places, gx, the rows of windows (first, end; of one more, where the image ends), their columns
    likewise, H, W, P, Q, C
    """
    real = float32 if itemsize == 4 else float64

    def worker(begin, end, slot, block):
        rows, columns = pointer(block[3], int64), pointer(block[4], int64)
        H, W, P, Q, C = block[5], block[6], block[7], block[8], block[9]
        pixel = C * itemsize
        for task in range(begin, end):
            n = task // P
            p = task - n * P
            image = block[2] + n * H * W * pixel
            top, bottom, following = rows[2 * p], rows[2 * p + 1], rows[2 * p + 2]
            if p == 0:
                _zeros(image, top * W * C, real)
            _zeros(image + bottom * W * pixel, (following - bottom) * W * C, real)
            for h in range(top, bottom):
                _zeros(image + h * W * pixel, columns[0] * C, real)
            for q in range(Q):
                left, right, beyond = columns[2 * q], columns[2 * q + 1], columns[2 * q + 2]
                gy, places = block[0] + (task * Q + q) * pixel, block[1] + (task * Q + q) * C * 4
                i, j, many = int64(0), int64(0), (bottom - top) * (right - left)
                for _ in range(0, many, 4):
                    a = (top + i) * W + left + j
                    i, j = _following(i, j, bottom - top, right - left)
                    b = (top + i) * W + left + j
                    i, j = _following(i, j, bottom - top, right - left)
                    c = (top + i) * W + left + j
                    i, j = _following(i, j, bottom - top, right - left)
                    d = (top + i) * W + left + j
                    i, j = _following(i, j, bottom - top, right - left)
                    at_a, at_b, at_c, at_d = image + a * pixel, image + b * pixel, image + c * pixel, image + d * pixel
                    spread_chosen(itemsize, gy, places, at_a, at_b, at_c, at_d, a, b, c, d, C)
                for h in range(top, bottom if beyond > right else top):
                    _zeros(image + (h * W + right) * pixel, (beyond - right) * C, real)

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


def _bounds(windows: list[range], size: int) -> np.ndarray | None:
    """First and end of each window and, at last, of the image; None where windows overlap or have gaps."""
    if any(window.step > 1 and len(window) > 1 for window in windows):
        return None
    bounds = np.array([*[end for w in windows for end in (w[0], w[-1] + 1)], size], np.int64)
    return bounds if (np.diff(bounds) >= 0).all() else None


def build_grad(g: Pooling) -> Run:
    """What runs a planned gradient of max pooling."""
    bounds = [_bounds(g.windows(axis), g.image[1 + axis]) for axis in (0, 1)]
    apart = [table for table in bounds if table is not None]
    if len(apart) == 2:
        tables, worker, tasks = apart, spread.address(g.dtype.itemsize), g.image[0] * g.p
    else:
        tables, worker = _tables(g, transposed=True), gathered.address(g.dtype.itemsize)
        tasks = g.image[0] * g.image[1]
    template = Template(3, [*map(address_of, tables), *_sizes(g)])
    ns = g.flops * _NS_PER_TAP

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
