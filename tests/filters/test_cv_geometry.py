"""OpenCV's resize, warps, pyramids and borders: against OpenCV, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tilegrad.filters import cv
from tolerances import CV_INTERPOLATION, CV_WARP

DTYPES = ("uint8", "uint16", "float32")
INTERPOLATIONS = (
    cv.INTER_NEAREST, cv.INTER_LINEAR, cv.INTER_CUBIC, cv.INTER_AREA, cv.INTER_LANCZOS4, cv.INTER_NEAREST_EXACT,
)  # fmt: skip
BORDERS = (cv.BORDER_CONSTANT, cv.BORDER_REPLICATE, cv.BORDER_REFLECT, cv.BORDER_REFLECT_101, cv.BORDER_WRAP)


def image(shape, dtype, seed=0):
    low, high = (0.0, 1.0) if np.dtype(dtype).kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def close(ours, theirs, bound):
    """Integers within 1; numbers, which are at most 1, within the bound."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    bound = bound if ours.dtype.kind == "f" else 1
    np.testing.assert_allclose(ours.astype(np.float64), theirs, rtol=0, atol=bound)


@pytest.mark.parity
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    dtype=st.sampled_from(DTYPES),
    interpolation=st.sampled_from(INTERPOLATIONS),
)
def test_resize_equals_opencv(shape, size, dtype, interpolation):
    cv2 = pytest.importorskip("cv2")
    x = image(shape, dtype)
    if interpolation == cv.INTER_AREA:
        assume((size[1] > shape[0]) == (size[0] > shape[1]) or size[1] == shape[0] or size[0] == shape[1])
    ours, theirs = (one.resize(x, size, interpolation=interpolation) for one in (cv, cv2))
    equal_resized(ours, theirs, shape, (size[1] / shape[0], size[0] / shape[1]), interpolation)


@pytest.mark.parity
@given(
    shape=st.tuples(st.integers(1, 41), st.integers(1, 41)),
    factors=st.tuples(*[st.one_of(st.sampled_from([0.5, 1 / 3, 0.25, 1, 1.5, 2]), st.floats(0.1, 2.5))] * 2),
    dtype=st.sampled_from((*DTYPES, "int16", "float64")),
    interpolation=st.sampled_from(INTERPOLATIONS),
)
def test_resize_by_factors_samples_where_opencv_does(shape, factors, dtype, interpolation):
    """Positions are divided by the factors, which are not the ratios of the rounded sizes."""
    cv2 = pytest.importorskip("cv2")
    fy, fx = factors
    assume(round(shape[0] * fy) and round(shape[1] * fx))
    assume(interpolation != cv.INTER_AREA or max(factors) <= 1 or min(factors) >= 1)
    x = image(shape, dtype)
    ours, theirs = (one.resize(x, None, fx=fx, fy=fy, interpolation=interpolation) for one in (cv, cv2))
    equal_resized(ours, theirs, shape, factors, interpolation)


def equal_resized(ours, theirs, shape, factors, interpolation):
    """Of an image of this shape, where OpenCV's rounding of positions does not matter."""
    for axis, (n, m, factor) in enumerate(zip(shape, ours.shape, factors, strict=True)):
        i = np.arange(m)
        clear = np.full(m, True)
        if interpolation == cv.INTER_AREA and factor > 1:  # rounded below a whole number it takes the pixel before
            clear = np.floor(i * (1 / factor)) == np.floor(i * (1 / factor) + 1e-9)
        elif interpolation == cv.INTER_NEAREST_EXACT:  # of two that are equally near it takes either
            clear = (2 * i + 1) * n % (2 * m) != 0
        ours, theirs = (one.compress(clear, axis) for one in (ours, theirs))
    # Of areas OpenCV drops overlaps below a thousandth of a pixel.
    close(ours, theirs, 4e-3 if interpolation == cv.INTER_AREA else CV_INTERPOLATION)
    if interpolation in (cv.INTER_NEAREST, cv.INTER_NEAREST_EXACT):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_factors_count_neither_beside_a_size_nor_where_the_size_stays(interpolation):
    x = image((5, 9), "uint8")
    ours = cv.resize(x, (4, 3), fx=0.5, fy=7, interpolation=interpolation)
    np.testing.assert_array_equal(ours, cv.resize(x, (4, 3), interpolation=interpolation))
    np.testing.assert_array_equal(cv.resize(x, None, fx=1.05, fy=1.05, interpolation=interpolation), x)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("interpolation", [cv.INTER_LINEAR, cv.INTER_AREA])
@pytest.mark.parametrize("shape", [(40, 62, 2), (40, 62, 3), (40, 62, 4), (41, 63, 3), (43, 61, 4), (43, 63, 2)])
def test_halving_integers_equals_opencv_bit_for_bit(shape, interpolation, dtype):
    cv2 = pytest.importorskip("cv2")
    x = image(shape, dtype)
    ours, theirs = (one.resize(x, None, fx=0.5, fy=0.5, interpolation=interpolation) for one in (cv, cv2))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("flags", [cv.INTER_NEAREST, cv.INTER_LINEAR, cv.INTER_LINEAR + cv.WARP_INVERSE_MAP])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_warps_equal_opencv(dtype, flags, border):
    cv2 = pytest.importorskip("cv2")
    x = image((41, 62, 3), dtype)
    matrix = cv2.getRotationMatrix2D((30, 20), 23, 1.1)
    np.testing.assert_allclose(cv.getRotationMatrix2D((30, 20), 23, 1.1), matrix, rtol=1e-14)
    value = (10, 20, 30) if dtype == "uint8" else (0.1, 0.2, 0.3)
    how = {"flags": flags, "borderMode": border, "borderValue": value}
    ours, theirs = (one.warpAffine(x, matrix, (70, 50), **how) for one in (cv, cv2))
    whole = np.vstack([matrix, [0.001, 0.002, 1]])
    both = [one.warpPerspective(x, whole, (70, 50), **how) for one in (cv, cv2)]
    if flags == cv.INTER_NEAREST:  # OpenCV computes the last width % 16 places of a row in another order
        np.testing.assert_array_equal(ours[:, :64], theirs[:, :64])
        np.testing.assert_array_equal(both[0][:, :64], both[1][:, :64])
    else:
        close(ours, theirs, CV_WARP)
        close(*both, CV_WARP)


@st.composite
def maps(draw, like):
    """Affine maps whose places lie between two pixels often, or anywhere."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["eighths", "right angles", "any"]))
    matrix = np.eye(2, 3) + random.integers(-12, 13, (2, 3)) / 8
    if kind == "right angles":
        matrix = cv.getRotationMatrix2D((like.shape[1] / 2, like.shape[0] / 2), 90 * int(random.integers(4)), 1)
    elif kind == "any":
        matrix = np.eye(2, 3) + random.uniform(-1, 1, (2, 3)) * (1, 1, 20)
    return matrix


def nearest(one, function, x, matrix, size, flags, border):
    channels = 1 if x.ndim == 2 else x.shape[2]
    how = {"flags": cv.INTER_NEAREST + flags, "borderMode": border, "borderValue": (7,) * channels}
    return getattr(one, function)(x, matrix, size, **how)


@pytest.mark.parity
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 3, 4])),
    dtype=st.sampled_from(DTYPES),
    size=st.tuples(st.sampled_from([16, 48, 96]), st.integers(1, 90)),
    flags=st.sampled_from([0, cv.WARP_INVERSE_MAP]),
    border=st.sampled_from(BORDERS),
    far=st.tuples(st.integers(-4, 4), st.integers(-4, 4)),
    data=st.data(),
)
def test_nearest_pixels_of_warps_equal_opencv_bit_for_bit(shape, dtype, size, flags, border, far, data):
    """Widths are whole vectors: OpenCV computes what is left of a row in another order."""
    cv2 = pytest.importorskip("cv2")
    x = image(shape, dtype)
    x = x[..., 0] if shape[2] == 1 else x
    matrix = data.draw(maps(x))
    assume(abs(np.linalg.det(matrix[:, :2])) > 1e-3)
    ours, theirs = (nearest(one, "warpAffine", x, matrix, size, flags, border) for one in (cv, cv2))
    np.testing.assert_array_equal(ours, theirs)
    whole = np.vstack([matrix, [*(np.array(far) / 1024), 1]])
    assume(abs(np.linalg.det(whole)) > 1e-3)
    inverse = whole if flags else np.linalg.inv(whole)
    assume(np.ptp(np.sign([inverse[2] @ (q, p, 1) for q in (0, size[0]) for p in (0, size[1])])) == 0)  # no horizon
    ours, theirs = (nearest(one, "warpPerspective", x, whole, size, flags, border) for one in (cv, cv2))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 2, 3])),
    dtype=st.sampled_from(["int16", "float64", "uint8"]),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    border=st.sampled_from(BORDERS),
    eighths=st.tuples(*[st.integers(-20, 20)] * 6),
)
def test_nearest_pixels_where_opencv_has_fixed_point(shape, dtype, size, border, eighths):
    """Of int16, float64 and of two channels it takes the later of two that are equally near."""
    cv2 = pytest.importorskip("cv2")
    assume(dtype != "uint8" or shape[2] == 2)
    x = image(shape, dtype)
    matrix = np.array(eighths).reshape(2, 3) / 8
    ours, theirs = (nearest(one, "warpAffine", x, matrix, size, cv.WARP_INVERSE_MAP, border) for one in (cv, cv2))
    np.testing.assert_array_equal(ours, theirs.reshape(ours.shape))


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(41, 62, 3), (40, 61), (2, 3), (1, 1), (1, 7)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_pyramids_equal_opencv(shape, dtype):
    cv2 = pytest.importorskip("cv2")
    x = image(shape, dtype)
    for name in ("pyrDown", "pyrUp"):
        ours, theirs = (getattr(one, name)(x) for one in (cv, cv2))
        close(ours, theirs, CV_INTERPOLATION)
        if dtype != "float32":
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("border", BORDERS)
def test_borders_equal_opencv(border):
    cv2 = pytest.importorskip("cv2")
    x = image((5, 6, 3), "uint8")
    around = (3, 2, 4, 1, border)
    ours, theirs = cv.copyMakeBorder(x, *around, value=7), cv2.copyMakeBorder(x, *around, value=(7, 7, 7, 7))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("value", [2.5, 3.5, 300, -5, 70000, 1e9])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_integers_outside_are_rounded_and_saturate_as_in_opencv(dtype, value):
    cv2 = pytest.importorskip("cv2")
    x, matrix = image((3, 4), dtype), np.array([[1, 0, 1.25], [0, 1, 0]])
    for one in (
        lambda of: of.warpAffine(x, matrix, (5, 4), borderValue=value),
        lambda of: of.warpPerspective(x, np.vstack([matrix, [0, 0, 1]]), (5, 4), borderValue=value),
        lambda of: of.copyMakeBorder(x, 1, 0, 2, 0, cv.BORDER_CONSTANT, value=value),
        lambda of: of.erode(x, np.ones((2, 3), np.uint8), borderType=cv.BORDER_CONSTANT, borderValue=value),
        lambda of: of.dilate(x, np.ones((2, 3), np.uint8), borderType=cv.BORDER_CONSTANT, borderValue=value),
    ):
        np.testing.assert_array_equal(one(cv), one(cv2))


def test_not_a_number_outside_is_refused_for_integers_and_stays_outside_of_others():
    x, matrix, element = image((3, 4, 2), "uint8"), np.array([[1, 0, 1.25], [0, 1, 0]]), np.ones((2, 3), np.uint8)
    for name, call in (
        ("warpAffine", lambda: cv.warpAffine(x, matrix, (5, 4), borderValue=np.nan)),
        ("warpAffine", lambda: cv.warpAffine(x, matrix, (5, 4), borderValue=(1, np.nan))),
        ("warpPerspective", lambda: cv.warpPerspective(x, np.eye(3), (5, 4), borderValue=np.nan)),
        ("copyMakeBorder", lambda: cv.copyMakeBorder(x, 1, 0, 2, 0, cv.BORDER_CONSTANT, value=np.nan)),
        ("erode", lambda: cv.erode(x, element, borderValue=np.nan)),
        ("morphologyEx", lambda: cv.morphologyEx(x, cv.MORPH_OPEN, element, borderValue=(np.nan, np.nan))),
    ):
        with pytest.raises(ValueError, match=f"{name}: (borderV|v)alue expects a number that uint8 holds but got"):
            call()
    for flags in (cv.INTER_NEAREST, cv.INTER_LINEAR, cv.INTER_CUBIC):
        y = cv.warpAffine(np.ones((5, 9, 2)), matrix, (9, 5), flags=flags, borderValue=(np.nan, np.inf))
        assert np.isnan(y[2, 0, 0])
        assert np.isinf(y[2, 0, 1])
        np.testing.assert_allclose(y[2, 4:7], 1, rtol=1e-12)


def test_batches_equal_their_images_and_dst_takes_them():
    x = image((2, 9, 12, 3), "uint8")
    dst = np.full((2, 5, 7, 3), 7, np.uint8)
    assert cv.resize(x, (7, 5), dst, batch_axes=1) is dst
    for n in range(2):
        np.testing.assert_array_equal(dst[n], cv.resize(x[n], (7, 5)))
        np.testing.assert_array_equal(cv.pyrDown(x, batch_axes=1)[n], cv.pyrDown(x[n]))
        moved = cv.warpAffine(x, np.eye(2, 3), (8, 8), batch_axes=1)
        np.testing.assert_array_equal(moved[n], cv.warpAffine(x[n], np.eye(2, 3), (8, 8)))
    assert cv.copyMakeBorder(x, 1, 2, 0, 0, cv.BORDER_REPLICATE, batch_axes=1).shape == (2, 12, 12, 3)


def test_strides_and_read_only_images():
    x = image((10, 12), "uint8")
    x.flags.writeable = False
    for view in (x[::-1, ::-2], x.T):
        np.testing.assert_array_equal(cv.resize(view, (7, 5)), cv.resize(np.array(view, order="C"), (7, 5)))


def test_a_result_without_pixels():
    assert cv.warpAffine(image((3, 4), "uint8"), np.eye(2, 3), (0, 5)).shape == (5, 0)


X = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (TypeError, lambda: cv.resize(X.astype(bool), (2, 2)), "resize: src expects one of uint8"),
        (TypeError, lambda: cv.resize(X, 3), r"resize: dsize expects \(width, height\)"),
        (ValueError, lambda: cv.resize(X, None), "resize: fx and fy expect positive numbers"),
        (ValueError, lambda: cv.resize(X, None, fx=0.01, fy=1), "resize: the result expects at least one pixel"),
        (ValueError, lambda: cv.resize(X[:0], (2, 2)), "resize: src expects at least one pixel"),
        (ValueError, lambda: cv.resize(X, (2, 2), interpolation=5), "resize: interpolation expects one of"),
        (ValueError, lambda: cv.resize(X[None, None], (2, 2)), r"resize: src expects \(H, W\) or \(H, W, C\)"),
        (ValueError, lambda: cv.resize(X, (2, 2), np.empty((2, 2))), "resize: dst expects"),
        (ValueError, lambda: cv.warpAffine(X, np.eye(3), (2, 2)), r"warpAffine: M expects a real \(2, 3\) matrix"),
        (ValueError, lambda: cv.warpAffine(X, np.zeros((2, 3)), (2, 2)), "warpAffine: M expects a matrix that has an"),
        (ValueError, lambda: cv.warpAffine(X, np.eye(2, 3), (2, 2), flags=3), "warpAffine: flags expects one of"),
        (ValueError, lambda: cv.warpAffine(X, np.eye(2, 3), (2, 2), borderMode=5), "warpAffine: borderType expects"),
        (ValueError, lambda: cv.pyrDown(X, borderType=0), "pyrDown: borderType expects"),
        (ValueError, lambda: cv.pyrUp(X, borderType=1), "pyrUp: borderType expects BORDER_REFLECT_101"),
        (
            ValueError,
            lambda: cv.copyMakeBorder(X, -1, 0, 0, 0, 1),
            "copyMakeBorder: top expects an integer of at least 0",
        ),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("function", "size"), [(cv.warpAffine, 2), (cv.warpPerspective, 3)])
def test_maps_are_refused_by_the_name_that_was_called(function, size):
    matrix = np.eye(3)[:size]
    with pytest.raises(ValueError, match=f"{function.__name__}: src expects at least one pixel"):
        function(np.ones((0, 4)), matrix, (3, 3))
    with pytest.raises(ValueError, match=f"{function.__name__}: M expects finite numbers"):
        function(np.ones((4, 4)), matrix * np.nan, (3, 3))


def test_images_without_channels_are_refused_by_name():
    image = np.zeros((5, 6, 0), np.uint8)
    for name, more in (
        ("resize", ((3, 3),)),
        ("warpAffine", (np.eye(2, 3), (6, 5))),
        ("warpPerspective", (np.eye(3), (6, 5))),
    ):
        with pytest.raises(ValueError, match=f"^{name}: src expects at least one pixel"):
            getattr(cv, name)(image, *more)


def test_a_border_is_counted_in_whole_pixels():
    for count in ([1], 1.5, -1, True):
        with pytest.raises(ValueError, match=r"^copyMakeBorder: left expects an integer of at least 0"):
            cv.copyMakeBorder(np.zeros((5, 6), np.uint8), 1, 1, count, 1, cv.BORDER_CONSTANT)
