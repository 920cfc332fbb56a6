"""The Gaussian: against its definition, against scikit-image, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import GAUSSIAN

from tilegrad import filters

MODES = ("nearest", "reflect", "mirror", "wrap", "constant")
DTYPES = ("uint8", "uint16", "int16", "int32", "bool", "float16", "float32", "float64", "longdouble")


def by_definition(image, sigma, truncate=4.0):
    """Every pixel a weighted mean of all pixels of the image, continued by its edge."""
    radius = int(truncate * sigma + 0.5)
    h, w = image.shape
    offsets = range(-radius, radius + 1)
    weight = {(r, s): np.exp(-(r * r + s * s) / (2 * sigma**2)) for r in offsets for s in offsets}
    result = np.zeros((h, w))
    for (r, s), value in weight.items():
        rows, columns = np.clip(np.arange(h) + r, 0, h - 1), np.clip(np.arange(w) + s, 0, w - 1)
        result += value * image[np.ix_(rows, columns)]
    return result / sum(weight.values())


@st.composite
def calls(draw):
    """An image and the keywords of a call, without a batch."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 7, 16, 33]), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = (rng.random(shape) * 200 - 50).clip(0).astype(draw(st.sampled_from(DTYPES)))
    channel = draw(st.sampled_from([None, *range(-len(shape), len(shape))])) if len(shape) > 1 else None
    spatial = len(shape) - (channel is not None)
    sigmas = st.sampled_from([0.0, 0.3, 1.0, 1.7, 5.0])
    return image, {
        "sigma": draw(sigmas | st.lists(sigmas, min_size=spatial, max_size=spatial)),
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0, 0.5])),
        "preserve_range": draw(st.booleans()),
        "truncate": draw(st.sampled_from([4.0, 1.0])),
        "channel_axis": channel,
    }


@pytest.mark.parity
@given(calls())
def test_equals_scikit_image(call):
    rival = pytest.importorskip("skimage.filters")
    image, keywords = call
    ours, theirs = filters.gaussian(image, **keywords), rival.gaussian(image, **keywords)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    scale = max(1.0, float(np.abs(theirs).max(initial=0)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=GAUSSIAN[ours.dtype.name] * scale)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_equals_the_definition(sigma):
    image = np.random.default_rng(0).random((9, 13))
    np.testing.assert_allclose(filters.gaussian(image, sigma), by_definition(image, sigma), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["nearest", "reflect", "mirror", "wrap"])
def test_a_constant_image_stays_as_it_is(mode, dtype):
    image = np.full((17, 23), 0.7, dtype)
    np.testing.assert_allclose(filters.gaussian(image, 3.0, mode=mode), image, rtol=GAUSSIAN[dtype])


@pytest.mark.parametrize("channel", [None, -1, 2, 3])
def test_a_batch_equals_its_images(channel):
    batch = np.random.default_rng(1).random((2, 3, 6, 7, 5)).astype(np.float32)
    sigma = (1, 2, 0.5)[: 3 - (channel is not None)]
    together = filters.gaussian(batch, sigma, batch_axes=2, channel_axis=channel)
    inside = channel if channel is None or channel < 0 else channel - 2
    for i in np.ndindex(2, 3):
        alone = filters.gaussian(batch[i], sigma, channel_axis=inside)
        np.testing.assert_allclose(together[i], alone, rtol=0, atol=GAUSSIAN["float32"])


def test_integers_are_scaled_unless_their_range_is_preserved():
    image = np.full((4, 4), 51, np.uint8)
    np.testing.assert_allclose(filters.gaussian(image), 0.2, rtol=1e-14)
    np.testing.assert_allclose(filters.gaussian(image, preserve_range=True), 51, rtol=1e-14)
    np.testing.assert_allclose(filters.gaussian(np.full((4, 4), -128, np.int8)), -1, rtol=1e-14)


def test_the_result_is_a_new_array_even_where_nothing_is_blurred():
    image = np.ones((3, 4))
    result = filters.gaussian(image, sigma=0)
    assert not np.may_share_memory(result, image)
    np.testing.assert_array_equal(result, image)


@pytest.mark.parametrize("case", ["same type", "wider", "strided", "itself", "nothing blurred"])
def test_out(case):
    image = np.random.default_rng(2).random((8, 9)).astype(np.float32)
    sigma = 0 if case == "nothing blurred" else 1.0
    expected = filters.gaussian(image, sigma)
    out = {
        "wider": np.full((8, 9), np.nan),
        "strided": np.full((9, 16), np.nan, np.float32).T[::2],
        "itself": image,
    }.get(case, np.full((8, 9), np.nan, np.float32))
    assert filters.gaussian(image, sigma, out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (4, 0), (2, 0, 3)])
def test_an_empty_image_stays_empty(shape):
    assert filters.gaussian(np.empty(shape, np.uint8)).shape == shape


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3)])
@pytest.mark.parametrize("mode", MODES)
def test_the_window_may_exceed_the_image(shape, mode):
    result = filters.gaussian(np.ones(shape), 10.0, mode=mode, cval=1.0)
    np.testing.assert_allclose(result, 1, rtol=1e-13)


def test_strides_and_read_only_images():
    image = np.random.default_rng(3).random((10, 12))
    image.flags.writeable = False
    for view in (image, image[::-1, ::-2], image.T, np.broadcast_to(image[0], (4, 12))):
        np.testing.assert_array_equal(filters.gaussian(view), filters.gaussian(np.array(view, order="C")))


def test_not_a_number_reaches_the_window_and_no_further():
    image = np.zeros((20, 20))
    image[10, 10] = np.nan
    rows, columns = np.nonzero(np.isnan(filters.gaussian(image, 1.0)))
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (6, 14, 6, 14, 81)


IMAGE = np.ones((4, 5))


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, IMAGE.tolist(), {}, "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, IMAGE.astype(complex), {}, "image expects real numbers but got complex128"),
        (TypeError, np.array(["a"]), {}, "image expects real numbers"),
        (ValueError, IMAGE, {"sigma": -1}, "sigma expects finite values of at least 0 but got -1"),
        (ValueError, IMAGE, {"sigma": float("nan")}, "sigma expects finite values"),
        (ValueError, IMAGE, {"sigma": float("inf")}, "sigma expects finite values"),
        (ValueError, IMAGE, {"sigma": (1, 2, 3)}, "sigma expects a number or one for each of 2 axes but got 3"),
        (TypeError, IMAGE, {"sigma": None}, "sigma expects a number or a sequence"),
        (TypeError, IMAGE, {"sigma": ["1", "2"]}, "sigma expects a number or a sequence"),
        (ValueError, IMAGE, {"mode": "symmetric"}, "mode expects one of"),
        (TypeError, IMAGE, {"cval": None}, "cval expects a number"),
        (ValueError, IMAGE, {"truncate": -1.0}, "truncate expects a number of at least 0"),
        (TypeError, IMAGE, {"truncate": "4"}, "truncate expects a number"),
        (ValueError, IMAGE, {"channel_axis": 2}, r"channel_axis expects a value in \[-2, 2\)"),
        (TypeError, IMAGE, {"channel_axis": 0.0}, "channel_axis expects None or an integer"),
        (ValueError, IMAGE, {"channel_axis": 0, "batch_axes": 1}, "channel_axis expects an axis behind"),
        (ValueError, IMAGE, {"batch_axes": 3}, r"batch_axes expects a value in \[0, 2\]"),
        (TypeError, IMAGE, {"batch_axes": True}, "batch_axes expects an integer"),
        (ValueError, IMAGE, {"out": np.empty((4, 5), int)}, "out expects a floating-point array"),
        (ValueError, IMAGE, {"out": np.empty((5, 4))}, r"out expects a writeable array of shape \(4, 5\)"),
        (TypeError, IMAGE, {"out": [1]}, "out expects a numpy.ndarray"),
    ],
)
def test_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"gaussian: {message}"):
        filters.gaussian(image, **keywords)


def test_a_sigma_whose_square_is_no_number_leaves_the_image_alone():
    image = np.random.default_rng(0).random((5, 6))
    np.testing.assert_array_equal(filters.unsharp_mask(image, 1e-300), np.clip(image, 0, 1))
    np.testing.assert_array_equal(filters.canny(image, 1e-300), filters.canny(image, 0))
