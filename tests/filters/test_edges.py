"""Edge filters: against their definitions, against scikit-image, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EDGES

from tilegrad import filters

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
DTYPES = ("uint8", "uint16", "int16", "bool", "float16", "float32", "float64")
GENERAL = ("sobel", "scharr", "prewitt", "farid")
PLANE = ("sobel_h", "sobel_v", "scharr_h", "scharr_v", "prewitt_h", "prewitt_v", "farid_h", "farid_v",
         "roberts", "roberts_pos_diag", "roberts_neg_diag")  # fmt: skip
ALL = (*GENERAL, *PLANE, "laplace")


def image(rng, shape, dtype):
    x = rng.random(shape) * 200
    return x > 100 if dtype == "bool" else x.astype(dtype)


def compare(ours, theirs, x):
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    largest = float(np.abs(x).max(initial=0)) if x.dtype.kind == "f" else 1.0
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=EDGES[ours.dtype.name] * max(1.0, largest))


@st.composite
def calls(draw):
    """An image of one to three axes, and the keywords that all general filters take."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 7, 16, 33]), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    axes = st.integers(0, len(shape) - 1)  # scikit-image smooths along a negative axis, too
    pairs = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(tuple)
    mask = draw(st.sampled_from([None, 0.7, 0.98]))
    return image(rng, shape, draw(st.sampled_from(DTYPES))), {
        "axis": draw(st.none() | axes | pairs),
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 0.5])),
        "mask": None if mask is None else rng.random(shape) < mask,
    }


@pytest.mark.parity
@given(calls(), st.sampled_from(GENERAL))
def test_general_filters_equal_scikit_image(call, name):
    rival = pytest.importorskip("skimage.filters")
    x, keywords = call
    compare(getattr(filters, name)(x, **keywords), getattr(rival, name)(x, **keywords), x)


@pytest.mark.parity
@given(st.integers(0, 2**32 - 1), st.sampled_from((*PLANE, "laplace")), st.sampled_from(DTYPES), st.booleans())
def test_plane_filters_equal_scikit_image(seed, name, dtype, masked):
    rival = pytest.importorskip("skimage.filters")
    rng = np.random.default_rng(seed)
    shape = rng.choice([1, 2, 3, 7, 16, 33], 2)
    x = image(rng, shape, dtype)
    keywords = {"mask": rng.random(shape) < 0.95} if masked else {}
    compare(getattr(filters, name)(x, **keywords), getattr(rival, name)(x, **keywords), x)


@given(calls(), st.sampled_from(GENERAL), st.sampled_from([0.3, 1, 2.5]), st.sampled_from([0, 1]))
def test_blurred_before_is_the_filter_of_the_blurred_image(call, name, sigma, batch_axes):
    """Bit for bit, windows wider than the image too."""
    x, keywords = call
    if batch_axes:  # two images that are blurred and filtered each on its own
        x, keywords["axis"], keywords["mask"] = np.stack([x, x[..., ::-1]]), None, None
    border = {"mode": keywords["mode"], "cval": keywords["cval"], "batch_axes": batch_axes}
    blurred = filters.gaussian(x, sigma, **border)
    found = getattr(filters, name)(x, sigma=sigma, batch_axes=batch_axes, **keywords)
    np.testing.assert_array_equal(found, getattr(filters, name)(blurred, batch_axes=batch_axes, **keywords))


def test_a_long_image_is_blurred_in_bands():
    x = np.random.default_rng(0).random((2, 203, 37, 3)).astype(np.float32)
    axes = {"batch_axes": 1, "channel_axis": -1}
    for mode in MODES:
        blurred = filters.gaussian(x, 1.5, mode=mode, **axes)
        found = filters.sobel(x, sigma=1.5, mode=mode, **axes)
        np.testing.assert_array_equal(found, filters.sobel(blurred, mode=mode, **axes))


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_each_axis_may_have_its_mode(axis):
    x = np.random.default_rng(5).random((6, 7))
    padded = np.pad(np.pad(x, ((1, 1), (0, 0)), mode="wrap"), ((0, 0), (1, 1)), mode="edge")
    found = filters.sobel(x, axis=axis, mode=["wrap", "nearest"])
    np.testing.assert_allclose(found, filters.sobel(padded, axis=axis)[1:-1, 1:-1], atol=1e-15)


def test_a_negative_axis_is_counted_from_the_end():
    x = np.random.default_rng(6).random((6, 7))
    np.testing.assert_array_equal(filters.scharr(x, axis=-1), filters.scharr(x, axis=1))


def by_definition(x, smooth):
    """The magnitude, pixel by pixel, of an image that is mirrored about its edge."""
    padded = np.pad(x, 1, mode="symmetric")
    result = np.zeros(x.shape)
    for p, q in np.ndindex(*x.shape):
        window = padded[p : p + 3, q : q + 3]
        down, along = smooth @ (window[2] - window[0]), smooth @ (window[:, 2] - window[:, 0])
        result[p, q] = np.sqrt((down**2 + along**2) / 2)
    return result


@pytest.mark.parametrize(
    ("name", "smooth"), [("sobel", [0.25, 0.5, 0.25]), ("scharr", [0.1875, 0.625, 0.1875]), ("prewitt", [1 / 3] * 3)]
)
def test_magnitudes_equal_the_definition(name, smooth):
    x = np.random.default_rng(0).random((9, 13))
    np.testing.assert_allclose(getattr(filters, name)(x), by_definition(x, np.array(smooth)), atol=1e-14)


@pytest.mark.parametrize("channel", [None, -1, 2, 3])
@pytest.mark.parametrize("name", ALL)
def test_a_batch_equals_its_images(name, channel):
    rng = np.random.default_rng(1)
    shape = [6, 7] if channel is None else np.insert([6, 7], {-1: 2, 2: 0, 3: 1}[channel], 3)
    batch = rng.random((2, 2, *shape)).astype(np.float32)
    function = getattr(filters, name)
    together = function(batch, batch_axes=2, channel_axis=channel)
    inside = channel if channel is None or channel < 0 else channel - 2
    for i in np.ndindex(2, 2):
        for k in range(1 if channel is None else 3):
            one = batch[i] if channel is None else batch[i].take(k, inside)
            found = together[i] if channel is None else together[i].take(k, inside)
            np.testing.assert_allclose(found, function(one), rtol=0, atol=EDGES["float32"])


def test_a_mask_may_be_that_of_one_image_or_of_all():
    rng = np.random.default_rng(2)
    batch, mask = rng.random((3, 8, 9, 2)), rng.random((8, 9)) < 0.9
    keywords = {"batch_axes": 1, "channel_axis": -1}
    one = filters.sobel(batch, mask, **keywords)
    full = np.broadcast_to(mask[None, :, :, None], batch.shape)
    np.testing.assert_array_equal(one, filters.sobel(batch, full, **keywords))
    np.testing.assert_array_equal(one[1, ..., 1], filters.sobel(batch[1, ..., 1], mask))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("case", ["contiguous", "strided", "itself"])
def test_out(name, case):
    x = np.random.default_rng(3).random((8, 9)).astype(np.float32)
    expected = getattr(filters, name)(x)
    strided = np.full((9, 16), np.nan, np.float32).T[::2]
    out = {"contiguous": np.full((8, 9), np.nan, np.float32), "strided": strided, "itself": x}[case]
    assert getattr(filters, name)(x, out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(0, 5), (4, 0)])
def test_an_empty_image_stays_empty(name, shape):
    assert getattr(filters, name)(np.empty(shape, np.uint8)).shape == shape


@pytest.mark.parametrize("name", ALL)
def test_strides_and_read_only_images(name):
    x = np.random.default_rng(4).random((10, 12))
    x.flags.writeable = False
    for view in (x, x[::-1, ::-2], x.T, np.broadcast_to(x[0], (4, 12))):
        np.testing.assert_array_equal(getattr(filters, name)(view), getattr(filters, name)(np.array(view, order="C")))


def test_not_a_number_reaches_its_window_and_nothing_outside_the_mask():
    x = np.zeros((20, 20))
    x[10, 10] = np.nan
    rows, columns = np.nonzero(np.isnan(filters.sobel(x)))
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (9, 11, 9, 11, 9)
    mask = np.ones((20, 20), bool)
    mask[10, 10] = False
    assert (filters.sobel(x, mask) == 0).all()


IMAGE = np.ones((4, 5))


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, IMAGE, {"sigma": "1"}, "sigma expects a number but got '1'"),
        (ValueError, IMAGE, {"sigma": -1}, "sigma expects a finite number of at least 0 but got -1"),
        (TypeError, IMAGE.tolist(), {}, "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, IMAGE.astype(complex), {}, "image expects real numbers"),
        (TypeError, IMAGE, {"mask": [[1]]}, "mask expects a numpy.ndarray"),
        (ValueError, IMAGE, {"mask": np.ones((5, 4), bool)}, r"mask expects shape \(4, 5\)"),
        (ValueError, IMAGE, {"axis": 2}, r"channel_axis expects a value in|axis expects"),
        (ValueError, IMAGE, {"axis": ()}, "axis expects an axis at least"),
        (ValueError, IMAGE, {"axis": 0, "channel_axis": 0}, r"axis expects axes of the image, \[1\], but got 0"),
        (ValueError, IMAGE, {"mode": "symmetric"}, "mode expects one of"),
        (ValueError, IMAGE, {"mode": ["reflect"]}, "mode expects a string or one for each of 2 axes"),
        (TypeError, IMAGE, {"cval": None}, "cval expects a number"),
        (ValueError, IMAGE, {"batch_axes": 3}, "batch_axes expects a value"),
        (ValueError, IMAGE, {"out": np.empty((4, 5), np.float32)}, "out expects a writeable float64 array"),
    ],
)
def test_sobel_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"sobel: {message}"):
        filters.sobel(image, **keywords)


@pytest.mark.parametrize("name", PLANE)
def test_plane_filters_refuse_volumes(name):
    with pytest.raises(ValueError, match=f"{name}: image expects 2 axes beside those of the batch"):
        getattr(filters, name)(np.ones((3, 4, 5)))


@pytest.mark.parametrize(("error", "ksize"), [(TypeError, 3.0), (TypeError, True), (ValueError, 1)])
def test_laplace_refuses(error, ksize):
    with pytest.raises(error, match="laplace: ksize expects"):
        filters.laplace(IMAGE, ksize)


@pytest.mark.parametrize("name", ["sobel", "scharr", "prewitt", "farid"])
def test_an_image_without_an_axis_of_its_own_is_refused(name):
    with pytest.raises(ValueError, match=rf"^{name}: image expects an axis beside those of the batch"):
        getattr(filters, name)(np.zeros((4, 5)), batch_axes=2)
