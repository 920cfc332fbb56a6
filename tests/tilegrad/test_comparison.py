"""What a network is held against."""

import numpy as np
import pytest

from tilegrad import filters
from tilegrad.comparison import GAUSSIAN_SIGMAS, Pair, Scores, best_gaussian, mean, measure, table


def pair() -> Pair:
    y, x = np.mgrid[:48, :56]
    clean = (0.5 + 0.4 * np.sin(x / 6) * np.cos(y / 8)).astype(np.float32)
    return Pair(clean, clean + np.random.default_rng(0).normal(0, 0.1, clean.shape).astype(np.float32))


@pytest.mark.parity
def test_scores_are_those_of_scikit_image_after_clipping() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    clean, noisy = pair().clean, pair().noisy
    clipped = np.clip(noisy, 0, 1)
    scores = measure(clean, noisy)
    # Both compute in float64 or merge in float64; a float32 image has 1e-7 of rounding at most.
    assert scores.psnr == pytest.approx(metrics.peak_signal_noise_ratio(clean, clipped, data_range=1.0), rel=1e-5)
    assert scores.ssim == pytest.approx(metrics.structural_similarity(clean, clipped, data_range=1.0), abs=1e-5)


def test_the_best_gaussian_is_better_than_its_neighbours() -> None:
    found = best_gaussian(pair())
    assert GAUSSIAN_SIGMAS[0] < found.sigma < GAUSSIAN_SIGMAS[-1]
    for sigma in (found.sigma - 0.1, found.sigma + 0.1):
        other = measure(pair().clean, filters.gaussian(pair().noisy, sigma=sigma))
        assert other.psnr <= found.scores.psnr
    assert found.scores.psnr > measure(pair().clean, pair().noisy).psnr + 3


def test_without_noise_the_least_smoothing_is_best() -> None:
    clean = pair().clean
    assert best_gaussian(Pair(clean, clean)).sigma == GAUSSIAN_SIGMAS[0]


def test_the_mean_is_of_the_decibels() -> None:
    assert mean([Scores(20.0, 0.25), Scores(30.0, 0.75)]) == Scores(25.0, 0.5)


def test_the_table_has_a_column_for_each_of_few_pictures_and_the_mean_alone_for_many() -> None:
    few = {label: {name: Scores(20.0, 0.5) for name in ("one", "two")} for label in ("noisy", "network")}
    lines = table(few).splitlines()
    assert lines[0].split() == ["mean", "of", "2", "one", "two"]
    assert lines[2].split() == ["noisy"] + ["20.00", "0.5000"] * 3
    many = {"noisy": {str(number): Scores(20.0, 0.5) for number in range(9)}}
    assert table(many).splitlines()[0].split() == ["mean", "of", "9"]
    named = {"noisy": {"a very long name of a file.png": Scores(20.0, 0.5)}}
    assert table(named).splitlines()[0].strip() == "a very long ..."
