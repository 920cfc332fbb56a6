"""Rank filters and gray morphology of rows, volumes and images of four axes: against SciPy and scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import filters

MORPHOLOGY = ("erosion", "dilation", "opening", "closing", "white_tophat", "black_tophat")
MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
DTYPES = ("bool", "uint8", "int16", "uint16", "int32", "uint64", "float32", "float64")


@st.composite
def images(draw, axes, dtypes=DTYPES):
    longest = {1: [1, 4, 5, 30, 200], 3: [1, 2, 5, 9], 4: [1, 3, 4]}[axes]
    shape = tuple(draw(st.sampled_from(longest)) for _ in range(axes))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random(shape)
    dtype = draw(st.sampled_from(dtypes))
    return numbers > 0.5 if dtype == "bool" else (numbers * 255).astype(dtype)


@st.composite
def footprints(draw, axes, most=4):
    """Full ones and others, of even and odd sides."""
    sides = tuple(draw(st.integers(1, most)) for _ in range(axes))
    chosen = np.random.default_rng(draw(st.integers(0, 99))).random(sides) < draw(st.sampled_from([0.6, 1.0]))
    return (chosen if chosen.any() else ~chosen).astype(np.uint8)


def as_image(array):
    """A row as an image of one line: of rows SciPy (1.17) takes each footprint for a full one of its size."""
    return array[None] if array.ndim == 1 else array


@pytest.mark.parity
@pytest.mark.parametrize("axes", [1, 3, 4])
@given(data=st.data())
def test_ranks_equal_scipy(axes, data):
    ndimage = pytest.importorskip("scipy.ndimage")
    image, footprint = data.draw(images(axes, DTYPES[1:])), data.draw(footprints(axes))
    keywords = {
        "mode": data.draw(st.sampled_from(MODES)),
        "cval": data.draw(st.sampled_from([0, 100.0])),
        "origin": tuple(data.draw(st.integers(-(side // 2), (side - 1) // 2)) for side in footprint.shape),
    }
    if not data.draw(st.booleans()) and axes < 4:
        footprint = np.ones_like(footprint)
    window = {"size": footprint.shape} if footprint.all() and axes < 4 else {"footprint": footprint}
    pixels, origin = footprint.sum(), keywords["origin"] if axes > 1 else (0, *keywords["origin"])
    theirs_keywords = keywords | {"footprint": as_image(footprint), "origin": origin}
    keywords |= window
    rank, percentage = data.draw(st.integers(0, int(pixels) - 1)), data.draw(st.floats(-100, 100))
    for ours, theirs, own in (
        (filters.minimum, ndimage.minimum_filter, ()),
        (filters.maximum, ndimage.maximum_filter, ()),
        (filters.rank_filter, ndimage.rank_filter, (rank,)),
        (filters.percentile, ndimage.percentile_filter, (percentage,)),
    ):
        found, expected = ours(image, *own, **keywords), theirs(as_image(image), *own, **theirs_keywords)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(as_image(found), expected, err_msg=theirs.__name__)


@pytest.mark.parity
@pytest.mark.parametrize("axes", [1, 3])
@given(data=st.data())
def test_medians_equal_scikit_image(axes, data):
    rival = pytest.importorskip("skimage.filters")
    image = data.draw(images(axes))
    footprint, mode = data.draw(st.none() | footprints(axes)), data.draw(st.sampled_from(MODES))
    out = np.ones_like(image)
    assert filters.median(image, footprint, out, mode, 1.0) is out
    if axes == 1:
        footprint = np.ones((1, 3)) if footprint is None else as_image(footprint)
    np.testing.assert_array_equal(as_image(out), rival.median(as_image(image), footprint, None, mode, 1.0))


@pytest.mark.parity
@pytest.mark.parametrize("axes", [1, 3])
@given(data=st.data())
def test_morphology_equals_scikit_image(axes, data):
    rival = pytest.importorskip("skimage.morphology")
    image = data.draw(images(axes, ("bool", "uint8", "uint16", "float32")))
    one = footprints(axes, 3)
    footprint = data.draw(st.none() | one | st.lists(st.tuples(one, st.integers(1, 2)), min_size=1, max_size=2))
    keywords = {
        "mode": data.draw(st.sampled_from((*MODES, "max", "min", "ignore"))),
        "cval": data.draw(st.sampled_from([0.0, 99.0])),
    }
    for name in MORPHOLOGY:
        out = np.ones_like(image)
        assert getattr(filters, name)(image, footprint, out, **keywords) is out
        np.testing.assert_array_equal(out, getattr(rival, name)(image, footprint, **keywords), err_msg=name)


@given(st.integers(1, 9), st.integers(1, 12), st.sampled_from(MODES), st.integers(0, 99))
def test_rows_are_sorted_windows_of_padded_rows(n, size, mode, seed):
    row = np.random.default_rng(seed).integers(0, 60, n).astype(np.int16)
    names = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}
    outside = {"constant_values": 7} if mode == "constant" else {}
    padded = np.pad(row, (size // 2, size - 1 - size // 2), mode=names[mode], **outside)
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, size), axis=1)
    for rank in (0, size // 2, size - 1):
        found = filters.rank_filter(row, rank, size, mode=mode, cval=7)
        np.testing.assert_array_equal(found, windows[:, rank])
    np.testing.assert_array_equal(filters.median(row, np.ones(size), mode=mode, cval=7), windows[:, size // 2])


@pytest.mark.parity
@pytest.mark.parametrize("mode", MODES)
def test_gradients_equal_scipy(mode):
    ndimage = pytest.importorskip("scipy.ndimage")
    image = np.random.default_rng(0).integers(0, 256, (6, 9, 11)).astype(np.int32)
    for axes in (1, 3):
        own, size = image if axes == 3 else image[2, 3], (3, 5, 3)[:axes]
        found = filters.morphological_gradient(own, np.ones(size), mode=mode)
        np.testing.assert_array_equal(found, ndimage.morphological_gradient(own, size, mode=mode))


@pytest.mark.parametrize("channel", [None, -1, 1])
@pytest.mark.parametrize("axes", [1, 3])
def test_batches_and_channels_equal_their_images(axes, channel):
    shape = (2, *(4, 5, 6)[:axes]) if channel is None else (2, *(4, 5, 6)[:axes], 3)
    batch = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    batch = np.moveaxis(batch, -1, channel) if channel is not None else batch
    calls = [
        lambda x, **where: filters.median(x, **where),
        lambda x, **where: filters.minimum(x, 2, **where),
        lambda x, **where: filters.rank_filter(x, 1, 3, origin=-1, **where),
        lambda x, **where: filters.opening(x, **where),
        lambda x, **where: filters.black_tophat(x, np.ones((2, 3, 4)[:axes]), **where),
    ]
    for call in calls:
        together = call(batch, batch_axes=1, channel_axis=channel)
        assert together.flags.c_contiguous or channel == 1
        for image, found in zip(batch, together, strict=True):
            if channel is None:
                np.testing.assert_array_equal(found, call(image))
                continue
            last = channel if channel < 0 else channel - 1
            for c in range(3):
                np.testing.assert_array_equal(np.take(found, c, last), call(np.take(image, c, last)))


@pytest.mark.parametrize("shape", [(9,), (4, 5, 6)])
@pytest.mark.parametrize("case", ["itself", "strided", "read-only", "reversed", "swapped bytes", "float16"])
def test_any_memory(shape, case):
    image = np.random.default_rng(2).integers(0, 256, shape).astype("float16" if case == "float16" else "int32")
    expected = filters.median(image.copy()), filters.erosion(image.copy())
    if case == "reversed":
        image = image[(slice(None, None, -1),) * len(shape)].copy()[(slice(None, None, -1),) * len(shape)]
    if case == "swapped bytes":
        image = image.astype(">i4")
    image.flags.writeable = case != "read-only"
    out = {"itself": image.copy(), "strided": np.zeros((*shape, 2), image.dtype)[..., 1]}.get(case)
    for function, wanted in zip((filters.median, filters.erosion), expected, strict=True):
        own = out.copy() if case == "itself" else out
        found = function(own if case == "itself" else image, out=own)
        assert own is None or found is own
        np.testing.assert_array_equal(found, wanted)


def test_not_a_number_reaches_the_window_and_no_further():
    volume, row = np.zeros((7, 7, 7), np.float32), np.zeros(9, np.float64)
    volume[3, 3, 3] = row[4] = np.nan
    for image, pixels, cross in ((volume, 27, 7), (row, 3, 3)):
        for found in (filters.median(image), filters.minimum(image, 3), filters.percentile(image, 30, 3)):
            assert np.isnan(found).sum() == pixels
        assert np.isnan(filters.dilation(image)).sum() == cross


@pytest.mark.parametrize("shape", [(0,), (0, 4, 5), (3, 0, 5), (3, 4, 0)])
def test_empty_images_stay_empty(shape):
    assert filters.median(np.empty(shape, np.uint8)).shape == shape
    assert filters.maximum(np.empty(shape), 3).shape == shape
    assert filters.closing(np.empty(shape)).shape == shape
