"""Dropout: its mask is that of the uniform stream, whatever the type, the variant and the number of threads."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tilegrad import kernels

seeds = st.integers(0, 2**64 - 1)


@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=33),
    dtype=st.sampled_from(["float32", "float64"]),
    p=st.one_of(st.sampled_from([0, 0.5, 1.0, 1e-9]), st.floats(0, 0.99)),
    seed=seeds,
    counter=seeds,
    turned=st.booleans(),
)
def test_mask_is_that_of_the_uniform_stream(shape, dtype, p, seed, counter, turned):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    x = np.asarray(x).T if turned else np.asarray(x)
    out = np.full(x.shape, np.nan, dtype)
    assert kernels.dropout(x, p=p, seed=seed, counter=counter, out=out) is out
    kept = kernels.random_uniform(x.shape, seed=seed, counter=counter) >= p
    scale = np.dtype(dtype).type(1 / (1 - p) if p < 1 else 0)
    np.testing.assert_array_equal(out, np.where(kept, x * scale, 0))


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_variants_agree(dtype, variant):
    x = np.random.default_rng(0).standard_normal((3, 5, 7)).astype(dtype)
    args = {"p": 0.25, "seed": 2**63 + 5, "counter": 2**64 - 3}
    np.testing.assert_allclose(
        kernels.dropout(x, **args, variant=variant), kernels.dropout(x, **args), rtol=np.finfo(dtype).eps
    )


def test_share_and_mean():
    y = kernels.dropout(np.ones((1000, 1000), np.float32), p=0.3, seed=4)
    assert abs((y == 0).mean() - 0.3) < 0.002
    assert abs(y.mean(dtype=np.float64) - 1) < 0.004


def test_the_mask_does_not_depend_on_the_number_of_threads():
    x = np.ones((300, 1001), np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.dropout(x, p=0.5, seed=9))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_nan_stays():
    assert np.isnan(kernels.dropout(np.full(99, np.nan), p=0.5, seed=0)).all()


def test_bad_input_is_refused():
    x = np.ones(3, np.float32)
    for p in (-0.1, 1.5):
        with pytest.raises(ValueError, match=rf"dropout: p expects a probability in \[0, 1\] but got {p}"):
            kernels.dropout(x, p=p, seed=0)
    with pytest.raises(TypeError, match="dropout: p expects a number"):
        kernels.dropout(x, p="half", seed=0)
    with pytest.raises(ValueError, match="dropout: p expects a finite number"):
        kernels.dropout(x, p=float("nan"), seed=0)
    with pytest.raises(ValueError, match=r"dropout: seed expects 0 <= seed < 2\*\*64 but got -1"):
        kernels.dropout(x, seed=-1)
    with pytest.raises(TypeError, match=r"dropout: counter expects an integer but got 0\.5"):
        kernels.dropout(x, seed=0, counter=0.5)
    with pytest.raises(TypeError, match="dropout: x expects float32 or float64 but got int64"):
        kernels.dropout(np.ones(3, int), seed=0)
    with pytest.raises(TypeError, match="dropout: "):
        kernels.dropout([1.0], seed=0)
