"""Connected components: every variant against the flood of the definition, and against scikit-image."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

WIDTHS = [1, 2, 5, 63, 64, 65, 66, 130]  # on both sides of a word of comparisons


@st.composite
def images(draw, axes=2):
    """Pixels of few values, more or less of them background."""
    lead = draw(st.lists(st.sampled_from([1, 2, 3, 17, 40]), min_size=axes - 1, max_size=axes - 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (*lead, draw(st.sampled_from(WIDTHS)))
    filled = rng.random(shape) < draw(st.sampled_from([0.05, 0.4, 0.6, 0.95]))
    return (filled * rng.integers(1, draw(st.sampled_from([2, 3, 6])), shape)).astype(np.uint8)


def labelled(image, **keywords):
    """Labels and counts, written over poison."""
    kind = keywords.get("label_dtype", "int32")
    axes = keywords.get("axes", 2)
    out = np.full(image.shape, 7, kind), np.full(image.shape[: image.ndim - axes], 7)
    found = kernels.label_components(image, out=out, **keywords)
    assert found[0] is out[0]
    return found


def assert_equal(found, expected):
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("equal", [True, False])
@given(images(), st.sampled_from([1, 2]), st.sampled_from([0, 1, 300]))
def test_planes_equal_the_definition(equal, image, connectivity, background):
    background = background if equal else 0
    keywords = {"connectivity": connectivity, "background": background, "equal": equal}
    assert_equal(labelled(image, **keywords), kernels.label_components(image, variant="naive", **keywords))


@given(images(axes=3), st.sampled_from([1, 2, 3]))
def test_volumes_equal_the_definition(image, connectivity):
    keywords = {"connectivity": connectivity, "axes": 3}
    assert_equal(labelled(image, **keywords), kernels.label_components(image, variant="naive", **keywords))


@pytest.mark.parity
@given(images(), st.sampled_from([1, 2]), st.sampled_from([0, 1, -1]))
def test_equals_scikit_image(image, connectivity, background):
    measure = pytest.importorskip("skimage.measure")
    expected = measure.label(image, background=background, connectivity=connectivity, return_num=True)
    assert_equal(labelled(image, connectivity=connectivity, background=background), expected)


def spiral(size):
    """A wall that winds inwards, one pixel wide: its ends are far apart along it."""
    image = np.zeros((size, size), np.uint8)
    top, left, bottom, right = 0, 0, size - 1, size - 1
    while top <= bottom and left <= right:
        image[top, left : right + 1] = image[top : bottom + 1, right] = 1
        image[bottom, left + 2 : right + 1] = image[top + 2 : bottom + 1, left + 2 if left + 2 <= right else right] = 1
        top, left, bottom, right = top + 2, left + 2, bottom - 2, right - 2
    return image


def comb(size):
    """Teeth that meet in the last row only: every one gets a number of its own that is given up at the end."""
    image = np.zeros((size, size), np.uint8)
    image[:, ::2] = image[-1] = 1
    return image


@pytest.mark.parametrize("make", [spiral, comb], ids=lambda make: make.__name__)
@pytest.mark.parametrize("turned", range(4))
def test_components_that_wind_through_many_bands(make, turned):
    image = np.ascontiguousarray(np.rot90(make(301), turned))
    assert_equal(labelled(image, connectivity=1), kernels.label_components(image, connectivity=1, variant="naive"))


def test_the_type_of_the_image_and_of_the_labels_changes_nothing():
    image = np.random.default_rng(0).integers(0, 3, (33, 131))
    expected = labelled(image)
    assert_equal(labelled(image.astype(np.uint8)), expected)
    assert labelled(image, label_dtype="int64")[0].dtype == np.int64
    assert_equal(labelled(image, label_dtype="int64"), expected)


def test_the_number_of_threads_changes_nothing():
    image = (np.random.default_rng(1).random((700, 400)) < 0.6).astype(np.uint8)
    threads, results = numba.get_num_threads(), []
    try:
        for count in {1, threads}:
            numba.set_num_threads(count)
            results.append(labelled(image))
    finally:
        numba.set_num_threads(threads)
    for result in results[1:]:
        assert_equal(result, results[0])


def test_a_batch_equals_its_images():
    batch = np.random.default_rng(2).integers(0, 2, (2, 3, 40, 70)).astype(np.uint8)
    labels, counts = labelled(batch)
    assert counts.shape == (2, 3)
    for i in np.ndindex(2, 3):
        assert_equal((labels[i], counts[i]), labelled(batch[i]))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (2, 0, 3)])
def test_an_empty_image_has_no_components(shape):
    labels, counts = kernels.label_components(np.ones(shape, np.uint8))
    assert labels.shape == shape
    assert not counts.any()


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (100, 100)])
def test_a_constant_image_is_one_component_or_none(shape, value):
    labels, count = labelled(np.full(shape, value, np.uint8))
    assert count == value
    assert (labels == value).all()


def test_other_shapes_compile_nothing():
    from tilegrad.kernels.machine.compile import compiled_kernels

    kernels.label_components(np.ones((200, 300), np.uint8))
    before = len(compiled_kernels)
    kernels.label_components(np.ones((3, 7, 1000), np.uint8), connectivity=1)
    kernels.label_components(np.ones((3, 7, 10), np.uint8), axes=3)
    assert len(compiled_kernels) == before


def test_measures_equal_sums_over_the_pixels():
    labels = np.random.default_rng(3).integers(-1, 6, (2, 20, 90)).astype(np.int32)
    boxes, sums = kernels.measure_components(labels, components=7)
    for i in range(2):
        for k in range(6):
            rows, columns = np.nonzero(labels[i] == k)
            assert boxes[i, k].tolist() == [rows.min(), columns.min(), rows.max(), columns.max(), rows.size]
            assert sums[i, k].tolist() == [rows.sum(), columns.sum()]
    assert boxes[:, 6].tolist() == [[20, 90, -1, -1, 0]] * 2


IMAGE = np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, IMAGE.astype(float), {}, "x expects integers or booleans but got float64"),
        (ValueError, IMAGE[0], {}, "x expects at least axes = 2 axes but got shape"),
        (ValueError, IMAGE, {"axes": 4}, r"axes expects a value in \[1, 3\] but got 4"),
        (ValueError, IMAGE, {"connectivity": 3}, r"connectivity expects a value in \[1, 2\] but got 3"),
        (TypeError, IMAGE, {"connectivity": 1.0}, "connectivity expects an integer"),
        (TypeError, IMAGE, {"background": None}, "background expects an integer"),
        (ValueError, IMAGE, {"background": 256, "equal": False}, "background expects a value of uint8 but got 256"),
        (TypeError, IMAGE, {"equal": 1}, "equal expects True or False"),
        (ValueError, IMAGE, {"label_dtype": "uint8"}, "label_dtype expects 'int32' or 'int64'"),
        (ValueError, IMAGE, {"out": (np.empty((4, 5)), np.empty(()))}, "out expects"),
        (
            ValueError,
            np.broadcast_to(IMAGE[:1, :1], (2**16, 2**15)),
            {},
            "x expects images of at most 2147483647 pixels",
        ),
    ],
)
def test_label_components_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"label_components: {message}"):
        kernels.explain(kernels.label_components, image, **keywords) if image.size > 10**6 else (
            kernels.label_components(image, **keywords)
        )


def test_measure_components_refuses():
    with pytest.raises(TypeError, match="measure_components: labels expects integers with a sign but got uint8"):
        kernels.measure_components(IMAGE, components=2)
    with pytest.raises(ValueError, match="measure_components: components expects a value in"):
        kernels.measure_components(IMAGE.astype(np.int32), components=0)
