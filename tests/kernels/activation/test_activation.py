"""Activations and their gradients, against the definitions and PyTorch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tolerances import ACTIVATION_GRAD, EPS, TANH_SIGMOID_ULP

from tilegrad import kernels

NAMES = ["relu", "leaky_relu", "tanh", "sigmoid"]
DTYPES = ["float32", "float64"]


@st.composite
def arrays(draw):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=19))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from(DTYPES))
    x, gy = (np.asarray(rng.standard_normal(shape) * draw(st.sampled_from([1, 30])), dtype) for _ in range(2))
    if draw(st.booleans()):
        x, gy = x.T, gy.T
    return x, gy


def bound(name, dtype):
    return EPS[dtype] * (TANH_SIGMOID_ULP + 0.5 if name in ("tanh", "sigmoid") else 1.5)  # slope and product round


@given(call=arrays(), name=st.sampled_from(NAMES))
def test_activations_equal_the_definition(call, name):
    x, gy = call
    out = np.full(x.shape, np.nan, x.dtype)
    y = getattr(kernels, name)(x, out=out)
    assert y is out
    np.testing.assert_allclose(y, getattr(kernels, name)(x, variant="reference"), rtol=bound(name, x.dtype.name))
    gradient = getattr(kernels, name + "_grad")
    expected = gradient(gy, y, variant="reference")
    np.testing.assert_allclose(gradient(gy, y), expected, rtol=ACTIVATION_GRAD[x.dtype.name])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_compiled_definitions_equal_interpreted_ones(name, dtype):
    rng = np.random.default_rng(2)
    x, gy = rng.standard_normal((2, 5, 4, 3)).astype(dtype), rng.standard_normal((2, 5, 4, 3)).astype(dtype)
    function, gradient = getattr(kernels, name), getattr(kernels, name + "_grad")
    y = function(x, variant="reference")
    np.testing.assert_allclose(function(x, variant="naive"), y, rtol=2 * EPS[dtype])
    np.testing.assert_allclose(
        gradient(gy, y, variant="naive"), gradient(gy, y, variant="reference"), rtol=8 * EPS[dtype], atol=8 * EPS[dtype]
    )


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_activations_equal_pytorch(name, dtype):
    torch = pytest.importorskip("torch")
    function = {"leaky_relu": torch.nn.functional.leaky_relu}.get(name) or getattr(torch, name)
    args = {"negative_slope": 0.2} if name == "leaky_relu" else {}
    rng = np.random.default_rng(3)
    x, gy = rng.standard_normal((3, 9, 9, 8)).astype(dtype), rng.standard_normal((3, 9, 9, 8)).astype(dtype)
    x[0, 0, 0, :3] = 0, np.inf, -np.inf
    leaf = torch.tensor(x, requires_grad=True)
    expected = function(leaf, **args)
    expected.backward(torch.tensor(gy))
    y = getattr(kernels, name)(x, **args)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=2 * bound(name, dtype))
    gx = getattr(kernels, name + "_grad")(gy, y, **args)
    tolerance = 4 * ACTIVATION_GRAD[dtype]  # both results are rounded, and so are both y
    np.testing.assert_allclose(gx, leaf.grad.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_propagate(name, dtype):
    x = np.tile(np.array([np.nan, np.inf, -np.inf], dtype), 30)
    limits = {"relu": (np.inf, 0), "leaky_relu": (np.inf, -np.inf), "tanh": (1, -1), "sigmoid": (1, 0)}[name]
    np.testing.assert_array_equal(getattr(kernels, name)(x), np.tile(np.array([np.nan, *limits], dtype), 30))
    gradient = getattr(kernels, name + "_grad")
    assert np.isnan(gradient(np.full(50, np.nan, dtype), np.full(50, 0.5, dtype))).all()
    if name in ("tanh", "sigmoid"):
        assert np.isnan(gradient(np.full(50, 1, dtype), np.full(50, np.nan, dtype))).all()


@pytest.mark.parametrize("name", NAMES)
def test_out_may_be_an_input(name):
    x = np.linspace(-3, 3, 1000, dtype=np.float32)
    gy, y, buffer = np.ones_like(x), getattr(kernels, name)(x), x.copy()
    assert getattr(kernels, name)(buffer, out=buffer) is buffer
    np.testing.assert_array_equal(buffer, y)
    expected = getattr(kernels, name + "_grad")(gy, y)
    np.testing.assert_array_equal(getattr(kernels, name + "_grad")(gy, y, out=y), expected)


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_refused(name):
    function, gradient = getattr(kernels, name), getattr(kernels, name + "_grad")
    x = np.ones((2, 3), np.float32)
    for bad in (np.ones(3, np.int32), [1.0], 1.0):
        with pytest.raises(TypeError, match=f"{name}: "):
            function(bad)
    with pytest.raises(ValueError, match=rf"{name}_grad: gy and y expect one shape but got \(3,\) and \(2, 3\)"):
        gradient(x[0], x)
    with pytest.raises(TypeError, match=f"{name}_grad: gy and y expect one dtype"):
        gradient(x, x.astype(np.float64))
    with pytest.raises(ValueError, match=f"{name}: out shares memory"):
        function(x[0, :2], out=x[0, 1:])


def test_bad_slopes_are_refused():
    x = np.ones(3)
    with pytest.raises(TypeError, match="leaky_relu: negative_slope expects a number"):
        kernels.leaky_relu(x, negative_slope=None)
    with pytest.raises(ValueError, match="leaky_relu: negative_slope expects a finite number"):
        kernels.leaky_relu(x, negative_slope=np.nan)
    with pytest.raises(ValueError, match="leaky_relu_grad: negative_slope expects at least 0"):
        kernels.leaky_relu_grad(x, x, negative_slope=-0.1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softplus(dtype):
    x = np.concatenate([np.linspace(-80, 80, 2001), [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(dtype)
    y = kernels.softplus(x)
    np.testing.assert_allclose(y, kernels.softplus(x, variant="reference"), rtol=6 * EPS[dtype])
    np.testing.assert_array_equal(y[-3:], [np.inf, 0, np.nan])
    buffer = x.copy()
    np.testing.assert_array_equal(kernels.softplus(buffer, out=buffer), y)
    with pytest.raises(TypeError, match="softplus: x expects float32 or float64 but got int64"):
        kernels.softplus(np.ones(3, int))
