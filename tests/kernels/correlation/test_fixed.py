"""Separable correlation of 8-bit images in fixed point, against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels


@st.composite
def calls(draw):
    shape = tuple(draw(st.sampled_from([1, 2, 5, 33, 70])) for _ in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(0, 256, (*shape, draw(st.integers(1, 3))), dtype=np.uint8)
    x[rng.random(x.shape) < 0.3] = 255
    weights = []
    for _ in range(2):
        taps = draw(st.integers(1, 9))
        weights.append(rng.multinomial(draw(st.sampled_from([0, 100, 256])), np.full(taps, 1 / taps)))
    mode = draw(st.sampled_from(["reflect", "mirror", "nearest", "wrap", "constant"]))
    return x, *weights, {"axis": 0, "mode": mode, "cval": draw(st.sampled_from([0, 255]))}


@given(calls())
def test_equals_the_definition(call):
    x, column, row, keywords = call
    out = np.full(x.shape, 7, np.uint8)
    assert kernels.correlate_fixed2d(x, column, row, out=out, **keywords) is out
    expected = kernels.correlate_fixed2d(x, column, row, variant="naive", **keywords)
    np.testing.assert_array_equal(out, expected)


def test_the_definition_is_a_rounded_mean():
    x = np.array([[[3, 6, 255]]], np.uint8).reshape(1, 3)
    rounded = np.floor(np.convolve([3, 3, 6, 255, 255], [0.25, 0.5, 0.25], "valid") + 0.5)
    for variant in ("reference", "naive", "rows"):
        given_back = kernels.correlate_fixed2d(x, [256], [64, 128, 64], variant=variant)
        np.testing.assert_array_equal(given_back[0], rounded)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (np.ones((2, 2)), [1], [1]), {}, "x expects uint8 but got float64"),
        (TypeError, (np.ones((2, 2), np.uint8), [1.0], [1]), {}, "column expects integers"),
        (ValueError, (np.ones((2, 2), np.uint8), [1], [-1, 2]), {}, "row expects weights of at least 0"),
        (ValueError, (np.ones((2, 2), np.uint8), [200, 57], [1]), {}, "column expects weights .* at most 256"),
        (ValueError, (np.ones((2, 2), np.uint8), [1], [1]), {"cval": 256}, r"cval expects an integer in \[0, 255\]"),
        (ValueError, (np.ones((2, 2), np.uint8), [1], [1]), {"axis": -1}, "axis expects an axis with another"),
        (ValueError, (np.ones((2, 2), np.uint8), [], [1]), {}, "column expects one axis"),
    ],
)
def test_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"correlate_fixed2d: {message}"):
        kernels.correlate_fixed2d(*arguments, **keywords)
