"""Sums under the metrics: every variant against the definition."""

import numpy as np
import pytest
from tilegrad.kernels.similarity import MEAN_SQUARED_ERROR, STRUCTURAL_SIMILARITY
from tolerances import EPS, SSIM

from tilegrad import kernels

DTYPES = ("float32", "float64", "uint8", "uint16")


def images(shape, dtype, seed=3):
    """Two images of values up to 200 that resemble each other."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(20, 180, shape)
    return x.astype(dtype), (x + rng.uniform(-20, 20, shape)).astype(dtype)


def call_of(case, dtype):
    """The arrays and keywords of a declared case, with constants for values up to 255."""
    x, y = images(case["shapes"][0], dtype)
    weights = np.linspace(1, 2, case["shapes"][2][0])
    keywords = {k: v for k, v in case.items() if k != "shapes"}
    return (x, y, weights / weights.sum()), {**keywords, "c1": 6.5, "c2": 58.5}


@pytest.mark.parametrize("variant", ["rows", "naive"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", STRUCTURAL_SIMILARITY.cases, ids=lambda c: str(c["shapes"][0]))
def test_structural_similarity_equals_the_definition(case, dtype, variant):
    arrays, keywords = call_of(case, dtype)
    expected = kernels.structural_similarity(*arrays, variant="reference", **keywords)
    out = tuple(np.full_like(array, np.nan) for array in expected)
    kernels.structural_similarity(*arrays, variant=variant, out=out, **keywords)
    np.testing.assert_allclose(out[0], expected[0], rtol=0, atol=SSIM)
    np.testing.assert_allclose(out[1], expected[1], rtol=0, atol=SSIM)


@pytest.mark.parametrize("variant", ["sums", "naive"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", MEAN_SQUARED_ERROR.cases, ids=str)
def test_mean_squared_error_equals_the_definition(case, dtype, variant):
    x, y = images(case["shapes"][0], dtype)
    batch = case.get("batch_axes", 0)
    out = np.full(x.shape[:batch], np.nan)
    kernels.mean_squared_error(x, y, batch_axes=batch, out=out, variant=variant)
    difference = x.astype(np.float64) - y.astype(np.float64)
    expected = np.square(difference).mean(axis=tuple(range(batch, x.ndim)))
    np.testing.assert_allclose(out, expected, rtol=x.size * EPS["float64"])  # summed in sequence


def test_integers_do_not_wrap_around():
    zeros, full = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    assert kernels.mean_squared_error(zeros, full) == 255**2
    assert kernels.mean_squared_error(full, zeros) == 255**2


def test_equal_images_score_one():
    x, _ = images((3, 20, 25), "float32")
    means, maps, errors = kernels.structural_similarity(x, x, np.full(7, 1 / 7), c1=0.01, c2=0.09, maps=1)
    np.testing.assert_allclose(means, 1, rtol=1e-14)
    np.testing.assert_allclose(maps[0], 1, rtol=1e-14)
    np.testing.assert_array_equal(errors, 0)


def test_a_faint_pattern_on_a_large_offset_keeps_its_contrast():
    rng = np.random.default_rng(5)
    x, noise = rng.normal(0, 0.01, (32, 32)), rng.normal(0, 0.01, (32, 32))
    high = [(1000 + image).astype(np.float32) for image in (x, x + noise)]
    low = [image.astype(np.float64) - 1000 for image in high]
    # c1 makes the luminance term 1 for both, so that what is left is contrast and structure.
    keywords = {"c1": 1e12, "c2": 9e-8, "maps": 1}
    maps = [kernels.structural_similarity(*pair, np.full(7, 1 / 7), **keywords)[1] for pair in (high, low)]
    np.testing.assert_allclose(maps[0], maps[1], rtol=0, atol=1e-5)  # float64's eps * 1000**2 / variance


def test_not_a_number_reaches_its_windows_and_the_mean():
    x, y = images((20, 20), "float64")
    x[10, 4] = np.nan
    means, maps, errors = kernels.structural_similarity(x, y, np.full(5, 0.2), c1=1.0, c2=1.0, maps=1)
    rows, columns = np.nonzero(np.isnan(maps[0]))
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (8, 12, 2, 6, 25)
    assert np.isnan(means)
    assert np.isnan(errors)


def test_the_mean_is_the_same_with_and_without_maps():
    x, y = images((2, 30, 41), "uint8")
    results = [
        kernels.structural_similarity(x, y, np.full(7, 1 / 7), c1=6.5, c2=58.5, margin=3, maps=maps)[0]
        for maps in (0, 1, 4)
    ]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-15)
    np.testing.assert_allclose(results[2], results[0], rtol=1e-15)


@pytest.mark.parametrize("maps", [0, 1, 4])
def test_the_squared_error_comes_with_the_similarity(maps):
    x, y = images((2, 3, 30, 41), "uint8")
    errors = kernels.structural_similarity(x, y, np.full(7, 1 / 7), c1=6.5, c2=58.5, margin=3, maps=maps)[2]
    np.testing.assert_allclose(errors, kernels.mean_squared_error(x, y, batch_axes=2), rtol=1e-14)


def test_an_empty_batch_has_an_empty_result():
    x = np.empty((0, 9, 9))
    assert kernels.mean_squared_error(x, x, batch_axes=1).shape == (0,)
    means, maps, errors = kernels.structural_similarity(x, x, [1.0], c1=1.0, c2=1.0, maps=1)
    assert (means.shape, maps.shape, errors.shape) == ((0,), (1, 0, 9, 9), (0,))


A = np.ones((9, 9))


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (A.astype(np.int64), A.astype(np.int64), [1.0]), {}, "x expects one of float32"),
        (TypeError, (A, A.astype(np.float32), [1.0]), {}, "x and y expect one dtype"),
        (ValueError, (A, A[:8], [1.0]), {}, "x and y expect one shape"),
        (ValueError, (A, A, [0.5, 0.5]), {}, "weights expects one axis of an odd number of taps"),
        (TypeError, (A, A, [1j]), {}, "weights expects real numbers"),
        (ValueError, (A, A, [1.0]), {"axes": 4}, r"axes expects a value in \[1, 3\]"),
        (ValueError, (A, A, [1.0]), {"axes": 3}, "x and y expect at least axes = 3 axes"),
        (ValueError, (A, A, [1.0]), {"margin": 5}, r"margin expects a value in \[0, 4\]"),
        (ValueError, (A, A, [1.0]), {"maps": 2}, "maps expects 0, 1 or 4"),
        (TypeError, (A, A, [1.0]), {"c1": "1"}, "c1 expects a number"),
        (ValueError, (A[:0], A[:0], [1.0]), {}, "x and y expect images of at least one pixel"),
        (ValueError, (A, A, [1.0]), {"out": (np.empty(()),)}, "out expects 3 arrays but got 1"),
    ],
)
def test_structural_similarity_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"structural_similarity: {message}"):
        kernels.structural_similarity(*arguments, **{"c1": 1.0, "c2": 1.0, **keywords})


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (A.astype(bool), A.astype(bool)), {}, "x expects one of float32"),
        (TypeError, (A, A.tolist()), {}, "expects a numpy.ndarray"),
        (ValueError, (A, A[0]), {}, "x and y expect one shape"),
        (ValueError, (A, A), {"batch_axes": 3}, r"batch_axes expects a value in \[0, 2\]"),
        (TypeError, (A, A), {"batch_axes": 1.0}, "batch_axes expects an integer"),
        (ValueError, (A[:, :0], A[:, :0]), {"batch_axes": 1}, "x and y expect images of at least one number"),
    ],
)
def test_mean_squared_error_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"mean_squared_error: {message}"):
        kernels.mean_squared_error(*arguments, **keywords)
