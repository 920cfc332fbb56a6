"""Batch normalisation: statistics, running statistics, gradients, offsets, and PyTorch beside it."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import BATCH_NORM, BATCH_NORM_GRAD

from tilegrad import kernels

ACTIVATIONS = [None, "relu", "leaky_relu", "tanh", "sigmoid"]
DTYPES = ["float32", "float64"]


class Call:
    """Drawn arguments: arrays of one dtype, weight and bias perhaps absent."""

    def __init__(self, shape, dtype, activation, seed=0, affine=True):
        rng = np.random.default_rng(seed)
        self.shape, self.dtype, self.activation = shape, dtype, activation
        self.x = (rng.standard_normal(shape) * 2 + 3).astype(dtype)
        self.gy = rng.standard_normal(shape).astype(dtype)
        self.mean, self.weight, self.bias = (rng.standard_normal(shape[-1]).astype(dtype) for _ in range(3))
        self.var = (rng.random(shape[-1]) + 0.5).astype(dtype)
        if not affine:
            self.weight = self.bias = None
        self.keywords = {"activation": activation, "negative_slope": 0.2}

    def apply(self, **more):
        return kernels.batch_norm(self.x, self.mean, self.var, self.weight, self.bias, **self.keywords, **more)

    def train(self, **more):
        return kernels.batch_norm_train(self.x, self.weight, self.bias, **self.keywords, **more)

    def grad(self, y, mean, inverse_std, affine, **more):
        more["affine"] = None if self.activation is None else affine
        return kernels.batch_norm_grad(self.gy, self.x, mean, inverse_std, self.weight, **self.keywords, **more)


@st.composite
def calls(draw):
    lead = draw(st.lists(st.sampled_from([1, 2, 3, 7, 13]), min_size=1, max_size=3))
    if np.prod(lead) < 2:
        lead[0] = 2
    channels = draw(st.sampled_from([1, 2, 3, 8, 31, 32, 33, 64, 257]))
    dtype, activation = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(ACTIVATIONS))
    return Call((*lead, channels), dtype, activation, draw(st.integers(0, 2**32 - 1)), draw(st.booleans()))


def assert_close(actual, expected, tolerance, largest=1.0):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * max(largest, 1.0))


def check_against(call, variant):
    """Every result of the fast variant against the named one."""
    tolerance = BATCH_NORM[call.dtype]
    out = np.full(call.shape, np.nan, call.dtype)
    assert call.apply(out=out) is out
    assert_close(out, call.apply(variant=variant), tolerance, 30)
    expected = call.train(variant=variant)
    # The scale of y: where a channel hardly varies, its normalised rounding errors are large.
    spread = float(np.max(expected[2], initial=1)) * 10
    poisoned = np.full(call.shape, np.nan, call.dtype)
    results = call.train(out=poisoned)
    assert results[0] is poisoned
    for actual, wanted in zip(results, expected, strict=True):
        assert_close(actual, wanted, tolerance, spread)
    gradients = call.grad(*expected)
    for actual, wanted in zip(gradients, call.grad(*expected, variant=variant), strict=True):
        largest = spread * float(np.abs(wanted).max(initial=1))
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=BATCH_NORM_GRAD[call.dtype] * largest)


@given(call=calls())
def test_the_last_pass_alone_has_the_bits_of_training(call):
    y, mean, _, affine = call.train()
    out = np.full(call.shape, np.nan, call.dtype)
    assert kernels.batch_norm_apply(call.x, mean, affine, out=out, **call.keywords) is out
    np.testing.assert_array_equal(out, y)
    expected = kernels.batch_norm_apply(call.x, mean, affine, variant="naive", **call.keywords)
    assert_close(out, expected, BATCH_NORM[call.dtype], np.abs(expected).max())


@given(call=calls().filter(lambda call: call.x.size < 3000))
def test_equals_the_definition(call):
    check_against(call, "reference")


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2, 40, 40, 3), (4, 20, 20, 64), (700, 513)])
def test_equals_the_compiled_definition_on_large_arrays(shape, dtype, activation):
    if shape[-1] == 513 and activation in ("relu", "sigmoid"):
        pytest.skip("wide arrays take the same loops with every activation")
    check_against(Call(shape, dtype, activation), "naive")


@pytest.mark.parity
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_pytorch(dtype, activation):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    call = Call((3, 9, 8, 12), dtype, activation)
    leaves = [torch.tensor(a.astype(np.float64), requires_grad=True) for a in (call.x, call.weight, call.bias)]
    x, weight, bias = leaves
    mean, var = torch.tensor(call.mean.astype(np.float64)), torch.tensor(call.var.astype(np.float64))
    activate = {
        None: lambda t: t, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
        "leaky_relu": lambda t: functional.leaky_relu(t, 0.2),
    }[activation]  # fmt: skip

    def torch_norm(training):
        return activate(functional.batch_norm(x.reshape(-1, 12), mean, var, weight, bias, training, 0.3)).reshape(
            x.shape
        )

    tolerance = 4 * BATCH_NORM[dtype]
    assert_close(call.apply(), torch_norm(training=False).detach(), tolerance)
    expected = torch_norm(training=True)
    running_mean, running_var = call.mean.copy(), call.var.copy()
    results = call.train(running_mean=running_mean, running_var=running_var, momentum=0.3)
    assert_close(results[0], expected.detach(), tolerance)
    assert_close(running_mean, mean, tolerance)
    assert_close(running_var, var, tolerance, 10)
    expected.backward(torch.tensor(call.gy.astype(np.float64)))
    for actual, leaf in zip(call.grad(*results), leaves, strict=True):
        assert_close(actual, leaf.grad, BATCH_NORM_GRAD[dtype], float(leaf.grad.abs().max()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("first", [1000.0, 0.0])
def test_an_offset_does_not_harm_the_variance(dtype, first):
    amplitude = 0.01
    x = (1000 + amplitude * np.random.default_rng(1).standard_normal((4, 30, 30, 16))).astype(dtype)
    x[0, 0, 0] = first  # the number that the others are taken relative to need not be a typical one
    wide = x.astype(np.float64).reshape(-1, 16)
    expected = (wide - wide.mean(0)) / wide.std(0)
    y, mean, inverse_std, _ = kernels.batch_norm_train(x, eps=0.0)
    np.testing.assert_allclose(inverse_std, 1 / wide.std(0), rtol=1e-6)
    np.testing.assert_allclose(mean, wide.mean(0), rtol=1e-7)
    np.testing.assert_allclose(y.reshape(-1, 16), expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("activation", [None, "relu"])
def test_results_do_not_depend_on_the_number_of_threads(activation):
    call = Call((8, 30, 30, 64), "float32", activation)
    before, runs = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results = call.train()
            runs.append((*results, *call.grad(*results), call.apply()))
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_constant_channel_is_centred():
    y, mean, inverse_std, _ = kernels.batch_norm_train(np.full((5, 2), 0.1, np.float32))
    np.testing.assert_array_equal(y, np.zeros((5, 2)))
    np.testing.assert_allclose(inverse_std, 1 / np.sqrt(1e-5), rtol=1e-6)
    np.testing.assert_array_equal(mean, np.full(2, 0.1, np.float32))


def test_nan_and_infinity_stay_in_their_channel():
    x = np.random.default_rng(1).standard_normal((50, 40)).astype(np.float32)
    x[7, 3], x[8, 5] = np.nan, np.inf
    bias = np.arange(40, dtype=np.float32)
    y, mean, inverse_std, affine = kernels.batch_norm_train(x, None, bias, activation="relu")
    spoiled = np.isnan(y).all(0)
    assert list(np.flatnonzero(spoiled)) == [3, 5]
    assert np.isnan(mean[3])
    assert np.isnan(inverse_std[[3, 5]]).all()
    assert list(np.flatnonzero(np.isnan(affine[0]))) == [3, 5]
    np.testing.assert_allclose(affine[1], bias, atol=1e-6)  # the offset is the bias, which nothing has spoiled


def test_strided_input_equals_contiguous_input():
    call = Call((6, 5, 4, 3), "float32", "leaky_relu")
    expected = call.train()
    call.x = np.asfortranarray(call.x)
    for actual, wanted in zip(call.train(), expected, strict=True):
        np.testing.assert_array_equal(actual, wanted)


def test_refused_calls_leave_running_statistics_alone():
    call = Call((4, 3), "float32", None)
    running = {"running_mean": call.mean.copy(), "running_var": call.var.copy()}
    with pytest.raises(ValueError, match=r"batch_norm_train: weight expects \(3,\) but got \(2,\)"):
        kernels.batch_norm_train(call.x, np.ones(2, np.float32), **running)
    with pytest.raises(ValueError, match="batch_norm_train: expects more than one value per channel but got 1"):
        kernels.batch_norm_train(call.x[:1], **running)
    with pytest.raises(ValueError, match="batch_norm_train: momentum expects 0 to 1"):
        kernels.batch_norm_train(call.x, **running, momentum=2.0)
    frozen = call.var.copy()
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="batch_norm_train: running_var expects a writeable array"):
        kernels.batch_norm_train(call.x, running_mean=running["running_mean"], running_var=frozen)
    with pytest.raises(ValueError, match=r"running_mean expects \(3,\) float32 but got \(3,\) float64"):
        kernels.batch_norm_train(call.x, running_mean=call.mean.astype(np.float64))
    np.testing.assert_array_equal(running["running_mean"], call.mean)
    np.testing.assert_array_equal(running["running_var"], call.var)


def test_bad_input_is_refused():
    call = Call((4, 3), "float32", "relu")
    _, mean, inverse_std, affine = call.train()
    with pytest.raises(ValueError, match=r"batch_norm: x expects at least two axes \(..., C\) but got shape \(3,\)"):
        kernels.batch_norm(call.x[0], call.mean, call.var)
    with pytest.raises(TypeError, match="batch_norm: var expects an array but got None"):
        kernels.batch_norm(call.x, call.mean, None)
    with pytest.raises(TypeError, match="batch_norm: mean expects float32 as x has but got float64"):
        kernels.batch_norm(call.x, call.mean.astype(np.float64), call.var)
    with pytest.raises(ValueError, match="batch_norm: activation expects one of"):
        kernels.batch_norm(call.x, call.mean, call.var, activation="gelu")
    with pytest.raises(ValueError, match="batch_norm: eps expects at least 0"):
        kernels.batch_norm(call.x, call.mean, call.var, eps=-1.0)
    with pytest.raises(ValueError, match="batch_norm: out shares memory"):
        kernels.batch_norm(call.x, call.mean, call.var, out=call.x)
    with pytest.raises(TypeError, match="batch_norm_apply: affine expects an array but got None"):
        kernels.batch_norm_apply(call.x, mean, None)
    with pytest.raises(ValueError, match=r"batch_norm_apply: affine expects shape \(2, 3\) but got \(3,\)"):
        kernels.batch_norm_apply(call.x, mean, affine[0])
    with pytest.raises(TypeError, match="batch_norm_apply: affine expects float32 as x has but got float64"):
        kernels.batch_norm_apply(call.x, mean, affine.astype(np.float64))
    for bad in (call.x.astype(int), [[1.0]], None):
        with pytest.raises(TypeError, match="batch_norm_train: "):
            kernels.batch_norm_train(bad)
    with pytest.raises(ValueError, match="batch_norm_grad: expects affine and activation together"):
        kernels.batch_norm_grad(call.gy, call.x, mean, inverse_std, activation="relu")
    with pytest.raises(ValueError, match=r"batch_norm_grad: gy expects shape \(4, 3\) but got \(3, 3\)"):
        kernels.batch_norm_grad(call.gy[:3], call.x, mean, inverse_std)
    with pytest.raises(ValueError, match="batch_norm_grad: negative_slope expects at least 0"):
        kernels.batch_norm_grad(
            call.gy, call.x, mean, inverse_std, affine=affine, activation="leaky_relu", negative_slope=-0.5
        )
