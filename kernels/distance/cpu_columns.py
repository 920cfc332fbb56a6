"""Variant "columns": the nearest zero of each pixel's column, then of all columns the nearest.

    columns    a sweep down and a sweep up leave in every pixel the row of the nearest zero of its column
    near       columns farther away than the distance found so far cannot help, so each block of pixels looks left and
               right, column by column, until its largest distance is less than the next step
    envelope   rows with a pixel that is farther from any zero than that: of the parabolas (q - j)**2 + height(j) that
               the columns j stand for, those that are lowest somewhere, from left to right, are kept on a stack

The near search (near.py) does integer arithmetic in vectors and takes as many steps as the distances are long; the
envelope takes a division or two for every pixel, however far. The distances of both are the same integers under the
root, so which of them a row takes cannot be seen.

Why rounding does no harm in the envelope: heights and squares are integers below 2**53. A boundary between two columns
lies on an integer, where it is exact, or farther from it than it is rounded.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import int32, types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import read, write
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import DistanceGeometry
from .near import block_size, nearest_of_block

_STRIP = 256  # columns of a task: its line of rows below stays in the first-level cache
_LINE = 64
_FAR = 1 << 29  # a row that is none, above or below
_NEAR = 64  # columns that the near search looks at on each side
_UNREACHED = 1 << 30
_LONGEST_NEAR = 1 << 14  # pixels on a side: squared distances stay below _UNREACHED


@kernel()
def _columns(dtype: str) -> Any:
    """Task: a strip of columns of one image.

    block = x, rows of the nearest zeros, scratch, h, w, strips
    """
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        h, w, strips = block[3], block[4], block[5]
        below = pointer((block[2] + _LINE - 1) // _LINE * _LINE + slot * 4 * _STRIP, int32)
        for task in range(begin, end):
            n, first = task // strips, task % strips * _STRIP
            count = min(_STRIP, w - first)
            start = n * h * w + first
            for j in range(count):
                below[j] = int32(-_FAR)
            for i in range(h):
                x = pointer(block[0] + (start + i * w) * size, number)
                rows = pointer(block[1] + (start + i * w) * 4, int32)
                for j in range(count):
                    row = int32(i) if x[j] == 0 else below[j]
                    below[j] = row
                    rows[j] = row
            for j in range(count):
                below[j] = int32(_FAR)
            for k in range(h):
                i = h - 1 - k
                rows = pointer(block[1] + (start + i * w) * 4, int32)
                for j in range(count):
                    above, under = rows[j], below[j]
                    under = int32(i) if above == int32(i) else under
                    below[j] = under
                    rows[j] = above if int32(i) - above <= under - int32(i) else under

    return work


def _near() -> Any:
    """Writes a row's squared distances, of blocks that overlap at its end; False where some are too far to look for."""
    nearest, size = nearest_of_block(_NEAR), block_size()

    @register_jitable
    def near(heights, squares, w):
        first = types.int64(0)
        while first < w:
            first = min(first, w - size)
            if nearest(heights + 4 * first, squares + 4 * first) > (_NEAR + 1) * (_NEAR + 1):
                return False
            first += size
        return True

    return near


@kernel(fastmath=False)
def _rows(distance: str, places: bool, near: bool) -> Any:
    """Task: one row of one image.

    block = rows of the nearest zeros, distances, indices, scratch, h, w, step_h, step_w, pixels, scratch of a thread
    """
    number = getattr(types, distance)
    size, near_row = number.bitwidth // 8, _near()

    @register_jitable
    def envelope(nearest, i, h, w, step_h, step_w, columns, heights, starts):
        """Columns that are nearest somewhere, their heights, and where they begin to be; how many there are."""
        count = 0
        for q in range(w):
            if nearest[q] < 0 or nearest[q] >= h:
                continue
            down, along = step_h * (i - nearest[q]), step_w * q
            height, start = down * down + along * along, -np.inf
            while count > 0:
                start = (height - heights[count - 1]) / (2 * step_w * step_w * (q - columns[count - 1]))
                if start > starts[count - 1]:
                    break
                count -= 1
            if count == 0:
                start = -np.inf
            columns[count], heights[count], starts[count] = int32(q), height, start
            count += 1
        return count

    def work(begin, end, slot, block):
        h, w, step_h, step_w = block[4], block[5], float_bits(block[6]), float_bits(block[7])
        scratch = (block[3] + _LINE - 1) // _LINE * _LINE + slot * block[9]
        starts, levels = pointer(scratch, types.float64), pointer(scratch + 8 * w, types.float64)
        columns, heights = pointer(scratch + 16 * w, int32), pointer(scratch + 20 * w + 4 * _NEAR, int32)
        if near:
            for t in range(_NEAR):
                heights[t - _NEAR] = heights[w + t] = int32(_UNREACHED)
        for task in range(begin, end):
            i = task % h
            nearest = pointer(block[0] + task * w * 4, int32)
            result = pointer(block[1] + task * w * size, number)
            if near:
                for j in range(w):
                    down = int32(i) - read(nearest, j)
                    write(heights, j, down * down if abs(down) < h else int32(_UNREACHED))
                if near_row(scratch + 20 * w + 4 * _NEAR, scratch + 16 * w, w):
                    for j in range(w):
                        write(result, j, np.sqrt(number(read(columns, j))))
                    continue
            count = envelope(nearest, i, h, w, step_h, step_w, columns, levels, starts)
            k = 0
            for j in range(w):
                while k + 1 < count and starts[k + 1] < j:
                    k += 1
                if count > 0:
                    down, along = step_h * (i - nearest[columns[k]]), step_w * (j - columns[k])
                    result[j] = number(np.sqrt(down * down + along * along))
                else:
                    result[j] = number(np.inf)
                if places:
                    row, column = (
                        pointer(block[2] + task * w * 4, int32),
                        pointer(block[2] + block[8] * 4 + task * w * 4, int32),
                    )
                    row[j] = nearest[columns[k]] if count > 0 else int32(-1)
                    column[j] = columns[k] if count > 0 else int32(-1)

    return work


def build(g: DistanceGeometry) -> Run:
    if g.pixels == 0:
        return lambda arrays, outputs: None
    strips = -(-g.w // _STRIP)
    near = not g.indices and g.step_h == g.step_w == 1 and g.w >= block_size() and max(g.h, g.w) <= _LONGEST_NEAR
    scratch = (20 * g.w + 4 * (g.w + 2 * _NEAR)) // _LINE * _LINE + 2 * _LINE
    steps = (word_of(g.step_h), word_of(g.step_w))
    columns = _columns.address("uint8" if g.dtype.kind == "b" else g.dtype.name)
    rows = _rows.address(g.outputs[0][1].name, g.indices, near)
    first, then = Template(3, (g.h, g.w, strips)), Template(4, (g.h, g.w, *steps, g.pixels, scratch))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        nearest = empty((g.n, g.h, g.w), np.int32)
        buffer = empty((num_threads() * max(scratch, 4 * _STRIP) + _LINE,), np.uint8)
        block = first.filled(arrays[0], nearest, buffer)
        launch(columns, g.n * strips, addressof(block), g.pixels * 1.5)
        block = then.filled(nearest, *outputs, buffer)
        launch(rows, g.n * g.h, addressof(block), g.pixels * 4.0)

    return run
