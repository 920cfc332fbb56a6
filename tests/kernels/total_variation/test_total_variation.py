"""Denoising by total variation: every variant against the definition, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import TOTAL_VARIATION

from tilegrad import kernels

sides = st.sampled_from([1, 2, 3, 16, 17, 33, 70])


@st.composite
def calls(draw):
    shape = (*draw(st.sampled_from([(), (1,), (3,), (2, 2), (0,)])), draw(sides), draw(sides))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = np.linspace(0, 1, shape[-1]) + rng.normal(0, 0.1, shape)
    keywords = {
        "weight": draw(st.sampled_from([0.02, 0.2, 2.0])),
        "eps": draw(st.sampled_from([0.0, 2e-4, 1e-2])),
        "steps": draw(st.sampled_from([1, 2, 40])),
    }
    return x.astype(draw(st.sampled_from(["float32", "float64"]))), keywords


@given(calls())
def test_equals_the_definition(call):
    x, keywords = call
    out = np.full_like(x, np.nan)
    assert kernels.total_variation(x, out=out, **keywords) is out
    # In the same type: the number of steps depends on small changes of the energy.
    expected = kernels.total_variation(x, variant="naive", **{**keywords, "eps": 0.0, "steps": keywords["steps"]})
    if keywords["eps"] == 0:
        np.testing.assert_allclose(out, expected, rtol=0, atol=TOTAL_VARIATION[x.dtype.name])
        return
    wide = kernels.total_variation(x.astype(np.float64), **keywords)
    stopped = kernels.total_variation(x.astype(np.float64), variant="naive", **keywords)
    np.testing.assert_allclose(wide, stopped, rtol=0, atol=TOTAL_VARIATION["float64"])


def test_images_of_a_batch_stop_one_by_one():
    rng = np.random.default_rng(0)
    x = rng.random((3, 40, 41))
    x[1] *= 0.01
    together = kernels.total_variation(x, weight=0.1)
    for image, result in zip(x, together, strict=True):
        np.testing.assert_array_equal(kernels.total_variation(image, weight=0.1), result)


def test_the_first_step_gives_the_image():
    x = np.random.default_rng(0).random((5, 6))
    np.testing.assert_array_equal(kernels.total_variation(x, weight=0.1, steps=1), x)


def test_what_is_sought_is_least():
    """No small change of the result lowers the sum that it minimises."""
    rng = np.random.default_rng(2)
    x, weight = rng.random((12, 13)), 0.2

    def energy(u):
        down, across = np.diff(u, axis=0, append=u[-1:]), np.diff(u, axis=1, append=u[:, -1:])
        return np.square(u - x).sum() / 2 + weight * np.hypot(down, across).sum()

    u = kernels.total_variation(x, weight=weight, eps=0.0, steps=5000)
    for _ in range(20):
        assert energy(u + 1e-2 * rng.standard_normal(u.shape)) > energy(u)
    assert energy(u) < energy(x)


def test_the_mean_is_kept():
    x = np.random.default_rng(3).random((30, 31))
    np.testing.assert_allclose(kernels.total_variation(x, weight=0.5).mean(), x.mean(), rtol=1e-13)


def test_not_a_number_spreads_a_pixel_a_step():
    x = np.ones((21, 21))
    x[10, 10] = np.nan
    assert np.isnan(kernels.total_variation(x, weight=0.1, steps=1)).sum() == 1
    assert np.isnan(kernels.total_variation(x, weight=0.1, steps=2)).sum() <= 9


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 3, 3)])
def test_empty_images_stay_empty(shape):
    assert kernels.total_variation(np.empty(shape), weight=0.1).shape == shape


def test_any_strides():
    x = np.random.default_rng(1).random((12, 20))
    x.flags.writeable = False
    for view in (x, x[::-1, ::-2], x.T, np.broadcast_to(x[0], (4, 20))):
        expected = kernels.total_variation(np.array(view, order="C"), weight=0.1)
        np.testing.assert_array_equal(kernels.total_variation(view, weight=0.1), expected)


X = np.ones((4, 4))


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, X.astype(int), {}, "x expects float32 or float64 but got int64"),
        (ValueError, X[0], {}, "x expects at least two axes"),
        (ValueError, X, {"weight": 0.0}, "weight expects a finite number above 0 but got 0.0"),
        (ValueError, X, {"weight": float("inf")}, "weight expects a finite number above 0"),
        (TypeError, X, {"weight": "1"}, "weight expects a number"),
        (ValueError, X, {"eps": -1.0}, "eps expects a number of at least 0"),
        (ValueError, X, {"steps": 0}, "steps expects at least 1 but got 0"),
        (TypeError, X, {"steps": 1.0}, "steps expects an integer"),
    ],
)
def test_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"total_variation: {message}"):
        kernels.total_variation(x, **{"weight": 0.1, **keywords})
