"""Similarity at several scales, and two metrics in one walk: against their definitions."""

import numpy as np
import pytest
from tolerances import SSIM

from tilegrad import filters

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def images(shape, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    rows, columns = np.arange(shape[-2])[:, None], np.arange(shape[-1])
    x = 120 + 60 * np.sin(rows / 7) * np.cos(columns / 11) + rng.uniform(-20, 20, shape)
    return x.astype(dtype), (x + rng.uniform(-30, 30, shape)).clip(0, 255).astype(dtype)


def by_definition(x, y, c1, c2):
    """Products of means over windows inside, as the paper writes them, from sums over slices."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    taps /= taps.sum()

    def windowed(z):
        h, w = z.shape
        z = sum(taps[t] * z[t : h - 10 + t] for t in range(11))
        return sum(taps[t] * z[:, t : w - 10 + t] for t in range(11))

    result = 1.0
    for scale, power in enumerate(WEIGHTS):
        mx, my = windowed(x), windowed(y)
        vx, vy, vxy = windowed(x * x) - mx * mx, windowed(y * y) - my * my, windowed(x * y) - mx * my
        term = (2 * vxy + c2) / (vx + vy + c2)
        if scale == 4:
            term = term * (2 * mx * my + c1) / (mx * mx + my * my + c1)
        result *= term.mean() ** power
        x, y = (np.pad(z, [(0, n % 2) for n in z.shape], mode="edge") for z in (x, y))
        x, y = ((z[::2, ::2] + z[1::2, ::2] + z[::2, 1::2] + z[1::2, 1::2]) / 4 for z in (x, y))
    return result


@pytest.mark.parametrize("shape", [(176, 192), (161, 175)])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_equals_the_definition(shape, dtype):
    x, y = images(shape, dtype)
    expected = by_definition(x, y, (0.01 * 255) ** 2, (0.03 * 255) ** 2)
    assert filters.multiscale_structural_similarity(x, y, data_range=255) == pytest.approx(expected, abs=SSIM)
    assert 0.3 < expected < 0.99


@pytest.mark.parity
def test_equals_pytorch_msssim():
    torch, rival = pytest.importorskip("torch"), pytest.importorskip("pytorch_msssim")
    x, y = images((2, 3, 176, 192))
    expected = rival.ms_ssim(torch.from_numpy(x), torch.from_numpy(y), data_range=255, size_average=False).numpy()
    ours = filters.multiscale_structural_similarity(x, y, data_range=255, channel_axis=1, batch_axes=1)
    np.testing.assert_allclose(ours, expected, rtol=1e-6)  # its window is float32


def test_equal_images_score_one_and_opposite_ones_nothing():
    x, _ = images((170, 180), "uint8")
    assert filters.multiscale_structural_similarity(x, x) == 1
    assert filters.multiscale_structural_similarity(x, 255 - x) == 0


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channel_axis", [None, -1])
def test_two_metrics_in_one_walk_are_the_two(dtype, channel_axis):
    x, y = images((2, 20, 24, 3), dtype)
    keywords = {"data_range": 255, "batch_axes": 1}
    psnr, ssim = filters.psnr_and_ssim(x, y, channel_axis=channel_axis, win_size=3, **keywords)
    np.testing.assert_allclose(psnr, filters.peak_signal_noise_ratio(x, y, **keywords), rtol=1e-13)
    expected = filters.structural_similarity(x, y, channel_axis=channel_axis, win_size=3, **keywords)
    np.testing.assert_array_equal(ssim, expected)


def test_equal_images_have_no_noise():
    x = np.ones((9, 9), np.uint8)
    assert filters.psnr_and_ssim(x, x) == (np.inf, 1.0)


X = np.ones((180, 180))


@pytest.mark.parametrize(
    ("name", "arguments", "keywords", "message"),
    [
        ("multiscale_structural_similarity", (X, X), {}, "data_range expects a number"),
        ("multiscale_structural_similarity", (X[:160], X[:160]), {"data_range": 1}, "im1 and im2 expect at least 161"),
        ("multiscale_structural_similarity", (X[0], X[0]), {"data_range": 1}, "im1 and im2 expect two spatial axes"),
        ("multiscale_structural_similarity", (X, X), {"data_range": 1, "weights": ()}, "weights expects"),
        ("multiscale_structural_similarity", (X, X), {"data_range": 1, "K1": -1}, "K1 expects"),
        ("psnr_and_ssim", (X, X), {}, "data_range expects a number"),
        ("psnr_and_ssim", (X.astype(int), X.astype(int)), {}, "data_range expects a number for int64 images"),
        ("psnr_and_ssim", (X, X[:5]), {}, "image_true and image_test expect one shape"),
    ],
)
def test_refuses(name, arguments, keywords, message):
    with pytest.raises(ValueError, match=f"{name}: {message}"):
        getattr(filters, name)(*arguments, **keywords)
