"""Equalisation, tables and thresholds under OpenCV's names, against OpenCV bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv

RULES = (cv.THRESH_BINARY, cv.THRESH_BINARY_INV, cv.THRESH_TRUNC, cv.THRESH_TOZERO, cv.THRESH_TOZERO_INV)


@st.composite
def images(draw):
    """Bytes of a narrow or a wide range, some of them of one value."""
    shape = draw(st.sampled_from([(1, 1), (1, 37), (29, 1), (5, 7), (40, 61), (64, 64)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = draw(st.sampled_from([1, 2, 20, 256]))
    low = draw(st.integers(0, 256 - values))
    return (rng.random(shape) ** draw(st.sampled_from([0.5, 1, 3])) * values + low).clip(0, 255).astype(np.uint8)


def assert_same(ours, theirs):
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@given(images())
def test_equalize_hist_equals_opencv(image):
    cv2 = pytest.importorskip("cv2")
    assert_same(cv.equalizeHist(image), cv2.equalizeHist(image))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@given(images(), st.sampled_from([40.0, 0.0, 1.3, 4.0]), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_clahe_equals_opencv(dtype, image, limit, grid):
    cv2 = pytest.importorskip("cv2")
    if dtype == "uint16":
        image = image.astype(np.uint16) * 257 // 3 + 11
    assert_same(cv.createCLAHE(limit, grid).apply(image), cv2.createCLAHE(limit, grid).apply(image))


@pytest.mark.parity
@given(images(), st.floats(-20, 280), st.sampled_from(RULES), st.sampled_from([0, cv.THRESH_OTSU, cv.THRESH_TRIANGLE]))
def test_threshold_equals_opencv(image, level, rule, method):
    cv2 = pytest.importorskip("cv2")
    ours, theirs = cv.threshold(image, level, 200.6, rule | method), cv2.threshold(image, level, 200.6, rule | method)
    assert ours[0] == theirs[0]
    assert_same(ours[1], theirs[1])


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32", "float64"])
@given(images(), st.floats(-200, 300), st.sampled_from(RULES))
def test_threshold_of_other_types_equals_opencv(dtype, image, level, rule):
    cv2 = pytest.importorskip("cv2")
    image = (image * 1.5 - (0 if dtype == "uint16" else 100)).astype(dtype)
    ours, theirs = cv.threshold(image, level, 210.4, rule), cv2.threshold(image, level, 210.4, rule)
    assert ours[0] == theirs[0]
    assert_same(ours[1], theirs[1])


def test_a_triangle_may_find_a_threshold_below_all_numbers():
    image = np.ones((1, 1), np.uint8)
    level, found = cv.threshold(image, 0, 200, cv.THRESH_TRIANGLE)
    assert (level, found.item()) == (-1.0, 200)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_thresholds_beyond_the_type_lie_below_or_above_all(dtype):
    limits = np.iinfo(dtype)
    image = np.array([[limits.min, limits.min + 1, limits.max - 1, limits.max]], dtype)
    nothing = np.zeros_like(image)
    below = [nothing + 7, nothing, np.full_like(image, limits.min), image, nothing]
    above = [nothing, nothing + 7, image, nothing, image]
    for level, expected in ((limits.min - 45, below), (limits.max, above), (limits.max + 45, above)):
        for rule, result in zip(RULES, expected, strict=True):
            assert_same(cv.threshold(image, level, 7, rule)[1], result)


@pytest.mark.parity
@given(images(), st.sampled_from([1, 7, 30, 256]), st.sampled_from([(0, 256), (3, 200), (0.5, 99.7)]), st.booleans())
def test_calc_hist_equals_opencv(image, bins, ranges, masked):
    cv2 = pytest.importorskip("cv2")
    mask = (image > 50).astype(np.uint8) if masked else None
    for typed in (image, image.astype(np.uint16) * 100, image.astype(np.float32) * np.float32(1.37)):
        theirs = cv2.calcHist([typed], [0], mask, [bins], list(ranges))
        assert_same(cv.calcHist([typed], [0], mask, [bins], list(ranges)), theirs.reshape(bins))


@pytest.mark.parity
def test_lut_equals_opencv():
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    for lut in (rng.random(256).astype(np.float32), rng.integers(0, 256, (1, 256, 3)).astype(np.uint8)):
        assert_same(cv.LUT(image, lut), cv2.LUT(image, lut))
        assert_same(cv.LUT(image[::-1, ::2], lut), cv2.LUT(image[::-1, ::2].copy(), lut))


def test_equalize_hist_of_a_constant_image_is_that_image():
    image = np.full((5, 6), 77, np.uint8)
    np.testing.assert_array_equal(cv.equalizeHist(image), image)


FUNCTIONS = {
    "equalizeHist": lambda image, **keywords: cv.equalizeHist(image, **keywords),
    "CLAHE": lambda image, **keywords: cv.createCLAHE(3.0, (2, 3)).apply(image, **keywords),
    "threshold": lambda image, **keywords: cv.threshold(image, 0, 255, cv.THRESH_OTSU, **keywords)[1],
    "triangle": lambda image, **keywords: cv.threshold(image, 0, 255, cv.THRESH_TRIANGLE, **keywords)[1],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_batches_strides_and_dst(name):
    rng = np.random.default_rng(1)
    batch = (rng.random((2, 3, 20, 31)) ** [[[[1]], [[2]], [[4]]]] * 200).astype(np.uint8)
    batch[1, 1] = 9
    together = FUNCTIONS[name](batch, batch_axes=2)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i], FUNCTIONS[name](batch[i]))
    view = batch[0, 0, ::-1, ::2]
    view.flags.writeable = False
    dst = np.full((40, 16), 7, np.uint8)[::2]
    assert FUNCTIONS[name](view, dst=dst) is dst
    np.testing.assert_array_equal(dst, FUNCTIONS[name](view))
    np.testing.assert_array_equal(FUNCTIONS[name](view), FUNCTIONS[name](view.copy()))
    itself = batch[0, 1].copy()
    FUNCTIONS[name](itself, dst=itself)
    np.testing.assert_array_equal(itself, together[0, 1])


@pytest.mark.parity
def test_a_nan_is_on_neither_side_of_a_threshold_as_in_opencv():
    cv2 = pytest.importorskip("cv2")
    src = np.tile(np.array([0.25, np.nan, 0.75], np.float32), (4, 30))
    for rule in (0, 1, 2, 3, 4):
        found = cv.threshold(src, 0.5, 1.0, rule)[1]
        np.testing.assert_array_equal(found, cv2.threshold(src, 0.5, 1.0, rule)[1])
        np.testing.assert_array_equal(found.astype(float), cv.threshold(src.astype(float), 0.5, 1.0, rule)[1])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_empty_images_stay_empty(name, shape):
    assert FUNCTIONS[name](np.empty(shape, np.uint8)).shape == shape


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "name", "arguments", "message"),
    [
        (TypeError, "equalizeHist", (IMAGE.astype(float),), "src expects uint8 but got float64"),
        (ValueError, "equalizeHist", (IMAGE[None],), "src expects two axes"),
        (ValueError, "equalizeHist", (IMAGE, IMAGE[:2]), "dst expects a writeable uint8 array"),
        (TypeError, "LUT", (IMAGE.astype(np.int16), IMAGE), "src expects uint8 but got int16"),
        (ValueError, "LUT", (IMAGE, IMAGE), "lut expects 256 entries"),
        (ValueError, "LUT", (IMAGE, np.zeros((1, 256, 3), np.uint8)), "lut expects one table or one for each channel"),
        (TypeError, "threshold", (IMAGE.astype(np.int32), 0, 1, 0), "src expects uint8, int16"),
        (ValueError, "threshold", (IMAGE, 0, 1, 5), "type expects one rule of 0 to 4"),
        (ValueError, "threshold", (IMAGE, 0, 1, 24), "type expects one rule of 0 to 4 and at most one method"),
        (TypeError, "threshold", (IMAGE.astype(float), 0, 1, 8), "src expects uint8 but got float64"),
        (ValueError, "threshold", (IMAGE, float("nan"), 1, 0), "thresh expects a finite number"),
        (ValueError, "calcHist", (IMAGE, [0], None, [4], [0, 4]), "images expects a list of one item"),
        (ValueError, "calcHist", ([IMAGE], [1], None, [4], [0, 4]), "channels expects a value in"),
        (ValueError, "calcHist", ([IMAGE], [0], None, [4], [4, 0]), "ranges expects"),
    ],
)
def test_refuses(error, name, arguments, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        getattr(cv, name)(*arguments)


def test_clahe_refuses():
    with pytest.raises(ValueError, match="CLAHE: tileGridSize expects a value in"):
        cv.createCLAHE(2.0, (0, 8))
    with pytest.raises(ValueError, match="CLAHE: clipLimit expects a finite number"):
        cv.createCLAHE(float("inf"))
    with pytest.raises(TypeError, match=r"CLAHE\.apply: src expects uint8 or uint16 but got float64"):
        cv.createCLAHE().apply(np.ones((4, 4)))
    clahe = cv.createCLAHE(2.0, (3, 4))
    assert (clahe.getClipLimit(), clahe.getTilesGridSize()) == (2.0, (3, 4))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("masked", [False, True])
def test_histograms_of_a_batch_are_those_of_each_image(dtype, masked):
    random = np.random.default_rng(0)
    batch = random.uniform(0, 250, (2, 3, 5, 7, 2)).astype(dtype)
    mask = (random.random(batch.shape[:-1]) < 0.5).astype(np.uint8) if masked else None
    found = cv.calcHist([batch], [1], mask, [9], [10, 200], batch_axes=2)
    for place in np.ndindex(2, 3):
        one = cv.calcHist([batch[place]], [1], None if mask is None else mask[place], [9], [10, 200])
        assert_same(found[place], one)


@pytest.mark.parity
def test_the_ends_of_a_histogram_are_float32():
    """As OpenCV takes them: which bin a number on an edge falls into depends on it."""
    cv2 = pytest.importorskip("cv2")
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for bins, ends in ((256, [0.5, 99.7]), (27, [10.1, 90.1]), (130, [0.3, 130.3])):
        for x in (image, (image / 7).astype(np.float32)):
            assert_same(cv.calcHist([x], [0], None, [bins], ends), cv2.calcHist([x], [0], None, [bins], ends).ravel())
