"""JPEG, lost blocks, scratches and tears: what is damaged, and the mask that says where."""

import functools
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import filters, kernels

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(1, 256, (45, 61, 3), dtype=np.uint8)
MASKED = {
    "drop_blocks": lambda image, **keywords: filters.drop_blocks(image, 8, 0.3, **keywords),
    "scratches": lambda image, **keywords: filters.scratches(image, 4, **keywords),
    "tears": lambda image, **keywords: filters.tears(image, 2, **keywords),
}


@pytest.mark.parity
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_jpeg_equals_a_file_of_pillows(subsampling):
    pil = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    place = ["4:4:4", "4:2:2", "4:2:0"].index(subsampling)
    pil.fromarray(PICTURE).save(file, "JPEG", quality=35, subsampling=place)
    theirs = np.asarray(pil.open(file))
    ours = filters.jpeg(PICTURE, 35, subsampling=subsampling, channel_axis=-1)
    np.testing.assert_array_equal(ours, theirs)
    first = filters.jpeg(np.moveaxis(PICTURE, -1, 0), 35, subsampling=subsampling, channel_axis=0)
    np.testing.assert_array_equal(np.moveaxis(first, 0, -1), theirs)


def test_jpeg_of_floating_point_images_is_that_of_their_8_bits():
    values = PICTURE.astype(np.float32) / np.float32(255)
    values[0, 0] = [-3.0, 2.0, np.nan]
    stored = PICTURE.copy()
    stored[0, 0] = [0, 255, 0]
    ours = filters.jpeg(values, 60, channel_axis=2)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, filters.jpeg(stored, 60, channel_axis=2).astype(np.float32) / np.float32(255))


def test_jpeg_takes_batches_and_writes_where_it_is_told():
    batch = RANDOM.integers(0, 256, (2, 3, 20, 17), dtype=np.uint8)
    out = np.zeros((2, 3, 20, 34), np.uint8)[..., ::2]
    assert filters.jpeg(batch, 20, batch_axes=2, out=out) is out
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(out[i], filters.jpeg(batch[i], 20))


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_mask_says_what_is_lost_and_nothing_else_changes(name, dtype):
    picture = PICTURE.astype(dtype)
    for seed in range(5):
        damaged, mask = MASKED[name](picture, seed=seed, channel_axis=-1)
        assert damaged.dtype == picture.dtype
        assert (mask.shape, mask.dtype) == ((45, 61), bool)
        np.testing.assert_array_equal(damaged[~mask], picture[~mask])
        assert (damaged[mask] == 0).all()
        assert 0 < mask.mean() < 0.7
        again = MASKED[name](picture, seed=seed, channel_axis=-1, fill=9)
        np.testing.assert_array_equal(again[1], mask)
        assert (again[0][mask] == 9).all()


@pytest.mark.parametrize("name", MASKED)
def test_batches_are_damaged_each_in_its_own_way(name):
    batch = np.ones((2, 2, 40, 40, 3))
    damaged, mask = MASKED[name](np.moveaxis(batch, -1, 2), channel_axis=2, batch_axes=2)
    assert damaged.shape == (2, 2, 3, 40, 40)
    assert mask.shape == (2, 2, 40, 40)
    np.testing.assert_array_equal(damaged, np.broadcast_to(~mask[:, :, None], damaged.shape))
    flat = mask.reshape(4, -1)
    assert len(np.unique(flat, axis=0)) == 4
    _, alone = MASKED[name](np.ones((40, 40)))
    np.testing.assert_array_equal(alone, mask[0, 0])


def test_blocks_are_whole_squares_and_as_many_as_were_asked_for():
    _, mask = filters.drop_blocks(np.ones((1000, 1000)), 10, 0.2, seed=1)
    blocks = mask.reshape(100, 10, 100, 10).swapaxes(1, 2)
    assert (blocks.all(axis=(2, 3)) == blocks.any(axis=(2, 3))).all()
    assert mask.mean() == pytest.approx(0.2, abs=0.02)
    assert not filters.drop_blocks(np.ones((9, 9)), 4, 0.0)[1].any()
    assert filters.drop_blocks(np.ones((9, 9)), 4, 1.0)[1].all()


def test_motion_blurs_along_its_way_and_scales_as_gaussian_does():
    image = np.zeros((21, 21), np.uint8)
    image[10, 10] = 255
    flat = filters.motion_blur(image, 5)
    np.testing.assert_allclose(flat[10, 8:13], 0.2, atol=1e-12)
    assert np.count_nonzero(flat) == 5
    np.testing.assert_allclose(filters.motion_blur(image, 5, 90), flat.T, atol=1e-12)
    up = filters.motion_blur(image, 9, 45)
    assert up[6:10, 11:15].sum() > 0.3
    assert up[11:15, 11:15].sum() == 0
    assert up.sum() == pytest.approx(1)
    colour = filters.motion_blur(np.dstack([image] * 3), 5, channel_axis=-1)
    np.testing.assert_array_equal(colour[..., 1], flat)


def test_tears_begin_at_an_edge_and_do_not_cross():
    for seed in range(20):
        _, mask = filters.tears(np.ones((80, 90)), seed=seed)
        edges = [mask[0].any(), mask[-1].any(), mask[:, 0].any(), mask[:, -1].any()]
        assert sum(edges) == 1


@given(
    shape=st.tuples(st.integers(0, 3), st.integers(1, 70), st.integers(1, 70)),
    count=st.integers(0, 3),
    width=st.sampled_from([0.01, 1.5, 7.3, 20.0, 1e300]),
    seed=st.integers(0, 2**32 - 1),
)
def test_scratches_are_the_pixels_within_half_a_width_of_a_line(shape, count, width, seed):
    N, H, W = shape
    ends = kernels.random_uniform((N, count, 2, 2, 1, 1), seed=seed, dtype=np.float64)
    ends *= np.array([H, W]).reshape(2, 1, 1)
    start, way = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
    points = np.mgrid[:H, :W] - start
    part = np.clip((points * way).sum(axis=2) / (way * way).sum(axis=2), 0, 1)
    distance = np.hypot(*np.moveaxis(points - part[:, :, None] * way, 2, 0))
    _, mask = filters.scratches(np.ones(shape), count, width, seed=seed, batch_axes=1)
    np.testing.assert_array_equal(mask, (distance <= width / 2).any(axis=1))


def test_a_seed_is_a_seed():
    """What these seeds damage, so that data sets that were made with them can be made again."""
    for name, places in {
        "scratches": [250504, 217610, 204920, 77297],
        "tears": [243198, 515027, 314435, 259330],
    }.items():
        masks = [getattr(filters, name)(np.ones((45, 61)), 3, seed=seed)[1] for seed in range(3, 7)]
        assert [np.flatnonzero(mask).sum() for mask in masks] == places


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 3)])
def test_tiny_images(shape):
    for damage in MASKED.values():
        damaged, mask = damage(np.ones(shape))
        assert damaged.shape == mask.shape == shape


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (TypeError, lambda: filters.jpeg(PICTURE.astype(np.int16)), "jpeg: image expects uint8, float32 or float64"),
        (ValueError, lambda: filters.jpeg(PICTURE), "jpeg: image expects two axes"),
        (ValueError, lambda: filters.jpeg(PICTURE, 0, channel_axis=2), "jpeg: quality expects 1 to 100"),
        (ValueError, lambda: filters.drop_blocks(PICTURE, 0, channel_axis=2), "drop_blocks: block expects at least 1"),
        (TypeError, lambda: filters.drop_blocks(PICTURE, 1.5, channel_axis=2), "drop_blocks: block expects an integer"),
        (ValueError, lambda: filters.drop_blocks(np.ones((4, 4)), 2, 2), "drop_blocks: amount expects a share"),
        (ValueError, lambda: filters.scratches(np.ones((4, 4)), -1), "scratches: count expects at least 0"),
        (ValueError, lambda: filters.scratches(np.ones((4, 4)), width=0), "scratches: width expects"),
        (ValueError, lambda: filters.tears(np.ones((4, 4)), width=np.inf), "tears: width expects"),
        (TypeError, lambda: filters.tears([[1]]), "tears: image expects a numpy.ndarray"),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("name", "how"),
    [("drop_blocks", {"block": 3, "amount": 0.5}), ("scratches", {}), ("tears", {"count": 2}), ("motion_blur", {})],
)
def test_damage_is_written_where_it_is_told(name, how):
    image = np.random.default_rng(0).random((2, 20, 30, 3))
    call = functools.partial(getattr(filters, name), channel_axis=-1, batch_axes=1, **how)
    expected, out = call(image), np.zeros((2, 30, 20, 3)).transpose(0, 2, 1, 3)
    found = call(image, out=out)
    expected, found = (result[0] if isinstance(result, tuple) else result for result in (expected, found))
    assert found is out
    np.testing.assert_array_equal(out, expected)
    with pytest.raises(ValueError, match=rf"^{name}: out expects"):
        call(image, out=np.zeros(3))


@pytest.mark.parametrize("name", MASKED)
def test_a_fill_is_one_number_that_the_image_can_hold(name):
    image = np.zeros((8, 9), np.uint8)
    for fill in ([], [1, 2], "black", 1j):
        with pytest.raises(TypeError, match=rf"^{name}: fill expects a number"):
            MASKED[name](image, fill=fill)
    for fill in (-1, 256, np.nan):
        with pytest.raises(ValueError, match=rf"^{name}: fill expects a value that uint8 holds"):
            MASKED[name](image, fill=fill)


def test_motion_blur_is_refused_by_its_name():
    with pytest.raises(ValueError, match=r"^motion_blur: weights expects 1 axes"):
        filters.motion_blur(np.zeros(5))
    with pytest.raises(ValueError, match=r"^motion_blur: channel_axis expects"):
        filters.motion_blur(np.zeros((5, 6)), channel_axis=3)
