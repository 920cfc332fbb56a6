"""Sums and means: any axes, errors of summation, and independence of the number of threads."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tilegrad.kernels.contexts import operations
from tolerances import EPS, SUM

from tilegrad import kernels

DTYPES = ["float32", "float64"]
NAMES = ["sum", "mean"]


def expected_of(name, x, axis, keepdims):
    return np.asarray(getattr(np, name)(x.astype(np.longdouble), axis=axis, keepdims=keepdims))


def assert_close(y, x, name, axis, keepdims=False):
    """Within a share of the sum of sizes, which is what rounding can explain."""
    expected = expected_of(name, x, axis, keepdims)
    assert (y.shape, y.dtype) == (expected.shape, x.dtype)
    sizes = expected_of(name, np.abs(x), axis, keepdims)
    np.testing.assert_array_less(np.abs(y - expected), SUM[x.dtype.name] * sizes + np.finfo(x.dtype).tiny)


@st.composite
def calls(draw):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=5, min_side=1, max_side=9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = np.asarray(rng.standard_normal(shape) + draw(st.sampled_from([0, 1000])), draw(st.sampled_from(DTYPES)))
    if draw(st.booleans()):
        x = x.T[(..., *[slice(None, None, -1)] * x.ndim)]
    axes = [a - draw(st.sampled_from([0, x.ndim])) for a in range(x.ndim) if draw(st.booleans())]
    axis = draw(st.sampled_from([None, tuple(axes), axes[0] if axes else None]))
    return x, axis, draw(st.booleans())


@given(call=calls(), name=st.sampled_from(NAMES))
def test_any_axes(call, name):
    x, axis, keepdims = call
    out = np.full(expected_of(name, x, axis, keepdims).shape, np.nan, x.dtype)
    assert getattr(kernels, name)(x, axis=axis, keepdims=keepdims, out=out) is out
    assert_close(out, x, name, axis, keepdims)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), [
    ((70_000,), None), ((20_000, 3), 0), ((4, 40, 40, 64), (0, 1, 2)), ((3, 300, 513), 1), ((2, 5000, 40), (0, 2)),
    ((600, 601), 1), ((5, 1, 7000, 1, 2), (1, 2)), ((40_001, 31), 0), ((2, 3, 70_000), -1),
])  # fmt: skip
@pytest.mark.parametrize("name", NAMES)
def test_large_sums_with_an_offset(name, shape, axis, dtype):
    x = (1000 + np.random.default_rng(1).standard_normal(shape)).astype(dtype)
    assert_close(getattr(kernels, name)(x, axis=axis), x, name, axis)


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_variants_equal_the_definition(name, dtype, variant):
    for case in operations[name].cases[:2]:
        x = np.random.default_rng(2).random(case["shapes"][0]).astype(dtype)
        for axis in (case.get("axis"), 0, -1):
            y = getattr(kernels, name)(x, axis=axis, variant=variant)
            np.testing.assert_allclose(y, getattr(kernels, name)(x, axis=axis), rtol=8 * EPS[dtype])


@pytest.mark.parametrize("axis", [None, (0, 1, 2), (1, 2), 3, (0, 3), (1, 3)])
def test_sums_do_not_depend_on_the_number_of_threads(axis):
    x = np.random.default_rng(4).standard_normal((8, 40, 40, 64)).astype(np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.sum(x, axis=axis))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("dtype", DTYPES)
def test_empty_arrays(dtype):
    x = np.ones((3, 0, 2), dtype)
    np.testing.assert_array_equal(kernels.sum(x, axis=1), np.zeros((3, 2), dtype), strict=True)
    assert np.isnan(kernels.mean(x, axis=(0, 1))).all()
    assert kernels.sum(x, axis=0).shape == (0, 2)
    assert kernels.sum(x).item() == 0


@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_propagate(name):
    x = np.ones((50, 40), np.float32)
    x[3, 1], x[4, 2], x[5, 3], x[6, 3] = np.nan, np.inf, np.inf, -np.inf
    for axis in (0, 1, None):
        with np.errstate(invalid="ignore"):
            expected = getattr(np, name)(x, axis=axis)
        np.testing.assert_allclose(getattr(kernels, name)(x, axis=axis), expected, rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_refused(name):
    function, x = getattr(kernels, name), np.ones((2, 3), np.float32)
    for axis in (2, -3, (0, 0), (0, -2)):
        with pytest.raises(ValueError, match=f"{name}: axis expects distinct axes of an array with 2"):
            function(x, axis=axis)
    for axis in ("0", 1.0, (True,)):
        with pytest.raises(TypeError, match=f"{name}: axis expects None, an integer or a tuple"):
            function(x, axis=axis)
    for bad in (np.ones(3, int), np.ones(3, ">f4"), [1.0], None):
        with pytest.raises(TypeError, match=f"{name}: "):
            function(bad)
    with pytest.raises(ValueError, match=rf"{name}: out expects \(3,\) float32 but got \(2,\) float32"):
        function(x, axis=0, out=np.empty(2, np.float32))
    with pytest.raises(ValueError, match=f"{name}: out shares memory"):
        function(x, axis=0, out=x[0])
