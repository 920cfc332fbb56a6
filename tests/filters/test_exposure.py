"""Histograms, equalisation and thresholds: against scikit-image, and on the inputs that go wrong."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tolerances import COLOUR_OF_VALUE, GAUSSIAN

from tilegrad import filters

pytestmark = pytest.mark.filterwarnings("ignore:Converting input from bool")  # which NumPy says to scikit-image

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "float32", "float64")
SHAPES = ((1, 1), (1, 40), (23, 1), (30, 41))


def drawn(rng, shape, dtype):
    """Values that are more often dark, in about half of the type's usual range."""
    values = rng.random(shape) ** 2
    if dtype == "bool":
        return values > 0.3
    if dtype.startswith("float"):
        return (values * 0.7 - 0.2).astype(dtype)
    low, high = {"uint8": (9, 200), "int8": (-60, 90), "uint16": (0, 40000)}.get(dtype, (-3000, 20000))
    return (values * (high - low) + low).clip(np.iinfo(dtype).min).astype(dtype)


@st.composite
def images(draw, axes=2):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (*draw(st.sampled_from(SHAPES)), 3)[: axes if axes > 2 else 2]
    return drawn(rng, shape, draw(st.sampled_from(DTYPES)))


def rivals(name):
    return pytest.importorskip(f"skimage.{name}")


def assert_same(ours, theirs, tolerance=None):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if tolerance is None:
        np.testing.assert_array_equal(ours, theirs)
    else:
        scale = max(1.0, float(np.abs(theirs).max(initial=0)))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale)


@pytest.mark.parity
@given(images(), st.sampled_from([2, 17, 256]), st.sampled_from(["image", "dtype"]), st.booleans())
def test_histogram_equals_scikit_image(image, nbins, source_range, normalize):
    # scikit-image counts every value of a type, however many, and cannot subtract booleans.
    assume(source_range == "image" or image.dtype.kind == "f" or image.dtype == np.uint8)
    rival = rivals("exposure")
    ours = filters.histogram(image, nbins, source_range, normalize)
    theirs = rival.histogram(image, nbins, source_range, normalize)
    assert_same(ours[0], theirs[0])
    assert_same(ours[1], theirs[1])
    cdf = filters.cumulative_distribution(image, nbins)
    assert_same(cdf[0], rival.cumulative_distribution(image, nbins)[0])


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_histograms_of_channels_have_common_bins(dtype):
    image = drawn(np.random.default_rng(0), (20, 30, 3), dtype)
    for ours, theirs in zip(
        filters.histogram(image, channel_axis=-1), rivals("exposure").histogram(image, channel_axis=-1), strict=True
    ):
        assert_same(ours, theirs)


@pytest.mark.parity
@given(images(), st.sampled_from([2, 17, 256]))
def test_threshold_otsu_equals_scikit_image(image, nbins):
    assert_same(filters.threshold_otsu(image, nbins), rivals("filters").threshold_otsu(image, nbins))


@pytest.mark.parity
def test_threshold_otsu_of_a_histogram():
    rival = rivals("filters")
    counts = np.array([0, 3, 9, 1, 0, 0, 5, 8, 0])
    for hist in (counts, (counts, np.linspace(0, 1, 9))):
        assert_same(filters.threshold_otsu(hist=hist), rival.threshold_otsu(hist=hist))


def test_threshold_otsu_of_a_batch_equals_those_of_its_images():
    rng = np.random.default_rng(3)
    for dtype in ("uint8", "int32", "float32"):
        batch = np.stack([drawn(rng, (20, 30), dtype) // (i + 1) for i in range(4)])
        batch[2] = batch[2, 0, 0]
        found = filters.threshold_otsu(batch, batch_axes=1)
        np.testing.assert_array_equal(found, [filters.threshold_otsu(image) for image in batch])


@pytest.mark.parity
@given(images(), st.sampled_from([17, 256]), st.booleans(), st.integers(0, 2**32 - 1))
def test_equalize_hist_equals_scikit_image(image, nbins, masked, seed):
    mask = None
    if masked:
        mask = np.random.default_rng(seed).random(image.shape) < 0.5
        mask.flat[-1] = True
    assert_same(filters.equalize_hist(image, nbins, mask), rivals("exposure").equalize_hist(image, nbins, mask))


@pytest.mark.parity
@given(images(axes=3), st.sampled_from(DTYPES), st.sampled_from([None, -1]), st.integers(0, 2**32 - 1))
def test_match_histograms_equals_scikit_image(image, dtype, channel_axis, seed):
    dtype = dtype if image.dtype.kind != "u" else "uint8"  # scikit-image counts both or neither
    reference = drawn(np.random.default_rng(seed), (9, 14, 3), dtype)
    ours = filters.match_histograms(image, reference, channel_axis=channel_axis)
    assert_same(ours, rivals("exposure").match_histograms(image, reference, channel_axis=channel_axis))


@pytest.mark.parity
@given(
    images(),
    st.sampled_from([None, 9, (7, 4), (60, 60)]),
    st.sampled_from([0.01, 0.0, 0.2, 1.0]),
    st.sampled_from([256, 64, 1000]),
)
def test_equalize_adapthist_equals_scikit_image(image, kernel_size, clip_limit, nbins):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of wide integers that fit into 16 bits
        theirs = rivals("exposure").equalize_adapthist(image, kernel_size, clip_limit, nbins)
    assert_same(filters.equalize_adapthist(image, kernel_size, clip_limit, nbins), theirs)


@pytest.mark.parity
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_equalize_adapthist_keeps_colours(dtype, channels):
    image = np.abs(drawn(np.random.default_rng(4), (40, 50, channels), dtype))
    image[3, 4] = 0
    theirs = rivals("exposure").equalize_adapthist(image)
    assert_same(filters.equalize_adapthist(image), theirs, COLOUR_OF_VALUE[theirs.dtype.name])
    moved = filters.equalize_adapthist(np.moveaxis(image, -1, 0), channel_axis=0)
    np.testing.assert_array_equal(np.moveaxis(moved, 0, -1), filters.equalize_adapthist(image))


@pytest.mark.parity
@given(
    images(),
    st.sampled_from([1, 5, (3, 9), 61]),
    st.sampled_from(["gaussian", "mean", "median"]),
    st.sampled_from(["reflect", "constant", "nearest", "mirror", "wrap"]),
    st.sampled_from([0, -2.5]),
)
def test_threshold_local_equals_scikit_image(image, block_size, method, mode, offset):
    call = (block_size, method, offset, mode)
    theirs = rivals("filters").threshold_local(image, *call, cval=2)
    assert_same(filters.threshold_local(image, *call, cval=2), theirs, GAUSSIAN[theirs.dtype.name])


FUNCTIONS = {
    "equalize_hist": filters.equalize_hist,
    "match_histograms": lambda image, **keywords: filters.match_histograms(image, image[..., ::-1] // 2, **keywords),
    "equalize_adapthist": filters.equalize_adapthist,
    "threshold_local": filters.threshold_local,
}


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_batch_equals_its_images(name, dtype):
    rng = np.random.default_rng(5)
    batch = np.stack([drawn(rng, (20, 31), dtype) // (i + 1) for i in range(6)]).reshape(2, 3, 20, 31)
    together = FUNCTIONS[name](batch, batch_axes=2)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(together[i], FUNCTIONS[name](batch[i]), rtol=1e-6)


def test_channels_are_equalised_each_on_its_own():
    image = drawn(np.random.default_rng(6), (2, 3, 10, 12), "uint8")
    together = filters.equalize_hist(image, channel_axis=1, batch_axes=1)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i], filters.equalize_hist(image[i]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_out_strides_and_read_only_images(name):
    image = drawn(np.random.default_rng(7), (20, 62), "uint8")
    image.flags.writeable = False
    view = image[::-1, ::2]
    expected = FUNCTIONS[name](np.array(view, order="C"))
    out = np.full((62, 20), np.nan, expected.dtype).T[:, ::2]
    before = out.base.copy()
    out = out.T if out.shape != expected.shape else out
    assert FUNCTIONS[name](view, out=out) is out
    np.testing.assert_array_equal(out, expected)
    assert np.isnan(before).all()


def test_float16_is_read_as_float32():
    image = drawn(np.random.default_rng(8), (20, 30), "float16")
    wide = image.astype(np.float32)
    for function in (*FUNCTIONS.values(), filters.threshold_otsu):
        result = function(image)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, function(wide), rtol=1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "float64", "bool"])
def test_a_constant_image(dtype):
    image = np.full((6, 7), 1, dtype)
    assert filters.threshold_otsu(image) == image[0, 0]
    assert (filters.equalize_hist(image) == filters.equalize_hist(image)[0, 0]).all()
    np.testing.assert_array_equal(filters.match_histograms(image, image), image)
    assert (filters.equalize_adapthist(image) <= 1).all()
    np.testing.assert_allclose(filters.threshold_local(image), 1, rtol=1e-14)


def test_an_empty_image_stays_empty_or_is_refused():
    empty = np.empty((0, 4), np.uint8)
    assert filters.equalize_hist(empty).shape == (0, 4)
    assert filters.threshold_local(empty).shape == (0, 4)
    for function in (filters.threshold_otsu, filters.equalize_adapthist, filters.histogram):
        with pytest.raises(ValueError, match="image expects at least one pixel"):
            function(empty)
    with pytest.raises(ValueError, match="reference expects at least one pixel"):
        filters.match_histograms(np.ones((2, 2)), np.empty((0, 2)))


@pytest.mark.parametrize("name", ["threshold_otsu", "equalize_hist", "histogram", "equalize_adapthist"])
def test_not_a_number_is_refused_where_there_is_a_histogram(name):
    image = np.random.default_rng(9).random((5, 6))
    image[2, 3] = np.nan
    with pytest.raises(ValueError, match=f"{name}: image expects (finite|floating-point) numbers"):
        getattr(filters, name)(image)
    if name == "equalize_adapthist":
        with pytest.raises(ValueError, match=r"numbers in \[-1, 1\] but has nan to nan"):
            filters.equalize_adapthist(image)
        with pytest.raises(ValueError, match=r"numbers in \[-1, 1\] but has 0 to 2"):
            filters.equalize_adapthist(np.array([[0.0, 2.0]]))
    with pytest.raises(ValueError, match="match_histograms: image expects numbers but has NaN"):
        filters.match_histograms(image, np.ones((2, 2)))


def test_not_a_number_reaches_its_neighbourhood():
    image = np.zeros((20, 20))
    image[10, 10] = np.nan
    for method in ("gaussian", "mean"):
        rows, columns = np.nonzero(np.isnan(filters.threshold_local(image, 3, method)))
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == (9, 11, 9, 11)


IMAGE = np.ones((4, 5))


@pytest.mark.parametrize(
    ("error", "name", "arguments", "keywords", "message"),
    [
        (ValueError, "threshold_otsu", (), {}, "image and hist expect one of them"),
        (ValueError, "threshold_otsu", (), {"hist": np.zeros(4)}, "hist expects counts"),
        (ValueError, "threshold_otsu", (np.array([0, 2**30]),), {}, "image expects integers within a range"),
        (TypeError, "threshold_otsu", ([1],), {}, "image expects a numpy.ndarray"),
        (ValueError, "histogram", (IMAGE,), {"source_range": "all"}, "source_range expects 'image' or 'dtype'"),
        (ValueError, "equalize_hist", (IMAGE,), {"nbins": 0}, "nbins expects a value in"),
        (ValueError, "equalize_hist", (IMAGE,), {"mask": np.ones((2, 2))}, "mask expects the shape of the image"),
        (ValueError, "equalize_hist", (IMAGE,), {"mask": IMAGE * 0}, "mask expects at least one true pixel"),
        (ValueError, "equalize_hist", (IMAGE,), {"out": np.empty((4, 5), np.float32)}, "out expects a writeable"),
        (ValueError, "match_histograms", (IMAGE, IMAGE[0]), {}, "reference expects 2 axes"),
        (ValueError, "match_histograms", (IMAGE, IMAGE[:, :2]), {"channel_axis": 1}, "reference expects as many"),
        (ValueError, "equalize_adapthist", (IMAGE * 2,), {}, "image expects floating-point numbers in"),
        (ValueError, "equalize_adapthist", (np.ones((2, 3, 5)),), {}, "image expects two axes"),
        (ValueError, "equalize_adapthist", (np.ones((2, 3, 5)),), {"channel_axis": 2}, "image expects 3 or 4 channels"),
        (
            ValueError,
            "equalize_adapthist",
            (IMAGE,),
            {"kernel_size": (1, 2, 3)},
            "kernel_size expects an integer or two",
        ),
        (TypeError, "equalize_adapthist", (IMAGE,), {"clip_limit": "1"}, "clip_limit expects a number"),
        (ValueError, "threshold_local", (IMAGE, 4), {}, "block_size expects odd numbers but got 4"),
        (ValueError, "threshold_local", (IMAGE, (3, 3, 3)), {}, "block_size expects an integer or one for each of 2"),
        (ValueError, "threshold_local", (IMAGE,), {"method": "generic"}, "method expects 'gaussian', 'mean'"),
        (ValueError, "threshold_local", (IMAGE,), {"mode": "symmetric"}, "mode expects one of"),
        (TypeError, "threshold_local", (IMAGE,), {"offset": None}, "offset expects a number"),
    ],
)
def test_refuses(error, name, arguments, keywords, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        getattr(filters, name)(*arguments, **keywords)


def test_no_images_have_no_equalised_ones():
    assert filters.equalize_adapthist(np.zeros((0, 8, 9), np.uint8), batch_axes=1).shape == (0, 8, 9)
    assert filters.equalize_adapthist(np.zeros((0, 8, 9, 3)), batch_axes=1).shape == (0, 8, 9, 3)


def test_what_is_not_finite_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^equalize_adapthist: kernel_size expects"):
        filters.equalize_adapthist(np.zeros((8, 9)), np.inf)
    with pytest.raises(ValueError, match=r"^equalize_adapthist: clip_limit expects a finite"):
        filters.equalize_adapthist(np.zeros((8, 9)), 4, np.nan)
    with pytest.raises(ValueError, match=r"^cumulative_distribution: image expects finite"):
        filters.cumulative_distribution(np.full((2, 2), np.nan))
