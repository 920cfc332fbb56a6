"""OpenCV's derivatives and Canny: OpenCV's numbers, and the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tilegrad.filters import cv
from tolerances import CV_DERIVATIVE

BORDERS = (cv.BORDER_CONSTANT, cv.BORDER_REPLICATE, cv.BORDER_REFLECT, cv.BORDER_REFLECT_101)
DEPTHS = {
    "uint8": (-1, cv.CV_16S, cv.CV_32F, cv.CV_64F),
    "uint16": (-1, cv.CV_32F, cv.CV_64F),
    "int16": (-1, cv.CV_32F, cv.CV_64F),
    "float32": (-1, cv.CV_64F),
    "float64": (-1,),
}


@st.composite
def images(draw, dtypes=tuple(DEPTHS)):
    shape = draw(st.tuples(*[st.sampled_from([1, 2, 3, 5, 17, 33, 64, 70])] * 2))
    shape = (*shape, *draw(st.sampled_from([(), (2,), (3,)])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from(dtypes))
    if dtype[0] == "f":
        return (rng.standard_normal(shape) * 100).astype(dtype)
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


@st.composite
def calls(draw):
    """The name of a function, its first arguments, and its keywords."""
    name = draw(st.sampled_from(["Sobel", "Scharr", "Laplacian"]))
    src = draw(images())
    keywords = {"borderType": draw(st.sampled_from(BORDERS))}
    if draw(st.booleans()):
        keywords["scale"], keywords["delta"] = draw(st.sampled_from([0.5, 0.3, 2.0])), draw(st.sampled_from([0, -3.5]))
    ksize = draw(st.sampled_from([1, 3, 5, 7]))
    orders = ()
    if name == "Scharr":
        orders = draw(st.sampled_from([(1, 0), (0, 1)]))
    else:
        keywords["ksize"] = ksize
    if name == "Sobel":
        orders = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
        assume(sum(orders) > 0)
    depth = draw(st.sampled_from(DEPTHS[src.dtype.name]))
    # OpenCV 5 refuses Laplacians of float32 in float64 with ksize 1 and 3, and computes the others in float32.
    assume(name != "Laplacian" or src.dtype != np.float32 or depth != cv.CV_64F)
    return name, (src, depth, *orders), keywords


@pytest.mark.parity
@given(calls())
def test_derivatives_equal_opencv(call):
    cv2 = pytest.importorskip("cv2")
    name, arguments, keywords = call
    expected = getattr(cv2, name)(*arguments, **keywords)
    dst = np.full(expected.shape, 7, expected.dtype)
    assert getattr(cv, name)(*arguments, dst=dst, **keywords) is dst
    src = arguments[0]
    if expected.dtype.kind in "iu":
        # Scaled, OpenCV computes in float32 and may round the other way.
        np.testing.assert_allclose(dst.astype(int), expected.astype(int), rtol=0, atol=int("scale" in keywords))
        return
    # The sum of the sizes of all products: Sobel's weights of size 7 add up to 64 across and 20 along.
    sizes = np.abs(src.astype(np.float64)).max() * 64 * 40
    np.testing.assert_allclose(dst, expected, rtol=0, atol=CV_DERIVATIVE[expected.dtype.name] * sizes)


@pytest.mark.parity
@pytest.mark.parametrize(("dtype", "ksize"), [("uint8", 9), ("uint16", 5), ("int16", 5)])
@pytest.mark.parametrize("depth", [-1, cv.CV_32F, cv.CV_64F])
def test_integers_of_all_sizes_equal_opencv_bit_for_bit(dtype, ksize, depth):
    cv2 = pytest.importorskip("cv2")
    src = np.random.default_rng(0).choice([np.iinfo(dtype).min, 1, np.iinfo(dtype).max], (60, 70)).astype(dtype)
    for orders in ((1, 0), (0, 1), (1, 1), (2, 0)):
        expected = cv2.Sobel(src, depth, *orders, ksize=ksize)
        np.testing.assert_array_equal(cv.Sobel(src, depth, *orders, ksize=ksize), expected)
    np.testing.assert_array_equal(cv.Laplacian(src, depth, ksize=ksize), cv2.Laplacian(src, depth, ksize=ksize))


@pytest.mark.parametrize("depth", [cv.CV_32F, cv.CV_64F])
def test_sums_beyond_float32_are_exact_and_rounded_once(depth):
    src = np.random.default_rng(0).integers(0, 2**16, (20, 30)).astype(np.uint16)
    padded = np.pad(src.astype(np.int64), 3, mode="reflect")
    smooth, slope = np.array([1, 6, 15, 20, 15, 6, 1]), np.array([-1, -4, -5, 0, 5, 4, 1])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7))
    found = cv.Sobel(src, depth, 1, 0, ksize=7)
    np.testing.assert_array_equal(found, np.einsum("hwrs,r,s->hw", windows, smooth, slope).astype(found.dtype))


@pytest.mark.parity
@given(images(("uint8",)), st.integers(0, 2), st.integers(0, 2), st.sampled_from([-1, 9, 15]))
def test_wide_and_scharr_weights_equal_opencv(src, dx, dy, ksize):
    cv2 = pytest.importorskip("cv2")
    assume(dx + dy == 1 if ksize == -1 else dx + dy > 0)
    depth = cv.CV_64F if ksize > 9 else cv.CV_16S
    expected = cv2.Sobel(src, depth, dx, dy, ksize=ksize)
    np.testing.assert_allclose(cv.Sobel(src, depth, dx, dy, ksize=ksize), expected, rtol=1e-12)


@pytest.mark.parity
@given(images(("uint8",)), st.floats(-10, 1500), st.floats(-10, 1500), st.booleans())
def test_canny_equals_opencv(x, first, second, squared):
    cv2 = pytest.importorskip("cv2")
    expected = cv2.Canny(np.ascontiguousarray(x), first, second, L2gradient=squared)
    edges = np.full(x.shape[:2], 7, np.uint8)
    assert cv.Canny(x, first, second, edges, L2gradient=squared) is edges
    np.testing.assert_array_equal(edges, expected)


@pytest.mark.parity
@given(images(("uint8",)), st.floats(0, 1000), st.floats(0, 1000), st.booleans())
def test_canny_of_derivatives_equals_opencv(x, first, second, squared):
    cv2 = pytest.importorskip("cv2")
    x = x if x.ndim == 2 else x[..., 0]
    dx, dy = (cv2.Sobel(x, cv2.CV_16S, *orders) for orders in ((1, 0), (0, 1)))
    expected = cv2.Canny(dx, dy, first, second, L2gradient=squared)
    np.testing.assert_array_equal(cv.Canny(dx, dy, first, second, L2gradient=squared), expected)


def test_a_batch_equals_its_images():
    batch = np.random.default_rng(0).integers(0, 256, (2, 2, 20, 30, 3)).astype(np.uint8)
    sobel, edges = cv.Sobel(batch, cv.CV_16S, 1, 0, batch_axes=2), cv.Canny(batch, 300, 600, batch_axes=2)
    floats = cv.Laplacian(batch, cv.CV_32F, batch_axes=2)
    assert edges.shape == (2, 2, 20, 30)
    for i in np.ndindex(2, 2):
        np.testing.assert_array_equal(sobel[i], cv.Sobel(batch[i], cv.CV_16S, 1, 0))
        np.testing.assert_array_equal(edges[i], cv.Canny(batch[i], 300, 600))
        np.testing.assert_array_equal(floats[i], cv.Laplacian(batch[i], cv.CV_32F))


def test_strides_read_only_and_overlapping_results():
    x = np.random.default_rng(1).integers(0, 256, (20, 30)).astype(np.uint8)
    expected = cv.Sobel(x[::-1], -1, 1, 0)
    frozen = x.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(cv.Sobel(frozen[::-1], -1, 1, 0), expected)
    np.testing.assert_array_equal(cv.Canny(frozen.T, 200, 300), cv.Canny(x.T.copy(), 200, 300))
    cv.Sobel(x[::-1], -1, 1, 0, x[::-1])
    np.testing.assert_array_equal(x[::-1], expected)


@pytest.mark.parametrize("shape", [(0, 5), (4, 0), (0, 5, 3)])
def test_empty_images_stay_empty(shape):
    x = np.empty(shape, np.uint8)
    assert cv.Sobel(x, cv.CV_16S, 1, 0).shape == shape
    assert cv.Laplacian(x, cv.CV_32F).shape == shape
    assert cv.Canny(x, 1, 2).shape == shape[:2]


IMAGE, GRADIENT = np.ones((4, 5), np.uint8), np.ones((4, 5), np.int16)


@pytest.mark.parametrize(
    ("error", "name", "arguments", "message"),
    [
        (TypeError, "Sobel", ([[1]], -1, 1, 0), "src expects a numpy.ndarray"),
        (TypeError, "Sobel", (IMAGE.astype(np.int32), -1, 1, 0), "src expects one of uint8"),
        (ValueError, "Sobel", (IMAGE, cv.CV_16U, 1, 0), "ddepth expects .* for uint8 but got uint16"),
        (ValueError, "Sobel", (np.ones((4, 5)), cv.CV_32F, 1, 0), "ddepth expects float64 for float64"),
        (ValueError, "Sobel", (IMAGE, -1, 0, 0), "dx and dy expect orders of at least 0, not both 0"),
        (TypeError, "Sobel", (IMAGE, -1, 1.0, 0), "dx expects an integer"),
        (ValueError, "Sobel", (IMAGE, -1, 3, 0), "dx expects an order below ksize = 3 but got 3"),
        (ValueError, "Sobel", (IMAGE, -1, 1, 0, None, 4), "ksize expects an odd number"),
        (ValueError, "Sobel", (IMAGE, -1, 1, 0, None, 33), "ksize expects an odd number of 1 to 31"),
        (TypeError, "Sobel", (IMAGE, -1, 1, 0, None, 3, "1"), "scale expects a number"),
        (ValueError, "Sobel", (IMAGE, -1, 1, 0, None, 3, 1, 0, cv.BORDER_WRAP), "borderType expects one of"),
        (ValueError, "Sobel", (IMAGE, -1, 1, 0, np.ones((4, 5))), "dst expects a writeable uint8 array"),
        (ValueError, "Sobel", (IMAGE[0], -1, 1, 0), r"src expects \(H, W\) or \(H, W, C\)"),
        (ValueError, "Scharr", (IMAGE, -1, 1, 1), "dx and dy expect a 1 and a 0 but got 1 and 1"),
        (ValueError, "Laplacian", (IMAGE, -1, None, -1), "ksize expects an odd number of 1 to 31 but got -1"),
        (TypeError, "Canny", (GRADIENT, 1, 2), "image expects uint8 but got int16"),
        (ValueError, "Canny", (IMAGE, 1, float("nan")), "threshold2 expects a number but got nan"),
        (TypeError, "Canny", (IMAGE, "1", 2), "threshold1 expects a number"),
        (ValueError, "Canny", (IMAGE, 1, 2, None, 9), "apertureSize expects 3, 5 or 7 but got 9"),
        (TypeError, "Canny", (IMAGE, 1, 2, None, 3.0), "apertureSize expects an integer"),
        (ValueError, "Canny", (IMAGE, 1, 2, np.ones((5, 4), np.uint8)), "edges expects a writeable uint8 array"),
        (TypeError, "Canny", (GRADIENT, IMAGE, 1, 2), "dy expects int16 but got uint8"),
        (ValueError, "Canny", (GRADIENT, GRADIENT[1:], 1, 2), "dx and dy expect one shape"),
    ],
)
def test_refuses(error, name, arguments, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        getattr(cv, name)(*arguments)
