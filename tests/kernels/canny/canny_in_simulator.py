"""Canny's Numba CUDA variants in Numba's simulator; test_canny_simulator.py runs this file in a process of its own."""

import numpy as np
import pytest
from tilegrad.kernels.canny import CANNY
from tilegrad.kernels.canny.geometry import integer_thresholds

VARIANTS = ["cuda.naive", "cuda.tiled"]


def run(x, low, high, aperture, norm, variant):
    """One variant, by the operation's own plan, into a poisoned output."""
    arrays = (x, integer_thresholds("canny", low, high, norm == "l2", aperture == 7))
    plan = CANNY.plan(arrays, (aperture, norm), variant)
    y = np.full(x.shape[:3], 7, np.uint8)
    plan.run(arrays, (y,))
    return y


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("shape", "aperture", "norm"),
    [
        ((1, 1, 1, 1), 3, "l1"),
        ((2, 9, 17, 1), 3, "l1"),
        ((1, 8, 16, 3), 3, "l2"),
        ((1, 5, 7, 2), 5, "l1"),
        ((1, 10, 3, 1), 7, "l2"),
    ],
)
def test_equals_the_fast_variant_and_the_definition(shape, aperture, norm, variant):
    rng = np.random.default_rng(sum(shape))
    x = rng.integers(0, 256, shape).astype(np.uint8)
    low, high = {3: (150, 600), 5: (2e3, 8e3), 7: (2e4, 1.2e5)}[aperture]
    expected = run(x, low, high, aperture, norm, "reference")
    np.testing.assert_array_equal(run(x, low, high, aperture, norm, variant), expected)
    np.testing.assert_array_equal(run(x, low, high, aperture, norm, "rows"), expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_edge_is_followed_through_tiles(variant):
    """One weak line through six tiles, there and back, strong at one end."""
    x = np.zeros((1, 20, 40, 1), np.uint8)
    x[:, 4:14, 3:36] = 30
    x[:, 3:6, 2:5] = 120
    expected = run(x, 60, 300, 3, "l1", "reference")
    assert expected.any(axis=0).sum() > 60
    np.testing.assert_array_equal(run(x, 60, 300, 3, "l1", variant), expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_empty_images_stay_empty(variant):
    assert run(np.empty((0, 4, 5, 1), np.uint8), 1, 2, 3, "l1", variant).shape == (0, 4, 5)
