"""OpenCV's boxes and Gaussians: against OpenCV."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cv_linear import BORDERS, DTYPES, U8, close, cv2, images, pixels
from tilegrad.filters import cv

sides = st.sampled_from([1, 2, 3, 4, 5, 8, 11, 16, 17])


@pytest.mark.parity
@given(images(types=("uint8",)), sides, sides, st.sampled_from(BORDERS))
def test_blur_of_bytes_equals_opencv_bit_for_bit(image, width, height, border):
    """Of two pixels OpenCV adds 1 to a full mean, which wraps around in the last columns: those stay below."""
    src, _ = image
    height, width = min(height, src.shape[0]), min(width, src.shape[1])
    if width * height == 2:
        src = np.minimum(src, 253)
    ours = cv.blur(src, (width, height), borderType=border)
    np.testing.assert_array_equal(ours, cv2().blur(src, (width, height), borderType=border))


@pytest.mark.parity
@pytest.mark.parametrize(
    "ksize", [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (3, 3), (6, 5), (16, 16), (17, 16), (64, 20)]
)
def test_blur_divides_as_opencv_does(ksize):
    src = np.random.default_rng(0).integers(0, 254 if ksize[0] * ksize[1] == 2 else 256, (70, 200), dtype=np.uint8)
    np.testing.assert_array_equal(cv.blur(src, ksize), cv2().blur(src, ksize))


@pytest.mark.parity
@given(images(), sides, sides, st.sampled_from(BORDERS), st.booleans(), st.data())
def test_box_filter_equals_opencv(image, width, height, border, normalize, data):
    src, _ = image
    height, width = min(height, src.shape[0]), min(width, src.shape[1])
    ddepths = {"uint8": [-1, cv.CV_32F], "uint16": [-1, cv.CV_32F], "int16": [-1, cv.CV_32F]}.get(src.dtype.name, [-1])
    keywords = {"anchor": (data.draw(st.integers(-1, width - 1)), -1), "normalize": normalize, "borderType": border}
    ddepth = data.draw(st.sampled_from(ddepths))
    if width * height == 2:
        src = np.minimum(src, 250)
    ours = cv.boxFilter(src, ddepth, (width, height), **keywords)
    theirs = cv2().boxFilter(src, ddepth, (width, height), **keywords)
    scale = float(np.abs(src.astype(np.float64)).max()) * (1 if normalize else width * height)
    close(ours, theirs, scale, width + height + 3)


@pytest.mark.parity
@given(images(), st.sampled_from([0, 1, 3, 5, 7, 9]), st.sampled_from([0.0, 0.8, 1.5]), st.sampled_from(BORDERS))
def test_gaussian_blur_equals_opencv(image, size, sigma, border):
    """8-bit images bit for bit."""
    src, _ = image
    if size == 0 and sigma == 0:
        sigma = 1.0
    args = (size, max(size, 1) if size else 0), sigma
    ours = cv.GaussianBlur(src, *args, sigmaY=0.6, borderType=border)
    theirs = cv2().GaussianBlur(src, *args, sigmaY=0.6, borderType=border)
    if src.dtype == np.uint8:
        np.testing.assert_array_equal(ours, theirs)
    else:
        close(ours, theirs, float(np.abs(src.astype(np.float64)).max()), 40)


@pytest.mark.parity
@pytest.mark.parametrize("ksize", [1, 3, 5, 7, 9, 11, 31])
def test_gaussian_kernel_equals_opencv(ksize):
    for sigma in (-1, 0, 0.3, 1, 4.5):
        for ktype in (cv.CV_32F, cv.CV_64F):
            ours, theirs = cv.getGaussianKernel(ksize, sigma, ktype), cv2().getGaussianKernel(ksize, sigma, ktype)
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-16 if ktype == cv.CV_64F else 6e-8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_batches_channels_and_dst(dtype):
    batch = pixels((2, 8, 9, 3), dtype, np.random.default_rng(1))
    for function in (lambda x, **k: cv.blur(x, (3, 5), **k), lambda x, **k: cv.GaussianBlur(x, (5, 3), 1, **k)):
        together = function(batch, batch_axes=1)
        for image, result in zip(batch, together, strict=True):
            for c in range(3):
                np.testing.assert_allclose(result[..., c], function(image[..., c]), rtol=0, atol=1e-6)
        for dst in (np.full(batch.shape, 7, dtype), np.full((2, 16, 9, 3), 7, dtype)[:, ::2], batch.copy()):
            assert function(batch, dst=dst, batch_axes=1) is dst
            np.testing.assert_array_equal(dst, together)
        image = batch[0].copy()
        assert function(image, dst=image) is image
        np.testing.assert_array_equal(image, together[0])


def test_not_a_number_stays_in_its_box():
    src = np.ones((20, 20), np.float32)
    src[10, 10] = np.nan
    assert np.isnan(cv.blur(src, (3, 5))).sum() == 15
    assert np.isnan(cv.GaussianBlur(src, (3, 5), 1)).sum() == 15


def test_boxes_of_16_bit_images_whose_sums_need_more_than_32_bits():
    src = np.full((5, 6), 65535, np.uint16)
    np.testing.assert_array_equal(cv.blur(src, (300, 200)), src)
    sums = cv.boxFilter(src, cv.CV_64F, (300, 200), normalize=False)
    np.testing.assert_array_equal(sums, np.full((5, 6), 65535.0 * 300 * 200))


@pytest.mark.parametrize("shape", [(0, 3), (1, 7), (7, 1), (1, 1)])
def test_small_images(shape):
    src = np.full(shape, 9, np.uint8)
    np.testing.assert_array_equal(cv.blur(src, (7, 7)), src)
    np.testing.assert_array_equal(cv.GaussianBlur(src, (9, 9), 2), src)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (TypeError, lambda: cv.blur(U8, 3), r"blur: ksize expects \(width, height\) but got 3"),
        (ValueError, lambda: cv.blur(U8, (3, 0)), "blur: ksize expects values of at least 1"),
        (TypeError, lambda: cv.blur(U8, (3.0, 1)), "blur: ksize expects integers"),
        (ValueError, lambda: cv.blur(U8, (3, 3), anchor=(3, 0)), "blur: anchor expects a place in the window"),
        (ValueError, lambda: cv.boxFilter(U8, cv.CV_8S, (3, 3)), "boxFilter: ddepth expects a type that holds means"),
        (ValueError, lambda: cv.boxFilter(U8 / 2, cv.CV_32F, (3, 3)), "boxFilter: ddepth expects a type that holds"),
        (ValueError, lambda: cv.GaussianBlur(U8, (4, 3), 1), "GaussianBlur: ksize expects odd numbers but got 4"),
        (ValueError, lambda: cv.GaussianBlur(U8, (0, 0), 0), "GaussianBlur: ksize of 0 expects a finite sigma above 0"),
        (ValueError, lambda: cv.GaussianBlur(U8, (3, 3), np.nan), "GaussianBlur: sigma expects a finite number"),
        (TypeError, lambda: cv.GaussianBlur(U8, (3, 3), "1"), "GaussianBlur: sigmaX expects a number"),
        (ValueError, lambda: cv.GaussianBlur(U8, (3, 3), 1, borderType=16), "GaussianBlur: borderType expects one of"),
        (ValueError, lambda: cv.getGaussianKernel(4, 1), "getGaussianKernel: ksize expects odd numbers"),
        (ValueError, lambda: cv.getGaussianKernel(3, 1, 0), "getGaussianKernel: ktype expects CV_32F"),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()
