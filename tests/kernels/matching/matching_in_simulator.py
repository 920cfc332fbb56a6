"""The Numba CUDA variants in Numba's simulator; test_matching_simulator.py runs this file in a process of its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tilegrad.kernels.matching import MATCH_PRODUCTS, match_products
from tolerances import EPS


def run(x, template, variant):
    """The operation on NumPy arrays by a CUDA variant, into poisoned memory."""
    plan = MATCH_PRODUCTS.plan((x, template), (), variant)
    ((shape, dtype),) = plan.geometry.outputs
    out = np.full(shape, np.nan if dtype.kind == "f" else 7, dtype)
    plan.run((x, template), (out,))
    return out


@st.composite
def calls(draw):
    n, c, t = draw(st.integers(0, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    r, s = draw(st.sampled_from([1, 2, 3, 9])), draw(st.sampled_from([1, 2, 5, 10]))
    p, q = draw(st.sampled_from([1, 3, 9])), draw(st.sampled_from([1, 4, 8]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from(["float32", "float64", "uint8"]))
    x, template = rng.random((n * t, p + r - 1, q + s - 1, c)), rng.random((t, r, s, c))
    scale = 255 if dtype == "uint8" else 1
    return (scale * x).astype(dtype), (scale * template).astype(dtype)


@pytest.mark.parametrize("variant", ["cuda.naive", "cuda.tiled"])
@given(call=calls())
@settings(max_examples=12, deadline=None)
def test_variants_equal_the_definition(variant, call):
    x, template = call
    expected = match_products(x, template, variant="reference")
    found = run(x, template, variant)
    assert found.dtype == expected.dtype
    if found.dtype == np.int64:
        np.testing.assert_array_equal(found, expected)
    else:
        bound = template[0].size * EPS[x.dtype.name] * max(1.0, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("variant", ["cuda.naive", "cuda.tiled"])
def test_nan_and_infinity_reach_the_windows_that_hold_them_and_no_other(variant):
    x = np.ones((1, 12, 13, 1), np.float32)
    x[0, 4, 5], x[0, 11, 12] = np.nan, np.inf
    template = np.ones((1, 3, 2, 1), np.float32)
    np.testing.assert_array_equal(run(x, template, variant), match_products(x, template, variant="reference"))
