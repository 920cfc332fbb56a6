"""OpenCV's linear filters: against OpenCV, and where it has no answer against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv
from tolerances import EPS

from tilegrad import filters

BORDERS = (cv.BORDER_CONSTANT, cv.BORDER_REPLICATE, cv.BORDER_REFLECT, cv.BORDER_REFLECT_101)
DTYPES = ("uint8", "uint16", "int16", "float32", "float64")


def cv2():
    return pytest.importorskip("cv2")


def pixels(shape, dtype, rng):
    if dtype.startswith("float"):
        return rng.standard_normal(shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


@st.composite
def images(draw, types=DTYPES):
    """An image of at least the size of the windows (OpenCV continues it only so far), and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(draw(st.sampled_from([9, 20, 70])) for _ in range(2))
    shape = (*shape, draw(st.integers(2, 4))) if draw(st.booleans()) else shape
    return pixels(shape, draw(st.sampled_from(types)), rng), rng


def close(ours, theirs, scale, roundings):
    """Integers within 1, others within so many roundings of numbers of that size."""
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    error = 1 if ours.dtype.kind in "iu" else roundings * EPS[ours.dtype.name] * scale
    np.testing.assert_allclose(ours.astype(np.float64), theirs.astype(np.float64), rtol=0, atol=error)


@st.composite
def windows(draw):
    size = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    anchor = draw(st.integers(-1, size[1] - 1)), draw(st.integers(-1, size[0] - 1))
    return size, {"anchor": anchor, "borderType": draw(st.sampled_from(BORDERS))}


@pytest.mark.parity
@given(images(), windows(), st.sampled_from([0.0, 3.25]), st.booleans())
def test_filter2d_equals_opencv(image, window, delta, own):
    src, rng = image
    size, keywords = window
    kernel = rng.standard_normal(size).astype(src.dtype if src.dtype == np.float64 else np.float32) / 3
    ddepth = -1 if own or src.dtype == np.float64 else cv.CV_32F
    ours = cv.filter2D(src, ddepth, kernel, delta=delta, **keywords)
    theirs = cv2().filter2D(src, ddepth, kernel, delta=delta, **keywords)
    scale = float(np.abs(kernel).sum() * np.abs(src.astype(np.float64)).max() + delta)
    close(ours, theirs, scale, kernel.size + 3)


@pytest.mark.parity
@given(images(types=("uint8",)), windows(), st.sampled_from([-1, cv.CV_16S, cv.CV_32F, cv.CV_64F]))
def test_filter2d_of_dyadic_weights_equals_opencv_bit_for_bit(image, window, ddepth):
    src, rng = image
    size, keywords = window
    kernel = rng.integers(-16, 17, size) / 16
    ours = cv.filter2D(src, ddepth, kernel, delta=0.5, **keywords)
    np.testing.assert_array_equal(ours, cv2().filter2D(src, ddepth, kernel, delta=0.5, **keywords))


@pytest.mark.parity
@given(images(), windows(), st.sampled_from([0.0, 2.5]), st.booleans())
def test_sep_filter2d_equals_opencv(image, window, delta, smooth):
    src, rng = image
    (height, width), keywords = window
    if smooth:
        height, width = height | 1, width | 1
        x, y = (cv.getGaussianKernel(n, 1.3, cv.CV_32F) for n in (width, height))
    else:
        x, y = (rng.standard_normal(n).astype(np.float32) / 2 for n in (width, height))
    keywords["anchor"] = tuple(min(a, n - 1) for a, n in zip(keywords["anchor"], (width, height), strict=True))
    ours = cv.sepFilter2D(src, -1, x, y, delta=delta, **keywords)
    theirs = cv2().sepFilter2D(src, -1, x, y, delta=delta, **keywords)
    scale = float(np.abs(x).sum() * np.abs(y).sum() * np.abs(src.astype(np.float64)).max() + delta)
    close(ours, theirs, scale, height + width + 3)


LINES = st.sampled_from(["one", "gaussian", "smooth"])


def line(kind, rng):
    if kind == "one":
        return np.ones(1, np.float32)
    if kind == "gaussian":
        return cv.getGaussianKernel(int(rng.choice([3, 5, 7])), 1.3, cv.CV_32F)
    weights = rng.random(rng.integers(1, 8)).astype(np.float32)
    return weights / weights.sum()


@pytest.mark.parity
@given(LINES, LINES, st.integers(0, 2**32 - 1), st.sampled_from([0.0, 2.5]))
def test_smooth_lines_over_bytes_equal_opencv_but_for_halves(along, down, seed, delta):
    """A few numbers of the 240,000 lie so near a half that float32 rounds them either way."""
    rng = np.random.default_rng(seed)
    src = rng.integers(0, 256, (200, 400, 3), np.uint8)
    x, y = line(along, rng), line(down, rng)
    keywords = {"anchor": (int(rng.integers(-1, x.size)), int(rng.integers(-1, y.size))), "delta": delta}
    ours, theirs = cv.sepFilter2D(src, -1, x, y, **keywords), cv2().sepFilter2D(src, -1, x, y, **keywords)
    close(ours, theirs, 0, 0)
    assert np.count_nonzero(ours != theirs) <= 100


@pytest.mark.parity
@given(windows(), st.integers(0, 2**32 - 1))
def test_lines_of_dyadic_weights_equal_opencv_bit_for_bit(window, seed):
    """Symmetric ones are in fixed point there, which rounds halves otherwise behind the last whole vector of a row."""
    rng = np.random.default_rng(seed)
    (height, width), keywords = window
    src = rng.integers(0, 256, (20, 128), np.uint8)
    x, y = ((np.diff(np.sort(rng.integers(0, 17, n - 1)), prepend=0, append=16) / 16) for n in (width, height))
    np.testing.assert_array_equal(
        cv.sepFilter2D(src, -1, x, y, **keywords), cv2().sepFilter2D(src, -1, x, y, **keywords)
    )
    x, y = np.array([1, 2, 1]) / 4, np.array([1, 4, 6, 4, 1]) / 16
    np.testing.assert_array_equal(cv.sepFilter2D(src, -1, x, y), cv2().sepFilter2D(src, -1, x, y))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_border_and_windows_larger_than_the_image(dtype):
    """Where OpenCV refuses or is undefined, SciPy is asked."""
    ndimage = pytest.importorskip("scipy.ndimage")
    src = pixels((3, 4), dtype, np.random.default_rng(0))
    kernel = np.full((9, 10), 1 / 64)
    names = {0: "constant", 1: "nearest", 2: "reflect", 3: "wrap", 4: "mirror"}
    for border, mode in names.items():
        expected = ndimage.correlate(src.astype(np.float64), kernel, mode=mode)
        ours = cv.filter2D(src, -1, kernel, borderType=border)
        if src.dtype.kind in "iu":
            limits = np.iinfo(dtype)
            expected = np.clip(np.rint(expected), limits.min, limits.max)
        close(ours, expected.astype(dtype), 9.0, 100)


def test_batches_channels_and_dst():
    rng = np.random.default_rng(1)
    batch = rng.integers(0, 256, (2, 3, 8, 9, 3), dtype=np.uint8)
    kernel = np.array([[1, 2, 1], [0, 0, 0], [1, 0, 2]]) / 8
    together = cv.filter2D(batch, -1, kernel, batch_axes=2)
    for i in np.ndindex(2, 3):
        for c in range(3):
            np.testing.assert_array_equal(together[i][..., c], cv.filter2D(batch[i][..., c], -1, kernel))
    strided = np.full((16, 9, 3), 7, np.uint8)[::2]
    plain = np.full((8, 9, 3), 7, np.uint8)
    for dst in (plain, strided):
        assert cv.filter2D(batch[0, 0], -1, kernel, dst) is dst
        np.testing.assert_array_equal(dst, together[0, 0])
    image = batch[1, 2].copy()
    assert cv.sepFilter2D(image, -1, [1, 2, 1], [0.25], image) is image
    np.testing.assert_array_equal(image, cv.sepFilter2D(batch[1, 2], -1, [1, 2, 1], [0.25]))
    image.flags.writeable = False
    np.testing.assert_array_equal(
        cv.filter2D(image[::-1, ::-2], -1, kernel), cv.filter2D(image[::-1, ::-2].copy(), -1, kernel)
    )
    assert cv.filter2D(np.empty((0, 4), np.uint8), -1, kernel).shape == (0, 4)
    one = cv.filter2D(image[:1, :, :1], -1, kernel)
    assert one.shape == (1, 9, 1)


def test_the_same_filter_as_correlate():
    image = np.random.default_rng(2).random((9, 12))
    weights = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(cv.filter2D(image, -1, weights), filters.correlate(image, weights, mode="mirror"))


U8 = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (U8.tolist(), -1, [[1]]), {}, "src expects a numpy.ndarray"),
        (TypeError, (U8.astype(np.float16), -1, [[1]]), {}, "src expects one of uint8, .* but got float16"),
        (ValueError, (U8[0], -1, [[1]]), {}, r"src expects \(H, W\) or \(H, W, C\)"),
        (ValueError, (U8, 7, [[1]]), {}, "ddepth expects -1 or one of CV_8U = 0"),
        (TypeError, (U8, 1.0, [[1]]), {}, "ddepth expects an integer"),
        (ValueError, (U8, cv.CV_16U, [[1]]), {}, "ddepth expects one of uint8, .* for uint8 but got uint16"),
        (ValueError, (U8, -1, [1]), {}, "kernel expects two axes"),
        (ValueError, (U8, -1, [[1]]), {"anchor": (1, 0)}, r"anchor expects a place in the window \(1, 1\)"),
        (TypeError, (U8, -1, [[1]]), {"anchor": 0}, r"anchor expects \(x, y\)"),
        (TypeError, (U8, -1, [[1]]), {"delta": None}, "delta expects a number"),
        (ValueError, (U8, -1, [[1]]), {"borderType": 5}, "borderType expects one of BORDER_CONSTANT"),
        (ValueError, (U8, -1, [[1]]), {"dst": np.empty((4, 5))}, "dst expects a writeable uint8 array"),
        (ValueError, (U8, -1, [[1]]), {"batch_axes": 1}, r"src expects \(H, W\) or \(H, W, C\) behind 1 axes"),
    ],
)
def test_filter2d_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"filter2D: {message}"):
        cv.filter2D(*arguments, **keywords)


def test_sep_filter2d_refuses():
    with pytest.raises(ValueError, match=r"sepFilter2D: kernelX expects a row or a column .* \(2, 2\)"):
        cv.sepFilter2D(U8, -1, np.ones((2, 2)), [1])
    with pytest.raises(ValueError, match="sepFilter2D: kernelY expects a row or a column"):
        cv.sepFilter2D(U8, -1, [1], [])
