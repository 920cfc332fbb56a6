"""Exemplar inpainting: against its definition, where the right answer is known, and on the inputs that go wrong."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EXEMPLAR

from tilegrad import kernels


def texture(shape, dtype, seed=0):
    """Smooth random images, so that patches resemble each other."""
    x = np.random.default_rng(seed).random(shape)
    for axis in (1, 2):
        x = x + np.roll(x, 1, axis) + np.roll(x, 2, axis)
    return (x / 9 * 200).astype(dtype)


def square(shape, rows, columns):
    mask = np.zeros(shape[:3], np.uint8)
    mask[:, rows, columns] = 1
    return mask


def with_hole(x, mask, value=0):
    return np.where(mask[..., None] != 0, np.asarray(value, x.dtype), x)


@st.composite
def calls(draw):
    shape = draw(st.sampled_from([(1, 17, 20, 1), (2, 12, 23, 2), (1, 3, 40, 1), (1, 26, 1, 3)]))
    dtype = draw(st.sampled_from(["uint8", "float64"]))
    x = texture(shape, dtype, draw(st.integers(0, 2**32 - 1)))
    mask = np.zeros(shape[:3], np.uint8)
    _, h, w, _ = shape
    for _ in range(draw(st.integers(1, 2))):
        top, left = draw(st.integers(0, h - 1)), draw(st.integers(0, w - 1))
        mask[0, top : top + draw(st.integers(1, 4)), left : left + draw(st.integers(1, 4))] = 1
    source = np.ones(shape[:3], np.uint8)
    source[:, :, : draw(st.integers(0, min(3, w - 1)))] = 0  # something is left to be copied
    keywords = {"patch_size": draw(st.sampled_from([3, 5])), "refinements": draw(st.sampled_from([0, 1, 3]))}
    return x, mask, source, keywords


@settings(max_examples=25)
@given(calls())
def test_equals_its_definition(call):
    x, mask, source, keywords = call
    found = kernels.inpaint_exemplar(x, mask, source, **keywords)
    expected = kernels.inpaint_exemplar(x, mask, source, variant="naive", **keywords)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1 if x.dtype == np.uint8 else EXEMPLAR * 200)
    np.testing.assert_array_equal(found[mask == 0], x[mask == 0])


@pytest.mark.parametrize("refinements", [0, 4])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_a_periodic_texture_is_completed(dtype, refinements):
    """A tile of 4 x 5 pixels, of which every pixel differs."""
    tile = np.random.default_rng(3).permutation(20).reshape(4, 5)
    x = np.tile(tile, (8, 8))[None, :, :, None].astype(dtype)
    mask = square(x.shape, slice(9, 21), slice(13, 25))
    found = kernels.inpaint_exemplar(with_hole(x, mask), mask, patch_size=7, refinements=refinements)
    np.testing.assert_allclose(found, x, rtol=0, atol=0 if dtype == "uint8" else 20 * EXEMPLAR)


@pytest.mark.parametrize("refinements", [0, 4])
def test_straight_edges_go_on(refinements):
    """A step in each direction, and a slanting one of slope 2."""
    i, j = np.indices((32, 32))
    for bright in (i < 15, j < 17, j < i // 2 + 8):
        x = np.where(bright, 50, 180)[None, :, :, None].astype(np.uint8)
        mask = square(x.shape, slice(12, 20), slice(12, 20))
        found = kernels.inpaint_exemplar(with_hole(x, mask, 255), mask, patch_size=7, refinements=refinements)
        np.testing.assert_array_equal(found, x)


def test_a_hole_in_the_corner_and_one_along_the_whole_border():
    x = np.tile(np.arange(6, dtype=np.uint8) * 40, (24, 5))[None, :, :, None]
    for rows, columns in ((slice(0, 5), slice(0, 7)), (slice(20, 24), slice(0, 30)), (slice(0, 24), slice(27, 30))):
        mask = square(x.shape, rows, columns)
        found = kernels.inpaint_exemplar(with_hole(x, mask, 9), mask, patch_size=7)
        np.testing.assert_array_equal(found, x)


def test_a_wide_hole_in_a_random_texture_equals_its_definition():
    """Nothing in it can be known, so that all steps of the fit take part; a pixel beside it is no number."""
    x = np.random.default_rng(5).random((1, 30, 34, 2)) + texture((1, 30, 34, 2), "float64") / 50
    x[0, 9, 20] = np.nan
    mask = square(x.shape, slice(10, 22), slice(12, 24))
    found, expected = (
        kernels.inpaint_exemplar(x, mask, patch_size=5, refinements=2, variant=variant) for variant in (None, "naive")
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=5 * EXEMPLAR)


def test_random_texture_stays_rough():
    x = np.random.default_rng(6).normal(100, 10, (1, 64, 64, 1))
    mask = square(x.shape, slice(22, 42), slice(22, 42))
    found = kernels.inpaint_exemplar(with_hole(x, mask), mask, refinements=4)
    assert found[mask == 1].std() > 0.7 * x[mask == 1].std()


def test_what_does_not_repeat_is_nearer_to_the_truth_than_copies():
    """Discs over discs, of any size and brightness: what is copied brings edges that are not there."""
    i, j = np.indices((64, 64))
    rng = np.random.default_rng(1)
    x = np.full((1, 64, 64, 1), 100.0)
    for _ in range(40):
        top, left, radius = rng.uniform(0, 64), rng.uniform(0, 64), rng.uniform(4, 12)
        x[0, (i - top) ** 2 + (j - left) ** 2 < radius**2] = rng.uniform(0, 200)
    mask = square(x.shape, slice(22, 42), slice(22, 42))
    copied, found = (
        kernels.inpaint_exemplar(with_hole(x, mask), mask, patch_size=7, refinements=rounds) for rounds in (0, 4)
    )
    assert ((found - x) ** 2).mean() < 0.6 * ((copied - x) ** 2).mean()


def test_what_lies_in_the_hole_is_not_read():
    x = texture((1, 24, 24, 2), "float32")
    mask = square(x.shape, slice(8, 14), slice(8, 14))
    results = [
        kernels.inpaint_exemplar(with_hole(x, mask, value), mask, patch_size=5, refinements=2)
        for value in (0, np.nan, np.inf, 1e30)
    ]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_the_number_of_threads_does_not_matter():
    x = texture((2, 40, 70, 1), "uint8")
    mask = square(x.shape, slice(10, 22), slice(20, 41))
    before = numba.get_num_threads()
    results = []
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            results.append(kernels.inpaint_exemplar(x, mask, refinements=3))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_a_batch_equals_its_images():
    x = texture((3, 24, 30, 2), "uint8")
    mask = np.zeros(x.shape[:3], np.uint8)
    mask[0, 5:12, 5:12] = mask[2, 10:14, :6] = 1  # the one between them has no hole
    together = kernels.inpaint_exemplar(x, mask, patch_size=5, refinements=2)
    for k in range(3):
        alone = kernels.inpaint_exemplar(x[k : k + 1], mask[k : k + 1], patch_size=5, refinements=2)
        np.testing.assert_array_equal(together[k], alone[0])


def test_only_sources_are_copied():
    """Two halves that look alike but for their brightness: without voting, values come from the one that is allowed."""
    x = np.concatenate([texture((1, 20, 20, 1), "uint8") // 4, 200 + texture((1, 20, 20, 1), "uint8") // 8], axis=2)
    mask = square(x.shape, slice(8, 12), slice(8, 12))
    source = np.zeros(x.shape[:3], np.uint8)
    source[:, :, 20:] = 1
    found = kernels.inpaint_exemplar(x, mask, source, patch_size=5, refinements=0)
    assert found[mask == 1].min() >= 200


def test_pixels_that_are_no_numbers_stay_and_are_not_copied():
    x = texture((1, 26, 26, 1), "float32")
    x[0, 11, 14] = np.nan
    x[0, 3, 3] = np.inf
    mask = square(x.shape, slice(8, 13), slice(8, 13))
    found = kernels.inpaint_exemplar(x, mask, patch_size=5, refinements=2)
    np.testing.assert_array_equal(found[mask == 0], x[mask == 0])
    assert np.isfinite(found[mask == 1]).all()


def test_holes_stay_within_the_range_of_what_is_known():
    x = texture((1, 30, 30, 1), "float64")
    mask = square(x.shape, slice(10, 18), slice(10, 18))
    x[mask == 1] = 1e6
    found, known = kernels.inpaint_exemplar(x, mask, patch_size=5), x[mask == 0]
    assert known.min() <= found[mask == 1].min() <= found[mask == 1].max() <= known.max()


def test_without_a_hole_it_is_a_copy_and_an_empty_image_stays_empty():
    x = texture((1, 5, 6, 1), "uint8")
    found = kernels.inpaint_exemplar(x, np.zeros((1, 5, 6), np.uint8))
    np.testing.assert_array_equal(found, x)
    assert not np.may_share_memory(found, x)
    for shape in ((0, 5, 6, 1), (2, 0, 6, 1), (2, 5, 0, 1), (2, 5, 6, 0)):
        assert kernels.inpaint_exemplar(np.empty(shape), np.ones(shape[:3], np.uint8)).shape == shape


X, MASK = np.ones((1, 12, 12, 1)), np.ones((1, 12, 12), np.uint8)
CENTRE = square(X.shape, slice(4, 8), slice(4, 8))


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (X, MASK), {}, "image 0 has no patch of 9 x 9 pixels"),
        (ValueError, (X, CENTRE), {"patch_size": 7}, r"image 0 has no patch of 7 x 7 pixels that may be copied"),
        (ValueError, (X, CENTRE, 0 * MASK), {"patch_size": 3}, "image 0 has no patch of 3 x 3 pixels"),
        (ValueError, (X, MASK[:, :-1]), {}, r"mask expects shape \(1, 12, 12\) but got \(1, 11, 12\)"),
        (ValueError, (X, MASK, MASK[:, :-1]), {}, r"source expects shape \(1, 12, 12\)"),
        (ValueError, (X[0], MASK), {}, r"x expects \(N, H, W, C\) but got shape"),
        (TypeError, (X, MASK.astype(bool)), {}, "mask expects uint8 but got bool"),
        (TypeError, (X.astype(np.int32), MASK), {}, "x expects one of float32"),
        (ValueError, (X, MASK), {"patch_size": 2}, "patch_size expects at least 3 but got 2"),
        (TypeError, (X, MASK), {"patch_size": 9.0}, "patch_size expects an integer"),
        (ValueError, (X, MASK), {"refinements": -1}, "refinements expects at least 0"),
    ],
)
def test_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"inpaint_exemplar: {message}"):
        kernels.inpaint_exemplar(*arguments, **keywords)
