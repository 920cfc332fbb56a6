"""matchTemplate, minMaxLoc and integral against OpenCV, and where OpenCV has its own rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv
from tolerances import MATCH_SCORE_OPENCV

METHODS = range(6)
NORMED = (cv.TM_SQDIFF_NORMED, cv.TM_CCORR_NORMED, cv.TM_CCOEFF_NORMED)


@st.composite
def calls(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    channels = draw(st.sampled_from([(), (), (1,), (3,), (4,)]))
    template = (draw(st.sampled_from([3, 5, 20])), draw(st.sampled_from([4, 9, 23])))
    image = tuple(t + draw(st.sampled_from([0, 1, 30])) for t in template)
    x, t = (rng.random((*shape, *channels)) for shape in (image, template))
    mask = draw(st.sampled_from(["none", "uint8", "float32", "channels"]))
    weights = None
    if mask == "uint8":
        weights = rng.integers(0, 3, template).astype(np.uint8)
    elif mask != "none":
        weights = rng.random((*template, *(channels if mask == "channels" else ()))).astype(np.float32)
    if draw(st.booleans()):
        return (x * 255).astype(np.uint8), (t * 255).astype(np.uint8), weights
    return x.astype(np.float32), t.astype(np.float32), weights


@pytest.mark.parity
@pytest.mark.parametrize("method", METHODS)
@given(call=calls())
def test_equals_opencv(method, call):
    cv2 = pytest.importorskip("cv2")
    image, template, mask = call
    expected = cv2.matchTemplate(image, template, method, None, mask)
    result = np.full_like(expected, np.nan)
    assert cv.matchTemplate(image, template, method, result, mask) is result
    bound = MATCH_SCORE_OPENCV
    if method not in NORMED:  # OpenCV rounds the sums of products, which are larger than their differences
        scale = np.abs(cv2.matchTemplate(image, template, cv.TM_CCORR)).max()
        bound *= scale
    elif mask is not None and method == cv.TM_SQDIFF_NORMED:
        bound *= max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(result, expected, rtol=0, atol=bound)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("method", METHODS)
def test_constant_and_zero_templates_and_windows_as_in_opencv(method, dtype):
    cv2 = pytest.importorskip("cv2")
    image = (np.random.default_rng(0).random((30, 40)) * 200).astype(dtype)
    image[:, :15], image[:, 25:] = 0, 50
    for template in (image[:5, :6], image[:5, 30:36], image[8:14, 14:22]):
        expected = cv2.matchTemplate(image, template, method)
        found = cv.matchTemplate(image, template, method)
        scale = 1.0 if method in NORMED else max(1.0, np.abs(cv2.matchTemplate(image, template, cv.TM_CCORR)).max())
        np.testing.assert_allclose(found, expected, rtol=0, atol=MATCH_SCORE_OPENCV * scale)


@pytest.mark.parametrize("method", METHODS)
def test_masks_of_zeros_give_numbers(method):
    image = np.random.default_rng(1).random((9, 10)).astype(np.float32)
    found = cv.matchTemplate(image, image[:4, :4], method, mask=np.zeros((4, 4), np.uint8))
    ends = {cv.TM_SQDIFF_NORMED: 1, cv.TM_CCOEFF_NORMED: 1}
    np.testing.assert_array_equal(found, np.full((6, 7), ends.get(method, 0)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("masked", [False, True])
def test_uint8_sums_are_exact(method, masked):
    rng = np.random.default_rng(2)
    image, template = (rng.integers(0, 256, shape).astype(np.uint8) for shape in ((40, 50, 3), (9, 11, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(image, (9, 11), axis=(0, 1)).astype(float)
    windows, t = np.moveaxis(windows, 2, -1), template.astype(float)
    if method in (cv.TM_CCOEFF, cv.TM_CCOEFF_NORMED):
        windows = windows - windows.mean(axis=(2, 3), keepdims=True)
        t = t - t.mean(axis=(0, 1))
    products = (windows * t).sum(axis=(2, 3, 4))
    if method < cv.TM_CCORR:
        products = np.square(windows - t).sum(axis=(2, 3, 4))
    if method in NORMED:
        products /= np.sqrt(np.square(windows).sum(axis=(2, 3, 4)) * np.square(t).sum())
    mask = np.ones((9, 11), np.uint8) if masked else None
    found = cv.matchTemplate(image, template, method, mask=mask)
    np.testing.assert_allclose(found, products, rtol=2e-7, atol=1e-6)


@pytest.mark.parametrize("method", [cv.TM_SQDIFF, cv.TM_CCOEFF, cv.TM_CCOEFF_NORMED])
def test_a_faint_texture_on_a_high_level(method):
    """OpenCV's TM_CCOEFF_NORMED finds 0 where the template is."""
    low = 0.01 * np.random.default_rng(3).random((40, 50))
    image = (1000 + low).astype(np.float32)
    scores = cv.matchTemplate(image, image[10:20, 20:32], method)
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), (10, 12))
    template = windows[10, 20]
    if method == cv.TM_SQDIFF:
        np.testing.assert_allclose(scores, np.square(windows - template).sum(axis=(2, 3)), rtol=1e-6, atol=1e-12)
    elif method == cv.TM_CCOEFF:
        expected = ((windows - 1000) * (template - template.mean())).sum(axis=(2, 3))
        np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-9)
    else:
        assert abs(scores[10, 20] - 1) <= 1e-6


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_not_a_number_reaches_its_windows_and_no_further(method, masked):
    image = np.random.default_rng(4).random((30, 30), np.float32)
    template = image[:9, :9].copy()
    image[15, 15] = np.nan
    mask = np.ones((9, 9), np.uint8) if masked else None
    spoilt = np.zeros((22, 22), bool)
    spoilt[7:16, 7:16] = True
    np.testing.assert_array_equal(np.isnan(cv.matchTemplate(image, template, method, mask=mask)), spoilt)


def test_batches_rows_and_odd_strides():
    rng = np.random.default_rng(5)
    images = rng.random((2, 3, 20, 24, 3)).astype(np.float32)[:, :, ::-1]
    template = images[1, 2, 4:9, 5:11]
    images.flags.writeable = False
    scores = cv.matchTemplate(images, template, cv.TM_CCOEFF_NORMED, batch_axes=2)
    assert scores.shape == (2, 3, 16, 19)
    assert np.unravel_index(scores.argmax(), scores.shape) == (1, 2, 4, 5)
    np.testing.assert_array_equal(scores[0, 1], cv.matchTemplate(images[0, 1], template, cv.TM_CCOEFF_NORMED))
    assert cv.matchTemplate(images[0, 0, :1], images[0, 0, :1], cv.TM_CCORR).shape == (1, 1)
    assert cv.matchTemplate(images[:0], template, cv.TM_CCORR, batch_axes=2).shape == (0, 3, 16, 19)


IMAGE = np.ones((6, 7), np.float32)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (IMAGE[:3], IMAGE, 0), {}, "templ expects to be .* OpenCV would exchange"),
        (ValueError, (IMAGE, IMAGE, 6), {}, "method expects one of TM_SQDIFF = 0"),
        (TypeError, (IMAGE, IMAGE, "TM_CCORR"), {}, "method expects an integer"),
        (TypeError, (IMAGE.astype(float), IMAGE, 0), {}, "image expects uint8 or float32 but got float64"),
        (TypeError, (IMAGE, IMAGE.astype(np.uint8), 0), {}, "image and templ expect one dtype"),
        (TypeError, (IMAGE.tolist(), IMAGE, 0), {}, "image expects a numpy.ndarray"),
        (ValueError, (IMAGE[0], IMAGE[0], 0), {}, r"image and templ expect \(H, W\)"),
        (ValueError, (IMAGE[..., None], IMAGE[..., None].repeat(2, 2), 0), {}, "templ expects the image's channels"),
        (ValueError, (IMAGE, IMAGE, 0, np.ones((2, 2), np.float32)), {}, "result expects a writeable float32"),
        (ValueError, (IMAGE, IMAGE, 0), {"mask": np.ones((2, 2), np.uint8)}, "mask expects the size of templ"),
        (TypeError, (IMAGE, IMAGE, 0), {"mask": np.ones((6, 7))}, "mask expects uint8 or float32"),
    ],
)
def test_match_template_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"matchTemplate: {message}"):
        cv.matchTemplate(*arguments, **keywords)


@pytest.mark.parity
@given(st.integers(0, 2**32 - 1))
def test_min_max_loc_equals_opencv(seed):
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(seed)
    src = rng.integers(0, 9, rng.integers(1, 9, 2)).astype(rng.choice(["uint8", "float32", "float64", "int32"]))
    mask = None if rng.random() < 0.5 else rng.integers(0, 2, src.shape).astype(np.uint8)
    assert cv.minMaxLoc(src, mask) == tuple(cv2.minMaxLoc(src, mask))


def test_min_max_loc_passes_over_nan_and_refuses_other_shapes():
    assert cv.minMaxLoc(np.array([[np.nan, 2, 1]])) == (1, 2, (2, 0), (1, 0))
    assert cv.minMaxLoc(np.array([[np.nan]])) == (0, 0, (-1, -1), (-1, -1))
    assert cv.minMaxLoc(np.ones((0, 3))) == (0, 0, (-1, -1), (-1, -1))
    assert cv.minMaxLoc(np.array([[2, 1, 3], [1, 3, 2]], np.uint8).T[::-1]) == (1, 3, (0, 1), (0, 0))
    with pytest.raises(ValueError, match="minMaxLoc: src expects two axes"):
        cv.minMaxLoc(np.ones(3))
    with pytest.raises(ValueError, match="minMaxLoc: mask expects uint8"):
        cv.minMaxLoc(np.ones((3, 3)), np.ones((3, 3)))


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(5, 7), (1, 4), (6, 3, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_integral_equals_opencv(dtype, shape):
    cv2 = pytest.importorskip("cv2")
    src = (np.random.default_rng(6).random(shape) * 255).astype(dtype)
    found, expected = cv.integral(src), cv2.integral(src)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    total = np.full((2, *expected.shape), 7, np.float64)
    assert cv.integral(np.stack([src, src]), total, 6, batch_axes=1) is total
    np.testing.assert_allclose(total[1], expected, rtol=1e-13)


def test_integral_refuses():
    with pytest.raises(TypeError, match="integral: src expects uint8"):
        cv.integral(np.ones((3, 3), int))
    with pytest.raises(ValueError, match="integral: sdepth expects one of"):
        cv.integral(np.ones((3, 3)), sdepth=3)
    with pytest.raises(ValueError, match="integral: sdepth expects -1, 5 or 6 for float64 but got 4"):
        cv.integral(np.ones((3, 3)), sdepth=4)
    with pytest.raises(ValueError, match="integral: sum expects a writeable float64"):
        cv.integral(np.ones((3, 3)), np.empty((3, 3)))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "bool"])
def test_min_max_loc_of_a_batch_is_that_of_each_image(dtype):
    random = np.random.default_rng(0)
    batch = (random.uniform(0, 5, (2, 3, 4, 6)) * 20).astype(dtype)
    mask = (random.random(batch.shape) < 0.3).astype(np.uint8)
    if batch.dtype.kind == "f":
        batch[0, 1, 2], batch[1, 2], batch[1, 1, 0, 0] = np.nan, np.nan, np.inf
        batch[0, 0] = np.inf
    mask[1, 0] = 0
    for counted in (None, mask):
        found = cv.minMaxLoc(batch, counted, batch_axes=2)
        for place in np.ndindex(2, 3):
            one = cv.minMaxLoc(batch[place], None if counted is None else counted[place])
            assert [values[place].tolist() for values in found] == [v if i < 2 else list(v) for i, v in enumerate(one)]
