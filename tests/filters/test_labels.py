"""Labels and distances in the call forms of scikit-image and SciPy."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tilegrad import filters

DTYPES = ("bool", "uint8", "int64", "uint64", "float16", "float64")  # others are read in the same way


@st.composite
def images(draw, most=3, dtypes=DTYPES):
    shape = draw(st.lists(st.sampled_from([1, 2, 5, 18, 67]), min_size=1, max_size=most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = (rng.random(shape) < draw(st.sampled_from([0.3, 0.7]))) * rng.integers(1, 4, shape)
    return values.astype(draw(st.sampled_from(dtypes)))


@pytest.mark.parity
@given(images(), st.sampled_from([None, 0, 1, -1]), st.data())
def test_label_equals_scikit_image(image, background, data):
    rival = pytest.importorskip("skimage.measure")
    assume(image.ndim < 3 or image.shape[-1] > 1)  # which scikit-image numbers in another order
    keywords = {
        "background": background,
        "connectivity": data.draw(st.sampled_from([None, *range(1, image.ndim + 1)])),
        "return_num": True,
    }
    (ours, number), (theirs, theirs_number) = filters.label(image, **keywords), rival.label(image, **keywords)
    assert (ours.dtype, number, type(number)) == (theirs.dtype, theirs_number, int)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parity
@given(images(most=2, dtypes=("bool", "uint8", "float16", "float64")))
def test_distances_equal_scipy(image):
    rival = pytest.importorskip("scipy.ndimage")
    image.flat[0] = 0
    found = filters.distance_transform_edt(image)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, rival.distance_transform_edt(image))


def test_distances_and_indices():
    image = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])
    distances, indices = filters.distance_transform_edt(image, return_indices=True, sampling=2)
    np.testing.assert_array_equal(distances, np.sqrt([[16, 4, 0], [4, 8, 4], [0, 4, 16]]))
    # Pixels on the diagonal are as far from both: the one in the first column counts.
    np.testing.assert_array_equal(indices, [[[2, 0, 0], [2, 2, 0], [2, 2, 2]], [[0, 2, 2], [0, 0, 2], [0, 0, 0]]])
    only = filters.distance_transform_edt(image, 2, return_distances=False, return_indices=True)
    np.testing.assert_array_equal(only, indices)


def test_a_line_of_pixels():
    distances, indices = filters.distance_transform_edt(np.array([1, 1, 0, 1]), sampling=[0.5], return_indices=True)
    assert distances.tolist() == [1, 0.5, 0, 0.5]
    assert indices.tolist() == [[2, 2, 2, 2]]
    assert filters.label(np.array([1, 1, 0, 1, 2])).tolist() == [1, 1, 0, 2, 3]


def test_batches_equal_their_images():
    batch = np.random.default_rng(0).integers(0, 3, (2, 3, 30, 40)).astype(np.uint8)
    labels, numbers = filters.label(batch, return_num=True, batch_axes=2)
    distances, indices = filters.distance_transform_edt(batch, return_indices=True, batch_axes=2)
    assert numbers.shape == (2, 3)
    for i in np.ndindex(2, 3):
        alone, number = filters.label(batch[i], return_num=True)
        np.testing.assert_array_equal(labels[i], alone)
        assert numbers[i] == number
        alone_distances, alone_indices = filters.distance_transform_edt(batch[i], return_indices=True)
        np.testing.assert_array_equal(distances[i], alone_distances)
        np.testing.assert_array_equal(indices[:, *i], alone_indices)


def test_strides_and_read_only_images():
    image = np.random.default_rng(1).integers(0, 2, (30, 70)).astype(np.uint8)
    image.flags.writeable = False
    for view in (image, image[::-1, ::-2], image.T, np.broadcast_to(image[0], (4, 70))):
        plain = np.array(view, order="C")
        np.testing.assert_array_equal(filters.label(view), filters.label(plain))
        np.testing.assert_array_equal(filters.distance_transform_edt(view), filters.distance_transform_edt(plain))


def test_out():
    image = np.random.default_rng(2).integers(0, 2, (30, 70)).astype(np.uint8)
    labels, distances = np.full((60, 70), 7)[::2], np.full((70, 30), np.nan).T
    assert filters.label(image, out=labels) is labels
    np.testing.assert_array_equal(labels, filters.label(image))
    assert filters.distance_transform_edt(image, out=distances) is distances
    np.testing.assert_array_equal(distances, filters.distance_transform_edt(image))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (4, 0)])
def test_an_empty_image_stays_empty(shape):
    labels, number = filters.label(np.ones(shape, int), return_num=True)
    assert (labels.shape, number) == (shape, 0)
    assert filters.distance_transform_edt(np.ones(shape)).shape == shape


IMAGE = np.ones((4, 5), int)


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, IMAGE.tolist(), {}, "label_image expects a numpy.ndarray"),
        (TypeError, IMAGE.astype(complex), {}, "label_image expects real numbers"),
        (ValueError, np.ones((1, 1, 1, 1), int), {}, "label_image expects one to three axes"),
        (ValueError, np.array(1), {}, "label_image expects at least one axis"),
        (ValueError, np.array([1.0, np.nan]), {}, "label_image expects finite numbers"),
        (ValueError, IMAGE, {"connectivity": 3}, r"connectivity expects a value in \[1, 2\] but got 3"),
        (TypeError, IMAGE, {"background": 0.5}, "background expects an integer"),
        (ValueError, IMAGE, {"batch_axes": 3}, "batch_axes expects a value in"),
        (ValueError, IMAGE, {"out": np.empty((4, 5), np.int32)}, "out expects a writeable int64 array"),
    ],
)
def test_label_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"label: {message}"):
        filters.label(image, **keywords)


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (ValueError, np.ones((2, 2, 2)), {}, "image expects one or two axes"),
        (ValueError, IMAGE, {"return_distances": False}, "return_distances and return_indices expect one"),
        (ValueError, IMAGE, {"sampling": (1, 2, 3)}, "sampling expects a number or one for each of 2 axes but got 3"),
        (ValueError, IMAGE, {"sampling": -1}, "sampling expects positive finite numbers"),
        (TypeError, IMAGE, {"sampling": ["1", "2"]}, "sampling expects a number or one for each axis"),
        (ValueError, IMAGE, {"out": np.empty((4, 5), np.float32)}, "out expects a writeable float64 array"),
    ],
)
def test_distance_transform_edt_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"distance_transform_edt: {message}"):
        filters.distance_transform_edt(image, **keywords)
