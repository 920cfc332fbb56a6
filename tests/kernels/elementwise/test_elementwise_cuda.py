"""Elementwise operations in CUDA C++ in the emulator: strides, alignment, broadcasting, sizes and NaN."""

import math
from collections.abc import Callable, Iterator

import emulator
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from on_emulator import emulated
from tilegrad.kernels import elementwise
from tilegrad.kernels.elementwise import cuda_vector
from tilegrad.kernels.machine import cuda

from tilegrad import kernels

SUBTRACT, NEGATIVE = elementwise._TWO["subtract"], elementwise._ONE["negative"]


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str, seed: int = 0, offset: int = 0) -> np.ndarray:
    """Numbers that begin ``offset`` numbers after a multiple of 64 bytes."""
    size = math.prod(shape)
    room = np.empty(size + offset + 64 // np.dtype(dtype).itemsize, dtype)
    skip = -room.ctypes.data % 64 // room.itemsize + offset
    found = room[skip : skip + size].reshape(shape)
    found[...] = np.random.default_rng(seed).standard_normal(shape)
    return found


@emulated
@given(
    st.lists(st.sampled_from((1, 2, 3, 4, 8, 12)), min_size=0, max_size=4),
    st.integers(0, 15),
    st.integers(0, 15),
    st.sampled_from(("float32", "float64")),
    st.tuples(*[st.integers(0, 3)] * 3),
)
@example([3, 40, 12], 0, 0b110, "float32", (0, 0, 0))  # an operand for each channel
@example([3, 40, 12], 0b001, 0, "float64", (0, 0, 0))  # one for each pixel
@example([2347], 0, 0, "float32", (0, 0, 0))  # three numbers after the last group, and a block that is not full
@example([3], 0, 0, "float32", (0, 0, 0))  # less than a group
@settings(max_examples=15, deadline=None)
def test_operands_that_are_broadcast_and_begin_anywhere(
    shape: list[int], repeat_a: int, repeat_b: int, dtype: str, offsets: tuple[int, int, int]
) -> None:
    """Differences are exact to the bit. Bit i says whether axis i of an operand has one number."""
    shapes = [
        tuple(1 if repeat >> i & 1 else extent for i, extent in enumerate(shape)) for repeat in (repeat_a, repeat_b)
    ]
    a, b = (drawn(own, dtype, seed, offsets[seed]) for seed, own in enumerate(shapes))
    out = drawn(np.broadcast_shapes(*shapes), dtype, 2, offsets[2])
    kernels.subtract(a, b, out=out, variant="cuda.vector")
    np.testing.assert_array_equal(out, a - b)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "view",
    [
        lambda x: x[::-1],
        lambda x: x[:, ::2],
        lambda x: x[..., ::-1],
        lambda x: x[..., 4:],
        lambda x: x[..., 1:],
        lambda x: x.transpose(2, 0, 1),
        lambda x: np.broadcast_to(x[:, :1], x.shape),
    ],
)
def test_operands_of_any_strides(view: Callable[[np.ndarray], np.ndarray], dtype: str) -> None:
    x = view(drawn((5, 6, 12), dtype))
    y = drawn(x.shape, dtype, 1)
    np.testing.assert_array_equal(kernels.subtract(x, y, variant="cuda.vector"), x - y)
    np.testing.assert_array_equal(kernels.subtract(y, x, variant="cuda.vector"), y - x)
    np.testing.assert_array_equal(kernels.negative(x, variant="cuda.vector"), -x)


@emulated
def test_strides_that_are_no_multiple_of_a_number() -> None:
    records = np.zeros(9, [("byte", "u1"), ("number", "f4")])
    records["number"] = np.arange(9)
    np.testing.assert_array_equal(kernels.square(records["number"], variant="cuda.vector"), np.arange(9.0) ** 2)


@emulated
@pytest.mark.parametrize("size", [0, 1, 7, 1030])
def test_the_result_may_be_an_operand(size: int) -> None:
    a, b = drawn((size,), "float32"), drawn((size,), "float32", 1)
    expected = a - b
    kernels.subtract(a, b, out=b, variant="cuda.vector")
    np.testing.assert_array_equal(b, expected)
    kernels.negative(a, out=a, variant="cuda.vector")
    np.testing.assert_array_equal(a, -drawn((size,), "float32"))


@emulated
def test_results_of_very_many_numbers_are_indexed_in_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_vector, "_LARGE", 0)
    monkeypatch.setattr(SUBTRACT, "_plans", {})
    a, b = drawn((3, 5, 1, 12), "float32"), drawn((3, 1, 7, 1), "float32", 1)
    np.testing.assert_array_equal(kernels.subtract(a, b, variant="cuda.vector"), a - b)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(cuda_vector.FUNCTIONS))
def test_numbers_at_the_edges(name: str, dtype: str) -> None:
    """Zeros of both signs, infinities, NaN, large and small: as the definition has it."""
    edges = np.array([0.0, -0.0, 1.0, -1.0, 1e-3, -30.0, 30.0, 100.0, -100.0, np.inf, -np.inf, np.nan], dtype)
    function, how = getattr(kernels, name), {"exponent": -1.5} if name == "power" else {}
    if cuda_vector.FUNCTIONS.index(name) < cuda_vector.FUNCTIONS.index("negative"):
        arrays = np.repeat(edges, edges.size), np.tile(edges, edges.size)
    else:
        arrays = (edges,)
    with np.errstate(all="ignore"):
        expected = function(*arrays, variant="reference" if name != "power" else "vector", **how)
        found = function(*arrays, variant="cuda.vector", **how)
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps, atol=0)


@emulated
def test_an_exponent_that_float32_rounds_is_kept() -> None:
    x = np.array([1e-38, 1e-3, 3e38], np.float32)
    expected = (x.astype(np.float64) ** 0.1).astype(np.float32)
    np.testing.assert_allclose(kernels.power(x, 0.1, variant="cuda.vector"), expected, rtol=2e-7, atol=0)


def test_quotients_by_multiplication() -> None:
    """Divisors around powers of two, and numbers around their multiples, up to 2^31 - 1."""
    for bits in range(1, 31):
        for number in {max(1, (1 << bits) + d) for d in (-1, 0, 1)} | {3 << bits >> 1, 0x7FFFFFFF}:
            by, multiplier, shift = cuda.divisor(number)
            assert (by, multiplier < 1 << 32) == (number, True)
            largest = 0x7FFFFFFF // number * number
            for n in {0, 1, number - 1, number, largest - 1, largest, 0x7FFFFFFF, 0x7FFFFFFE} - {-1}:
                assert (n * multiplier >> 32) + n >> shift == n // number
                assert (n * multiplier >> 32) + n < 1 << 32
