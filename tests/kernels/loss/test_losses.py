"""Pointwise losses and their gradients, against the definitions and PyTorch."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tolerances import POINTWISE_LOSS

from tilegrad import kernels

REDUCTIONS = ["mean", "sum", "none"]
DTYPES = ["float32", "float64"]
LOSSES = {
    "mse_loss": {},
    "l1_loss": {},
    "huber_loss": {"delta": 0.7},
    "smooth_l1_loss": {"beta": 0.7},
    "charbonnier_loss": {"eps": 0.1},
    "bce_with_logits": {},
}
TORCH = {"bce_with_logits": "binary_cross_entropy_with_logits"}


def drawn(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape) * scale, dtype) for scale in (2, 1)]


def assert_same(found, expected, dtype):
    tolerance = POINTWISE_LOSS[dtype]
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.dtype(dtype)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * np.abs(other).max(initial=0))


@given(
    name=st.sampled_from(sorted(LOSSES)),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40).filter(lambda s: np.prod(s) < 70_000),
    dtype=st.sampled_from(DTYPES),
    reduction=st.sampled_from(REDUCTIONS),
    number=st.sampled_from([None, 0, 1.0, -0.5]),
    turned=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_loss_and_gradient_equal_the_definition(name, shape, dtype, reduction, number, turned, seed):
    x, target = drawn(shape, dtype, seed)
    if name not in ("mse_loss", "bce_with_logits"):  # a number is no different for the others, but compiles anew
        number = None
    if name == "bce_with_logits":
        target, number = (
            np.asarray(np.abs(target) % 1),
            None if number is None else abs(number),
        )  # probabilities: nothing cancels
    if turned:
        x, target = x.T, target.T
    args = {**LOSSES[name], "reduction": reduction}
    loss, both = getattr(kernels, name), getattr(kernels, name + "_and_grad")
    wide = [a.astype(np.float64) for a in (x, target if number is None else np.full_like(x, number))]
    expected = both(*wide, **args, variant="naive")
    target = target if number is None else number
    out = (np.full(x.shape if reduction == "none" else (), np.nan, dtype), np.full(x.shape, np.nan, dtype))
    assert both(x, target, **args, out=out)[1] is out[1]
    assert_same(out, expected, dtype)
    if dtype == "float32":
        assert_same([loss(x, target, **args)], out[:1], dtype)


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOSSES)
def test_variants_agree(name, dtype, reduction, variant):
    x, target = drawn((2, 5, 7, 3), dtype)
    args = {**LOSSES[name], "reduction": reduction}
    if name == "bce_with_logits":
        args |= {"weight": np.abs(x), "pos_weight": np.asarray([0.5, 1, 2], dtype)}
    both = getattr(kernels, name + "_and_grad")
    expected = both(x, target, **args)
    assert_same(both(x, target, **args, variant=variant), expected, dtype)
    assert_same([getattr(kernels, name)(x, target, **args, variant=variant)], expected[:1], dtype)


@pytest.mark.parity
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"charbonnier_loss"}))
def test_equal_pytorch(name, dtype, reduction):
    torch = pytest.importorskip("torch")
    x, target = drawn((4, 40, 40, 3), dtype)
    x.flat[:3] = target.flat[:3]  # ties
    theirs = getattr(torch.nn.functional, TORCH.get(name, name))
    leaf = torch.tensor(x, requires_grad=True)
    expected = theirs(leaf, torch.tensor(target), reduction=reduction, **LOSSES[name])
    expected.sum().backward()
    found = getattr(kernels, name + "_and_grad")(x, target, reduction=reduction, **LOSSES[name])
    tolerance = 10 * POINTWISE_LOSS[dtype]  # PyTorch adds float32 in float32
    for one, other in zip(found, (expected.detach().numpy(), leaf.grad.numpy()), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * np.abs(other).max())


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weight", [(3,), (4, 1), (4, 3), None])
@pytest.mark.parametrize("pos_weight", [(3,), (), None])
def test_weights_are_pytorchs(weight, pos_weight, dtype):
    torch = pytest.importorskip("torch")
    x, target = drawn((4, 3), dtype)
    target = np.abs(target) % 1
    rng = np.random.default_rng(1)
    args = {
        name: None if shape is None else np.asarray(rng.uniform(0.5, 2, shape), dtype)
        for name, shape in (("weight", weight), ("pos_weight", pos_weight))
    }
    for reduction in REDUCTIONS:
        leaf = torch.tensor(x, requires_grad=True)
        theirs = {name: None if w is None else torch.tensor(w) for name, w in args.items()}
        expected = torch.nn.functional.binary_cross_entropy_with_logits(
            leaf, torch.tensor(target), reduction=reduction, **theirs
        )
        expected.sum().backward()
        found = kernels.bce_with_logits_and_grad(x, target, reduction=reduction, **args)
        assert_same(found, (expected.detach().numpy(), leaf.grad.numpy()), dtype)


def test_small_losses_of_logits_keep_their_precision():
    x = np.array([-30.0, 30.0, -80.0], np.float32)
    loss, gx = kernels.bce_with_logits_and_grad(x, np.float32([0, 1, 0]), reduction="none")
    np.testing.assert_allclose(loss, np.exp(-np.abs(x.astype(float))), rtol=1e-6)
    np.testing.assert_allclose(gx, np.exp(-np.abs(x.astype(float))) * [1, -1, 1], rtol=1e-6)
    loss, gx = kernels.bce_with_logits_and_grad(x * 1e6, 0.5, reduction="none")
    np.testing.assert_array_equal(loss, np.abs(x) * np.float32(1e6) / 2)


@pytest.mark.parametrize("name", LOSSES)
def test_nan_and_infinity(name):
    x = np.array([np.nan, np.inf, -np.inf, 0.0])
    with np.errstate(all="ignore"):
        loss, gx = getattr(kernels, name + "_and_grad")(x, 0.5, reduction="none")
        assert np.isnan(loss[0])
        assert np.isnan(gx[0])
        np.testing.assert_array_equal(loss[1:3], np.inf)
        for variant in ("vector", "naive"):
            assert np.isnan(getattr(kernels, name)(x, 0.5, variant=variant))
            assert np.isnan(getattr(kernels, name)(x[:1], 0.5, variant=variant))


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_has_no_mean(name):
    empty = np.ones((0, 3))
    loss, gx = getattr(kernels, name + "_and_grad")(empty, empty)
    assert np.isnan(loss)
    assert gx.shape == (0, 3)
    assert getattr(kernels, name)(empty, empty, reduction="sum") == 0


def test_smooth_l1_with_beta_zero_is_l1():
    x, target = np.array([0.0, 1.0, -2.0]), np.zeros(3)
    found = kernels.smooth_l1_loss_and_grad(x, target, beta=0, reduction="none")
    for one, other in zip(found, kernels.l1_loss_and_grad(x, target, reduction="none"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_loss_does_not_depend_on_the_number_of_threads():
    x, target = drawn((4, 100, 100, 17), np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.bce_with_logits(x, target))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("suffix", ["", "_and_grad"])
@pytest.mark.parametrize("loss", LOSSES)
def test_bad_input_is_refused(loss, suffix):
    name, x = loss + suffix, np.ones((2, 3), np.float32)
    call = getattr(kernels, name)
    with pytest.raises(ValueError, match=rf"{name}: x and target expect one shape but got \(2, 3\) and \(3,\)"):
        call(x, x[0])
    with pytest.raises(TypeError, match=f"{name}: x and target expect one dtype"):
        call(x, x.astype(np.float64))
    with pytest.raises(TypeError, match=f"{name}: x expects float32 or float64"):
        call(x.astype(int), x.astype(int))
    for bad in ([1.0], None, True, "1"):
        with pytest.raises(TypeError, match=f"{name}: "):
            call(x, bad)
    with pytest.raises(ValueError, match=f"{name}: target expects a finite number but got nan"):
        call(x, float("nan"))
    with pytest.raises(ValueError, match=f"{name}: reduction expects"):
        call(x, x, reduction="median")


@pytest.mark.parametrize("suffix", ["", "_and_grad"])
def test_bad_parameters_are_refused(suffix):
    x = np.ones((2, 3), np.float32)
    for name, argument, value in (("huber_loss", "delta", 0), ("charbonnier_loss", "eps", 0.0)):
        with pytest.raises(ValueError, match=f"{name}{suffix}: {argument} expects a positive number but got 0"):
            getattr(kernels, name + suffix)(x, x, **{argument: value})
    with pytest.raises(ValueError, match=f"smooth_l1_loss{suffix}: beta expects at least 0 but got -1"):
        getattr(kernels, "smooth_l1_loss" + suffix)(x, x, beta=-1)
    bce = getattr(kernels, "bce_with_logits" + suffix)
    with pytest.raises(ValueError, match=r"weight expects a shape that broadcasts to \(2, 3\) but got \(2,\)"):
        bce(x, 1.0, weight=x[:, 0])
    with pytest.raises(TypeError, match="x and pos_weight expect one dtype but got float32 and float64"):
        bce(x, 1.0, pos_weight=np.ones(3))
    with pytest.raises(TypeError, match="expects a numpy"):
        bce(x, 1.0, weight=[1.0])
