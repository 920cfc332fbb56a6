"""Inpainting in scikit-image's call form, and with patches: beside scikit-image, and on what goes wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import BIHARMONIC

from tilegrad import filters

DTYPES = ("uint8", "int16", "bool", "float16", "float32", "float64")


@st.composite
def damaged(draw):
    """An image of one to three spatial axes, a mask, and the axis of channels."""
    shape = draw(st.sampled_from([(9, 11), (1, 12), (13,), (4, 5, 6), (6, 7)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random(shape) < draw(st.sampled_from([0.1, 0.4]))
    mask.flat[0] = False
    channel_axis = draw(st.sampled_from([None, -1, 0]))
    if channel_axis is not None:
        shape = (*shape, 3) if channel_axis == -1 else (3, *shape)
    dtype = draw(st.sampled_from(DTYPES))
    return (rng.random(shape) * (100 if dtype in ("uint8", "int16") else 1)).astype(dtype), mask, channel_axis


@pytest.mark.parity
@given(damaged(), st.booleans())
def test_biharmonic_equals_scikit_image(case, split):
    restoration = pytest.importorskip("skimage.restoration")
    image, mask, channel_axis = case
    found = filters.inpaint_biharmonic(image, mask, split_into_regions=split, channel_axis=channel_axis)
    # float32 images are solved in float32 there.
    theirs = restoration.inpaint_biharmonic(
        image.astype(np.float64) if image.dtype.kind == "f" else image, mask, channel_axis=channel_axis
    )
    assert found.dtype == (np.float32 if image.dtype in (np.float16, np.float32) else np.float64)
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, theirs, rtol=0, atol=BIHARMONIC[found.dtype.name])


@pytest.mark.parametrize("restore", [filters.inpaint_biharmonic, filters.inpaint_exemplar])
def test_strides_read_only_arrays_and_masks_of_any_type(restore):
    image = np.random.default_rng(0).random((24, 40))
    mask = np.zeros(image.shape)
    mask[8:12, 14:22] = 0.5
    image.flags.writeable = mask.flags.writeable = False
    for step in (slice(None), slice(None, None, -1), slice(None, None, 2)):
        view, marks = image[:, step].T, mask[:, step].T
        expected = restore(np.array(view, order="C"), np.array(marks != 0, order="C"))
        np.testing.assert_array_equal(restore(view, marks), expected)


@pytest.mark.parametrize("restore", [filters.inpaint_biharmonic, filters.inpaint_exemplar])
def test_a_batch_equals_its_images(restore):
    image = np.random.default_rng(1).random((2, 2, 3, 20, 21)).astype(np.float32)
    mask = np.zeros((2, 2, 20, 21), bool)
    mask[0, 1, 8:12, 8:12] = mask[1, 0, 3:5] = True
    together = restore(image, mask, channel_axis=2, batch_axes=2)
    for i in np.ndindex(2, 2):
        np.testing.assert_array_equal(together[i], restore(image[i], mask[i], channel_axis=0))


@pytest.mark.parametrize("restore", [filters.inpaint_biharmonic, filters.inpaint_exemplar])
def test_out_may_be_the_image(restore):
    image = np.random.default_rng(2).random((20, 22))
    mask = np.zeros(image.shape, bool)
    mask[5:9, 5:9] = True
    expected = restore(image, mask)
    other = np.full((40, 22), np.nan)[::2]
    assert restore(image, mask, out=other) is other
    np.testing.assert_array_equal(other, expected)
    assert restore(image, mask, out=image) is image
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int8", "int32", "bool", "float16", "float32", "float64"])
def test_exemplar_keeps_the_type_and_the_known_pixels(dtype):
    """A chessboard of fields of three pixels, of 0 and 1, or of the least and the largest value of a short type."""
    i, j = np.indices((33, 36))
    board = (i // 3 + j // 3) % 2
    image = board.astype(dtype)
    if dtype in ("uint8", "uint16", "int8"):
        image = np.where(board, np.iinfo(dtype).max, np.iinfo(dtype).min).astype(dtype)
    mask = np.zeros(image.shape, bool)
    mask[11:20, 13:22] = True
    found = filters.inpaint_exemplar(np.where(mask, image[0, 0], image), mask)
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found[~mask], image[~mask])
    np.testing.assert_allclose(found.astype(float), image.astype(float), rtol=0, atol=1e-3)


def test_large_integers_outside_the_hole_keep_their_bits():
    image = np.full((20, 20), 2**60 + 1, np.int64)
    mask = np.zeros(image.shape, bool)
    mask[8:11, 8:11] = True
    assert (filters.inpaint_exemplar(image, mask)[~mask] == 2**60 + 1).all()


def test_source_limits_what_is_copied():
    image = np.zeros((24, 40), np.uint8)
    image[:, 20:] = 200
    mask = np.zeros(image.shape, bool)
    mask[10:14, 6:10] = True
    source = np.zeros(image.shape, bool)
    source[:, 22:] = True
    assert (filters.inpaint_exemplar(image, mask, 5, source=source, refinements=0)[mask] == 200).all()
    assert (filters.inpaint_exemplar(image, mask, 5)[mask] == 0).all()


def test_biharmonic_is_clipped_to_what_is_known_of_each_image_and_channel():
    rng = np.random.default_rng(3)
    image = rng.random((2, 12, 12, 2)) + np.arange(2)
    mask = rng.random((2, 12, 12)) < 0.6
    found = filters.inpaint_biharmonic(image, mask, channel_axis=-1, batch_axes=1)
    for n, c in np.ndindex(2, 2):
        known = image[n, ..., c][~mask[n]]
        assert found[n, ..., c].min() == known.min()
        assert found[n, ..., c].max() == known.max()


def test_not_a_number():
    image = np.full((30, 30), 0.5)
    image[5, 5] = np.nan
    mask = np.zeros(image.shape, bool)
    mask[4:8, 6:9] = mask[20:24, 20:24] = True
    smooth, copied = filters.inpaint_biharmonic(image, mask), filters.inpaint_exemplar(image, mask, 5)
    assert np.isnan(smooth[4:8, 6:9]).all()
    np.testing.assert_allclose(smooth[20:24, 20:24], 0.5, rtol=1e-12)
    np.testing.assert_allclose(copied[mask], 0.5, rtol=1e-12)
    assert np.isnan(copied[5, 5])
    assert np.isnan(smooth[5, 5])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_an_empty_image_stays_empty(shape):
    assert filters.inpaint_biharmonic(np.empty(shape), np.empty(shape, bool)).shape == shape
    assert filters.inpaint_exemplar(np.empty(shape), np.empty(shape, bool)).shape == shape


def test_without_a_hole_it_is_a_copy():
    image, mask = np.random.default_rng(4).random((6, 7)), np.zeros((6, 7), bool)
    for found in (filters.inpaint_biharmonic(image, mask), filters.inpaint_exemplar(image, mask)):
        np.testing.assert_array_equal(found, image)
        assert not np.may_share_memory(found, image)


IMAGE, MASK = np.ones((12, 13)), np.zeros((12, 13), bool)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (IMAGE.tolist(), MASK), {}, "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, (IMAGE.astype(complex), MASK), {}, "image expects real numbers but got complex128"),
        (TypeError, (np.ma.array(IMAGE), MASK), {}, "image expects an ordinary array but got a masked one"),
        (TypeError, (IMAGE, None), {}, "mask expects a numpy.ndarray"),
        (ValueError, (IMAGE, MASK[1:]), {}, r"mask expects shape \(12, 13\) but got \(11, 13\)"),
        (ValueError, (IMAGE, MASK), {"channel_axis": -1}, r"mask expects shape \(12,\) but got"),
        (ValueError, (IMAGE, MASK), {"batch_axes": 3}, r"batch_axes expects a value in \[0, 2\]"),
        (ValueError, (IMAGE, MASK), {"out": np.empty((12, 12))}, "out expects a writeable float64 array"),
        (ValueError, (IMAGE, MASK), {"out": IMAGE.astype(np.float32)}, "out expects a writeable float64 array"),
    ],
)
@pytest.mark.parametrize("restore", [filters.inpaint_biharmonic, filters.inpaint_exemplar])
def test_both_refuse(restore, error, arguments, keywords, message):
    with pytest.raises(error, match=f"{restore.__name__}: {message}"):
        restore(*arguments, **keywords)


def test_biharmonic_refuses():
    with pytest.raises(ValueError, match="inpaint_biharmonic: mask leaves no pixel of the image known"):
        filters.inpaint_biharmonic(IMAGE, ~MASK)
    with pytest.raises(ValueError, match="image expects at least one axis"):
        filters.inpaint_biharmonic(np.zeros(()), np.zeros(()))
    with pytest.raises(ValueError, match="image expects one to three spatial axes but has 4"):
        filters.inpaint_biharmonic(np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1, 1)))
    with pytest.raises(TypeError, match="split_into_regions expects a bool"):
        filters.inpaint_biharmonic(IMAGE, MASK, split_into_regions=None)


def test_exemplar_refuses():
    hole = MASK.copy()
    hole[3:9, 3:9] = True
    with pytest.raises(ValueError, match="inpaint_exemplar: image 0 has no patch of 12 x 12 pixels"):
        filters.inpaint_exemplar(IMAGE, ~MASK, patch_size=12)
    with pytest.raises(ValueError, match="inpaint_exemplar: image 0 has no patch of 9 x 9 pixels"):
        filters.inpaint_exemplar(IMAGE, hole)
    with pytest.raises(ValueError, match="patch_size expects at least 3 but got 1"):
        filters.inpaint_exemplar(IMAGE, hole, 1)
    with pytest.raises(TypeError, match="refinements expects an integer"):
        filters.inpaint_exemplar(IMAGE, hole, refinements=1.5)
    with pytest.raises(ValueError, match=r"source expects the mask's shape \(12, 13\)"):
        filters.inpaint_exemplar(IMAGE, hole, source=hole[1:])
    with pytest.raises(ValueError, match="image expects two axes beside"):
        filters.inpaint_exemplar(np.zeros((4, 4, 4)), np.zeros((4, 4, 4)))
