"""Canny and hysteresis thresholds: pixel by pixel scikit-image's, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import filters

MODES = ("constant", "nearest", "reflect", "mirror", "wrap")
DTYPES = ("uint8", "uint16", "int16", "int32", "bool", "float16", "float32", "float64")


def picture(rng, h, w):
    """Noise, or a figure whose edges are ties: a step, a disc, a chequerboard, a ramp, nothing."""
    i, j = np.mgrid[:h, :w]
    return [
        rng.random((h, w)),
        ((i > h // 3) & (j < w // 2)) * 1.0,
        ((i - h / 2) ** 2 + (j - w / 2) ** 2 < (min(h, w) / 3) ** 2) * 1.0,
        ((i // 4 + j // 4) % 2) * 1.0,
        np.abs(i - j) / max(h, w),
        np.full((h, w), 0.7),
    ][rng.integers(6)]


@st.composite
def calls(draw):
    """An image and the keywords of a call."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    h, w = draw(st.sampled_from([1, 2, 3, 5, 17, 31, 65, 130])), draw(st.sampled_from([1, 2, 3, 17, 64, 70]))
    dtype = draw(st.sampled_from(DTYPES))
    x = picture(rng, h, w)
    largest = np.iinfo(dtype).max if dtype[0] in "ui" else 1
    x = x > 0.5 if dtype == "bool" else (x * largest * 0.99).astype(dtype)
    keywords = {
        "sigma": draw(st.sampled_from([0, 0.5, 1.0, 2.0, (1.0, 3.0)])),
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 0.1])),
        "use_quantiles": draw(st.booleans()),
    }
    if keywords["use_quantiles"]:
        keywords["low_threshold"], keywords["high_threshold"] = 0.3, 0.8
    elif draw(st.booleans()):
        keywords["low_threshold"] = draw(st.sampled_from([0, 0.05, 0.1])) * largest
        keywords["high_threshold"] = draw(st.sampled_from([0.1, 0.3, 1.0])) * largest
    if draw(st.booleans()):
        keywords["mask"] = rng.random((h, w)) < 0.97
    return x, keywords


@pytest.mark.parity
@given(calls())
def test_equals_scikit_image(call):
    rival = pytest.importorskip("skimage.feature")
    x, keywords = call
    out = np.ones(x.shape, bool)
    assert filters.canny(x, out=out, **keywords) is out
    np.testing.assert_array_equal(out, rival.canny(x, **keywords))


@pytest.mark.parity
def test_equals_scikit_image_on_a_photograph():
    data, rival = pytest.importorskip("skimage.data"), pytest.importorskip("skimage.feature")
    for x in (data.camera(), data.camera() / 255, (data.camera() / 255).astype(np.float32)):
        for sigma in (1, 3):
            np.testing.assert_array_equal(filters.canny(x, sigma), rival.canny(x, sigma))


@pytest.mark.parametrize("channel", [None, -1, 1])
@pytest.mark.parametrize("quantiles", [False, True])
def test_a_batch_equals_its_images(channel, quantiles):
    rng = np.random.default_rng(1)
    batch = rng.integers(0, 256, (3, 20, 22) if channel is None else (3, 20, 22, 2)).astype(np.uint8)
    batch[1] //= 3
    batch = batch if channel != 1 else batch.transpose(0, 3, 1, 2)
    keywords = {"use_quantiles": True, "low_threshold": 0.5, "high_threshold": 0.9} if quantiles else {}
    together = filters.canny(batch, batch_axes=1, channel_axis=channel, **keywords)
    assert together.any()
    for i in range(3):
        for k in range(1 if channel is None else 2):
            one = batch[i] if channel is None else batch[i].take(k, {-1: 2, 1: 0}[channel])
            found = together[i] if channel is None else together[i].take(k, {-1: 2, 1: 0}[channel])
            np.testing.assert_array_equal(found, filters.canny(one, **keywords))


def test_masks_of_every_image():
    rng = np.random.default_rng(2)
    batch, masks = rng.random((3, 20, 22)), rng.random((3, 20, 22)) < 0.95
    together = filters.canny(batch, mask=masks, batch_axes=1, low_threshold=0.05, high_threshold=0.1)
    for x, mask, found in zip(batch, masks, together, strict=True):
        alone = filters.canny(x, mask=mask, low_threshold=0.05, high_threshold=0.1)
        np.testing.assert_array_equal(found, alone)
        assert alone.any()


@pytest.mark.parametrize("shape", [(0, 5), (4, 0), (0, 0)])
def test_an_empty_image_stays_empty(shape):
    assert filters.canny(np.empty(shape, np.uint8)).shape == shape
    assert filters.apply_hysteresis_threshold(np.empty(shape), 1, 2).shape == shape


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2)])
def test_images_that_are_all_border_have_no_edges(shape):
    assert not filters.canny(np.random.default_rng(0).random(shape), 10.0, 0, 0).any()


def test_strides_and_read_only_images():
    x = np.random.default_rng(3).random((30, 36))
    x.flags.writeable = False
    for view in (x, x[::-1, ::-2], x.T, np.broadcast_to(x[0], (9, 36))):
        np.testing.assert_array_equal(filters.canny(view), filters.canny(np.array(view, order="C")))


def test_not_a_number_is_no_edge_and_reaches_no_farther_than_the_blur():
    x = np.zeros((60, 60))
    x[:, 30:] = 1
    clean = filters.canny(x)
    x[30, 30] = np.nan
    spoiled = filters.canny(x)
    rows, _ = np.nonzero(clean != spoiled)
    assert 30 - 6 <= rows.min() <= rows.max() <= 30 + 6
    assert not spoiled[26:35, 26:35].any()


IMAGE = np.ones((4, 5))


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, IMAGE.tolist(), {}, "image expects a numpy.ndarray"),
        (ValueError, IMAGE.astype(np.int64), {}, "64-bit integer images are not supported"),
        (ValueError, IMAGE.astype(np.uint64), {}, "64-bit integer images are not supported"),
        (ValueError, np.ones((3, 4, 5)), {}, "image expects 2 axes beside those of the batch"),
        (ValueError, IMAGE, {"low_threshold": 2, "high_threshold": 1}, "low_threshold expects a number of at most"),
        (ValueError, IMAGE, {"low_threshold": float("nan")}, "low_threshold expects a number of at most"),
        (TypeError, IMAGE, {"low_threshold": "1"}, "low_threshold expects None or a number"),
        (
            ValueError,
            IMAGE,
            {"use_quantiles": True, "high_threshold": 3},
            r"high_threshold expects a quantile in \[0, 1\]",
        ),
        (ValueError, IMAGE, {"sigma": -1}, "sigma expects finite values of at least 0"),
        (ValueError, IMAGE, {"mode": "edge"}, "mode expects one of"),
        (ValueError, IMAGE, {"mask": np.ones((5, 4), bool)}, "mask expects shape"),
        (ValueError, IMAGE, {"out": np.empty((4, 5))}, "out expects a writeable bool array"),
    ],
)
def test_canny_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"canny: {message}"):
        filters.canny(image, **keywords)


@pytest.mark.parity
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.booleans())
def test_hysteresis_equals_scikit_image(seed, axes, arrays):
    rival = pytest.importorskip("skimage.filters")
    rng = np.random.default_rng(seed)
    shape = rng.choice([1, 2, 5, 17, 70][: 6 - axes], axes)
    x = rng.random(shape).astype(rng.choice(["float32", "float64"])) * 4
    x = x.astype(np.uint8) if rng.random() < 0.3 else x
    low, high = (rng.random(shape) * 2, rng.random(shape) * 4) if arrays else (1.5, float(rng.choice([1.0, 3.5])))
    found = filters.apply_hysteresis_threshold(x, low, high)
    np.testing.assert_array_equal(found, rival.apply_hysteresis_threshold(x, low, high))


def test_hysteresis_of_a_batch_with_channels():
    x = np.random.default_rng(4).random((2, 9, 10, 3))
    together = filters.apply_hysteresis_threshold(x, 0.4, 0.9, batch_axes=1, channel_axis=-1)
    for i, k in np.ndindex(2, 3):
        alone = filters.apply_hysteresis_threshold(x[i, ..., k], 0.4, 0.9)
        np.testing.assert_array_equal(together[i, ..., k], alone)
    out = np.ones(x.shape, bool)
    assert filters.apply_hysteresis_threshold(x, 0.4, 0.9, batch_axes=1, channel_axis=-1, out=out) is out
    np.testing.assert_array_equal(out, together)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (TypeError, ([1, 2], 0, 1), "image expects a numpy.ndarray"),
        (TypeError, (IMAGE, "a", 1), "low expects a number"),
        (ValueError, (IMAGE, np.ones((2, 4, 5)), 1), "low expects the image's shape"),
        (ValueError, (np.ones((1, 1, 1, 1)), 0, 1), "image expects 1 to 3 axes"),
    ],
)
def test_hysteresis_refuses(error, arguments, message):
    with pytest.raises(error, match=f"apply_hysteresis_threshold: {message}"):
        filters.apply_hysteresis_threshold(*arguments)
