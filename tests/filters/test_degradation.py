"""Chains of damage: bit for bit the steps one after the other, and nothing of the image itself is written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import filters

STEPS = (
    ("random_noise", {"var": 0.02}),
    ("random_noise", {"mode": "s&p", "amount": 0.2}),
    ("random_noise", {"mode": "speckle", "clip": False}),
    ("jpeg", {"quality": 30}),
    ("jpeg", {"quality": 80, "subsampling": "4:4:4"}),
    ("drop_blocks", {"block": 3, "amount": 0.4}),
    ("drop_blocks", {"block": 5, "amount": 0.3, "fill": 1, "seed": 3}),
    ("scratches", {"count": 2}),
    ("tears", {"width": 3.0}),
    ("motion_blur", {"length": 3}),
    ("gaussian", {"sigma": 0.8}),
    ("gaussian", {"sigma": 0}),
    ("downsample", {"factor": 1}),
    ("downsample", {"factor": 1.6}),
)
LOSING = ("drop_blocks", "scratches", "tears")


def one_by_one(image, steps, seed, channel_axis, batch_axes):
    """Each function called by itself, without `out`; where pixels are lost is carried along as a picture of 0 and 1."""
    axes = {"batch_axes": batch_axes, "channel_axis": channel_axis}
    lost = None
    for number, (name, arguments) in enumerate(steps):
        keywords = {"seed": seed + number, **arguments} if name in ("random_noise", *LOSING) else arguments
        if name == "random_noise":
            image = filters.random_noise(image, batch_axes=batch_axes, **keywords)
        elif name in LOSING:
            image, mask = getattr(filters, name)(image, **axes, **keywords)
            lost = mask.astype(np.float64) if lost is None else np.maximum(lost, mask)
        else:
            image = getattr(filters, name)(image, **axes, **keywords)
        if name == "downsample" and lost is not None:
            smaller = filters.downsample(lost, arguments["factor"], batch_axes=batch_axes)
            lost = (smaller > 0).astype(np.float64)
    shape = image.shape if channel_axis is None else np.delete(image.shape, channel_axis)
    return image, np.zeros(shape, bool) if lost is None else lost > 0


@st.composite
def images(draw):
    """An image, or a batch, with or without channels, and their axes."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    h, w = draw(st.integers(1, 37)), draw(st.integers(1, 41))
    batch, channel_axis = draw(st.sampled_from([(), (2,), (2, 1)])), draw(st.sampled_from([None, -1, -3]))
    x = random.random((*batch, h, w) if channel_axis is None else (*batch, h, w, 3))
    x -= draw(st.sampled_from([0.0, 0.25]))
    dtype = draw(st.sampled_from(["uint8", "float32", "float64"]))
    x = (np.abs(x) * 255).astype(dtype) if dtype == "uint8" else x.astype(dtype)
    return (np.moveaxis(x, -1, -3) if channel_axis == -3 else x), channel_axis, len(batch)


@given(images(), st.lists(st.sampled_from(STEPS), min_size=1, max_size=5), st.integers(0, 2**32))
def test_a_chain_is_its_steps_one_after_the_other(drawn, steps, seed):
    image, channel_axis, batch_axes = drawn
    image.flags.writeable = False
    axes = {"channel_axis": channel_axis, "batch_axes": batch_axes}
    expected, expected_mask = one_by_one(image, steps, seed, channel_axis, batch_axes)
    found, mask = filters.degrade(image, steps, seed=seed, **axes)
    assert (found.dtype, mask.dtype) == (expected.dtype, bool)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(mask, expected_mask)
    out = np.zeros_like(expected, order="F")
    again, mask = filters.degrade(image, steps, seed=seed, out=out, **axes)
    assert again is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(mask, expected_mask)


def test_the_first_loss_does_not_write_into_the_image():
    """Neither at once nor behind steps that give the image back."""
    image = np.random.default_rng(0).random((24, 30))
    kept = image.copy()
    for before in ([], [("downsample", {"factor": 1})], [("gaussian", {"sigma": 0})]):
        loss = ("drop_blocks", {"block": 4, "amount": 0.5, "fill": 9})
        damaged, mask = filters.degrade(image, [*before, loss, loss])
        assert (damaged[mask] == 9).all()
        np.testing.assert_array_equal(image, kept)


def test_steps_have_seeds_of_their_own():
    image = np.ones((40, 40))
    loss = ("drop_blocks", {"block": 4, "amount": 0.2})
    _, both = filters.degrade(image, [loss, loss], seed=5)
    masks = [filters.drop_blocks(image, 4, 0.2, seed=seed)[1] for seed in (5, 6)]
    np.testing.assert_array_equal(both, masks[0] | masks[1])
    _, named = filters.degrade(image, [("drop_blocks", {**loss[1], "seed": 6})], seed=5)
    np.testing.assert_array_equal(named, masks[1])


@pytest.mark.parametrize(
    ("error", "steps", "message"),
    [
        (ValueError, [], "steps expects one at least, a name and a mapping each, but got"),
        (ValueError, "jpeg", "steps expects one at least"),
        (TypeError, ["jpeg"], "step 1 expects a name and a mapping but got 'jpeg'"),
        (TypeError, [("jpeg", {}), ("jpeg", 10)], "step 2 expects a name and a mapping but got"),
        (ValueError, [("sharpen", {})], "step 1 expects one of random_noise, jpeg, .* but got 'sharpen'"),
        (ValueError, [([], {})], r"step 1 expects one of .* but got \[\]"),
        (TypeError, [("jpeg", {"out": None})], "step 1: out is given to degrade, for all steps"),
        (ValueError, [("jpeg", {}), ("jpeg", {"quality": 0})], "step 2: jpeg: quality expects 1 to 100 but got 0"),
        (TypeError, [("jpeg", {"amount": 1})], r"step 1: jpeg\(\) got an unexpected keyword argument 'amount'"),
    ],
)
def test_refuses(error, steps, message):
    with pytest.raises(error, match=f"^degrade: {message}"):
        filters.degrade(np.ones((9, 9)), steps)


def test_refuses_arrays_seeds_and_axes():
    steps = [("jpeg", {})]
    with pytest.raises(TypeError, match=r"^degrade: image expects a numpy\.ndarray"):
        filters.degrade([[1.0]], steps)
    with pytest.raises(ValueError, match=r"^degrade: seed expects"):
        filters.degrade(np.ones((9, 9)), steps, seed=-1)
    with pytest.raises(ValueError, match=r"^degrade: channel_axis expects"):
        filters.degrade(np.ones((9, 9)), steps, channel_axis=2)
    with pytest.raises(ValueError, match=r"^degrade: out expects a writeable float64 array of shape \(9, 9\) but got"):
        filters.degrade(np.ones((9, 9), np.uint8), [*steps, ("gaussian", {})], out=np.ones((9, 9), np.uint8))
    with pytest.raises(ValueError, match=r"^degrade: step 1: downsample: out expects"):
        filters.degrade(np.ones((9, 9)), [("downsample", {"factor": 3})], out=np.ones((9, 9)))
