"""The Numba CUDA variants in Numba's simulator; test_cuda_simulator.py runs this file in a process of its own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tilegrad.kernels.correlation import CORRELATE_SEPARABLE2D, correlate_separable2d
from tolerances import CORRELATION_ROUNDINGS, EPS

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")


def run(x: np.ndarray, column: np.ndarray, row: np.ndarray, mode: str, cval: float, variant: str) -> np.ndarray:
    """One variant, by the operation's own plan, into a poisoned output."""
    plan = CORRELATE_SEPARABLE2D.plan((x, column, row), (-3, mode, cval), variant)
    y = np.full(x.shape, np.nan, x.dtype)
    plan.run((x, column, row), (y,))
    return y


def check(shape: tuple[int, ...], taps: tuple[int, int], mode: str, dtype: str, seed: int, variant: str) -> None:
    """Half of the cases are small integers, which are added exactly: an error of index has nowhere to hide."""
    rng = np.random.default_rng(seed)

    def numbers(*of: int) -> np.ndarray:
        return (rng.integers(-3, 4, of) if seed % 2 == 0 else rng.standard_normal(of)).astype(dtype)

    x, column, row = numbers(*shape), numbers(taps[0]), numbers(taps[1])
    wide = [a.astype(np.float64) for a in (x, column, row)]
    expected = run(*wide, mode, 2.0, "naive")
    sizes = run(*[abs(a) for a in wide], mode, 2.0, "naive")
    error = 0 if seed % 2 == 0 else (sum(taps) + CORRELATION_ROUNDINGS) * EPS[dtype] * sizes
    wrong = np.argwhere(~(abs(run(x, column, row, mode, 2.0, variant) - expected) <= error))
    assert not len(wrong), f"{len(wrong)} of {x.size} elements differ, first {tuple(wrong[0])}"


calls: dict[str, Any] = {
    "shape": st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(1, 6), st.integers(1, 3)),
    "taps": st.tuples(st.integers(1, 6), st.integers(1, 6)),
    "mode": st.sampled_from(MODES),
    "dtype": st.sampled_from(("float32", "float64")),
    "seed": st.integers(0, 2**32 - 1),
}


@given(**calls)
@settings(max_examples=30, deadline=None)
def test_naive(shape: Any, taps: Any, mode: str, dtype: str, seed: int) -> None:
    check(shape, taps, mode, dtype, seed, "cuda.naive")


@given(**calls)
@example((1, 9, 17, 1), (5, 3), "mirror", "float32", 0)  # a tile that is full, and its neighbours that are not
@example((1, 3, 5, 2), (17, 17), "constant", "float64", 1)
@settings(max_examples=10, deadline=None)
def test_tiled(shape: Any, taps: Any, mode: str, dtype: str, seed: int) -> None:
    check(shape, taps, mode, dtype, seed, "cuda.tiled")


@pytest.mark.parametrize("variant", ["cuda.naive", "cuda.tiled"])
def test_nan_reaches_the_window_and_no_further(variant: str) -> None:
    x = np.ones((1, 5, 7, 1), np.float32)
    x[0, 2, 3] = np.nan
    column, row = np.ones(3), np.array([0.0, 1, 0, 0, 0])
    expected = run(x, column, row, "reflect", 0.0, "reference")
    assert np.isnan(expected).sum() == 15
    np.testing.assert_array_equal(run(x, column, row, "reflect", 0.0, variant), expected)


def test_tiled_says_why_it_does_not_take_a_call() -> None:
    message = r'correlate_separable2d: variant "cuda.tiled" takes up to 17 taps on an axis but got 3 and 18'
    with pytest.raises(ValueError, match=message):
        correlate_separable2d(np.ones((4, 5), np.float32), np.ones(3), np.ones(18), variant="cuda.tiled")
