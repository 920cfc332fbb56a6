"""The estimate of noise: against the wavelet written out, on noise of a known size, on odd inputs."""

import math

import numpy as np
import pytest

from tilegrad import filters


def by_definition(image):
    """Diagonal coefficients one by one, of the image continued about its edges."""
    root = math.sqrt(3)
    taps = [(1 - root), -(3 - root), 3 + root, -(1 + root)]
    taps = [t / (4 * math.sqrt(2)) for t in taps]

    def place(i, n):
        i %= 2 * n
        return i if i < n else 2 * n - 1 - i

    h, w = image.shape
    details = []
    for p in range((h + 3) // 2):
        for q in range((w + 3) // 2):
            total = 0.0
            for i in range(4):
                for j in range(4):
                    total += taps[i] * taps[j] * image[place(2 * p + 1 - i, h), place(2 * q + 1 - j, w)]
            details.append(abs(total))
    return np.median([d for d in details if d != 0]) / 0.6744897501960817


@pytest.mark.parametrize("shape", [(8, 9), (5, 4), (3, 17), (2, 2)])
def test_equals_the_definition(shape):
    image = np.random.default_rng(0).random(shape)
    np.testing.assert_allclose(filters.estimate_sigma(image), by_definition(image), rtol=1e-12)


@pytest.mark.parametrize("sigma", [0.01, 0.1, 3.0])
def test_finds_the_noise_on_a_slope(sigma):
    noise = np.random.default_rng(1).normal(0, sigma, (300, 301))
    slope = np.linspace(0, 100, 301)
    np.testing.assert_allclose(filters.estimate_sigma(slope + noise), sigma, rtol=0.02)


def test_channels_and_batches():
    rng = np.random.default_rng(2)
    batch = rng.normal(0, 1, (2, 3, 40, 50)) * np.array([1, 2, 4])[:, None, None]
    each = filters.estimate_sigma(batch, channel_axis=1, batch_axes=1)
    assert each.shape == (2, 3)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(each[i], filters.estimate_sigma(batch[i]), rtol=1e-12)
    mean = filters.estimate_sigma(batch[0], average_sigmas=True, channel_axis=0)
    np.testing.assert_allclose(mean, each[0].mean(), rtol=1e-12)


def test_inputs_of_every_kind():
    image = np.random.default_rng(3).integers(0, 256, (20, 21)).astype(np.uint8)
    expected = filters.estimate_sigma(image)
    image.flags.writeable = False
    np.testing.assert_allclose(filters.estimate_sigma(image.astype(np.float16)), expected, rtol=1e-5)
    np.testing.assert_array_equal(filters.estimate_sigma(np.asfortranarray(image)), expected)
    assert filters.estimate_sigma(np.full((6, 7), 0.25)) < 1e-15
    assert filters.estimate_sigma(np.zeros((6, 7))) == 0
    assert np.isnan(filters.estimate_sigma(np.where(image > 250, np.nan, 1.0)))
    assert np.isfinite(filters.estimate_sigma(image[:1].astype(float)))


@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, [[1.0]], {}, "image expects a numpy.ndarray"),
        (ValueError, np.ones((0, 4)), {}, "image expects axes of at least one pixel"),
        (ValueError, np.ones(4), {"channel_axis": 0}, "image expects axes of at least one pixel"),
        (ValueError, np.ones((4, 4)), {"batch_axes": 3}, "batch_axes expects a value"),
    ],
)
def test_refuses(error, image, keywords, message):
    with pytest.raises(error, match=f"estimate_sigma: {message}"):
        filters.estimate_sigma(image, **keywords)
