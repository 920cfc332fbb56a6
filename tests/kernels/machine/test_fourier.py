"""Fourier transforms of strips of columns, against NumPy's."""

import ctypes

import numpy as np
import pytest
from numba import types
from tilegrad.kernels.machine.compile import kernel
from tilegrad.kernels.machine.fourier import roots, row_bytes, strips
from tilegrad.kernels.machine.processor import lanes
from tolerances import EPS


@kernel(types.void(*[types.int64] * 6))
def _transforms(itemsize):
    forward, inverse, multiply = strips(itemsize)

    def transform(strip, n, table, spectrum, sums, step):
        if step == 0:
            forward(strip, n, table)
        elif step == 1:
            inverse(strip, n, table)
        else:
            multiply(strip, spectrum, sums, n, step == 2)

    return transform


def digits_reversed(n):
    """Where frequency k stands after a forward transform of n = 4^m rows."""
    places = np.zeros(1, int)
    while len(places) < n:
        places = np.concatenate([4 * places + digit for digit in range(4)])
    return places


class Strips:
    """Strips of complex numbers as the kernels have them."""

    def __init__(self, dtype, n):
        self.dtype, self.n, self.size = np.dtype(dtype), n, np.dtype(dtype).itemsize
        self.table = roots(n, self.dtype)
        self.call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)(_transforms.address(self.size))

    def pack(self, z):
        strip = np.empty((self.n, 2, lanes(self.size)), self.dtype)
        assert strip.strides[0] == row_bytes(self.size)
        strip[:, 0], strip[:, 1] = z.real, z.imag
        return strip

    def run(self, step, strip, spectrum=None, sums=None):
        others = [0 if a is None else a.ctypes.data for a in (spectrum, sums)]
        self.call(strip.ctypes.data, self.n, self.table.ctypes.data, *others, step)
        return strip[:, 0] + 1j * strip[:, 1]


@pytest.mark.parametrize("n", [16, 64, 256, 1024])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_transforms_equal_numpy_in_digit_reversed_order_and_undo_each_other(dtype, n):
    strips_of = Strips(dtype, n)
    rng = np.random.default_rng(n)
    z = rng.standard_normal((n, lanes(strips_of.size))) + 1j * rng.standard_normal((n, lanes(strips_of.size)))
    strip = strips_of.pack(z)
    expected = np.fft.fft(strip[:, 0].astype(float) + 1j * strip[:, 1], axis=0)[digits_reversed(n)]
    bound = 2 * np.log2(n) * EPS[dtype]  # each pass rounds a few times, and errors mostly cancel
    found = strips_of.run(0, strip)
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound * np.abs(expected).max())
    back = strips_of.run(1, strip) / n
    np.testing.assert_allclose(back, z, rtol=0, atol=2 * bound * np.abs(z).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_with_the_conjugate_are_written_and_then_added(dtype):
    strips_of = Strips(dtype, 16)
    rng = np.random.default_rng(0)
    shape = (16, lanes(strips_of.size))
    a, b = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(2))
    first, second = strips_of.pack(a), strips_of.pack(b)
    sums = np.full_like(first, np.nan)
    strips_of.run(2, first, second, sums)
    strips_of.run(3, first, second, sums)
    found = sums[:, 0] + 1j * sums[:, 1]
    np.testing.assert_allclose(found, 2 * a * b.conj(), rtol=0, atol=64 * EPS[dtype])
