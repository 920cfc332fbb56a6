"""Noise: its statistics, scikit-image's rules, and the same bits from the same seed."""

import numpy as np
import pytest

from tilegrad import filters, kernels

FLAT = np.full((200, 300), 0.4)


def test_gaussian_and_speckle_have_the_statistics_that_were_asked_for():
    added = filters.random_noise(FLAT, "gaussian", 1, clip=False, mean=0.1, var=0.04) - FLAT
    assert added.mean() == pytest.approx(0.1, abs=5 * 0.2 / np.sqrt(FLAT.size))
    assert added.std() == pytest.approx(0.2, rel=0.02)
    speckle = filters.random_noise(FLAT, "speckle", 1, clip=False, mean=0.1, var=0.04) - FLAT
    np.testing.assert_allclose(speckle, 0.4 * added, atol=1e-12)


def test_localvar_has_a_variance_for_each_pixel():
    variances = np.where(np.arange(300) < 150, 0.01, 0.0001)
    added = filters.random_noise(FLAT, "localvar", 2, clip=False, local_vars=variances) - FLAT
    assert added[:, :150].std() == pytest.approx(0.1, rel=0.03)
    assert added[:, 150:].std() == pytest.approx(0.01, rel=0.03)


def test_poisson_counts_the_levels_of_each_image():
    """scikit-image's rule: as many levels as distinct values, up to a power of two."""
    image = np.tile(np.arange(6) / 5.0, (50, 50))  # 6 distinct values: 8 levels
    noisy = filters.random_noise(image, "poisson", 3, clip=False)
    counts = noisy * 8
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    assert (noisy[:, ::6] == 0).all()
    for k in range(1, 6):
        values = counts[:, k::6]
        assert values.mean() == pytest.approx(8 * k / 5, abs=6 * np.sqrt(8 * k / 5 / values.size))
        assert values.var() == pytest.approx(8 * k / 5, rel=0.1)
    batch = np.stack([image, np.full_like(image, 0.25)])
    both = filters.random_noise(batch, "poisson", 3, clip=False, batch_axes=1)
    np.testing.assert_array_equal(both[0], noisy)
    assert set(np.unique(both[1])) <= {float(n) for n in range(12)}  # one distinct value: one level


def test_not_a_number_is_one_level_however_often_it_occurs():
    image = np.tile(np.arange(7) / 6.0, (20, 10))
    image[3, :5] = np.nan  # 7 distinct values and this one: 8 levels
    counts = filters.random_noise(image, "poisson", 3, clip=False) * 8
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    assert (np.rint(counts[~np.isnan(counts)]) % 2 == 1).any()


def test_poisson_of_negative_images_lies_over_minus_one():
    image = np.tile([-1.0, 0.0, 1.0], (100, 20))
    noisy = filters.random_noise(image, "poisson", 3, clip=False)
    assert (noisy[:, ::3] == -1).all()
    assert noisy[:, 1::3].mean() == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(("mode", "values"), [("salt", {1.0}), ("pepper", {0.0}), ("s&p", {0.0, 1.0})])
def test_pixels_are_replaced(mode, values):
    noisy = filters.random_noise(FLAT, mode, 4, amount=0.2, salt_vs_pepper=0.25)
    changed = noisy[noisy != FLAT]
    assert changed.size / FLAT.size == pytest.approx(0.2, abs=0.01)
    assert set(np.unique(changed)) == values
    if mode == "s&p":
        assert (changed == 1).mean() == pytest.approx(0.25, abs=0.03)
    signed = filters.random_noise(FLAT - 0.5, "pepper", 4, amount=0.2)
    assert signed.min() == -1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64", "bool"])
def test_types_are_those_of_the_filters(dtype):
    image = (np.random.default_rng(0).random((8, 9)) * (200 if dtype[0] == "u" else 1)).astype(dtype)
    noisy = filters.random_noise(image, seed=1)
    assert noisy.dtype == (np.float32 if dtype in ("float16", "float32") else np.float64)
    assert noisy.min() >= 0
    assert noisy.max() <= 1


@pytest.mark.parity
@pytest.mark.parametrize("mode", ["gaussian", "poisson", "s&p", "speckle"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int16"])
def test_means_and_deviations_are_scikit_images(mode, dtype):
    util = pytest.importorskip("skimage.util")
    image = (np.random.default_rng(0).random((256, 256)) * 100).astype(dtype)
    image = image / np.float32(100) if dtype == "float32" else image
    ours, theirs = filters.random_noise(image, mode, 1), util.random_noise(image, mode, 1)
    assert ours.shape == theirs.shape
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.05, abs=0.003)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.05)


def test_a_seed_is_a_seed():
    first = filters.random_noise(FLAT, seed=5)
    np.testing.assert_array_equal(filters.random_noise(FLAT, seed=5), first)
    assert (filters.random_noise(FLAT, seed=6) != first).mean() > 0.9
    out = np.full(FLAT.shape, np.nan)
    assert filters.random_noise(FLAT, seed=5, out=out) is out
    np.testing.assert_array_equal(out, first)
    noise = kernels.random_normal(FLAT.shape, seed=5, std=0.1, dtype=np.float64)
    np.testing.assert_array_equal(first, np.clip(FLAT + noise, 0, 1))


def test_images_of_a_batch_have_limits_of_their_own():
    batch = np.stack([FLAT, FLAT - 0.5])
    noisy = filters.random_noise(batch, var=4.0, batch_axes=1)
    assert (noisy[0].min(), noisy[1].min()) == (0, -1)


@pytest.mark.parametrize("mode", ["gaussian", "poisson", "s&p", "speckle"])
def test_empty_images_stay_empty(mode):
    assert filters.random_noise(np.empty((0, 4)), mode).shape == (0, 4)


def test_not_a_number_stays_where_it_is():
    image = FLAT[:4, :4].copy()
    image[1, 2] = np.nan
    for mode in ("gaussian", "speckle", "poisson"):
        assert np.argwhere(np.isnan(filters.random_noise(image, mode))).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("error", "keywords", "message"),
    [
        (ValueError, {"mode": "pink"}, "mode expects one of gaussian, localvar"),
        (ValueError, {"mode": "s&p", "amount": 1.5}, "amount expects a finite number from 0 to 1 but got 1.5"),
        (TypeError, {"var": "1"}, "var expects a number"),
        (ValueError, {"var": -1}, "var expects a finite number from 0"),
        (ValueError, {"mode": "localvar"}, "mode 'localvar' expects local_vars"),
        (ValueError, {"mode": "localvar", "local_vars": np.zeros(3)}, "local_vars expects positive numbers"),
        (ValueError, {"mode": "localvar", "local_vars": np.ones(3)}, r"local_vars \(3,\) does not broadcast"),
        (ValueError, {"out": np.empty(3)}, "out expects"),
    ],
)
def test_refuses(error, keywords, message):
    with pytest.raises(error, match=f"random_noise: {message}"):
        filters.random_noise(FLAT, **keywords)
