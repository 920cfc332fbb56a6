"""Integral images: against the definition, and calls that it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels


@given(
    n=st.integers(0, 2), h=st.integers(0, 11), w=st.integers(0, 70), c=st.integers(1, 5),
    kinds=st.sampled_from([("uint8", "int32"), ("uint8", "float64"), ("float32", "float32"), ("float64", "float64")]),
)  # fmt: skip
def test_equals_its_definition(n, h, w, c, kinds):
    x = (np.random.default_rng(h * 71 + w).random((n, h, w, c)) * 256).astype(kinds[0])
    y = np.full((n, h + 1, w + 1, c), 77, kinds[1])
    assert kernels.integral(x, dtype=kinds[1], out=y) is y
    # The same sums in the same order.
    np.testing.assert_array_equal(y, kernels.integral(x, dtype=kinds[1], variant="naive"))


@given(n=st.integers(1, 3), h=st.integers(1, 5), w=st.integers(500, 1100))
def test_columns_that_threads_share_are_one_sum(n, h, w):
    """Wide enough for one image to be cut, at widths that are no multiple of a vector's."""
    x = np.random.default_rng(w).integers(0, 256, (n, h, w, 1)).astype(np.uint8)
    expected = np.zeros((n, h + 1, w + 1, 1), np.int32)
    expected[:, 1:, 1:] = x.cumsum(1, np.int32).cumsum(2, np.int32)
    np.testing.assert_array_equal(kernels.integral(x, dtype="int32"), expected)
    np.testing.assert_array_equal(kernels.integral(x, dtype="int32", variant="rows"), expected)


def test_integers_overflow_as_they_do_in_numpy():
    x = np.full((1, 2100, 4100, 1), 255, np.uint8)
    total = kernels.integral(x, dtype="int32")[0, -1, -1, 0]
    assert total == np.int64(255 * 2100 * 4100).astype(np.int32)


def test_a_nan_reaches_the_sums_that_hold_it_and_no_others():
    x = np.ones((1, 6, 8, 2))
    x[0, 3, 5, 1] = np.nan
    spoilt = np.zeros((1, 7, 9, 2), bool)
    spoilt[0, 4:, 6:, 1] = True
    np.testing.assert_array_equal(np.isnan(kernels.integral(x)), spoilt)


def test_calls_that_it_refuses():
    with pytest.raises(ValueError, match=r"integral: x expects shape \(N, H, W, C\) but got \(3, 4\)"):
        kernels.integral(np.zeros((3, 4)))
    with pytest.raises(TypeError, match="integral: x expects one of uint8, float32, float64 but got int16"):
        kernels.integral(np.zeros((1, 3, 4, 1), np.int16))
    with pytest.raises(ValueError, match="integral: dtype expects one of float32, float64 for float64 but got 'int32'"):
        kernels.integral(np.zeros((1, 3, 4, 1)), dtype="int32")
