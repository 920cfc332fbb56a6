"""Outlines and moments in scikit-image's form: equal to scikit-image, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import filters


@st.composite
def images(draw):
    """Noise, few levels (so that the level is often a pixel's own value), or blobs; now and then with NaN."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(rng.integers(2, 40, 2))
    kind = draw(st.sampled_from(["noise", "levels", "blobs"]))
    image = rng.random(shape) if kind == "noise" else rng.integers(0, 4, shape).astype(float)
    if kind == "blobs":
        image = filters.gaussian(image, 2.0)
    if draw(st.booleans()):
        image[rng.random(shape) < 0.05] = np.nan
    mask = rng.random(shape) < 0.9 if draw(st.booleans()) else None
    return image, mask


@pytest.mark.parity
@pytest.mark.parametrize("orientation", ["low", "high"])
@pytest.mark.parametrize("connected", ["low", "high"])
@given(call=images(), level=st.sampled_from([None, 0.5, 1, 2.0]))
def test_find_contours_equals_skimage(connected, orientation, call, level):
    measure = pytest.importorskip("skimage.measure")
    image, mask = call
    arguments = (image, level, connected, orientation)
    if level is None and np.isnan(image).all():
        assert filters.find_contours(*arguments, mask=mask) == []
        return
    found, expected = filters.find_contours(*arguments, mask=mask), measure.find_contours(*arguments, mask=mask)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_constant_images_have_no_contours_and_strides_do_not_matter():
    assert filters.find_contours(np.ones((4, 5)), 0.5) == []
    assert filters.find_contours(np.full((4, 5), np.nan)) == []
    image = np.random.default_rng(0).random((9, 9))
    image.flags.writeable = False
    for view in (image[::-1], image.T, image[::2, 1:]):
        found, expected = filters.find_contours(view, 0.5), filters.find_contours(view.copy(), 0.5)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert filters.find_contours((image * 9).astype(np.float16), 4)[0].dtype == np.float64


def test_contours_touch_the_finite_pixel_beside_an_infinite_one():
    image = np.zeros((5, 5))
    image[2, 2] = np.inf
    (around,) = filters.find_contours(image, 0.5)
    np.testing.assert_array_equal(np.abs(around - 2).sum(axis=1), 1)
    (below,) = filters.find_contours(-image, -0.5)
    np.testing.assert_array_equal(np.abs(below - 2).sum(axis=1), 1)
    (between,) = filters.find_contours(np.array([[-np.inf, np.inf]] * 2), 3)
    np.testing.assert_array_equal(between, [[1, 0.5], [0, 0.5]])
    (far,) = filters.find_contours(np.array([[-1e308, 1e308]] * 2), 0)  # whose difference is no number
    np.testing.assert_array_equal(far, [[1, 0.5], [0, 0.5]])


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (ValueError, np.ones((1, 5)), {}, "image expects two axes of at least 2 pixels"),
        (ValueError, np.ones(5), {}, "image expects two axes"),
        (TypeError, [[1.0]], {}, "image expects a numpy.ndarray"),
        (ValueError, np.ones((3, 3)), {"fully_connected": "both"}, "fully_connected expects 'low' or 'high'"),
        (ValueError, np.ones((3, 3)), {"positive_orientation": 1}, "positive_orientation expects"),
        (TypeError, np.ones((3, 3)), {"level": "0"}, "level expects a number"),
        (TypeError, np.ones((3, 3)), {"mask": np.ones((3, 3))}, "mask expects a binary array"),
        (ValueError, np.ones((3, 3)), {"mask": np.ones((3, 4), bool)}, "mask expects the image's shape"),
    ],
)
def test_find_contours_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"find_contours: {message}"):
        filters.find_contours(image, **keywords)


def test_contours_of_a_batch_are_those_of_each_image():
    batch = np.random.default_rng(3).random((2, 3, 8, 9))
    mask = batch < 0.9
    for level in (None, 0.4):
        found = filters.find_contours(batch, level, mask=mask, batch_axes=2)
        assert [len(row) for row in found] == [3, 3]
        for place in np.ndindex(2, 3):
            expected = filters.find_contours(batch[place], level, mask=mask[place])
            ours = found[place[0]][place[1]]
            assert len(ours) == len(expected) > 0
            assert all(np.array_equal(a, b) for a, b in zip(ours, expected, strict=True))
    assert filters.find_contours(batch[:, :0], batch_axes=2) == [[], []]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("shape", [(7,), (20, 30), (4, 5, 6)])
def test_moments_equal_skimage(shape, dtype):
    measure = pytest.importorskip("skimage.measure")
    image = (np.random.default_rng(1).random(shape) * 9).astype(dtype)
    rtol = 1e-4 if dtype == "float32" else 1e-9  # scikit-image subtracts large float32 numbers
    spacing = [1.5, 1, 2][: len(shape)]
    for keywords in ({}, {"order": 4, "spacing": spacing}):
        found, expected = filters.moments(image, **keywords), measure.moments(image, **keywords)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=rtol)
        found, expected = filters.moments_central(image, **keywords), measure.moments_central(image, **keywords)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())
        centre = [1.0] * len(shape)
        np.testing.assert_allclose(
            filters.moments_central(image, centre, **keywords),
            measure.moments_central(image, centre, **keywords),
            rtol=rtol,
        )
    normalized = filters.moments_normalized(expected, 4, spacing)
    np.testing.assert_allclose(normalized, measure.moments_normalized(expected, 4, spacing), rtol=1e-6)
    if len(shape) == 2:
        nu = measure.moments_normalized(measure.moments_central(image.astype(float)))
        np.testing.assert_allclose(filters.moments_hu(nu), measure.moments_hu(nu), rtol=1e-12, atol=1e-20)
        batch = filters.moments_central(np.stack([image, image[::-1]]), batch_axes=1)
        np.testing.assert_array_equal(batch[1], filters.moments_central(image[::-1]))
        nu = filters.moments_normalized(batch, batch_axes=1)
        np.testing.assert_array_equal(nu[1], filters.moments_normalized(batch[1]))
        assert filters.moments_hu(nu).shape == (2, 7)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (3, 3), (1, 1), (0, 3, 4), (3, 4, 2)])
def test_moments_of_nothing_equal_skimage(shape):
    measure = pytest.importorskip("skimage.measure")
    image = np.zeros(shape)
    np.testing.assert_array_equal(filters.moments(image), measure.moments(image))
    np.testing.assert_array_equal(filters.moments_central(image), measure.moments_central(image))
    centre = (1.0,) * len(shape)
    np.testing.assert_array_equal(filters.moments_central(image, centre), measure.moments_central(image, centre))


def test_moments_of_no_images_and_of_one_without_a_centroid():
    assert filters.moments_central(np.ones((0, 3, 3)), batch_axes=1).shape == (0, 4, 4)
    batch = filters.moments_central(np.stack([np.zeros((2, 3)), np.ones((2, 3))]), batch_axes=1)
    np.testing.assert_array_equal(batch[0, 0], [0, 0, np.nan, np.nan])
    np.testing.assert_array_equal(batch[1, :2, :2], [[6, 0], [0, 0]])


def test_moments_refuse():
    with pytest.raises(ValueError, match="moments: order expects"):
        filters.moments(np.ones((3, 3)), -1)
    with pytest.raises(ValueError, match="moments_central: order expects"):
        filters.moments_central(np.ones((3, 3)), order=-1)
    with pytest.raises(ValueError, match="moments: spacing expects"):
        filters.moments(np.ones((3, 3)), spacing=(1, 2, 3))
    with pytest.raises(ValueError, match="moments_central: center expects 2 numbers"):
        filters.moments_central(np.ones((3, 3)), (1,))
    with pytest.raises(ValueError, match="moments_normalized: mu expects more than order"):
        filters.moments_normalized(np.ones((3, 3)))
    with pytest.raises(ValueError, match="moments_hu: nu expects at least 4 x 4"):
        filters.moments_hu(np.ones((3, 3)))
