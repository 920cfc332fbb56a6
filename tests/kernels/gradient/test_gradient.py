"""Derivatives of images: every variant against the definition, and against OpenCV and SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import CORRELATION_ROUNDINGS, EPS

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
SIZES = (1, 2, 3, 5, 17, 33, 64, 150)


@st.composite
def calls(draw, taps):
    """An image and the keywords of a call, channels last or none; and weights of one length or two."""
    shape = [draw(st.sampled_from(SIZES)), draw(st.sampled_from(SIZES))]
    channels = draw(st.sampled_from([None, 1, 3]))
    batch = draw(st.sampled_from([(), (2,)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (*batch, *shape, *(() if channels is None else (channels,)))
    keywords = {"mode": draw(st.sampled_from(MODES)), "axis": len(batch), "cval": draw(st.sampled_from([0, 7]))}
    return rng, shape, draw(taps), keywords


@given(calls(st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 200]))))
def test_derivatives_equal_the_definition(call):
    rng, shape, (r, s, largest), keywords = call
    x = rng.choice(256, shape).astype(np.uint8) if largest == 3 else rng.choice([0, 255], shape).astype(np.uint8)
    column, row = rng.integers(-largest, largest + 1, r), rng.integers(-largest, largest + 1, s)
    out = np.full(shape, 7, np.int16)
    assert kernels.derivative2d(x, column, row, out=out, **keywords) is out
    np.testing.assert_array_equal(out, kernels.derivative2d(x, column, row, variant="naive", **keywords))


@given(calls(st.tuples(st.integers(-9, 9), st.integers(-20, 20), st.booleans())))
def test_slopes_equal_the_definition(call):
    rng, shape, (a, b, along), keywords = call
    x = rng.integers(0, 256, shape).astype(np.uint8)
    weights = [(a, b, a), (-1, 0, 1)] if along else [(-1, 0, 1), (a, b, a)]
    out = np.full(shape, 7, np.int16)
    kernels.derivative2d(x, *weights, variant="slopes", out=out, **keywords)
    np.testing.assert_array_equal(out, kernels.derivative2d(x, *weights, variant="naive", **keywords))
    np.testing.assert_array_equal(out, kernels.derivative2d(x, *weights, variant="rows", **keywords))


@pytest.mark.parity
@given(calls(st.sampled_from([3, 5, 7])))
def test_derivatives_equal_scipy(call):
    ndimage = pytest.importorskip("scipy.ndimage")
    rng, shape, taps, keywords = call
    x = rng.integers(0, 256, shape).astype(np.uint8)
    column, row = rng.integers(-9, 10, taps), rng.integers(-9, 10, taps)
    axis = keywords["axis"]
    weights = np.multiply.outer(column, row).reshape([1] * axis + [taps, taps] + [1] * (len(shape) - axis - 2))
    expected = ndimage.correlate(x.astype(np.float64), weights, mode=keywords["mode"], cval=keywords["cval"])
    np.testing.assert_array_equal(kernels.derivative2d(x, column, row, **keywords), expected.clip(-32768, 32767))


@given(calls(st.integers(1, 6)), st.sampled_from(["float32", "float64"]))
def test_magnitudes_equal_the_definition(call, dtype):
    rng, shape, taps, keywords = call
    x = rng.standard_normal(shape).astype(dtype)
    smooth, slope = rng.standard_normal(taps), rng.standard_normal(taps)
    out = np.full(shape, np.nan, dtype)
    assert kernels.gradient_magnitude2d(x, smooth, slope, out=out, **keywords) is out
    expected = kernels.gradient_magnitude2d(x.astype(np.float64), smooth, slope, variant="naive", **keywords)
    largest = max(float(np.abs(x).max()), keywords["cval"]) * np.abs(smooth).sum() * np.abs(slope).sum()
    np.testing.assert_allclose(out, expected, rtol=0, atol=(2 * taps + CORRELATION_ROUNDINGS) * EPS[dtype] * largest)


def test_flat_images_have_no_gradient():
    x = np.full((9, 70), 0.3, np.float32)
    assert (kernels.gradient_magnitude2d(x, [1, 2, 1], [-1, 0, 1]) == 0).all()
    outside = kernels.gradient_magnitude2d(x, [1, 2, 1], [-1, 0, 1], mode="constant", cval=0.3)
    np.testing.assert_allclose(outside, 0, atol=1e-6)


def test_sums_beyond_16_bits_are_limited():
    x = np.zeros((3, 40), np.uint8)
    x[:, 20:] = 255
    y = kernels.derivative2d(x, [90, 90, 90], [-1, 0, 1])
    assert y.max() == 32767
    assert kernels.derivative2d(x, [90, 90, 90], [1, 0, -1]).min() == -32768


def test_not_a_number_reaches_its_window_and_no_further():
    x = np.zeros((20, 40), np.float32)
    x[10, 20] = np.nan
    rows, columns = np.nonzero(np.isnan(kernels.gradient_magnitude2d(x, [1, 2, 1], [-1, 0, 1])))
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (9, 11, 19, 21, 9)


@pytest.mark.parametrize("shape", [(0, 5), (4, 0), (0, 4, 5), (3, 4, 5, 0)])
def test_empty_images_stay_empty(shape):
    axis = max(len(shape) - 3, 0)
    assert kernels.derivative2d(np.empty(shape, np.uint8), [1], [1], axis=axis).shape == shape
    assert kernels.gradient_magnitude2d(np.empty(shape), [1], [1], axis=axis).shape == shape


def test_any_strides():
    x = np.random.default_rng(0).integers(0, 256, (20, 60)).astype(np.uint8)
    x.flags.writeable = False
    for view in (x, x[::-1, ::-2], x.T, np.broadcast_to(x[0], (20, 60))):
        whole = np.array(view, order="C")
        np.testing.assert_array_equal(
            kernels.derivative2d(view, [1, 2], [1, -1]), kernels.derivative2d(whole, [1, 2], [1, -1])
        )


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (IMAGE.astype(float), [1], [1]), {}, "x expects uint8 but got float64"),
        (ValueError, (IMAGE[0], [1], [1]), {}, "x expects at least 2 axes"),
        (TypeError, (IMAGE, [1.0], [1]), {}, "column expects integers but got float64"),
        (ValueError, (IMAGE, [1], np.ones(0, int)), {}, "row expects one axis of at least one number"),
        (ValueError, (IMAGE, [2**20], [2**20]), {}, r"column and row expect weights whose sums stay below 2\*\*31"),
        (ValueError, (IMAGE, [2**40], [1]), {}, "column and row expect weights whose sums"),
        (ValueError, (IMAGE, [[1]], [1]), {}, "column expects one axis"),
        (ValueError, (IMAGE, [1], [1]), {"axis": 1}, "axis expects an axis with another behind it"),
        (ValueError, (IMAGE, [1], [1]), {"mode": "symmetric"}, "mode expects one of"),
        (ValueError, (IMAGE, [1], [1]), {"cval": 256}, r"cval expects a value in \[0, 255\]"),
        (TypeError, (IMAGE, [1], [1]), {"cval": 0.5}, "cval expects an integer"),
    ],
)
def test_derivative2d_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"derivative2d: {message}"):
        kernels.derivative2d(*arguments, **keywords)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (TypeError, (IMAGE, [1], [1]), "x expects float32 or float64 but got uint8"),
        (ValueError, (np.ones((4, 5)), [1], [1, 2]), "slope expects as many weights as smooth has, 1, but got 2"),
        (TypeError, (np.ones((4, 5)), ["a"], [1]), "smooth expects real numbers"),
    ],
)
def test_gradient_magnitude2d_refuses(error, arguments, message):
    with pytest.raises(error, match=f"gradient_magnitude2d: {message}"):
        kernels.gradient_magnitude2d(*arguments)
