"""Gray morphology: against scikit-image, SciPy and OpenCV, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv

from tilegrad import filters

NAMES = ("erosion", "dilation", "opening", "closing", "white_tophat", "black_tophat")
MODES = ("reflect", "constant", "nearest", "mirror", "wrap", "max", "min", "ignore")
BORDERS = (cv.BORDER_CONSTANT, cv.BORDER_REPLICATE, cv.BORDER_REFLECT, cv.BORDER_REFLECT_101)
DTYPES = ("uint8", "uint16", "float32")


@st.composite
def images(draw, dtypes=DTYPES):
    shape = draw(st.tuples(*[st.sampled_from([1, 2, 5, 9, 40, 70])] * 2))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random(shape)
    dtype = draw(st.sampled_from(dtypes))
    return numbers > 0.5 if dtype == "bool" else (numbers * 255).astype(dtype)


@st.composite
def footprints(draw):
    """Full ones and others, of even and odd sizes."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    chosen = np.random.default_rng(draw(st.integers(0, 99))).random(shape) < draw(st.sampled_from([0.6, 1.0]))
    return (chosen if chosen.any() else ~chosen).astype(np.uint8)


@pytest.mark.parity
@given(
    images((*DTYPES, "bool")),
    st.none() | footprints() | st.lists(st.tuples(footprints(), st.integers(1, 2)), min_size=1, max_size=2),
    st.sampled_from(MODES),
    st.sampled_from([0.0, 99.0]),
)
def test_equals_scikit_image(image, footprint, mode, cval):
    rival = pytest.importorskip("skimage.morphology")
    for name in NAMES:
        keywords = {"mode": mode, "cval": cval}
        out = np.ones_like(image)
        assert getattr(filters, name)(image, footprint, out, **keywords) is out
        np.testing.assert_array_equal(out, getattr(rival, name)(image, footprint, **keywords), err_msg=name)


@pytest.mark.parity
@given(images(), st.sampled_from([(3, 3), (1, 5), (7, 3)]), st.sampled_from(MODES[:5]))
def test_the_gradient_equals_scipy(image, size, mode):
    ndimage = pytest.importorskip("scipy.ndimage")
    ours = filters.morphological_gradient(image, np.ones(size), mode=mode)
    np.testing.assert_array_equal(ours, ndimage.morphological_gradient(image, size, mode=mode))


@pytest.mark.parity
@given(
    images(),
    st.none() | footprints(),
    st.integers(0, 6),
    st.integers(0, 3),
    st.sampled_from(BORDERS),
    st.none() | st.sampled_from([0.0, 99.0]),
    st.integers(0, 24),
)
def test_equals_opencv(image, element, op, iterations, border, value, corner):
    cv2 = pytest.importorskip("cv2")
    rows, columns = (3, 3) if element is None else element.shape
    anchor = (-1, -1) if corner == 0 else (corner % columns, corner // columns % rows)
    keywords = {"anchor": anchor, "iterations": iterations, "borderType": border}
    if value is not None:
        keywords["borderValue"] = value
    dst = np.full_like(image, 7)
    assert cv.morphologyEx(image, op, element, dst, **keywords) is dst
    theirs = cv2.morphologyEx(image, op, np.ones((3, 3), np.uint8) if element is None else element, **keywords)
    np.testing.assert_array_equal(dst, theirs)
    if op < 2:
        np.testing.assert_array_equal((cv.erode, cv.dilate)[op](image, element, **keywords), theirs)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [cv.MORPH_RECT, cv.MORPH_CROSS, cv.MORPH_ELLIPSE, cv.MORPH_DIAMOND])
def test_structuring_elements_equal_opencv(shape):
    cv2 = pytest.importorskip("cv2")
    if shape == cv.MORPH_DIAMOND and not hasattr(cv2, "MORPH_DIAMOND"):
        pytest.skip("this OpenCV has no diamonds")
    for width, height in np.ndindex(14, 14):
        size = (width + 1, height + 1)
        np.testing.assert_array_equal(cv.getStructuringElement(shape, size), cv2.getStructuringElement(shape, size))
    cross = cv.getStructuringElement(cv.MORPH_CROSS, (4, 3), (3, 0))
    np.testing.assert_array_equal(cross, [[1, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]])


@pytest.mark.parity
def test_signed_differences_end_at_the_ends_of_their_type():
    cv2 = pytest.importorskip("cv2")
    image = np.random.default_rng(0).integers(-32768, 32768, (20, 30)).astype(np.int16)
    for op in (cv.MORPH_GRADIENT, cv.MORPH_TOPHAT, cv.MORPH_BLACKHAT):
        theirs = cv2.morphologyEx(image, op, np.ones((2, 3), np.uint8))
        np.testing.assert_array_equal(cv.morphologyEx(image, op, np.ones((2, 3))), theirs)


@pytest.mark.parametrize("channel", [None, -1, 1])
def test_a_batch_equals_its_images(channel):
    batch = np.random.default_rng(1).integers(0, 256, (3, 6, 7) if channel is None else (3, 6, 7, 5)).astype(np.uint8)
    inside = channel if channel is None or channel < 0 else channel - 1
    for name in (*NAMES, "morphological_gradient"):
        together = getattr(filters, name)(batch, batch_axes=1, channel_axis=channel)
        for image, found in zip(batch, together, strict=True):
            np.testing.assert_array_equal(found, getattr(filters, name)(image, channel_axis=inside))
    if channel == -1:
        together = cv.morphologyEx(batch, cv.MORPH_OPEN, None, batch_axes=1)
        for image, found in zip(batch, together, strict=True):
            for c in range(5):
                alone = np.ascontiguousarray(image[..., c])
                np.testing.assert_array_equal(found[..., c], cv.morphologyEx(alone, cv.MORPH_OPEN, None))


@pytest.mark.parametrize("name", [*NAMES, "morphological_gradient"])
def test_the_image_may_be_written_over(name):
    image = np.random.default_rng(2).integers(0, 256, (9, 12)).astype(np.uint8)
    expected = getattr(filters, name)(image)
    assert getattr(filters, name)(image, out=image) is image
    np.testing.assert_array_equal(image, expected)


def test_opencvs_image_may_be_written_over():
    for op in range(7):
        image = np.random.default_rng(2).integers(0, 256, (9, 12)).astype(np.uint8)
        expected = cv.morphologyEx(image, op, None, iterations=2)
        assert cv.morphologyEx(image, op, None, image, iterations=2) is image
        np.testing.assert_array_equal(image, expected)


def test_nothing_to_do_gives_a_copy():
    image = np.ones((3, 4), np.uint8)
    for found in (cv.erode(image, None, iterations=0), cv.dilate(image, np.ones((1, 1)))):
        assert not np.may_share_memory(found, image)
        np.testing.assert_array_equal(found, image)


def test_borders_of_booleans_and_infinities():
    white = np.ones((2, 3), bool)
    assert cv.erode(white, None).all()
    assert not cv.dilate(~white, None).any()
    assert filters.erosion(white, mode="ignore").all()
    assert filters.dilation(np.full((2, 2), -np.inf, np.float32), mode="ignore").max() == -np.inf


def test_not_a_number_reaches_the_footprint_and_no_further():
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = np.nan
    assert np.isnan(filters.erosion(image)).sum() == 5
    assert np.isnan(cv.dilate(image, None)).sum() == 9


@pytest.mark.parametrize("shape", [(0, 5), (4, 0)])
def test_an_empty_image_stays_empty(shape):
    assert filters.white_tophat(np.empty(shape, np.uint8)).shape == shape
    assert cv.morphologyEx(np.empty(shape, np.uint8), cv.MORPH_GRADIENT, None).shape == shape


def test_strides_and_read_only_images():
    image = np.random.default_rng(3).integers(0, 256, (10, 12)).astype(np.uint8)
    image.flags.writeable = False
    for view in (image, image[::-1, ::-2], image.T, np.broadcast_to(image[0], (4, 12))):
        np.testing.assert_array_equal(filters.opening(view), filters.opening(np.array(view, order="C")))


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, [[1]], {}, "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (ValueError, IMAGE[0], {"channel_axis": 0}, "image expects an axis beside those of the batch and of the chan"),
        (ValueError, IMAGE, {"mode": "symmetric"}, "unsupported mode: expects one of 'reflect'"),
        (ValueError, IMAGE, {"mode": None}, "unsupported mode"),
        (ValueError, IMAGE, {"footprint": np.zeros((3, 3))}, "footprint expects a pixel"),
        (ValueError, IMAGE, {"footprint": np.ones((3, 3, 3))}, "footprint expects an array of 2 axes"),
        (ValueError, IMAGE, {"footprint": [(np.ones((3, 3)), 0)]}, "footprint expects how often it is applied"),
        (ValueError, IMAGE, {"footprint": []}, "footprint expects"),
        (TypeError, IMAGE, {"cval": "0", "mode": "constant"}, "cval expects a number"),
        (ValueError, IMAGE, {"out": np.ones((4, 5))}, "out expects a writeable uint8 array"),
    ],
)
def test_refuses(error, image, keywords, message):
    for name in (*NAMES, "morphological_gradient"):
        with pytest.raises(error, match=message):
            getattr(filters, name)(image, **keywords)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (IMAGE[0], None), {}, r"erode: src expects \(H, W\) or \(H, W, C\)"),
        (ValueError, (IMAGE, np.ones(3)), {}, "erode: kernel expects two axes"),
        (ValueError, (IMAGE, np.zeros((3, 3))), {}, "erode: footprint expects a pixel"),
        (ValueError, (IMAGE, None), {"anchor": (3, 0)}, r"erode: anchor expects a pixel of the element \(3, 3\)"),
        (TypeError, (IMAGE, None), {"anchor": (0.5, 0)}, "erode: anchor expects two integers"),
        (ValueError, (IMAGE, None), {"iterations": -1}, "erode: iterations expects an integer of at least 0"),
        (ValueError, (IMAGE, None), {"borderType": 9}, "erode: borderType expects one of"),
        (ValueError, (IMAGE[..., None][..., [0, 0]], None), {"borderValue": (1, 2)}, "erode: borderValue expects one"),
        (ValueError, (IMAGE, None), {"dst": np.ones((4, 5))}, "erode: dst expects a writeable uint8 array"),
    ],
)
def test_erode_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=message):
        cv.erode(*arguments, **keywords)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cv.morphologyEx(IMAGE, 7, None), "morphologyEx: op expects one of"),
        (lambda: cv.getStructuringElement(4, (3, 3)), "getStructuringElement: shape expects one of"),
        (lambda: cv.getStructuringElement(0, (0, 3)), "getStructuringElement: ksize expects a width and a height"),
        (lambda: cv.getStructuringElement(1, (3, 3), (3, 0)), "getStructuringElement: anchor expects a pixel"),
    ],
)
def test_others_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
