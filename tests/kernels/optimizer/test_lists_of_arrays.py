"""Running averages and the norm of lists of arrays: the definitions, limits, bad input."""

import numba
import numpy as np
import pytest
from tilegrad.kernels.optimizer.in_place import CHUNK
from tolerances import OPTIMIZER_STEP, SUM

from tilegrad import kernels

DTYPES = ["float32", "float64"]
SHAPES = [(1,), (3, 5), (0, 4), (), (CHUNK - 19,), (2 * CHUNK + 1,), (2, 3, 3, 2)]


def drawn(dtype, seed=0):
    random = np.random.default_rng(seed)
    return [np.asarray(random.standard_normal(shape), dtype) for shape in SHAPES]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", ["fused", "naive"])
def test_averages(dtype, variant):
    averages, arrays = drawn(dtype), drawn(dtype, 1)
    expected = [0.75 * a.astype(np.float64) + 0.25 * b for a, b in zip(averages, arrays, strict=True)]
    kernels.average_step(averages, arrays, decay=0.75, variant=variant)
    for one, other in zip(averages, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=OPTIMIZER_STEP[dtype], atol=OPTIMIZER_STEP[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", ["fused", "naive"])
def test_norm(dtype, variant):
    arrays = drawn(dtype)
    arrays[1] = arrays[1].T
    expected = np.sqrt(sum((a.astype(np.float64) ** 2).sum() for a in arrays))
    out = np.full((), np.nan, dtype)
    assert kernels.norm_of_all(arrays, out=out, variant=variant) is out
    np.testing.assert_allclose(out, expected, rtol=2 * SUM[dtype])
    assert out.dtype == np.dtype(dtype)


def test_limits_of_the_norm():
    assert kernels.norm_of_all([]) == 0
    assert kernels.norm_of_all([np.empty((0, 3))]) == 0
    assert kernels.norm_of_all([np.float32([3e30, 4e30])]) == np.float32(5e30)  # whose squares are no float32
    assert kernels.norm_of_all([np.array([1.0]), np.array([np.inf])]) == np.inf
    assert np.isnan(kernels.norm_of_all([np.array([np.inf]), np.array([np.nan])]))


def test_the_norm_does_not_depend_on_the_number_of_threads():
    arrays = [np.random.default_rng(0).standard_normal(200_000).astype(np.float32) for _ in range(3)]
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.norm_of_all(arrays))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_bad_input_is_refused():
    x = np.ones(3)
    for bad in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"average_step: decay expects a number in \[0, 1\] but got"):
            kernels.average_step([x], [x.copy()], decay=bad)
    with pytest.raises(ValueError, match="average_step: arrays expects as many as averages, 1, but got 2 arrays"):
        kernels.average_step([x], [x.copy(), x.copy()], decay=0.5)
    with pytest.raises(TypeError, match=r"norm_of_all: arrays\[1\] expects float32 or float64 but got int64"):
        kernels.norm_of_all([x, np.ones(3, int)])
    with pytest.raises(TypeError, match=r"norm_of_all: arrays\[0\] and arrays\[1\] expect one dtype but got float64"):
        kernels.norm_of_all([x, np.ones(3, np.float32)])
    with pytest.raises(TypeError, match="norm_of_all: expects a list of arrays but got float"):
        kernels.norm_of_all([1.0])
