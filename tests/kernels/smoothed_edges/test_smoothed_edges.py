"""Canny's stages on real numbers: the same bits as the definition, and as SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

MODES = ("constant", "nearest", "reflect", "mirror", "wrap")


def taps(sigma):
    radius = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 / max(sigma, 0.1) ** 2 * np.arange(-radius, radius + 1) ** 2)
    return weights / weights.sum()


@st.composite
def calls(draw):
    """Images, with ties or without, and the keywords of a call."""
    h, w = draw(st.sampled_from([1, 2, 3, 9, 65, 70, 130])), draw(st.sampled_from([1, 2, 3, 17, 64, 70]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.random((draw(st.sampled_from([1, 2])), h, w))
    if draw(st.booleans()):
        x = x * 0.01 + (np.arange(h)[:, None] > h // 2) + (np.arange(w) > w // 3)
    dtype = draw(st.sampled_from(["float32", "float64", "uint8"]))
    x = np.rint(x * 100).astype(np.uint8) if dtype == "uint8" else x.astype(dtype)
    kind = np.float32 if dtype == "float32" else np.float64
    keywords = {
        "column": taps(draw(st.sampled_from([0, 1, 2.5]))),
        "row": taps(draw(st.sampled_from([0, 1, 2.5]))),
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 0.1])),
        "scale": 1 / 255,
    }
    if draw(st.booleans()):
        rows = draw(st.sampled_from([h, min(h, 5) - (min(h, 5) % 2 == 0)]))
        keywords["divisor"] = rng.uniform(0.5, 1, (draw(st.sampled_from([1, len(x)])), rows, w)).astype(kind)
    if draw(st.booleans()):
        keywords["inside"] = rng.random((draw(st.sampled_from([1, len(x)])), h, w)) < 0.9
    low = rng.choice([0, 0.01, 0.3], len(x)) * (1 if dtype != "uint8" else 0.2)
    return x, {**keywords, "low": low, "high": low * 3}


@given(calls(), st.sampled_from(["smoothed", "norms", "classes"]))
def test_rows_are_the_definition_bit_for_bit(call, stage):
    x, keywords = call
    stage = stage if x.dtype == np.float32 else "classes"  # the loops are compiled once for each pair of types
    kind = np.uint8 if stage == "classes" else np.float32 if x.dtype == np.float32 else np.float64
    out = np.full(x.shape, 7, kind)
    assert kernels.smoothed_edges(x, stage=stage, out=out, **keywords) is out
    np.testing.assert_array_equal(out, kernels.smoothed_edges(x, stage=stage, variant="naive", **keywords))


@pytest.mark.parity
@given(calls())
def test_smoothing_and_norms_are_scipys_bit_for_bit(call):
    ndimage = pytest.importorskip("scipy.ndimage")
    x, keywords = call
    border = {"mode": keywords["mode"], "cval": keywords["cval"]}
    arguments = {name: keywords[name] for name in ("column", "row", "mode", "cval", "scale")}
    smoothed = kernels.smoothed_edges(x, stage="smoothed", **arguments)
    norms = kernels.smoothed_edges(x, stage="norms", **arguments)
    for i in range(len(x)):
        expected = x[i] * (1 / 255) if x.dtype == np.uint8 else x[i]
        for axis, name in enumerate(("column", "row")):
            expected = ndimage.correlate1d(expected, keywords[name], axis=axis, **border)
        np.testing.assert_array_equal(smoothed[i], expected)
        down, along = ndimage.sobel(expected, axis=0), ndimage.sobel(expected, axis=1)
        np.testing.assert_array_equal(norms[i], np.sqrt(down * down + along * along))


def test_not_a_number_is_no_edge_and_reaches_its_window_only():
    x = np.zeros((1, 30, 40))
    x[:, :, 20:] = 1
    clean = kernels.smoothed_edges(x, [1], [1], low=0.5, high=1)
    x[0, 10, 20] = np.nan
    spoiled = kernels.smoothed_edges(x, [1], [1], low=0.5, high=1)
    rows, columns = np.nonzero(clean[0] != spoiled[0])
    assert 8 <= rows.min() <= rows.max() <= 12
    assert 18 <= columns.min() <= columns.max() <= 22
    assert (spoiled[0, 9:12, 19:22] == 0).all()


@pytest.mark.parametrize("shape", [(0, 4, 5), (1, 0, 5), (1, 4, 0)])
def test_empty_images_stay_empty(shape):
    assert kernels.smoothed_edges(np.empty(shape), [1], [1]).shape == shape


X = np.ones((2, 4, 5))


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, X.astype(np.int16), {}, "x expects uint8, float32 or float64 but got int16"),
        (ValueError, X[0], {}, r"x expects shape \(N, H, W\)"),
        (ValueError, X, {"column": [1, 1]}, "column expects an odd number of weights but got 2"),
        (TypeError, X, {"row": ["a"]}, "row expects real numbers"),
        (ValueError, X, {"stage": "edges"}, "stage expects one of 'smoothed'"),
        (TypeError, X, {"stage": 1}, "stage expects a string"),
        (ValueError, X, {"divisor": np.ones((1, 2, 5))}, "divisor expects shape"),
        (TypeError, X, {"divisor": np.ones((1, 4, 5), np.float32)}, "divisor expects float64 but got float32"),
        (ValueError, X, {"inside": np.ones((3, 4, 5), bool)}, "inside expects shape"),
        (TypeError, X, {"inside": np.ones((1, 4, 5))}, "inside expects bool"),
        (ValueError, X, {"mode": "edge"}, "mode expects one of"),
        (TypeError, X, {"scale": "1"}, "scale expects a number"),
    ],
)
def test_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"smoothed_edges: {message}"):
        kernels.smoothed_edges(x, **{"column": [1], "row": [1], **keywords})
