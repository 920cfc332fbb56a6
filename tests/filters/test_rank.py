"""Median, minimum, maximum and ranks: against SciPy, scikit-image and OpenCV, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import filters

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
DTYPES = ("uint8", "uint16", "float32")


def image_of(shape, dtype, seed=0):
    return (np.random.default_rng(seed).random(shape) * 255).astype(dtype)


@st.composite
def calls(draw):
    """An image and the window and border of a call."""
    shape = draw(st.tuples(*[st.sampled_from([1, 2, 5, 9, 40, 70])] * 2))
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    keywords = {"mode": draw(st.sampled_from(MODES)), "cval": draw(st.sampled_from([0, 100.0]))}
    keywords["origin"] = (
        draw(st.integers(-(rows // 2), (rows - 1) // 2)),
        draw(st.integers(-(columns // 2), (columns - 1) // 2)),
    )
    if draw(st.booleans()):
        keywords["size"] = (rows, columns)
    else:
        chosen = np.random.default_rng(draw(st.integers(0, 99))).random((rows, columns)) < 0.6
        keywords["footprint"] = chosen if chosen.any() else ~chosen
    return image_of(shape, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 2**32 - 1))), keywords


def pixels(keywords):
    return int(np.prod(keywords["size"]) if "size" in keywords else keywords["footprint"].sum())


@pytest.mark.parity
@given(calls(), st.floats(-100, 100), st.integers(0, 36))
def test_equal_scipy(call, percentage, rank):
    ndimage = pytest.importorskip("scipy.ndimage")
    image, keywords = call
    rank %= pixels(keywords)
    np.testing.assert_array_equal(filters.minimum(image, **keywords), ndimage.minimum_filter(image, **keywords))
    np.testing.assert_array_equal(filters.maximum(image, **keywords), ndimage.maximum_filter(image, **keywords))
    ours, theirs = (f(image, rank, **keywords) for f in (filters.rank_filter, ndimage.rank_filter))
    np.testing.assert_array_equal(ours, theirs)
    ours, theirs = (f(image, percentage, **keywords) for f in (filters.percentile, ndimage.percentile_filter))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@given(calls())
def test_median_equals_scikit_image(call):
    rival = pytest.importorskip("skimage.filters")
    image, keywords = call
    arguments = {k: v for k, v in keywords.items() if k in ("footprint", "mode", "cval")}
    ours, theirs = filters.median(image, **arguments), rival.median(image, **arguments)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(40, 70), (23, 30, 3), (1, 9), (7, 1), (9, 12, 4)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_medianblur_equals_opencv(dtype, shape):
    cv2 = pytest.importorskip("cv2")
    image = image_of(shape, dtype)
    for side in (1, 3, 5, 7, 9, 15, 21, 63, 255) if dtype == "uint8" else (1, 3, 5):  # what OpenCV takes
        dst = np.full(shape, 7, dtype)
        assert filters.cv.medianBlur(image, side, dst) is dst
        expected = image if side == 1 else cv2.medianBlur(image, side)
        np.testing.assert_array_equal(dst, expected, err_msg=str(side))


@pytest.mark.parametrize("channel", [None, -1, 2, 3])
def test_a_batch_equals_its_images(channel):
    batch = image_of((2, 3, 6, 7, 5), "uint8") if channel is not None else image_of((2, 3, 6, 7), "uint8")
    inside = channel if channel is None or channel < 0 else channel - 2
    together = filters.median(batch, batch_axes=2, channel_axis=channel)
    least = filters.minimum(batch, 2, batch_axes=2, channel_axis=channel)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i], filters.median(batch[i], channel_axis=inside))
        np.testing.assert_array_equal(least[i], filters.minimum(batch[i], 2, channel_axis=inside))


def test_channels_of_opencvs_images():
    batch = image_of((4, 9, 11, 6), "uint8")
    together = filters.cv.medianBlur(batch, 5, batch_axes=1)
    for i, c in np.ndindex(4, 6):
        alone = np.ascontiguousarray(batch[i, ..., c])
        np.testing.assert_array_equal(together[i, ..., c], filters.cv.medianBlur(alone, 5))


@pytest.mark.parametrize("case", ["plain", "strided", "itself", "channels first"])
@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16"])
def test_out(case, dtype):
    image = image_of((8, 9, 9), dtype) if dtype != "bool" else image_of((8, 9, 9), "uint8") > 127
    channel = 0 if case == "channels first" else 2
    expected = filters.median(image, channel_axis=channel)
    out = {"strided": np.ones((9, 9, 16), dtype).T[::2], "itself": image}.get(case, np.ones(image.shape, dtype))
    assert filters.median(image, out=out, channel_axis=channel) is out
    np.testing.assert_array_equal(out, expected)


def test_booleans_and_half_floats_keep_their_type():
    image = image_of((9, 13), "uint8") > 100
    found = filters.median(image)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, filters.median(image.astype(np.uint8)) == 1)
    half = image_of((9, 13), "float16")
    half[3, 4], half[0, 0] = np.nan, np.inf
    found = filters.maximum(half, 3)
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, filters.maximum(half.astype(np.float32), 3).astype(np.float16))


def test_an_image_of_another_byte_order():
    image = image_of((9, 13), "uint16")
    swapped = image.astype(image.dtype.newbyteorder())
    np.testing.assert_array_equal(filters.median(swapped), filters.median(image))


def test_not_a_number_reaches_the_window_and_no_further():
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = np.nan
    for found in (filters.median(image), filters.minimum(image, 3), filters.cv.medianBlur(image, 3)):
        assert np.isnan(found[3:6, 3:6]).all()
        assert np.isnan(found).sum() == 9


@pytest.mark.parametrize("shape", [(0, 5), (4, 0)])
def test_an_empty_image_stays_empty(shape):
    assert filters.median(np.empty(shape, np.uint8)).shape == shape
    assert filters.percentile(np.empty(shape), 30, 3).shape == shape
    assert filters.cv.medianBlur(np.empty(shape, np.uint8), 3).shape == shape


def test_strides_and_read_only_images():
    image = image_of((10, 12), "uint8")
    image.flags.writeable = False
    for view in (image, image[::-1, ::-2], image.T, np.broadcast_to(image[0], (4, 12))):
        np.testing.assert_array_equal(filters.median(view), filters.median(np.array(view, order="C")))


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, [[1]], {}, "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, IMAGE.astype(complex), {}, "image expects real numbers but got complex128"),
        (TypeError, IMAGE.astype(np.longdouble), {}, "image expects floats of at most 64 bits"),
        (ValueError, IMAGE[0], {"channel_axis": 0}, "image expects an axis beside those of the batch and of the chan"),
        (ValueError, np.ones((2, 3, 4)), {"footprint": np.ones((3, 3))}, "footprint expects an array of 3 axes"),
        (ValueError, IMAGE, {"footprint": np.zeros((3, 3))}, "footprint expects a pixel"),
        (ValueError, IMAGE, {"footprint": np.ones(3)}, "footprint expects an array of 2 axes"),
        (ValueError, IMAGE, {"mode": "symmetric"}, "mode expects one of"),
        (ValueError, IMAGE, {"behavior": "rank"}, "behavior expects 'ndimage' but got 'rank'"),
        (ValueError, IMAGE, {"channel_axis": 2}, r"channel_axis expects a value in \[-2, 2\)"),
        (ValueError, IMAGE, {"out": np.ones((4, 5))}, "out expects a writeable uint8 array"),
    ],
)
def test_median_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"median: {message}"):
        filters.median(image, **keywords)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (ValueError, lambda: filters.minimum(IMAGE), "minimum: expects one of size and footprint"),
        (ValueError, lambda: filters.maximum(IMAGE, 3, np.ones((3, 3))), "maximum: expects one of size and footprint"),
        (TypeError, lambda: filters.minimum(IMAGE, 3.5), "minimum: size expects an integer or 2 of them"),
        (TypeError, lambda: filters.minimum(IMAGE, (1, 2, 3)), "minimum: size expects an integer or 2 of them"),
        (TypeError, lambda: filters.minimum(IMAGE[0], 3, origin=(0, 0)), "minimum: origin expects an integer or"),
        (ValueError, lambda: filters.rank_filter(IMAGE, 5, 2**31), "rank_filter: footprint expects at most 16777216"),
        (ValueError, lambda: filters.minimum(IMAGE, 0), "minimum: footprint expects sizes"),
        (ValueError, lambda: filters.rank_filter(IMAGE, 9, 3), r"rank expects a value in \[-9, 9\)"),
        (TypeError, lambda: filters.rank_filter(IMAGE, 0.5, 3), "rank expects an integer"),
        (ValueError, lambda: filters.percentile(IMAGE, 101, 3), r"percentile expects a number in \[-100, 100\]"),
        (TypeError, lambda: filters.percentile(IMAGE, "9", 3), "percentile expects a number"),
        (ValueError, lambda: filters.cv.medianBlur(IMAGE, 4), "medianBlur: ksize expects a positive odd number"),
        (TypeError, lambda: filters.cv.medianBlur(IMAGE, 3.0), "medianBlur: ksize expects an integer"),
        (ValueError, lambda: filters.cv.medianBlur(IMAGE[0], 3), r"medianBlur: src expects \(H, W\) or \(H, W, C\)"),
        (ValueError, lambda: filters.cv.medianBlur(IMAGE, 3, np.ones(3)), "medianBlur: dst expects a writeable"),
    ],
)
def test_others_refuse(error, call, message):
    with pytest.raises(error, match=message):
        call()
