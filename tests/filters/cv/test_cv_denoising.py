"""Bilateral filter and non-local means under OpenCV's names: against OpenCV, and on odd inputs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv
from tolerances import BILATERAL_RIVAL

BORDERS = (cv.BORDER_REFLECT_101, cv.BORDER_REPLICATE, cv.BORDER_REFLECT, cv.BORDER_CONSTANT, cv.BORDER_WRAP)
sides = st.sampled_from([1, 2, 7, 31, 40])
seeds = st.integers(0, 2**32 - 1)


def picture(shape, seed=0):
    """Bytes with slopes, steps and noise."""
    rng = np.random.default_rng(seed)
    x = np.linspace(20, 180, shape[1]) + 60 * (np.arange(shape[1]) > shape[1] // 2)
    x = x.reshape(-1, *[1] * (len(shape) - 2)) + rng.normal(0, rng.choice([3, 12]), shape)
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


@st.composite
def images(draw, channels):
    count = draw(st.sampled_from(channels))
    return picture((draw(sides), draw(sides), *([] if count is None else [count])), draw(seeds))


@pytest.mark.parity
@given(images([None, 1, 3]), st.sampled_from([0, 3, 9.5, 25]), st.sampled_from([(7, 21), (7, 10), (6, 5)]))
def test_nl_means_equals_opencv_to_the_bit(image, h, windows):
    rival = pytest.importorskip("cv2")
    ours = cv.fastNlMeansDenoising(image, None, h, *windows)
    theirs = rival.fastNlMeansDenoising(image, None, h, *windows)
    np.testing.assert_array_equal(ours, theirs.reshape(image.shape))


@st.composite
def bilateral_calls(draw):
    image = draw(images([None, 3]))
    d = draw(st.sampled_from([-1, 1, 5, 8, 9]))
    border = draw(st.sampled_from(BORDERS))
    return image, d, draw(st.sampled_from([-1.0, 10.0, 60.0])), draw(st.sampled_from([0.0, 1.0, 3.0])), border


@pytest.mark.parity
@given(bilateral_calls())
def test_bilateral_filter_equals_opencv(call):
    rival = pytest.importorskip("cv2")
    image, d, color, space, border = call
    ours = cv.bilateralFilter(image, d, color, space, borderType=border)
    optimised = rival.useOptimized()
    rival.setUseOptimized(False)  # its vector code cuts off the fractions of bytes in the smallest windows
    try:
        theirs = rival.bilateralFilter(image, d, color, space, borderType=border)
    finally:
        rival.setUseOptimized(optimised)
    difference = np.abs(ours.astype(int) - theirs.reshape(image.shape))
    assert difference.max() <= 1
    assert difference.mean() <= 0.01 or image.size < 1000
    numbers = (image / 255).astype(np.float32)
    ours = cv.bilateralFilter(numbers, d, 0.2, space, borderType=border)
    theirs = rival.bilateralFilter(numbers, d, 0.2, space, borderType=border).reshape(image.shape)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=BILATERAL_RIVAL)


CALLS = {
    "bilateralFilter": lambda image, **keywords: cv.bilateralFilter(image, 5, 30, 2, **keywords),
    "fastNlMeansDenoising": lambda image, **keywords: cv.fastNlMeansDenoising(
        image, h=10, searchWindowSize=5, **keywords
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shape", [(2, 2, 12, 13), (2, 2, 12, 13, 3)])
def test_a_batch_equals_its_images(name, shape):
    batch = np.stack([picture(shape[2:], seed) for seed in range(4)]).reshape(shape)
    together = CALLS[name](batch, batch_axes=2)
    for i in np.ndindex(2, 2):
        np.testing.assert_array_equal(together[i], CALLS[name](batch[i]))


@pytest.mark.parametrize("name", CALLS)
def test_dst_and_strides(name):
    image = picture((12, 20))
    expected = CALLS[name](image)
    strided = np.full((20, 24), 7, np.uint8).T[::2]
    assert CALLS[name](image, dst=strided) is strided
    np.testing.assert_array_equal(strided, expected)
    for view in (image[::-1], np.asfortranarray(image)):
        np.testing.assert_array_equal(CALLS[name](view), CALLS[name](np.array(view, order="C")))
    image.flags.writeable = False
    np.testing.assert_array_equal(CALLS[name](image), expected)
    own = image.copy()
    assert CALLS[name](own, dst=own) is own
    np.testing.assert_array_equal(own, expected)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 3, 3)])
def test_an_empty_image_stays_empty(name, shape):
    assert CALLS[name](np.empty(shape, np.uint8)).shape == shape


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (
            TypeError,
            lambda: cv.bilateralFilter(IMAGE.tolist(), 5, 1, 1),
            "bilateralFilter: src expects a numpy.ndarray",
        ),
        (TypeError, lambda: cv.bilateralFilter(IMAGE.astype(float), 5, 1, 1), "src expects uint8 or float32"),
        (ValueError, lambda: cv.bilateralFilter(IMAGE[0], 5, 1, 1), r"src expects \(H, W\) or \(H, W, C\)"),
        (TypeError, lambda: cv.bilateralFilter(IMAGE, 5.0, 1, 1), "d expects an integer"),
        (TypeError, lambda: cv.bilateralFilter(IMAGE, 5, "1", 1), "sigmaColor expects a number"),
        (ValueError, lambda: cv.bilateralFilter(IMAGE, 5, 1, float("nan")), "sigmaSpace expects a finite number"),
        (ValueError, lambda: cv.bilateralFilter(IMAGE, 5, 1, 1, borderType=9), "borderType expects one of"),
        (ValueError, lambda: cv.bilateralFilter(IMAGE, 5, 1, 1, np.empty((4, 5))), "dst expects a writeable uint8"),
        (TypeError, lambda: cv.fastNlMeansDenoising(IMAGE.astype(np.uint16)), "src expects uint8"),
        (ValueError, lambda: cv.fastNlMeansDenoising(IMAGE, templateWindowSize=0), "templateWindowSize expects at"),
        (TypeError, lambda: cv.fastNlMeansDenoising(IMAGE, searchWindowSize=5.0), "searchWindowSize expects an int"),
        (TypeError, lambda: cv.fastNlMeansDenoising(IMAGE, h="3"), "fastNlMeansDenoising: h expects a number"),
        (
            ValueError,
            lambda: cv.fastNlMeansDenoising(IMAGE, h=np.nan),
            "fastNlMeansDenoising: h expects a finite number",
        ),
        (
            ValueError,
            lambda: cv.fastNlMeansDenoising(np.zeros((5, 6, 7), np.uint8)),
            r"fastNlMeansDenoising: src expects one to four channels but got shape \(5, 6, 7\)",
        ),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()
