"""The "blocked" variant of batch normalisation's gradient, with that of a fused activation.

    sums     per chunk of rows and channel, the sums of g and of g * (x - mean), where g is the gradient by what the
             activation was applied to, computed from gy and y on the way
    finish   add the chunks in their order: gradients of weight and bias, and what `apply` needs
    apply    gx = g * factor + (x - mean) * slant + constant, one pass

The large arrays are read twice and written once; g is never stored.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float64
from numba.extending import register_jitable

from ..activation import cpu_vector as activation_vector
from ..elementwise.cpu_loops import TYPES
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import read, stack, write
from ..operation import Run
from .cpu_blocked import CHANNELS, WIDTH, Stage, apply_chunk, folded, partial_chunk, repeat
from .geometry import Normalization


def _through(activation: str, scalar: Any) -> Callable[..., Any]:
    """``g = function(gy, y, slope)``; without an activation, gy itself."""
    make = activation_vector.BINARY.get(f"{activation}_grad", lambda real: lambda gy, y, slope: gy)
    return register_jitable(forceinline=True)(make(scalar))


@kernel()
def batch_norm_grad_sums(dtype: str, activation: str) -> Callable[..., Any]:
    """Partial sums ``(chunk, 2, channels)``.

    Block: gy, x, y (gy where there is no activation), mean, partial, rows, channels, rows in a chunk, slope.
    """
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize
    through = _through(activation, scalar)

    @register_jitable
    def add_rows(gy, x, y, mean, sums, products, rows, width, stride, slope):
        row = 0
        while row + 2 <= rows:
            one = row * stride
            two = one + stride
            for c in range(width):
                a = float64(through(read(gy, one + c), read(y, one + c), slope))
                b = float64(through(read(gy, two + c), read(y, two + c), slope))
                sums[c] += a + b
                at_a, at_b = float64(read(x, one + c)) - mean[c], float64(read(x, two + c)) - mean[c]
                products[c] += a * at_a + b * at_b
            row += 2
        if row < rows:
            for c in range(width):
                a = float64(through(read(gy, row * stride + c), read(y, row * stride + c), slope))
                sums[c] += a
                products[c] += a * (float64(read(x, row * stride + c)) - mean[c])

    def worker(begin, end, slot, block):
        given, partial = pointer(block[3], real), pointer(block[4], float64)
        rows, channels, chunk = block[5], block[6], block[7]
        slope = scalar(float_bits(block[8]))
        sums, products, mean = stack(WIDTH, float64), stack(WIDTH, float64), stack(WIDTH, float64)
        for task in range(begin, end):
            count = min(chunk, rows - task * chunk)
            for column in range(0, channels, WIDTH):
                width = min(WIDTH, channels - column)
                fold = folded(width, channels)
                repeat(given, column, width, fold, mean)
                for c in range(fold * width):
                    sums[c] = 0.0
                    products[c] = 0.0
                at = (task * chunk * channels + column) * size
                gy, x, y = pointer(block[0] + at, real), pointer(block[1] + at, real), pointer(block[2] + at, real)
                whole = count // fold
                add_rows(gy, x, y, mean, sums, products, whole, fold * width, fold * channels, slope)
                for part in range(1, fold):
                    for c in range(width):
                        sums[c] += sums[part * width + c]
                        products[c] += products[part * width + c]
                at += whole * fold * channels * size
                gy, x, y = pointer(block[0] + at, real), pointer(block[1] + at, real), pointer(block[2] + at, real)
                add_rows(gy, x, y, mean, sums, products, count - whole * fold, width, channels, slope)
                for c in range(width):
                    partial[task * 2 * channels + column + c] = sums[c]
                    partial[(task * 2 + 1) * channels + column + c] = products[c]

    return worker


@kernel()
def batch_norm_grad_finish(dtype: str) -> Callable[..., Any]:
    """Gradients of weight and bias, and the vectors (center, factor, slant, constant) of `apply`.

    Block: mean, inverse_std, weight or 0, partial, vectors, gweight, gbias, rows, channels, chunks.
    """
    real, scalar = TYPES[dtype]

    def worker(begin, end, slot, block):
        mean, inverse_std, weight = pointer(block[0], real), pointer(block[1], real), pointer(block[2], real)
        partial, vectors = pointer(block[3], float64), pointer(block[4], real)
        gweight, gbias = pointer(block[5], real), pointer(block[6], real)
        rows, channels, chunks = block[7], block[8], block[9]
        for c in range(begin * CHANNELS, min(end * CHANNELS, channels)):
            total, product = 0.0, 0.0
            for chunk in range(chunks):
                total += partial[chunk * 2 * channels + c]
                product += partial[(chunk * 2 + 1) * channels + c]
            inverse = float64(inverse_std[c])
            factor = inverse * weight[c] if block[2] != 0 else inverse
            gweight[c] = scalar(product * inverse)
            gbias[c] = scalar(total)
            vectors[c] = mean[c]
            vectors[channels + c] = scalar(factor)
            vectors[2 * channels + c] = scalar(-factor * inverse * inverse * product / rows)
            vectors[3 * channels + c] = scalar(-factor * total / rows)

    return worker


@kernel()
def batch_norm_grad_apply(dtype: str, activation: str) -> Callable[..., Any]:
    """``gx = g * factor + (x - center) * slant + constant``.

    Block: gy, x, y (gy where there is no activation), vectors, gx, rows, channels, rows in a chunk, slope.
    """
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize
    through = _through(activation, scalar)

    @register_jitable
    def apply_rows(gy, x, y, gx, center, factor, slant, constant, rows, width, stride, slope):
        for row in range(rows):
            at = row * stride
            for c in range(width):
                g = through(read(gy, at + c), read(y, at + c), slope)
                write(gx, at + c, g * factor[c] + ((read(x, at + c) - center[c]) * slant[c] + constant[c]))

    def worker(begin, end, slot, block):
        vectors, rows, channels, chunk = pointer(block[3], real), block[5], block[6], block[7]
        slope = scalar(float_bits(block[8]))
        center, factor = stack(WIDTH, real), stack(WIDTH, real)
        slant, constant = stack(WIDTH, real), stack(WIDTH, real)
        first, last = begin * chunk, min(end * chunk, rows)
        for column in range(0, channels, WIDTH):
            width = min(WIDTH, channels - column)
            fold = folded(width, channels)
            repeat(vectors, column, width, fold, center)
            repeat(vectors, channels + column, width, fold, factor)
            repeat(vectors, 2 * channels + column, width, fold, slant)
            repeat(vectors, 3 * channels + column, width, fold, constant)
            whole = (last - first) // fold
            at = (first * channels + column) * size
            gy, x, y = pointer(block[0] + at, real), pointer(block[1] + at, real), pointer(block[2] + at, real)
            gx = pointer(block[4] + at, real)
            apply_rows(
                gy, x, y, gx, center, factor, slant, constant, whole, fold * width, fold * channels, slope
            )  # fmt: skip
            at += whole * fold * channels * size
            gy, x, y = pointer(block[0] + at, real), pointer(block[1] + at, real), pointer(block[2] + at, real)
            gx = pointer(block[4] + at, real)
            rest = last - first - whole * fold
            apply_rows(gy, x, y, gx, center, factor, slant, constant, rest, width, channels, slope)

    return worker


def build(g: Normalization) -> Run:
    """What runs a planned `batch_norm_grad`."""
    dtype, activation, size = g.dtype.name, str(g.activation), g.rows * g.channels
    chunk, pieces, slope = partial_chunk(g), apply_chunk(g), word_of(g.negative_slope)
    chunks = -(-g.rows // chunk)
    tasks = -(-g.channels // CHANNELS)
    sums = Stage(
        batch_norm_grad_sums.address(dtype, activation), 5, [g.rows, g.channels, chunk, slope], chunks, 0.3 * size
    )
    words = [g.rows, g.channels, chunks]
    finish = Stage(batch_norm_grad_finish.address(dtype), 7, words, tasks, 2.0 * g.channels * chunks)
    apply = Stage(
        batch_norm_grad_apply.address(dtype, activation),
        5,
        [g.rows, g.channels, pieces, slope],
        -(-g.rows // pieces),
        0.3 * size,
    )

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x, mean, inverse_std, weight, y = arrays
        gx, gweight, gbias = outputs
        y = gy if y is None else y
        partial, vectors = empty((chunks, 2, g.channels), np.float64), empty((4, g.channels), g.dtype)
        sums.run(gy, x, y, mean, partial)
        finish.run(mean, inverse_std, weight, partial, vectors, gweight, gbias)
        apply.run(gy, x, y, vectors, gx)

    return run
