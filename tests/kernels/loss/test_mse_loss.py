"""The squared error and its gradient, against the definition and PyTorch."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tolerances import SQUARED_ERROR

from tilegrad import kernels

REDUCTIONS = ["mean", "sum", "none"]
DTYPES = ["float32", "float64"]


def drawn(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape), dtype) for _ in range(3)]


@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=40).filter(lambda s: np.prod(s) < 70_000),
    dtype=st.sampled_from(DTYPES),
    reduction=st.sampled_from(REDUCTIONS),
    turned=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_loss_and_gradient_equal_the_definition(shape, dtype, reduction, turned, seed):
    x, target, gy = drawn(shape, dtype, seed)
    if turned:
        x, target, gy = x.T, target.T, gy.T
    difference = x.astype(np.float64) - target
    out = np.full(x.shape if reduction == "none" else (), np.nan, dtype)
    assert kernels.mse_loss(x, target, reduction=reduction, out=out) is out
    expected = {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](difference**2)
    tolerance = SQUARED_ERROR[dtype]
    np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tolerance * np.finfo(dtype).eps)
    gy = gy if reduction == "none" else np.asarray(gy.flat[0])
    gx = kernels.mse_loss_grad(gy, x, target, reduction=reduction)
    expected = 2 * gy.astype(np.float64) * difference / (x.size if reduction == "mean" else 1)
    np.testing.assert_allclose(gx, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_variants_equal_the_definition(dtype, reduction, variant):
    x, target, gy = drawn((2, 9, 7, 3), dtype)
    tolerance = SQUARED_ERROR[dtype]
    expected = kernels.mse_loss(x, target, reduction=reduction)
    y = kernels.mse_loss(x, target, reduction=reduction, variant=variant)
    np.testing.assert_allclose(y, expected, rtol=2 * tolerance)
    gy = gy if reduction == "none" else np.asarray(0.7, dtype)
    gx = kernels.mse_loss_grad(gy, x, target, reduction=reduction, variant=variant)
    np.testing.assert_allclose(gx, kernels.mse_loss_grad(gy, x, target, reduction=reduction), rtol=2 * tolerance)


@pytest.mark.parity
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_pytorch(dtype, reduction):
    torch = pytest.importorskip("torch")
    x, target, gy = drawn((4, 40, 40, 3), dtype)
    leaf = torch.tensor(x, requires_grad=True)
    loss = torch.nn.functional.mse_loss(leaf, torch.tensor(target), reduction=reduction)
    gy = gy if reduction == "none" else np.asarray(gy.flat[0])
    loss.backward(torch.tensor(gy))
    tolerance = 10 * SQUARED_ERROR[dtype]  # PyTorch adds float32 in float32
    np.testing.assert_allclose(kernels.mse_loss(x, target, reduction=reduction), loss.detach(), rtol=tolerance)
    gx = kernels.mse_loss_grad(gy, x, target, reduction=reduction)
    np.testing.assert_allclose(gx, leaf.grad, rtol=tolerance, atol=1e-12)


def test_the_loss_does_not_depend_on_the_number_of_threads():
    x, target, _ = drawn((4, 100, 100, 17), np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.mse_loss(x, target))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_limits():
    x = np.array([1.0, np.nan, np.inf], np.float32)
    np.testing.assert_array_equal(kernels.mse_loss(x, np.zeros_like(x), reduction="none"), x * x)
    assert np.isnan(kernels.mse_loss(x, x))
    empty = np.ones((0, 3))
    assert np.isnan(kernels.mse_loss(empty, empty))
    assert kernels.mse_loss(empty, empty, reduction="sum") == 0
    assert kernels.mse_loss_grad(1.0, empty, empty).shape == (0, 3)


def test_bad_input_is_refused():
    x = np.ones((2, 3), np.float32)
    for name, call in (
        ("mse_loss", kernels.mse_loss),
        ("mse_loss_grad", lambda *a, **k: kernels.mse_loss_grad(1.0, *a, **k)),
    ):
        with pytest.raises(ValueError, match=rf"{name}: x and target expect one shape but got \(2, 3\) and \(3,\)"):
            call(x, x[0])
        with pytest.raises(TypeError, match=f"{name}: x and target expect one dtype"):
            call(x, x.astype(np.float64))
        with pytest.raises(TypeError, match=f"{name}: x expects float32 or float64"):
            call(x.astype(int), x.astype(int))
        with pytest.raises(TypeError, match=f"{name}: "):
            call(x, [1.0])
        with pytest.raises(ValueError, match=f"{name}: reduction expects"):
            call(x, x, reduction="median")
    with pytest.raises(ValueError, match=r'mse_loss_grad: gy expects shape \(\) for reduction "mean" but got \(2, 3\)'):
        kernels.mse_loss_grad(x, x, x)
    with pytest.raises(TypeError, match="mse_loss_grad: gy and x expect one dtype"):
        kernels.mse_loss_grad(np.ones(()), x, x)
