"""Fast marching of Numba CUDA in the simulator; test_marching_simulator.py runs this file."""

import numpy as np
import pytest
from poison import poison

from tilegrad import kernels


@pytest.fixture(autouse=True)
def _poison(monkeypatch):
    poison(monkeypatch)


def both(x, mask, **how):
    return [kernels.inpaint_marching(x, mask, variant=variant, **how) for variant in ("cuda.naive", "heap")]


@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 6, 7, 1), (1, 5, 6, 3), (1, 1, 9, 2), (1, 8, 1, 1)])
def test_results_have_the_bits_of_the_cpu(shape, dtype, method):
    """Holes at random, so that they meet borders and corners; three channels have weights of their own."""
    rng = np.random.default_rng(0)
    x, mask = (rng.random(shape) * 250).astype(dtype), (rng.random(shape[:3]) < 0.4).astype(np.uint8)
    found, expected = both(x, mask, radius=1 + shape[3], method=method)
    assert found.tobytes() == expected.tobytes()
    np.testing.assert_array_equal(found[mask == 0], x[mask == 0])


@pytest.mark.filterwarnings("ignore:invalid value")  # of the threads of the simulator
@pytest.mark.parametrize("method", ["telea", "navier-stokes"])
def test_a_nan_reaches_what_the_cpu_lets_it_reach(method):
    x, mask = np.linspace(0, 1, 60, dtype=np.float32).reshape(1, 6, 10, 1), np.zeros((1, 6, 10), np.uint8)
    x[0, 2, 3], mask[0, 2, 2], mask[0, 4, 8] = np.nan, 1, 1
    found, expected = both(x, mask, radius=2, method=method)
    np.testing.assert_array_equal(found, expected)
    assert np.isnan(found[0, 2, 2, 0])
    assert np.isfinite(found[0, 4, 8, 0])


@pytest.mark.parametrize("open_", [0, 1])
def test_without_a_hole_and_without_anything_known_it_is_a_copy(open_):
    x = np.random.default_rng(0).random((2, 3, 4, 2))
    found = kernels.inpaint_marching(x, np.full((2, 3, 4), open_, np.uint8), radius=2, variant="cuda.naive")
    np.testing.assert_array_equal(found, x)


@pytest.mark.parametrize("shape", [(0, 4, 5, 2), (1, 0, 5, 2), (1, 4, 5, 0)])
def test_an_empty_image_stays_empty(shape):
    found = kernels.inpaint_marching(np.empty(shape), np.ones(shape[:3], np.uint8), radius=2, variant="cuda.naive")
    assert found.shape == shape
