"""Softmax, its logarithm and their gradients, against the definitions and PyTorch."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import SOFTMAX

from tilegrad import kernels

NAMES = ["softmax", "log_softmax"]
DTYPES = ["float32", "float64"]


def drawn(shape, dtype, seed=0, scale=3.0):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape) * scale, dtype) for _ in range(2)]


@given(
    leading=st.lists(st.integers(0, 7), max_size=3),
    columns=st.one_of(st.integers(1, 40), st.integers(1000, 1100)),
    dtype=st.sampled_from(DTYPES),
    name=st.sampled_from(NAMES),
    scale=st.sampled_from([1.0, 50.0]),
    turned=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_equal_the_definition(leading, columns, dtype, name, scale, turned, seed):
    x, gy = drawn((*leading, columns), dtype, seed, scale)
    if turned:
        x, gy = x[..., ::-1], gy[..., ::-1]
    function, gradient = getattr(kernels, name), getattr(kernels, name + "_grad")
    out = np.full(x.shape, np.nan, dtype)
    assert function(x, out=out) is out
    tolerance = SOFTMAX[dtype]
    expected = function(x, variant="naive")
    np.testing.assert_allclose(out, expected, rtol=0, atol=tolerance * np.abs(expected).max(initial=1))
    expected = gradient(gy, out, variant="naive")
    np.testing.assert_allclose(
        gradient(gy, out), expected, rtol=0, atol=4 * tolerance * np.abs(gy).sum(-1).max(initial=1)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_naive_equals_the_interpreted_definition(name, dtype):
    x, gy = drawn((3, 4, 5), dtype)
    function, gradient = getattr(kernels, name), getattr(kernels, name + "_grad")
    y = function(x, variant="reference")
    np.testing.assert_allclose(function(x, variant="naive"), y, rtol=SOFTMAX[dtype])
    np.testing.assert_allclose(
        gradient(gy, y, variant="naive"), gradient(gy, y, variant="reference"), atol=20 * SOFTMAX[dtype]
    )


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_equal_pytorch(name, dtype):
    torch = pytest.importorskip("torch")
    for shape in ((7, 10), (2, 3, 1500)):
        x, gy = drawn(shape, dtype)
        leaf = torch.tensor(x, requires_grad=True)
        expected = getattr(torch, name)(leaf, -1)
        expected.backward(torch.tensor(gy))
        y = getattr(kernels, name)(x)
        tolerance = 2 * SOFTMAX[dtype]
        np.testing.assert_allclose(y, expected.detach(), rtol=tolerance, atol=tolerance)
        gx = getattr(kernels, name + "_grad")(gy, y)
        np.testing.assert_allclose(gx, leaf.grad, rtol=0, atol=tolerance * np.abs(gy).sum(-1).max())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [3, 50, 1200])
def test_limits(columns, dtype):
    x = np.zeros((6, columns), dtype)
    x[1, 1] = np.nan
    x[2, 1] = np.inf
    x[3, 0] = -np.inf
    x[4] = -np.inf
    x[5] = 3e4  # whose exponential is infinite
    with np.errstate(all="ignore"):
        for name, even in (("softmax", 1 / np.float64(columns)), ("log_softmax", -np.log(columns))):
            y = getattr(kernels, name)(x)
            for row in (1, 2, 4):
                assert np.isnan(y[row]).all()
            np.testing.assert_allclose(y[[0, 5]], even, rtol=2 * SOFTMAX[dtype])
            assert y[3, 0] == (0 if name == "softmax" else -np.inf)
            assert np.isfinite(y[3, 1:]).all()


def test_a_large_difference_keeps_its_logarithm():
    np.testing.assert_array_equal(kernels.log_softmax(np.float32([0, -1000])), np.float32([0, -1000]))


def test_results_do_not_depend_on_the_number_of_threads():
    x, _ = drawn((500, 77), np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.softmax(x))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_gives_nothing(name):
    for shape in ((0, 3), (3, 0), (0,)):
        x = np.ones(shape)
        assert getattr(kernels, name)(x).shape == shape
        assert getattr(kernels, name + "_grad")(x, x).shape == shape


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_refused(name):
    function, gradient = getattr(kernels, name), getattr(kernels, name + "_grad")
    x = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match=rf"{name}: x expects at least one axis but got shape \(\)"):
        function(np.ones(()))
    with pytest.raises(TypeError, match=f"{name}: x expects float32 or float64 but got int64"):
        function(np.ones(3, int))
    with pytest.raises(TypeError, match=f"{name}: "):
        function([1.0])
    with pytest.raises(ValueError, match=rf"{name}_grad: gy and y expect one shape but got \(2, 3\) and \(3,\)"):
        gradient(x, x[0])
    with pytest.raises(TypeError, match=f"{name}_grad: gy and y expect one dtype"):
        gradient(x, x.astype(np.float64))
    with pytest.raises(ValueError, match=f"{name}: out shares memory with an input"):
        function(x, out=x)
