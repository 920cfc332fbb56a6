"""The "blocked" variant of batch normalisation.

    moments   per chunk of rows and channel, the sums of (x - shift) and of its square, in float64
    finish    add the chunks in their order; mean, variance and the affine map that `apply` needs
    apply     y = activate((x - mean) * scale + offset), one pass

Squares of numbers with a large common offset lose the variance, so all are taken relative to a *shift*, the channel's
first number, and float64 keeps what is left of the offset where that number is no typical one. The mean that `apply`
subtracts is rounded to the working type; what the rounding leaves is put into the offset.

Chunks follow the shape, never the number of threads. As in a reduction, up to 256 columns are worked on at once, and
where channels are few, several pixels are taken as one longer row, with vectors of the channels repeated to match.
"""

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float64
from numba.extending import register_jitable

from ..activation import cpu_vector as activation_vector
from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import select
from ..machine.streams import read, stack, write
from ..machine.threads import launch
from ..operation import Run
from .geometry import Normalization
from .geometry import rejects as rejects

WIDTH = 256
NARROW = 32
_CHUNK = 16384  # numbers in a task
_TASKS = 64  # chunks with partial sums are no smaller than makes this many
CHANNELS = 64  # in a task of `finish`


@register_jitable
def folded(width, channels):
    """How many pixels to take as one row."""
    return WIDTH // width if width == channels and width < NARROW else 1


@register_jitable
def repeat(vector, first, width, fold, room):
    """Channels ``first .. first + width - 1`` of a vector, ``fold`` times over."""
    for part in range(fold):
        for c in range(width):
            room[part * width + c] = vector[first + c]


@register_jitable
def add_moments(x, shift, sums, squares, rows, width, stride):
    """Add rows of ``x - shift`` and of their squares, four rows at a time."""
    row = 0
    while row + 4 <= rows:
        first = row * stride
        second, third, fourth = first + stride, first + 2 * stride, first + 3 * stride
        for c in range(width):
            a, b = float64(read(x, first + c)) - shift[c], float64(read(x, second + c)) - shift[c]
            d, e = float64(read(x, third + c)) - shift[c], float64(read(x, fourth + c)) - shift[c]
            sums[c] += (a + b) + (d + e)
            squares[c] += (a * a + b * b) + (d * d + e * e)
        row += 4
    while row < rows:
        for c in range(width):
            a = float64(read(x, row * stride + c)) - shift[c]
            sums[c] += a
            squares[c] += a * a
        row += 1


@kernel()
def batch_norm_moments(dtype: str) -> Callable[..., Any]:
    """Partial sums ``(chunk, 2, channels)``; block: x, partial, rows, channels, rows in a chunk."""
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        image, partial = pointer(block[0], real), pointer(block[1], float64)
        rows, channels, chunk = block[2], block[3], block[4]
        sums, squares, shift = stack(WIDTH, float64), stack(WIDTH, float64), stack(WIDTH, float64)
        for task in range(begin, end):
            count = min(chunk, rows - task * chunk)
            for column in range(0, channels, WIDTH):
                width = min(WIDTH, channels - column)
                fold = folded(width, channels)
                repeat(image, column, width, fold, shift)
                for c in range(fold * width):
                    sums[c] = 0.0
                    squares[c] = 0.0
                x = pointer(block[0] + (task * chunk * channels + column) * size, real)
                whole = count // fold
                add_moments(x, shift, sums, squares, whole, fold * width, fold * channels)
                for part in range(1, fold):
                    for c in range(width):
                        sums[c] += sums[part * width + c]
                        squares[c] += squares[part * width + c]
                rest = pointer(block[0] + ((task * chunk + whole * fold) * channels + column) * size, real)
                add_moments(rest, shift, sums, squares, count - whole * fold, width, channels)
                for c in range(width):
                    partial[task * 2 * channels + column + c] = sums[c]
                    partial[(task * 2 + 1) * channels + column + c] = squares[c]

    return worker


@kernel()
def batch_norm_finish(dtype: str) -> Callable[..., Any]:
    """Statistics from partial sums, and the affine map (scale, offset) of `apply`; a task is some channels.

    Block: x, weight or 0, bias or 0, partial, affine, mean, inverse_std, unbiased, rows, channels, chunks, eps.
    """
    real, scalar = TYPES[dtype]

    def worker(begin, end, slot, block):
        x, weight, bias = pointer(block[0], real), pointer(block[1], real), pointer(block[2], real)
        partial, affine = pointer(block[3], float64), pointer(block[4], real)
        mean, inverse_std, unbiased = pointer(block[5], real), pointer(block[6], real), pointer(block[7], real)
        rows, channels, chunks, eps = block[8], block[9], block[10], float_bits(block[11])
        for c in range(begin * CHANNELS, min(end * CHANNELS, channels)):
            total, squares = 0.0, 0.0
            for chunk in range(chunks):
                total += partial[chunk * 2 * channels + c]
                squares += partial[(chunk * 2 + 1) * channels + c]
            moved = total / rows
            center = x[c] + moved
            deviations = squares - total * moved
            deviations = select(deviations < 0.0, 0.0, deviations)
            inverse = 1.0 / math.sqrt(deviations / rows + eps)
            mean[c] = scalar(center)
            inverse_std[c] = scalar(inverse)
            unbiased[c] = scalar(deviations / (rows - 1))
            scale = inverse * weight[c] if block[1] != 0 else inverse
            offset = float64(bias[c]) if block[2] != 0 else 0.0
            affine[c] = scalar(scale)
            rest = (center - float64(scalar(center))) * scale  # NaN in a channel with NaN or infinity
            affine[channels + c] = scalar(offset if math.isnan(rest) else offset - rest)

    return worker


@kernel()
def batch_norm_given(dtype: str) -> Callable[..., Any]:
    """The affine map (scale, offset) of `apply` from a given variance.

    Block: var, weight or 0, bias or 0, affine, channels, eps.
    """
    real, scalar = TYPES[dtype]

    def worker(begin, end, slot, block):
        var, weight, bias = pointer(block[0], real), pointer(block[1], real), pointer(block[2], real)
        affine, channels, eps = pointer(block[3], real), block[4], float_bits(block[5])
        for c in range(begin * CHANNELS, min(end * CHANNELS, channels)):
            inverse = 1.0 / math.sqrt(float64(var[c]) + eps)
            affine[c] = scalar(inverse * weight[c] if block[1] != 0 else inverse)
            affine[channels + c] = bias[c] if block[2] != 0 else scalar(0.0)

    return worker


@kernel()
def batch_norm_apply(dtype: str, activation: str) -> Callable[..., Any]:
    """``y = activate((x - mean) * scale + offset)``.

    Block: x, mean, affine, y, rows, channels, rows in a chunk, slope.
    """
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize
    activate = register_jitable(forceinline=True)(
        activation_vector.UNARY.get(activation, lambda real: lambda x, slope: x)(scalar)
    )

    @register_jitable
    def apply_rows(x, y, center, scale, offset, rows, width, stride, slope):
        for row in range(rows):
            at = row * stride
            for c in range(width):
                write(y, at + c, activate((read(x, at + c) - center[c]) * scale[c] + offset[c], slope))

    def worker(begin, end, slot, block):
        mean, affine = pointer(block[1], real), pointer(block[2], real)
        rows, channels, chunk, slope = block[4], block[5], block[6], scalar(float_bits(block[7]))
        center, scale, offset = stack(WIDTH, real), stack(WIDTH, real), stack(WIDTH, real)
        first, last = begin * chunk, min(end * chunk, rows)
        for column in range(0, channels, WIDTH):
            width = min(WIDTH, channels - column)
            fold = folded(width, channels)
            repeat(mean, column, width, fold, center)
            repeat(affine, column, width, fold, scale)
            repeat(affine, channels + column, width, fold, offset)
            whole = (last - first) // fold
            at = (first * channels + column) * size
            x, y = pointer(block[0] + at, real), pointer(block[3] + at, real)
            apply_rows(x, y, center, scale, offset, whole, fold * width, fold * channels, slope)
            at += whole * fold * channels * size
            x, y = pointer(block[0] + at, real), pointer(block[3] + at, real)
            apply_rows(x, y, center, scale, offset, last - first - whole * fold, width, channels, slope)

    return worker


class Stage:
    """One launch of a worker whose block begins with addresses."""

    def __init__(self, address: int, arrays: int, words: list[int], tasks: int, ns: float) -> None:
        self.address, self.tasks, self.ns = address, tasks, ns
        self.template = Template(arrays, words)

    def run(self, *arrays: np.ndarray | None) -> None:
        block = self.template.filled(*arrays)
        launch(self.address, self.tasks, ctypes.addressof(block), self.ns)


def partial_chunk(g: Normalization) -> int:
    """Rows in a chunk that leaves partial sums."""
    return max(1, _CHUNK // max(1, g.channels), -(-g.rows // _TASKS))


def apply_chunk(g: Normalization) -> int:
    """Rows in a chunk that leaves none."""
    return max(1, _CHUNK // max(1, g.channels))


def _apply(g: Normalization) -> Stage:
    chunk = apply_chunk(g)
    per_number = 0.7 if g.activation in ("tanh", "sigmoid") else 0.2
    return Stage(
        batch_norm_apply.address(g.dtype.name, str(g.activation)),
        4,
        [g.rows, g.channels, chunk, word_of(g.negative_slope)],
        -(-g.rows // chunk),
        per_number * g.rows * g.channels,
    )


def build(g: Normalization) -> Run:
    """What runs a planned `batch_norm`."""
    tasks = -(-g.channels // CHANNELS)
    given = Stage(batch_norm_given.address(g.dtype.name), 4, [g.channels, word_of(g.eps)], tasks, 2.0 * g.channels)
    apply = _apply(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mean, var, weight, bias = arrays
        affine = empty((2, g.channels), g.dtype)
        given.run(var, weight, bias, affine)
        apply.run(x, mean, affine, outputs[0])

    return run


def build_apply(g: Normalization) -> Run:
    """What runs a planned `batch_norm_apply`."""
    apply = _apply(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        apply.run(*arrays, outputs[0])

    return run


def build_train(g: Normalization) -> Run:
    """What runs a planned `batch_norm_train`."""
    chunk = partial_chunk(g)
    chunks = -(-g.rows // chunk)
    words = [g.rows, g.channels, chunk]
    moments = Stage(batch_norm_moments.address(g.dtype.name), 2, words, chunks, 0.2 * g.rows * g.channels)
    finish = Stage(
        batch_norm_finish.address(g.dtype.name),
        8,
        [g.rows, g.channels, chunks, word_of(g.eps)],
        -(-g.channels // CHANNELS),
        2.0 * g.channels * chunks,
    )
    apply = _apply(g)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, weight, bias = arrays
        y, mean, inverse_std, affine, unbiased = outputs
        partial = empty((chunks, 2, g.channels), np.float64)
        moments.run(x, partial)
        finish.run(x, weight, bias, partial, affine, mean, inverse_std, unbiased)
        apply.run(x, mean, affine, y)

    return run
