"""Non-local means: every variant against the definition, integers to the bit, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tilegrad.kernels.machine.compile import compiled_kernels
from tilegrad.kernels.nl_means.weights import polynomial_weights, rate_of, weights_of
from tolerances import WEIGHTED_MEANS

from tilegrad import kernels

sides = st.sampled_from([1, 2, 3, 8, 17, 33, 40])
seeds = st.integers(0, 2**32 - 1)


def smooth(shape, dtype, seed=0):
    """Images with slopes and noise, so that patches resemble each other more or less; bytes, or numbers up to 1."""
    rng = np.random.default_rng(seed)
    n, h, w, c = shape
    slopes = np.linspace(0, 1, h)[:, None, None] * np.linspace(0.2, 1, w)[:, None] * np.ones(c)
    x = np.clip(slopes * rng.uniform(0.5, 1, (n, 1, 1, 1)) + rng.normal(0, 0.05, shape), 0, 1)
    return np.rint(255 * x).astype(np.uint8) if dtype == "uint8" else x.astype(dtype)


@st.composite
def float_calls(draw):
    shape = (draw(st.integers(1, 2)), draw(sides), draw(sides), draw(st.integers(1, 3)))
    taps = draw(st.integers(1, 5))
    keywords = {
        "before": draw(st.integers(0, taps - 1)),
        "distance": draw(st.integers(0, 4)),
        "inside": draw(st.booleans()),
        "scale": draw(st.sampled_from([0.0, 1.0, 40.0])),
        "offset": draw(st.sampled_from([0.0, 0.004])),
    }
    return smooth(shape, draw(st.sampled_from(["float32", "float64"])), draw(seeds)), np.arange(1.0, taps + 1), keywords


@given(float_calls())
def test_floats_equal_the_definition(call):
    x, weights, keywords = call
    out = np.full_like(x, np.nan)
    assert kernels.nl_means(x, weights, out=out, **keywords) is out
    expected = kernels.nl_means(x.astype(np.float64), weights, variant="naive", **keywords)
    # A patch right at the cutoff counts in one and not in the other; its weight is below exp(-5).
    near = np.abs(out - expected) > WEIGHTED_MEANS[x.dtype.name]
    assert near.mean() < 0.01
    np.testing.assert_allclose(out, expected, rtol=0, atol=np.exp(-5.0))


@st.composite
def byte_calls(draw):
    shape = (draw(st.integers(1, 2)), draw(sides), draw(sides), draw(st.sampled_from([1, 3])))
    keywords = {
        "h": draw(st.sampled_from([0.0, 3.0, 11.5, 40.0])),
        "patch_size": draw(st.sampled_from([1, 7])),
        "search_size": draw(st.sampled_from([1, 5, 11])),
    }
    return smooth(shape, "uint8", draw(seeds)), keywords


@given(byte_calls())
def test_bytes_equal_the_definition_to_the_bit(call):
    x, keywords = call
    out = np.full_like(x, 7)
    assert kernels.nl_means_uint8(x, out=out, **keywords) is out
    np.testing.assert_array_equal(out, kernels.nl_means_uint8(x, variant="naive", **keywords))


def test_tiles_meet_without_a_seam():
    x = smooth((1, 140, 600, 1), "uint8")
    whole = kernels.nl_means_uint8(x, h=10, search_size=5)
    parts = [kernels.nl_means_uint8(x[:, : 64 + 5], h=10, search_size=5)[:, :64],
             kernels.nl_means_uint8(x[:, 64 - 5 :], h=10, search_size=5)[:, 5:]]  # fmt: skip
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))
    columns = kernels.nl_means_uint8(x[:, :, 300 - 5 :], h=10, search_size=5)[:, :, 5:]
    np.testing.assert_array_equal(whole[:, :, 300:], columns)


def test_float_tiles_meet_without_a_seam():
    x = smooth((1, 70, 700, 1), "float32")
    keywords = {"weights": np.ones(3), "before": 1, "distance": 2, "scale": 40.0}
    whole = kernels.nl_means(x, **keywords)
    np.testing.assert_array_equal(whole[:, :, 500:], kernels.nl_means(x[:, :, 497:], **keywords)[:, :, 3:])
    np.testing.assert_array_equal(whole[:, 35:], kernels.nl_means(x[:, 32:], **keywords)[:, 3:])


@given(st.floats(0.5, 60, width=32), st.sampled_from([3, 7]), st.sampled_from([11, 21, 35]), st.integers(1, 4))
@settings(max_examples=30)
def test_the_polynomial_is_taken_only_where_it_gives_the_table(h, patch, search, channels):
    rate = rate_of(h, patch, search, channels)
    table, _, largest = weights_of(h, patch, search, channels)
    if rate is not None:
        np.testing.assert_array_equal(polynomial_weights(np.float32(rate), len(table), largest), table)
    assert table[0] == largest
    assert (np.diff(table) <= 0).all()
    assert table[-1] >= 0.001 * largest - 1


def test_weights_fit_a_word_and_fall_to_a_thousandth():
    table, shift, largest = weights_of(10.0, 7, 21, 1)
    assert (shift, largest, len(table)) == (6, 19096, 528)
    assert largest * 21 * 21 * 255 < 2**31
    k = 100
    assert table[k] == round(19096 * np.exp(-k * 64 / 49 / 100))


def test_without_noise_removal_equal_patches_are_averaged():
    x = np.tile(np.array([10, 200], np.uint8), 40).reshape(1, 1, 80, 1)
    np.testing.assert_array_equal(kernels.nl_means_uint8(x, h=0), x)


def test_not_a_number_reaches_windows_that_hold_it_and_no_further():
    x = smooth((1, 40, 41, 1), "float32")
    x[0, 20, 20] = np.nan
    y = kernels.nl_means(x, np.ones(3), before=1, distance=4, scale=10.0)[0, :, :, 0]
    rows, columns = np.nonzero(np.isnan(y))
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (16, 24, 16, 24, 81)


@pytest.mark.parametrize("shape", [(0, 4, 4, 1), (1, 0, 4, 1), (2, 3, 0, 1)])
def test_empty_images_stay_empty(shape):
    assert kernels.nl_means(np.empty(shape), [1.0], before=0, distance=1).shape == shape
    assert kernels.nl_means_uint8(np.empty(shape, np.uint8)).shape == shape


def test_any_strides():
    x = smooth((2, 12, 20, 3), "uint8")
    x.flags.writeable = False
    for view in (x, x[::-1, ::-2], x.transpose(0, 2, 1, 3), np.broadcast_to(x[:1], (3, 12, 20, 3))):
        expected = kernels.nl_means_uint8(np.array(view, order="C"), search_size=5)
        np.testing.assert_array_equal(kernels.nl_means_uint8(view, search_size=5), expected)


def test_other_shapes_and_strengths_compile_nothing():
    for h in (0.0, 3.0):
        kernels.nl_means_uint8(smooth((1, 9, 9, 1), "uint8"), h=h)
    kernels.nl_means(smooth((1, 9, 9, 1), "float32"), [1.0], before=0, distance=1)
    before = len(compiled_kernels)
    kernels.nl_means_uint8(smooth((2, 100, 61, 1), "uint8"), h=25, search_size=9)
    kernels.nl_means(smooth((2, 70, 61, 3), "float32"), np.ones(6), before=2, distance=3, inside=True, scale=9.0)
    assert len(compiled_kernels) == before


X, B = np.ones((1, 4, 4, 1)), np.ones((1, 4, 4, 1), np.uint8)


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, B, {}, "x expects float32 or float64 but got uint8"),
        (ValueError, X[0], {}, r"x expects \(N, H, W, C\) but got shape"),
        (ValueError, X, {"weights": []}, "weights expects one axis of at least one number"),
        (TypeError, X, {"weights": [1j]}, "weights expects real numbers"),
        (ValueError, X, {"before": 2}, "before expects less than the 2 weights but got 2"),
        (ValueError, X, {"distance": -1}, "distance expects at least 0 but got -1"),
        (TypeError, X, {"distance": 1.0}, "distance expects an integer"),
        (TypeError, X, {"inside": 1}, "inside expects True or False"),
        (ValueError, X, {"scale": -1.0}, "scale expects a finite number of at least 0"),
        (ValueError, X, {"offset": float("inf")}, "offset expects a finite number"),
        (TypeError, X, {"cutoff": "5"}, "cutoff expects a number"),
        (ValueError, X, {"out": np.empty((1, 4, 4, 2))}, "out expects"),
    ],
)
def test_nl_means_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"nl_means: {message}"):
        kernels.nl_means(x, **{"weights": [1.0, 1.0], "before": 0, "distance": 1, **keywords})


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, X, {}, "x expects uint8 but got float64"),
        (ValueError, np.ones((1, 4, 4, 5), np.uint8), {}, "x expects one to four channels"),
        (ValueError, B, {"patch_size": 4}, "patch_size expects an odd number of at most 81 but got 4"),
        (ValueError, B, {"search_size": 0}, "search_size expects at least 1 but got 0"),
        (TypeError, B, {"search_size": 5.0}, "search_size expects an integer"),
        (TypeError, B, {"h": "3"}, "h expects a number"),
        (ValueError, B, {"h": float("nan")}, "h expects a number"),
        (ValueError, B, {"h": 1e39}, "h expects a finite float32 number"),
    ],
)
def test_nl_means_uint8_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"nl_means_uint8: {message}"):
        kernels.nl_means_uint8(x, **keywords)
