"""The "blocked" variant of batch normalisation's gradient, with that of a fused activation.

    sums     per chunk of rows and channel, the sums of g and of g * (x - mean), where g is the gradient by what the
             activation was applied to, computed on the way from gy and from y, and y again from x
    finish   add the chunks in their order: gradients of weight and bias, and what `apply` needs
    apply    gx = g * factor + (x - mean) * slant + constant, one pass

Two large arrays are read twice and one is written. g is never stored, and y, which it takes a few instructions to
compute again, need not be read from memory that is slower than they are.
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
from .geometry import rejects as rejects


def _through(activation: str, scalar: Any) -> Callable[..., Any]:
    """``g = function(gy, z, slope)``, z being what was activated; without an activation, gy itself."""
    if activation not in activation_vector.UNARY:
        return register_jitable(forceinline=True)(lambda gy, z, slope: gy)
    activate = register_jitable(forceinline=True)(activation_vector.UNARY[activation](scalar))
    grad = register_jitable(forceinline=True)(activation_vector.BINARY[f"{activation}_grad"](scalar))
    return register_jitable(forceinline=True)(lambda gy, z, slope: grad(gy, activate(z, slope), slope))


@kernel()
def batch_norm_grad_sums(dtype: str, activation: str) -> Callable[..., Any]:
    """Partial sums ``(chunk, 2, channels)``.

    Block: gy, x, mean, affine (or 0 where there is no activation), partial, rows, channels, rows in a chunk, slope.
    """
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize
    through = _through(activation, scalar)

    @register_jitable
    def add_rows(gy, x, center, scale, offset, sums, products, rows, width, stride, slope):
        row = 0
        while row + 2 <= rows:
            one = row * stride
            two = one + stride
            for c in range(width):
                x_a, x_b = read(x, one + c), read(x, two + c)
                a = float64(through(read(gy, one + c), (x_a - center[c]) * scale[c] + offset[c], slope))
                b = float64(through(read(gy, two + c), (x_b - center[c]) * scale[c] + offset[c], slope))
                sums[c] += a + b
                products[c] += a * (float64(x_a) - float64(center[c])) + b * (float64(x_b) - float64(center[c]))
            row += 2
        if row < rows:
            for c in range(width):
                x_a = read(x, row * stride + c)
                a = float64(through(read(gy, row * stride + c), (x_a - center[c]) * scale[c] + offset[c], slope))
                sums[c] += a
                products[c] += a * (float64(x_a) - float64(center[c]))

    def worker(begin, end, slot, block):
        mean, affine, partial = pointer(block[2], real), pointer(block[3], real), pointer(block[4], float64)
        rows, channels, chunk = block[5], block[6], block[7]
        slope = scalar(float_bits(block[8]))
        sums, products = stack(WIDTH, float64), stack(WIDTH, float64)
        center, scale, offset = stack(WIDTH, real), stack(WIDTH, real), stack(WIDTH, real)
        for task in range(begin, end):
            count = min(chunk, rows - task * chunk)
            for column in range(0, channels, WIDTH):
                width = min(WIDTH, channels - column)
                fold = folded(width, channels)
                repeat(mean, column, width, fold, center)
                if block[3] != 0:
                    repeat(affine, column, width, fold, scale)
                    repeat(affine, channels + column, width, fold, offset)
                for c in range(fold * width):
                    sums[c] = 0.0
                    products[c] = 0.0
                at = (task * chunk * channels + column) * size
                gy, x = pointer(block[0] + at, real), pointer(block[1] + at, real)
                whole = count // fold
                add_rows(
                    gy, x, center, scale, offset, sums, products, whole, fold * width, fold * channels, slope
                )  # fmt: skip
                for part in range(1, fold):
                    for c in range(width):
                        sums[c] += sums[part * width + c]
                        products[c] += products[part * width + c]
                at += whole * fold * channels * size
                gy, x = pointer(block[0] + at, real), pointer(block[1] + at, real)
                rest = count - whole * fold
                add_rows(gy, x, center, scale, offset, sums, products, rest, width, channels, slope)
                for c in range(width):
                    partial[task * 2 * channels + column + c] = sums[c]
                    partial[(task * 2 + 1) * channels + column + c] = products[c]

    return worker


@kernel()
def batch_norm_grad_finish(dtype: str) -> Callable[..., Any]:
    """Gradients of weight and bias, and the vectors (factor, slant, constant) of `apply`.

    Block: inverse_std, weight or 0, partial, vectors, gweight, gbias, rows, channels, chunks.
    """
    real, scalar = TYPES[dtype]

    def worker(begin, end, slot, block):
        inverse_std, weight = pointer(block[0], real), pointer(block[1], real)
        partial, vectors = pointer(block[2], float64), pointer(block[3], real)
        gweight, gbias = pointer(block[4], real), pointer(block[5], real)
        rows, channels, chunks = block[6], block[7], block[8]
        for c in range(begin * CHANNELS, min(end * CHANNELS, channels)):
            total, product = 0.0, 0.0
            for chunk in range(chunks):
                total += partial[chunk * 2 * channels + c]
                product += partial[(chunk * 2 + 1) * channels + c]
            inverse = float64(inverse_std[c])
            factor = inverse * weight[c] if block[1] != 0 else inverse
            gweight[c] = scalar(product * inverse)
            gbias[c] = scalar(total)
            vectors[c] = scalar(factor)
            vectors[channels + c] = scalar(-factor * inverse * inverse * product / rows)
            vectors[2 * channels + c] = scalar(-factor * total / rows)

    return worker


@kernel()
def batch_norm_grad_apply(dtype: str, activation: str) -> Callable[..., Any]:
    """``gx = g * factor + (x - center) * slant + constant``.

    Block: gy, x, mean, affine (or 0 where there is no activation), vectors, gx, rows, channels, rows in a chunk, slope.
    """
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize
    through = _through(activation, scalar)

    @register_jitable
    def apply_rows(gy, x, gx, center, scale, offset, factor, slant, constant, rows, width, stride, slope):
        for row in range(rows):
            at = row * stride
            for c in range(width):
                moved = read(x, at + c) - center[c]
                g = through(read(gy, at + c), moved * scale[c] + offset[c], slope)
                write(gx, at + c, g * factor[c] + (moved * slant[c] + constant[c]))

    def worker(begin, end, slot, block):
        mean, affine, vectors = pointer(block[2], real), pointer(block[3], real), pointer(block[4], real)
        rows, channels, chunk, slope = block[6], block[7], block[8], scalar(float_bits(block[9]))
        center, scale, offset = stack(WIDTH, real), stack(WIDTH, real), stack(WIDTH, real)
        factor, slant, constant = stack(WIDTH, real), stack(WIDTH, real), stack(WIDTH, real)
        first, last = begin * chunk, min(end * chunk, rows)
        for column in range(0, channels, WIDTH):
            width = min(WIDTH, channels - column)
            fold = folded(width, channels)
            repeat(mean, column, width, fold, center)
            if block[3] != 0:
                repeat(affine, column, width, fold, scale)
                repeat(affine, channels + column, width, fold, offset)
            repeat(vectors, column, width, fold, factor)
            repeat(vectors, channels + column, width, fold, slant)
            repeat(vectors, 2 * channels + column, width, fold, constant)
            whole = (last - first) // fold
            at = (first * channels + column) * size
            gy, x, gx = pointer(block[0] + at, real), pointer(block[1] + at, real), pointer(block[5] + at, real)
            apply_rows(
                gy, x, gx, center, scale, offset, factor, slant, constant, whole, fold * width, fold * channels, slope
            )
            at += whole * fold * channels * size
            gy, x, gx = pointer(block[0] + at, real), pointer(block[1] + at, real), pointer(block[5] + at, real)
            rest = last - first - whole * fold
            apply_rows(gy, x, gx, center, scale, offset, factor, slant, constant, rest, width, channels, slope)

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
    finish = Stage(batch_norm_grad_finish.address(dtype), 6, words, tasks, 2.0 * g.channels * chunks)
    apply = Stage(
        batch_norm_grad_apply.address(dtype, activation),
        6,
        [g.rows, g.channels, pieces, slope],
        -(-g.rows // pieces),
        0.3 * size,
    )

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x, mean, inverse_std, weight, affine = arrays
        gx, gweight, gbias = outputs
        partial, vectors = empty((chunks, 2, g.channels), np.float64), empty((3, g.channels), g.dtype)
        sums.run(gy, x, mean, affine, partial)
        finish.run(inverse_std, weight, partial, vectors, gweight, gbias)
        apply.run(gy, x, mean, affine, vectors, gx)

    return run
