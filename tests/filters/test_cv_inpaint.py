"""``filters.cv.inpaint``: beside OpenCV, and on what goes wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv


@pytest.mark.parity
@given(
    st.sampled_from([("uint8", ()), ("uint8", (3,)), ("uint16", ()), ("float32", ())]),
    st.sampled_from([cv.INPAINT_NS, cv.INPAINT_TELEA]),
    st.sampled_from([0.2, 1, 2.5, 3, 5.0]),
    st.integers(0, 2**32 - 1),
)
def test_equals_opencv(kind, flags, radius, seed):
    rival = pytest.importorskip("cv2")
    dtype, channels = kind
    rng = np.random.default_rng(seed)
    src = (rng.random((25, 30, *channels)).cumsum(axis=1) * 8).astype(dtype)
    mask = np.zeros((25, 30), np.uint8)
    for _ in range(3):
        top, left = rng.integers(25), rng.integers(30)
        mask[top : top + rng.integers(1, 9), left : left + rng.integers(1, 9)] = rng.integers(1, 256)
    ours, theirs = cv.inpaint(src, mask, radius, flags), rival.inpaint(src, mask, radius, flags)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize(("dtype", "channels"), [("uint8", ()), ("uint8", (3,)), ("uint16", ())])
def test_equals_opencv_where_halves_are_rounded(dtype, channels):
    """Of neighbours that are equal the mean is a level and Telea's half level: the last bit of a sum decides."""
    rival = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    for _ in range(200):
        h, w = rng.integers(8, 40, 2)
        src = (rng.choice([0, 250]) + (rng.random((h, w, *channels)) < 0.05)).astype(dtype)
        mask = np.zeros((h, w), np.uint8)
        for top, left in rng.integers((h, w), size=(2, 2)):
            mask[top : top + 7, left : left + 7] = 1
        ours, theirs = cv.inpaint(src, mask, 5, cv.INPAINT_TELEA), rival.inpaint(src, mask, 5, cv.INPAINT_TELEA)
        np.testing.assert_array_equal(ours, theirs)


def test_flags_are_opencvs():
    assert (cv.INPAINT_NS, cv.INPAINT_TELEA) == (0, 1)


def test_a_batch_equals_its_images_and_channels_are_filled_each_on_its_own():
    rng = np.random.default_rng(0)
    src, mask = rng.integers(0, 256, (2, 3, 15, 16, 4)).astype(np.uint8), (rng.random((2, 3, 15, 16)) < 0.2)
    mask = mask.astype(np.uint8)
    together = cv.inpaint(src, mask, 3, cv.INPAINT_TELEA, batch_axes=2)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i], cv.inpaint(src[i], mask[i], 3, cv.INPAINT_TELEA))
        for channel in range(4):
            alone = cv.inpaint(src[(*i, ..., channel)], mask[i], 3, cv.INPAINT_TELEA)
            np.testing.assert_array_equal(together[(*i, ..., channel)], alone)


def test_dst_strides_and_read_only_arrays():
    src = np.random.default_rng(1).integers(0, 256, (20, 40)).astype(np.uint8)
    mask = np.zeros(src.shape, np.uint8)
    mask[5:9, 10:21] = 7
    src.flags.writeable = mask.flags.writeable = False
    view, marks = src[::-1, ::2], mask[::-1, ::2]
    expected = cv.inpaint(np.ascontiguousarray(view), np.ascontiguousarray(marks), 3, cv.INPAINT_NS)
    dst = np.full((20, 20), 7, np.uint8).T
    assert cv.inpaint(view, marks, 3, cv.INPAINT_NS, dst) is dst
    np.testing.assert_array_equal(dst, expected)
    own = np.array(view)
    cv.inpaint(own, marks, 3, cv.INPAINT_NS, dst=own)
    np.testing.assert_array_equal(own, expected)


def test_a_nan_reaches_what_is_filled_from_it_and_no_more():
    src = np.ones((12, 12), np.float32)
    mask = np.zeros(src.shape, np.uint8)
    mask[2, 2] = mask[9, 9] = 1
    src[2, 3] = np.nan
    found = cv.inpaint(src, mask, 2, cv.INPAINT_TELEA)
    assert np.isnan(found[2, 2])
    assert np.isfinite(found[9, 9])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (1, 1), (1, 9), (9, 1)])
def test_empty_and_thin_images(shape):
    src, mask = np.full(shape, 40, np.uint8), np.zeros(shape, np.uint8)
    mask[:, shape[1] // 2 :] = 1
    for flags in (cv.INPAINT_NS, cv.INPAINT_TELEA):
        found = cv.inpaint(src, mask, 3, flags)
        assert found.shape == shape
        assert np.isin(found, (40, 41)).all()  # Telea adds half a level


SRC, MASK = np.zeros((6, 7), np.uint8), np.zeros((6, 7), np.uint8)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (TypeError, ([[1]], MASK, 3, 0), "src expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, (SRC.astype(np.float64), MASK, 3, 0), "src expects uint8, uint16 or float32 but got float64"),
        (TypeError, (SRC.astype(np.float16), MASK, 3, 0), "src expects uint8, uint16 or float32 but got float16"),
        (ValueError, (SRC[0], MASK, 3, 0), "image expects two axes beside"),
        (TypeError, (SRC, MASK != 0, 3, 0), "inpaintMask expects uint8 but got bool"),
        (ValueError, (SRC, MASK[1:], 3, 0), r"inpaintMask expects shape \(6, 7\) but got \(5, 7\)"),
        (TypeError, (SRC, MASK, "3", 0), "inpaintRadius expects a number"),
        (ValueError, (SRC, MASK, float("nan"), 0), "inpaintRadius expects a finite number"),
        (ValueError, (SRC, MASK, 3, 2), "flags expects INPAINT_NS = 0 or INPAINT_TELEA = 1 but got 2"),
        (ValueError, (SRC, MASK, 3, 0, np.zeros((7, 6), np.uint8)), r"dst expects a writeable uint8 array of shape"),
    ],
)
def test_refuses(error, arguments, message):
    with pytest.raises(error, match=f"inpaint: {message}"):
        cv.inpaint(*arguments)
