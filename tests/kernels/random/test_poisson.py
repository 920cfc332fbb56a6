"""Poisson numbers: the definition, the distribution, and what lies outside of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("variant", ["loops", "naive"])
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_equals_the_definition(dtype, variant, seed, counter):
    rates = np.array([0.0, 0.1, 3.0, 40.0, 499.0, 500.0, 1e4, 1e6, -1.0, np.inf, np.nan], dtype)
    out = np.full(rates.shape, 7.5, dtype)
    found = kernels.random_poisson(rates, seed=seed, counter=counter, variant=variant, out=out)
    assert found is out
    np.testing.assert_array_equal(found, kernels.random_poisson(rates, seed=seed, counter=counter, variant="reference"))
    assert np.isnan(found[-3:]).all()
    assert found[0] == 0


@pytest.mark.parity
@pytest.mark.parametrize("mean", [0.3, 4.0, 60.0, 480.0, 520.0, 3000.0])
def test_the_distribution(mean):
    """Kolmogorov and Smirnov's distance of 200,000 numbers; 1.95 / sqrt(n) is exceeded by one run in a thousand."""
    stats = pytest.importorskip("scipy.stats")
    counts = np.sort(kernels.random_poisson(np.full(200_000, mean), seed=3))
    values, last = np.unique(counts, return_index=True)
    share = np.append(last[1:], counts.size) / counts.size
    assert np.abs(share - stats.poisson(mean).cdf(values)).max() < 1.95 / np.sqrt(counts.size)


def test_each_value_takes_a_block():
    rates = np.linspace(0, 600, 9000)
    whole = kernels.random_poisson(rates, seed=5, counter=10)
    assert kernels.random_blocks(4000, "poisson") == 4000
    np.testing.assert_array_equal(kernels.random_poisson(rates[4000:].copy(), seed=5, counter=4010), whole[4000:])


def test_refuses_integers():
    with pytest.raises(TypeError, match="random_poisson: rates expects float32 or float64 but got int64"):
        kernels.random_poisson(np.ones(3, np.int64), seed=0)
