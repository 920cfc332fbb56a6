"""Distance transforms: every variant against the definition, and against SciPy."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import DISTANCE_SAMPLED

from tilegrad import kernels


@st.composite
def images(draw, sides=(1, 2, 9, 33, 70)):
    """Few or many zeros, at least one."""
    shape = draw(st.sampled_from(sides)), draw(st.sampled_from(sides))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = (rng.random(shape) >= draw(st.sampled_from([0.3, 0.01, 0.0]))).astype(np.uint8)
    image.flat[rng.integers(image.size)] = 0
    return image


def transformed(image, **keywords):
    """Distances and indices, written over poison."""
    kind = keywords.get("distance_dtype", "float64")
    count = 2 if keywords.get("indices") else 0
    out = np.full(image.shape, np.nan, kind), np.full((count, *image.shape), 7, np.int32)
    found = kernels.distance_transform(image, out=out, **keywords)
    assert found[0] is out[0]
    return found


@pytest.mark.parametrize("indices", [False, True])
@given(images(sides=(1, 2, 9, 33)), st.sampled_from([(1.0, 1.0), (2.0, 0.5)]))
def test_equals_the_definition(indices, image, sampling):
    """With steps whose squares are exact, so that of several nearest zeros the same one is found."""
    keywords = {"indices": indices, "sampling": sampling}
    found = transformed(image, **keywords)
    expected = kernels.distance_transform(image, variant="naive", **keywords)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parity
@given(images())
def test_equals_scipy_bit_for_bit(image):
    ndimage = pytest.importorskip("scipy.ndimage")
    np.testing.assert_array_equal(transformed(image)[0], ndimage.distance_transform_edt(image))


@pytest.mark.parity
@given(images(), st.sampled_from([(1.3, 0.7), (1.0, 3.1)]))
def test_sampled_distances_equal_scipy(image, sampling):
    ndimage = pytest.importorskip("scipy.ndimage")
    expected = ndimage.distance_transform_edt(image, sampling=sampling)
    np.testing.assert_allclose(transformed(image, sampling=sampling)[0], expected, rtol=DISTANCE_SAMPLED)


@given(images())
def test_indices_name_a_zero_at_that_distance(image):
    distances, (rows, columns) = transformed(image, indices=True)
    assert not image[rows, columns].any()
    p, q = np.indices(image.shape)
    np.testing.assert_array_equal(np.sqrt(1.0 * (p - rows) ** 2 + (q - columns) ** 2), distances)


@pytest.mark.parametrize("far", [10, 63, 64, 65, 66, 400])
def test_near_and_far_searches_meet(far):
    """Zeros as far from each other as the near search looks, a step less and more."""
    image = np.ones((3, 2 * far + 5), np.uint8)
    image[1, 0] = image[1, -1] = 0
    columns = np.arange(image.shape[1])
    along = np.minimum(columns, columns[::-1])
    expected = np.sqrt(np.array([[1], [0], [1]]) + along.astype(float) ** 2)
    np.testing.assert_array_equal(transformed(image)[0], expected)
    np.testing.assert_array_equal(transformed(image.T.copy())[0], expected.T)


def test_float32_is_the_exact_distance_rounded_once():
    image = (np.random.default_rng(0).random((90, 300)) > 0.002).astype(np.uint8)
    wide = transformed(image)[0]
    squares = np.rint(wide**2)
    np.testing.assert_array_equal(transformed(image, distance_dtype="float32")[0], np.sqrt(squares.astype(np.float32)))


def test_an_image_without_zeros_is_infinitely_far():
    distances, indices = transformed(np.ones((3, 70), np.uint8), indices=True)
    assert np.isposinf(distances).all()
    assert (indices == -1).all()
    assert np.isposinf(transformed(np.ones((3, 70), np.uint8))[0]).all()


def test_the_number_of_threads_changes_nothing():
    image = (np.random.default_rng(1).random((300, 500)) > 0.001).astype(np.uint8)
    threads, results = numba.get_num_threads(), []
    try:
        for count in {1, threads}:
            numba.set_num_threads(count)
            results.append(transformed(image, indices=True))
    finally:
        numba.set_num_threads(threads)
    for distances, indices in results[1:]:
        np.testing.assert_array_equal(distances, results[0][0])
        np.testing.assert_array_equal(indices, results[0][1])


def test_a_batch_equals_its_images():
    batch = (np.random.default_rng(2).random((2, 3, 20, 50)) > 0.1).astype(np.uint8)
    distances, indices = transformed(batch, indices=True)
    for i in np.ndindex(2, 3):
        alone = transformed(batch[i], indices=True)
        np.testing.assert_array_equal(distances[i], alone[0])
        np.testing.assert_array_equal(indices[:, *i], alone[1])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (2, 0, 3)])
def test_empty_images_stay_empty(shape):
    assert kernels.distance_transform(np.ones(shape, np.uint8))[0].shape == shape


def test_not_a_number_is_not_zero():
    assert kernels.distance_transform(np.array([[0.0, np.nan, 0.0]]))[0].tolist() == [[0, 1, 0]]


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, IMAGE.astype(complex), {}, "x expects integers, booleans, float32 or float64 but got complex128"),
        (ValueError, IMAGE[0], {}, "x expects at least 2 axes"),
        (ValueError, IMAGE, {"sampling": (1.0,)}, "sampling expects two numbers"),
        (ValueError, IMAGE, {"sampling": (1.0, 0.0)}, "sampling expects positive finite numbers"),
        (ValueError, IMAGE, {"sampling": (1.0, float("nan"))}, "sampling expects positive finite numbers"),
        (TypeError, IMAGE, {"sampling": ("1", "2")}, "sampling expects two numbers"),
        (TypeError, IMAGE, {"indices": 1}, "indices expects True or False"),
        (ValueError, IMAGE, {"distance_dtype": "int32"}, "distance_dtype expects 'float32' or 'float64'"),
    ],
)
def test_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"distance_transform: {message}"):
        kernels.distance_transform(image, **keywords)
