"""Connected components and distances under OpenCV's names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv
from tolerances import EPS


@st.composite
def images(draw):
    shape = draw(st.sampled_from([(1, 1), (1, 70), (29, 1), (40, 67), (64, 64)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    filled = rng.random(shape) < draw(st.sampled_from([0.2, 0.5, 0.6, 0.97]))
    return (filled * rng.integers(1, 256, shape)).astype(np.uint8)


def order_of_ours(ours, theirs, number):
    """Their label of each of ours; fails unless one stands for one everywhere."""
    pairs = np.unique(np.stack([ours.ravel(), theirs.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(ours)) == len(np.unique(theirs))
    names = np.arange(number)
    names[pairs[0]] = pairs[1]
    return names


@pytest.mark.parity
@given(images(), st.sampled_from([4, 8]))
def test_components_and_measures_equal_opencv(image, connectivity):
    cv2 = pytest.importorskip("cv2")
    number, labels = cv.connectedComponents(image, np.full(image.shape, 7, np.int32), connectivity)
    theirs, their_labels, their_stats, their_centroids = cv2.connectedComponentsWithStats(
        image, connectivity=connectivity
    )
    assert (number, labels.dtype) == (theirs, np.int32)
    names = order_of_ours(labels, their_labels, number)
    assert names[0] == 0
    again, same, stats, centroids = cv.connectedComponentsWithStats(image, connectivity=connectivity)
    assert again == number
    np.testing.assert_array_equal(same, labels)
    first = int(image.all())  # of a background without pixels OpenCV measures something else
    assert stats.dtype == their_stats.dtype
    np.testing.assert_array_equal(stats[first:], their_stats[names][first:])
    np.testing.assert_allclose(centroids[first:], their_centroids[names][first:], rtol=4 * EPS["float64"])


def test_labels_are_in_the_order_of_first_pixels():
    image = (np.random.default_rng(0).random((60, 70)) < 0.4).astype(np.uint8)
    number, labels = cv.connectedComponents(image)
    _, first = np.unique(labels, return_index=True)
    assert (np.diff(first[1:]) > 0).all()
    assert labels.max() == number - 1


def test_a_background_without_pixels():
    number, _, stats, centroids = cv.connectedComponentsWithStats(np.ones((3, 4), np.uint8))
    assert number == 2
    assert stats.tolist() == [[0] * 5, [0, 0, 4, 3, 12]]
    assert np.isnan(centroids[0]).all()


@pytest.mark.parity
@given(images())
def test_precise_distances_equal_opencv(image):
    cv2 = pytest.importorskip("cv2")
    image.flat[0] = 0
    theirs = cv2.distanceTransform(image, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ours = cv.distanceTransform(image, cv.DIST_L2, cv.DIST_MASK_PRECISE)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=2 * EPS["float32"])


def test_batches_strides_and_dst():
    batch = np.random.default_rng(1).integers(0, 2, (2, 20, 62)).astype(np.uint8)
    numbers, labels = cv.connectedComponents(batch, batch_axes=1)
    distances = cv.distanceTransform(batch, cv.DIST_L2, cv.DIST_MASK_PRECISE, batch_axes=1)
    for i in range(2):
        number, alone = cv.connectedComponents(batch[i])
        assert numbers[i] == number
        np.testing.assert_array_equal(labels[i], alone)
        np.testing.assert_array_equal(distances[i], cv.distanceTransform(batch[i], 2, 0))
    view = batch[0, ::-1, ::2]
    view.flags.writeable = False
    labels, distances = np.full((20, 62), 7, np.int32)[:, ::2], np.full((31, 20), np.nan, np.float32).T
    assert cv.connectedComponents(view, labels)[1] is labels
    assert cv.distanceTransform(view, 2, 0, distances) is distances
    np.testing.assert_array_equal(labels, cv.connectedComponents(view.copy())[1])
    np.testing.assert_array_equal(distances, cv.distanceTransform(view.copy(), 2, 0))


def test_measures_of_a_batch_are_those_of_each_image():
    batch = np.random.default_rng(1).random((2, 3, 9, 8)) < np.array([0.1, 0.4, 0.6])[:, None, None]
    batch[1, 2] = True
    numbers, labels, stats, centroids = cv.connectedComponentsWithStats(batch, batch_axes=2)
    assert numbers.shape == (2, 3)
    assert len(set(numbers.ravel().tolist())) > 2
    for i, j in np.ndindex(2, 3):
        number, alone, *expected = cv.connectedComponentsWithStats(batch[i, j])
        assert numbers[i, j] == number
        np.testing.assert_array_equal(labels[i, j], alone)
        for found, wanted in zip((stats[i][j], centroids[i][j]), expected, strict=True):
            assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
            np.testing.assert_array_equal(found, wanted)
    assert cv.connectedComponentsWithStats(batch[:0], batch_axes=2)[2:] == ([], [])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_empty_images(shape):
    empty = np.empty(shape, np.uint8)
    number, labels = cv.connectedComponents(empty)
    assert (number, labels.shape) == (1, shape)
    assert cv.distanceTransform(empty, 2, 0).shape == shape


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "name", "arguments", "message"),
    [
        (TypeError, "connectedComponents", (IMAGE.astype(float),), "image expects uint8 or int8 or bool"),
        (ValueError, "connectedComponents", (IMAGE[None],), "image expects two axes"),
        (ValueError, "connectedComponents", (IMAGE, None, 6), "connectivity expects 4 or 8 but got 6"),
        (ValueError, "connectedComponents", (IMAGE, IMAGE), "labels expects a writeable int32 array"),
        (ValueError, "connectedComponentsWithStats", (IMAGE, None, True), "connectivity expects 4 or 8"),
        (TypeError, "distanceTransform", (IMAGE.astype(float), 2, 0), "src expects uint8 or bool"),
        (ValueError, "distanceTransform", (IMAGE, 7, 0), "distanceType expects DIST_L2 = 2"),
        (ValueError, "distanceTransform", (IMAGE, 2, 4), "maskSize expects DIST_MASK_PRECISE = 0"),
        (ValueError, "distanceTransform", (IMAGE, 2, 0, IMAGE), "dst expects a writeable float32 array"),
    ],
)
def test_refuses(error, name, arguments, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        getattr(cv, name)(*arguments)
