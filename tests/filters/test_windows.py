"""Correlation, convolution and the mean under windows: against SciPy, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import CORRELATION_ROUNDINGS, EPS

from tilegrad import filters

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
DTYPES = ("uint8", "int16", "bool", "float16", "float32", "float64")


@st.composite
def calls(draw):
    """An image of one to three axes, and how it is bordered; sizes and origins of a window."""
    axes = draw(st.integers(1, 3))
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 7, 18]), min_size=axes, max_size=axes))
    size = tuple(draw(st.lists(st.integers(1, 6), min_size=axes, max_size=axes)))
    origin = tuple(draw(st.integers(-((n - 1) // 2), (n - 1) // 2)) for n in size)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = (rng.random(shape) * 200).astype(draw(st.sampled_from(DTYPES)))
    border = {"mode": draw(st.sampled_from(MODES)), "cval": draw(st.sampled_from([0.0, -3.0]))}
    return image, rng.standard_normal(size), {**border, "origin": origin}


def check(ours, name, image, window, keywords, roundings):
    """Equal to SciPy's function of the same name in float64, but for rounding."""
    ndimage = pytest.importorskip("scipy.ndimage")
    wide, theirs = image.astype(np.float64), getattr(ndimage, name)
    assert ours.dtype == (np.float32 if image.dtype in (np.float16, np.float32) else np.float64)
    assert ours.flags.c_contiguous
    sizes = theirs(np.abs(wide), np.abs(window), **{**keywords, "cval": abs(keywords["cval"])})
    error = (roundings + CORRELATION_ROUNDINGS) * EPS[ours.dtype.name] * sizes
    assert (np.abs(ours - theirs(wide, window, **keywords)) <= error + 1e-300).all()


@pytest.mark.parity
@given(calls(), st.sampled_from(["correlate", "convolve"]))
def test_correlation_and_convolution_equal_scipy(call, name):
    image, weights, keywords = call
    check(getattr(filters, name)(image, weights, **keywords), name, image, weights, keywords, 2 * weights.size)


@pytest.mark.parity
@given(calls(), st.data())
def test_correlate1d_equals_scipy(call, data):
    ndimage = pytest.importorskip("scipy.ndimage")
    image, weights, keywords = call
    axis = data.draw(st.integers(-image.ndim, image.ndim - 1))
    taps = weights.reshape(-1)[: weights.shape[0]]
    keywords["origin"] = keywords["origin"][0]
    ours = filters.correlate1d(image, taps, axis, **keywords)
    expected = ndimage.correlate1d(image.astype(np.float64), taps, axis, **keywords)
    bound = (taps.size + CORRELATION_ROUNDINGS) * EPS[ours.dtype.name] * np.abs(taps).sum() * 203
    np.testing.assert_allclose(ours, expected, rtol=0, atol=bound)


@pytest.mark.parity
@given(calls())
def test_uniform_equals_scipy(call):
    """SciPy's running sums round relative to all that has passed: hence the largest number of the image."""
    ndimage = pytest.importorskip("scipy.ndimage")
    image, weights, keywords = call
    ours = filters.uniform(image, weights.shape, **keywords)
    expected = ndimage.uniform_filter(image.astype(np.float64), weights.shape, **keywords)
    bound = (sum(weights.shape) + CORRELATION_ROUNDINGS) * EPS[ours.dtype.name] * 200 + 1e-11
    np.testing.assert_allclose(ours, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("name", ["correlate", "uniform"])
@pytest.mark.parametrize("channel", [None, -1, 2])
def test_a_batch_equals_its_images(channel, name):
    batch = np.random.default_rng(1).random((2, 3, 6, 5, 4))
    window = np.arange(1.0, 7).reshape(2, 3) if channel is not None else np.arange(1.0, 13).reshape(2, 3, 2)
    window = window.shape if name == "uniform" else window
    function = getattr(filters, name)
    together = function(batch, window, batch_axes=2, channel_axis=channel)
    inside = channel if channel is None or channel < 0 else channel - 2
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(together[i], function(batch[i], window, channel_axis=inside), rtol=1e-13)
        if inside is not None:
            for c in range(batch[i].shape[inside]):
                alone = function(batch[i].take(c, inside), window)
                np.testing.assert_allclose(together[i].take(c, inside), alone, rtol=1e-13)


CALLS = {
    "correlate": ([[0.0, 1, 2], [3, 4, 5]],),
    "convolve": ([[0.0, 1, 2], [3, 4, 5]],),
    "correlate1d": ([1.0, 2, 3], 0),
    "uniform": ((2, 3),),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("case", ["same type", "wider", "strided", "itself"])
def test_out(name, case):
    image = np.random.default_rng(2).random((8, 9)).astype(np.float32)
    function, arguments = getattr(filters, name), CALLS[name]
    expected = function(image, *arguments)
    out = {
        "same type": np.full((8, 9), np.nan, np.float32),
        "wider": np.full((8, 9), np.nan),
        "strided": np.full((9, 16), np.nan, np.float32).T[::2],
        "itself": image,
    }[case]
    assert function(image, *arguments, out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", CALLS)
def test_inputs_of_any_kind(name):
    function, arguments = getattr(filters, name), CALLS[name]
    for shape in ((0, 5), (4, 0)):
        assert function(np.empty(shape, np.uint8), *arguments).shape == shape
    for shape in ((1, 1), (1, 40), (40, 1)):
        assert function(np.ones(shape), *arguments).shape == shape
    image = np.random.default_rng(3).random((10, 12))
    image.flags.writeable = False
    for view in (image, image[::-1, ::-2], image.T, np.broadcast_to(image[0], (4, 12))):
        np.testing.assert_array_equal(function(view, *arguments), function(np.array(view, order="C"), *arguments))
    spoilt = np.zeros((20, 20))
    spoilt[10, 10] = np.nan
    assert np.isnan(function(spoilt, *arguments)).sum() == (3 if name == "correlate1d" else 6)


def test_integers_are_neither_scaled_nor_rounded():
    image = np.full((4, 4), 255, np.uint8)
    np.testing.assert_array_equal(filters.correlate(image, [[0.5, 2]]), np.full((4, 4), 637.5))
    np.testing.assert_allclose(filters.uniform(image), 255.0, rtol=1e-14)


IMAGE = np.ones((4, 5))


@pytest.mark.parametrize(
    ("error", "name", "arguments", "keywords", "message"),
    [
        (
            TypeError,
            "correlate",
            (IMAGE.tolist(), [[1.0]]),
            {},
            "image expects a numpy.ndarray or cupy.ndarray but got list",
        ),
        (TypeError, "correlate", (IMAGE.astype(complex), [[1.0]]), {}, "image expects real numbers"),
        (ValueError, "correlate", (IMAGE, [1.0]), {}, r"weights expects 2 axes of .* but got shape \(1,\)"),
        (ValueError, "correlate", (IMAGE, np.ones((3, 0))), {}, "weights expects 2 axes of at least one number"),
        (TypeError, "correlate", (IMAGE, [["a"]]), {}, "weights expects real numbers"),
        (ValueError, "correlate", (IMAGE, [[1.0]]), {"mode": "edge"}, "mode expects one of"),
        (ValueError, "correlate", (IMAGE, [[1.0]]), {"origin": 1}, r"origin expects values in \[0, 0\]"),
        (ValueError, "convolve", (IMAGE, [[1.0, 2.0]]), {"origin": (0, -2)}, r"origin expects values in \[-1, 0\]"),
        (ValueError, "correlate", (IMAGE, [[1.0]]), {"batch_axes": 2}, "image expects an axis beside"),
        (ValueError, "correlate", (IMAGE, [[1.0]]), {"channel_axis": 2}, r"channel_axis expects a value in \[-2, 2\)"),
        (ValueError, "correlate", (IMAGE, [[1.0]]), {"out": np.empty((4, 5), int)}, "out expects a floating-point"),
        (ValueError, "correlate1d", (IMAGE, [1.0], 2), {}, r"axis expects a value in \[-2, 2\)"),
        (ValueError, "correlate1d", (IMAGE, [1.0]), {"out": np.empty((5, 4))}, "out expects a writeable array"),
        (ValueError, "uniform", (IMAGE, 0), {}, "size expects values of at least 1"),
        (ValueError, "uniform", (IMAGE, 2**31), {}, "size expects at most 1048576 along"),
        (ValueError, "uniform", (IMAGE, (3, 3, 3)), {}, "size expects an integer or 2 of them"),
        (TypeError, "uniform", (IMAGE, 2.5), {}, "size expects integers"),
        (TypeError, "uniform", (IMAGE,), {"cval": None}, "cval expects a number"),
    ],
)
def test_refuses(error, name, arguments, keywords, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        getattr(filters, name)(*arguments, **keywords)
