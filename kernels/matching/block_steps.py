"""What is done with a pair of blocks between reading and writing; the head of cpu_fourier.py has the picture.

A *plane* is a square of complex numbers as strips of columns (machine/fourier.py), ``pitch`` bytes from one to the
next.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.fourier import row_bytes, strips
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.streams import read as load
from ..machine.streams import write as store
from ..machine.transpose import transpose_square
from .measures import measured
from .vectors import read_vector, score_vector


def make_across(itemsize: int) -> Any:
    """Transforms, products and inverse transforms along the rows of a plane; see the head of this file."""
    width, row = lanes(itemsize), row_bytes(itemsize)
    part = width * itemsize
    forward, inverse, multiply = strips(itemsize)

    @register_jitable
    def gather(plane, pitch, k, n, strip):
        """The k-th strip of the other direction, from one square of each strip of columns."""
        for x in range(n // width):
            source, target = plane + x * pitch + k * width * row, strip + x * width * row
            transpose_square(itemsize, source, 2 * width, target, 2 * width)
            transpose_square(itemsize, source + part, 2 * width, target + part, 2 * width)

    @register_jitable
    def scatter(strip, plane, pitch, k, n):
        for x in range(n // width):
            source, target = strip + x * width * row, plane + x * pitch + k * width * row
            transpose_square(itemsize, source, 2 * width, target, 2 * width)
            transpose_square(itemsize, source + part, 2 * width, target + part, 2 * width)

    @register_jitable
    def across(plane, pitch, n, table, strip, sums, spectrum, term, terms):
        """One term; after the last one the plane holds the sums of all, transformed back along its rows."""
        size = n * row
        for k in range(n // width):
            gather(plane, pitch, k, n, strip)
            forward(strip, n, table)
            total = strip if terms == 1 else sums + k * size
            multiply(strip, spectrum + k * size, total, n, term == 0)
            if term == terms - 1:
                inverse(total, n, table)
                scatter(total, plane, pitch, k, n)

    @register_jitable
    def spectrum_of(plane, pitch, n, table, spectrum):
        size = n * row
        for x in range(n // width):
            forward(plane + x * pitch, n, table)
        for k in range(n // width):
            gather(plane, pitch, k, n, spectrum + k * size)
            forward(spectrum + k * size, n, table)

    return forward, inverse, across, spectrum_of


def make_read(dtype: str, working: str) -> Any:
    """``read`` puts one block into a plane as its real (``part`` 0) or imaginary parts."""
    number, kind = getattr(types, dtype), getattr(types, working)
    bytes_in, size = number.bitwidth // 8, kind.bitwidth // 8
    width, row = lanes(size), row_bytes(size)
    largest = float(np.finfo(working).max)
    read_one = read_vector(dtype, working)

    @register_jitable
    def read(x, h, w, c, top, left, level, plane, pitch, n, part, energy):
        """Numbers outside the image, and those that are not finite, are 0; their squares are added to ``energy``."""
        less, squares = kind(level), pointer(energy, kind)
        for i in range(n):
            columns = max(0, min(n, w - left)) if top + i < h else 0
            line = x + ((top + i) * w + left) * c * bytes_in
            numbers, first = pointer(line, number), plane + i * row + part * width * size
            for k in range(n // width):
                place, here = first + k * pitch, columns - k * width
                if here >= width and c == 1:
                    # Sums of every fourth vector on their own: none waits for the one before.
                    read_one(line + k * width * bytes_in, level, place, energy + k % 4 * width * size)
                    continue
                target = pointer(place, kind)
                for j in range(width):
                    value = kind(0)
                    if j < here:
                        value = kind(numbers[(k * width + j) * c]) - less
                        value = value if abs(value) <= largest else kind(0)
                    target[j] = value
                    squares[j] += value * value

    return read


def make_write(dtype: str, working: str, result: str) -> Any:
    """``write`` stores the places of one block from a plane, as they are or as scores."""
    kind, out = getattr(types, working), getattr(types, result)
    size, bytes_out = kind.bitwidth // 8, out.bitwidth // 8
    width, row = lanes(size), row_bytes(size)
    integers = dtype == "uint8"
    alone = types.int64 if integers else out  # the type of products that are not scored
    score = score_vector(dtype, working, result)

    @register_jitable
    def write(plane, pitch, part, rows, columns, scale, y, q, tally):
        """Of scores, products squared are added to four vectors of ``tally``; four more keep the largest scale."""
        largest = tally + 4 * width * size
        squares, most = pointer(tally, kind), pointer(largest, kind)
        for i in range(rows):
            for k in range((columns + width - 1) // width):
                place = (i * q + k * width) * bytes_out
                address = plane + k * pitch + i * row + part * width * size
                source, target = pointer(address, kind), pointer(y + place, out)
                here = min(width, columns - k * width)
                if scale == 0:
                    sums = pointer(y, alone)
                    for j in range(here):
                        at = i * q + k * width + j
                        sums[at] = alone(np.rint(source[j])) if integers else alone(source[j])
                elif here == width:
                    turn = k % 4 * width * size
                    score(address, scale + place, y + place, tally + turn, largest + turn)
                else:
                    scales = pointer(scale + place, out)
                    for j in range(here):
                        value, factor = np.rint(source[j]) if integers else source[j], kind(scales[j])
                        squares[j] += value * value
                        most[j] = max(most[j], factor if factor == factor else kind(0))
                        value *= factor
                        value = kind(1) if value > 1 else value
                        target[j] = out(kind(-1) if value < -1 else value)

    return write


def make_measure(dtype: str, result: str, measure: int) -> Any:
    """``write`` stores the places of one block of a float64 plane as another measure than a score."""
    out = getattr(types, result)
    bytes_out = out.bitwidth // 8
    width, row = lanes(8), row_bytes(8)
    integers, of = dtype == "uint8", measured(measure)

    @register_jitable
    def vector(source, squares, target, count, constant):
        products, lengths, y = pointer(source, types.float64), pointer(squares, types.float64), pointer(target, out)
        for j in range(count):
            value = load(products, j)
            value = np.rint(value) if integers else value
            store(y, j, out(of(value, load(lengths, j) if measure > 1 else 0.0, constant)))

    @register_jitable
    def write(plane, pitch, part, rows, columns, squares, y, q, constant):
        for i in range(rows):
            for k in range((columns + width - 1) // width):
                place, here = i * q + k * width, columns - k * width
                source = plane + k * pitch + i * row + part * width * 8
                if here >= width:  # as many as a vector holds, which the compiler knows
                    vector(source, squares + place * 8, y + place * bytes_out, width, constant)
                else:
                    vector(source, squares + place * 8, y + place * bytes_out, here, constant)

    return write
