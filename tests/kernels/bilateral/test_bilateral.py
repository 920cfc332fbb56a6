"""The bilateral filter and its gradient: every variant against the definition, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tilegrad.kernels.machine.compile import compiled_kernels
from tolerances import MEANS_OF_BYTES, WEIGHTED_MEANS

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
sides = st.sampled_from([1, 2, 5, 16, 33, 40])


@st.composite
def calls(draw, dtypes):
    """Images and the keywords of a call."""
    shape = (draw(st.integers(1, 2)), draw(sides), draw(sides), draw(st.sampled_from([1, 3])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from(dtypes))
    size = 255.0 if dtype == "uint8" else 1.0
    x = (size * rng.random(shape)).astype(dtype)
    sigma = size * draw(st.sampled_from([0.05, 0.3, 2.0]))
    keywords = {
        "sigma_color": sigma if draw(st.booleans()) else [sigma * (1 + i) for i in range(shape[0])],
        "sigma_space": draw(st.sampled_from([0.5, 2.0])),
        "radius": draw(st.integers(0, 4)),
        "window": draw(st.sampled_from(["disk", "square"])),
        "distance": draw(st.sampled_from(["euclidean", "city"] if dtype == "float64" else ["city"])),
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 0.6 * size])),
    }
    return x, keywords


@given(calls(["float32", "float64"]))
@settings(max_examples=30)
def test_floats_equal_the_definition(call):
    x, keywords = call
    out = np.full_like(x, np.nan)
    assert kernels.bilateral(x, out=out, **keywords) is out
    expected = kernels.bilateral(x.astype(np.float64), variant="naive", **keywords)
    np.testing.assert_allclose(out, expected, rtol=0, atol=WEIGHTED_MEANS[x.dtype.name])


@given(calls(["uint8"]))
@settings(max_examples=20)
def test_bytes_are_the_rounded_means(call):
    x, keywords = call
    out = np.full_like(x, 7)
    kernels.bilateral(x, out=out, **keywords)
    means = kernels.bilateral(x.astype(np.float64), variant="naive", **keywords)
    assert np.abs(out - means).max(initial=0) <= 0.5 + MEANS_OF_BYTES


@given(calls(["float32", "float64"]))
@settings(max_examples=25)
def test_gradients_equal_the_definition(call):
    x, keywords = call
    gy = np.random.default_rng(1).standard_normal(x.shape).astype(x.dtype)
    out = np.full_like(x, np.nan)
    assert kernels.bilateral_grad(gy, x, out=out, **keywords) is out
    expected = kernels.bilateral_grad(gy.astype(np.float64), x.astype(np.float64), variant="naive", **keywords)
    # Slopes of the weights are up to 1 / sigma, 20 here, and all of a window's add up.
    np.testing.assert_allclose(out, expected, rtol=0, atol=100 * WEIGHTED_MEANS[x.dtype.name])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("distance", ["euclidean", "city"])
def test_the_gradient_is_the_slope(mode, distance):
    rng = np.random.default_rng(4)
    x, gy, way = rng.random((3, 2, 6, 5, 3))
    keywords = {"sigma_color": [0.4, 0.8], "sigma_space": 1.5, "radius": 3, "mode": mode, "distance": distance}
    step = 1e-6
    ahead, back = (kernels.bilateral(x + s * way, **keywords) for s in (step, -step))
    slope = ((ahead - back) * gy).sum() / (2 * step)
    np.testing.assert_allclose((kernels.bilateral_grad(gy, x, **keywords) * way).sum(), slope, rtol=1e-7)


def test_tiles_meet_without_a_seam():
    x = np.random.default_rng(0).random((1, 70, 1100, 1), np.float32)
    keywords = {"sigma_color": 0.2, "sigma_space": 2.0, "radius": 3}
    whole = kernels.bilateral(x, **keywords)
    columns = kernels.bilateral(x[:, :, 500:], **keywords)[:, :, 3:]
    np.testing.assert_allclose(whole[:, :, 503:], columns, rtol=0, atol=WEIGHTED_MEANS["float32"])
    rows = kernels.bilateral(x[:, 20:], **keywords)[:, 3:]
    np.testing.assert_allclose(whole[:, 23:], rows, rtol=0, atol=WEIGHTED_MEANS["float32"])


def test_wide_sigmas_give_the_mean_of_the_window():
    x = np.random.default_rng(0).random((1, 5, 6, 1))
    y = kernels.bilateral(x, sigma_color=1e9, sigma_space=1e9, radius=1, window="square", mode="wrap")
    shifts = [np.roll(x, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    np.testing.assert_allclose(y, np.mean(shifts, axis=0), rtol=1e-12)


def test_narrow_sigmas_leave_the_image_as_it_is():
    x = np.arange(30, dtype=np.uint8).reshape(1, 5, 6, 1)
    np.testing.assert_array_equal(kernels.bilateral(x, sigma_color=0.01, sigma_space=3, radius=2), x)


@pytest.mark.parametrize("channels", [1, 3])
def test_not_a_number_reaches_its_window_and_no_further(channels):
    x = np.ones((1, 20, 40, channels), np.float32)
    x[0, 10, 20, 0] = np.nan
    y = kernels.bilateral(x, sigma_color=1.0, sigma_space=1.0, radius=2)
    rows, columns = np.nonzero(np.isnan(y).any(axis=3)[0])
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (8, 12, 18, 22, 13)


@pytest.mark.parametrize("shape", [(0, 4, 4, 1), (1, 0, 4, 1), (2, 3, 0, 1), (1, 2, 2, 0)])
def test_empty_images_stay_empty(shape):
    keywords = {"sigma_color": 1.0, "sigma_space": 1.0, "radius": 2}
    assert kernels.bilateral(np.empty(shape), **keywords).shape == shape
    assert kernels.bilateral_grad(np.empty(shape), np.empty(shape), **keywords).shape == shape


def test_any_strides():
    x = np.random.default_rng(1).random((2, 12, 20, 3))
    x.flags.writeable = False
    keywords = {"sigma_color": 0.3, "sigma_space": 1.0, "radius": 2}
    for view in (x, x[::-1, ::-2], x.transpose(0, 2, 1, 3), np.broadcast_to(x[:1], (3, 12, 20, 3))):
        expected = kernels.bilateral(np.array(view, order="C"), **keywords)
        np.testing.assert_array_equal(kernels.bilateral(view, **keywords), expected)


def test_other_shapes_and_windows_compile_nothing():
    keywords = {"sigma_color": 0.3, "sigma_space": 1.0}
    kernels.bilateral(np.ones((1, 9, 9, 3), np.float32), radius=1, **keywords)
    before = len(compiled_kernels)
    kernels.bilateral(np.ones((2, 50, 90, 4), np.float32), radius=3, window="square", mode="wrap", **keywords)
    assert len(compiled_kernels) == before


X = np.ones((1, 4, 4, 1))


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, X.astype(np.int32), {}, "x expects float32 or float64 or uint8 but got int32"),
        (TypeError, X.tolist(), {}, "expects a numpy.ndarray"),
        (ValueError, X[0], {}, r"x expects \(N, H, W, C\) but got shape"),
        (ValueError, X, {"sigma_color": [1.0, 2.0]}, r"sigma_color expects a number, or \(1,\), but got shape \(2,\)"),
        (ValueError, X, {"sigma_color": 0.0}, "sigma_color expects numbers above 0"),
        (ValueError, X, {"sigma_color": float("nan")}, "sigma_color expects numbers above 0"),
        (TypeError, X, {"sigma_color": "1"}, "sigma_color expects real numbers"),
        (ValueError, X, {"sigma_space": -1.0}, "sigma_space expects a number above 0"),
        (TypeError, X, {"sigma_space": None}, "sigma_space expects a number"),
        (ValueError, X, {"radius": -1}, r"radius expects a value in \[0, 1023\]"),
        (TypeError, X, {"radius": 1.5}, "radius expects an integer"),
        (ValueError, X, {"window": "circle"}, "window expects one of 'disk', 'square'"),
        (ValueError, X, {"distance": "l1"}, "distance expects one of 'euclidean', 'city'"),
        (ValueError, X, {"mode": "edge"}, "mode expects one of"),
        (TypeError, X, {"cval": None}, "cval expects a number"),
        (ValueError, X, {"out": X}, "out shares memory with an input"),
    ],
)
def test_bilateral_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"bilateral: .*{message}"):
        kernels.bilateral(x, **{"sigma_color": 1.0, "sigma_space": 1.0, "radius": 1, **keywords})


def test_bilateral_grad_refuses_another_shape():
    with pytest.raises(ValueError, match=r"bilateral_grad: gy expects \(1, 4, 4, 1\) float64 but got"):
        kernels.bilateral_grad(X[:, :3], X, sigma_color=1.0, sigma_space=1.0, radius=1)
