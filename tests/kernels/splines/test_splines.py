"""Coefficients of splines: against SciPy, by what they are for, and on bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import DECLARED

from tilegrad import kernels

BOUND = DECLARED["recursive"]["float64"]


@st.composite
def calls(draw):
    shape = draw(st.tuples(st.integers(1, 2), *[st.sampled_from([1, 2, 3, 7, 40])] * 2, st.sampled_from([1, 3, 17])))
    how = {"degree": draw(st.integers(2, 5)), "border": draw(st.sampled_from(["mirror", "reflect", "wrap"]))}
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal(shape), how


@given(calls())
def test_the_spline_passes_through_the_pixels(call):
    x, how = call
    coefficients = kernels.spline_filter2d(x, **how, out=np.full_like(x, np.nan))
    again = kernels.interpolate(coefficients, x.shape[1:3], mode=f"spline{how['degree']}", border=how["border"])
    np.testing.assert_allclose(again, x, rtol=0, atol=BOUND * np.abs(coefficients).max())


@given(calls())
def test_the_gradient_is_adjoint(call):
    x, how = call
    gy = np.random.default_rng(1).standard_normal(x.shape)
    y, gx = kernels.spline_filter2d(x, **how), kernels.spline_filter2d_grad(gy, **how, out=np.full_like(x, np.nan))
    assert np.vdot(y, gy) == pytest.approx(np.vdot(x, gx), abs=BOUND * np.abs(y * gy).sum())


@pytest.mark.parity
@pytest.mark.parametrize("degree", [2, 3, 4, 5])
@pytest.mark.parametrize("border", ["mirror", "reflect", "grid-wrap"])
def test_equals_scipy(degree, border):
    """But for a term of SciPy's "reflect", which it adds to twice: pole ** (2 n - 1), nothing on lines of 30."""
    ndimage = pytest.importorskip("scipy.ndimage")
    x = np.random.default_rng(0).standard_normal((30, 41))
    expected = ndimage.spline_filter(x, degree, mode=border)
    ours = kernels.spline_filter2d(x[None, :, :, None], degree, border=border)[0, :, :, 0]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=BOUND * np.abs(expected).max())


def test_an_empty_batch_stays_empty():
    assert kernels.spline_filter2d(np.empty((0, 4, 5, 1))).shape == (0, 4, 5, 1)
    assert kernels.spline_filter2d(np.empty((1, 0, 5, 1))).shape == (1, 0, 5, 1)


X = np.ones((1, 4, 5, 1))


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (X, 1), {}, "degree expects 2, 3, 4 or 5 but got 1"),
        (TypeError, (X, 3.0), {}, "degree expects an integer but got 3.0"),
        (ValueError, (X,), {"border": "constant"}, "border expects one of 'mirror', 'reflect'"),
        (TypeError, (X.astype(int),), {}, "x expects float32 or float64 but got int64"),
        (ValueError, (X[0],), {}, "x expects 4 axes"),
    ],
)
def test_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"spline_filter2d: {message}"):
        kernels.spline_filter2d(*arguments, **keywords)
