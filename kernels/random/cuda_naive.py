"""Random numbers "naive" on CUDA: one thread, one number, to the bit those of the CPU.

The idea: a random number is a function of the seed and of its place (reference.py), so that thread i computes number i
from block ``i * words // 4`` of the stream, and no thread waits for another. A permutation is the exception: each of
its steps depends on those before, so one thread does them all.

What makes the bits those of the CPU (normal.py, cpu_vector.py): the words are integers; the polynomials of logarithm,
sine and cosine are the same, with an explicit fma wherever a product is added to something, so that there is nothing
left which a compiler might fuse or not; and square roots are correctly rounded.

Index arithmetic: threads are numbered as numbers lie in memory. Values 2 i and 2 i + 1 of a normal stream are cosine
and sine of one angle, computed by two threads.

A Poisson number compares a uniform number with sums of shares, which begin with an exponential: where the two are equal
but for its last bit, the count may differ by 1 from the CPU's.

Memory traffic: each number is written once. Each block of words is computed by the four or two threads that have a
share in it, and each pair of normal numbers twice; a thread with four numbers would do neither, and write 16 bytes at a
time.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..machine.cuda_numba import fma, launch, launch_each
from ..operation import Run
from .normal import COS_32, COS_64, LOG_32, LOG_64, MINUS_2_LOG_2, SIN_32, SIN_64
from .reference import MASK, permutation, philox_block, poisson_of

_LOG_32, _SIN_32, _COS_32 = (tuple(np.float32(c) for c in series) for series in (LOG_32, SIN_32, COS_32))
_MINUS_2_LOG_2 = np.float32(MINUS_2_LOG_2)
_ROOT_HALF_32, _ROOT_HALF_64 = np.int32(0x3F3504F3).view(np.float32), np.int64(0x3FE6A09E667F3BCD).view(np.float64)


@cuda.jit(device=True)
def polynomial(coefficients, x):
    """By Horner's rule, one fma a coefficient; they ascend."""
    last = len(coefficients) - 1
    total = coefficients[last]
    for back in range(1, last + 1):
        total = fma(total, x, coefficients[last - back])
    return total


@cuda.jit(device=True)
def turned(radius, sine, cosine, quadrant, odd):
    """``radius`` times the cosine, or the sine for ``odd``, of an angle moved on by so many quarter turns."""
    factor = sine if (quadrant + odd) % 2 == 1 else cosine
    negative = quadrant >= 2 if odd == 1 else quadrant == 1 or quadrant == 2
    return radius * (-factor if negative else factor)


@cuda.jit(device=True)
def normal_32(first, second, odd):
    """One of the two float32 deviates of two words: see normal.py."""
    u = fma(np.float32(first >> 1), np.float32(2.0**-31), np.float32(2.0**-32))
    mantissa, exponent = math.frexp(u)
    if mantissa < _ROOT_HALF_32:
        mantissa, exponent = 2 * mantissa, exponent - 1
    f = np.float32(mantissa) - np.float32(1.0)
    square = fma(np.float32(exponent), _MINUS_2_LOG_2, f * polynomial(_LOG_32, f))
    rest = (second << 2 & MASK) | 2
    if rest >= 1 << 31:
        rest -= 1 << 32
    t = np.float32(rest) * np.float32(2.0**-32)
    sine, cosine = t * polynomial(_SIN_32, t * t), polynomial(_COS_32, t * t)
    return turned(np.float32(math.sqrt(square)), sine, cosine, second >> 30, odd)


@cuda.jit(device=True)
def normal_64(block, odd):
    """One of the two float64 deviates of a block."""
    u = fma(np.float64(block[0] << 21 | block[1] >> 11), 2.0**-53, 2.0**-54)
    mantissa, exponent = math.frexp(u)
    if mantissa < _ROOT_HALF_64:
        mantissa, exponent = 2 * mantissa, exponent - 1
    f = np.float64(mantissa) - 1.0
    square = fma(np.float64(exponent), MINUS_2_LOG_2, f * polynomial(LOG_64, f))
    upper = (block[2] << 2 & MASK) | block[3] >> 30
    if upper >= 1 << 31:
        upper -= 1 << 32
    t = np.float64((upper << 32) + ((block[3] << 2 & MASK) | 2)) * 2.0**-64
    sine, cosine = t * polynomial(SIN_64, t * t), polynomial(COS_64, t * t)
    return turned(np.float64(math.sqrt(square)), sine, cosine, block[2] >> 30, odd)


@cuda.jit
def random_uniform_naive(state, y, low, scale, largest):
    """Each thread computes one number; so in the next two."""
    i = cuda.grid(1)
    if i >= y.size:
        return
    if y.itemsize == 4:
        u = y.dtype.type(philox_block(state, i // 4)[i % 4] >> 8) * y.dtype.type(2.0**-24)
    else:
        block, j = philox_block(state, i // 2), i % 2 * 2
        u = y.dtype.type(block[j] << 21 | block[j + 1] >> 11) * y.dtype.type(2.0**-53)
    value = fma(scale, u, low)
    y[i] = value if value < largest else largest


@cuda.jit
def random_normal_32_naive(state, y, mean, std):
    i = cuda.grid(1)
    if i < y.size:
        block, j = philox_block(state, i // 4), i % 4 // 2 * 2
        y[i] = fma(std, normal_32(block[j], block[j + 1], i % 2), mean)


@cuda.jit
def random_normal_64_naive(state, y, mean, std):
    i = cuda.grid(1)
    if i < y.size:
        y[i] = fma(std, normal_64(philox_block(state, i // 2), i % 2), mean)


@cuda.jit
def random_poisson_naive(state, rates, y, largest):
    i = cuda.grid(1)
    if i < y.size:
        y[i] = poisson_of(philox_block(state, i), np.float64(rates[i]), largest)


random_permutation_naive = cuda.jit(permutation)


def build(g: Any) -> Run:
    """Prepare the launch: a thread for each number."""
    constants = [g.dtype.type(c) for c in g.constants]
    if g.kind == "normal":
        kernel = random_normal_32_naive if g.dtype.char == "f" else random_normal_64_naive
        constants = constants[:2]
    else:
        kernel = random_uniform_naive

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(kernel, g.n, arrays[0], outputs[0].reshape(-1), *constants)

    return run


def build_permutation(g: Any) -> Run:
    """Prepare the launch of one thread."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if g.n:
            launch(random_permutation_naive, (1,), (1,), arrays[0], outputs[0])

    return run


def build_poisson(g: Any) -> Run:
    """Prepare the launch: a thread for each number."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        state, rates = arrays
        launch_each(random_poisson_naive, g.n, state, rates.reshape(-1), outputs[0].reshape(-1), g.largest)

    return run
