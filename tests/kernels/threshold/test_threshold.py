"""Thresholds: against NumPy's choice between two arrays, and calls that it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

CHOICES = {
    "binary": lambda x, level, top: np.where(x > level, top, 0),
    "binary_inv": lambda x, level, top: np.where(x <= level, top, 0),
    "trunc": lambda x, level, top: np.where(x > level, level, x),
    "tozero": lambda x, level, top: np.where(x <= level, 0, x),
    "tozero_inv": lambda x, level, top: np.where(x > level, 0, x),
}


@pytest.mark.parametrize("rule", CHOICES)
@given(
    dtype=st.sampled_from(["uint8", "int16", "uint16", "float32", "float64"]),
    shape=st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 150)),
    seed=st.integers(0, 99),
)
def test_equals_numpy(rule, dtype, shape, seed):
    rng = np.random.default_rng(seed)
    x, levels = rng.integers(0, 9, shape).astype(dtype), rng.integers(0, 9, shape[0]).astype(dtype)
    if x.dtype.kind == "f" and x.size:
        x.reshape(-1)[0] = np.nan
    expected = CHOICES[rule](x, levels[:, None, None], np.array(200, dtype))
    out = np.full(shape, 77, dtype)
    assert kernels.threshold(x, levels, rule=rule, top=200, batch_axes=1, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_large_images_in_many_runs():
    x = np.random.default_rng(0).integers(0, 256, (2, 300, 400)).astype(np.uint8)
    levels = np.array([50, 200], np.uint8)
    expected = np.where(x > levels[:, None, None], 255, 0)
    np.testing.assert_array_equal(kernels.threshold(x, levels, top=255, batch_axes=1), expected)


def test_calls_that_it_refuses():
    x, level = np.zeros((2, 3), np.uint8), np.uint8(3)
    with pytest.raises(TypeError, match=r"threshold: x expects one of uint8, .* but got int64"):
        kernels.threshold(x.astype(int), np.array(3))
    with pytest.raises(ValueError, match=r"threshold: levels expects \(2,\) uint8 but got \(\) uint8"):
        kernels.threshold(x, np.array(level), batch_axes=1)
    with pytest.raises(ValueError, match="threshold: rule expects one of 'binary'"):
        kernels.threshold(x, np.array(level), rule="otsu")
    with pytest.raises(ValueError, match="threshold: top expects a number of the type uint8 but got 256"):
        kernels.threshold(x, np.array(level), top=256)
    with pytest.raises(TypeError, match="threshold: top expects a number but got 'high'"):
        kernels.threshold(x, np.array(level), top="high")
