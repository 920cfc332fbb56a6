"""exp, log, log_one_plus, tanh and sigmoid against wider types, in units in the last place, and at the edges."""

import ctypes

import numba
import numpy as np
import pytest
from tilegrad.kernels.machine import polynomials
from tilegrad.kernels.machine.blocks import Template
from tilegrad.kernels.machine.compile import FAST_MATH, kernel
from tilegrad.kernels.machine.pointers import pointer
from tilegrad.kernels.machine.streams import read, write
from tilegrad.kernels.machine.threads import launch
from tolerances import EXP2_WEIGHT_ULP, EXP_LOG_ULP, LOG_ONE_PLUS_ULP, TANH_SIGMOID_ULP

FUNCTIONS = ["exp", "log", "log_one_plus", "tanh", "sigmoid"]
DTYPES = ["float32", "float64"]
WIDER = {"float32": np.float64, "float64": np.longdouble}


def _loop(name, dtype):
    function, real = getattr(polynomials, name + dtype[-2:]), getattr(numba, dtype)

    def worker(begin, end, slot, block):
        x, y = pointer(block[0], real), pointer(block[1], real)
        for i in range(begin, end):
            write(y, i, function(read(x, i)))

    return worker


@kernel(fastmath=False)
def exact_order(name, dtype):
    return _loop(name, dtype)


@kernel(fastmath=FAST_MATH)
def any_order(name, dtype):
    return _loop(name, dtype)


@kernel(fastmath=False)
def coarse_weights():
    weight = polynomials.exp2_weight8

    def worker(begin, end, slot, block):
        x, y = pointer(block[0], numba.float32), pointer(block[1], numba.float32)
        for i in range(begin, end):
            write(y, i, weight(read(x, i)))

    return worker


def apply(family, name, x):
    y = np.full_like(x, 7)
    block = Template(2, []).filled(x, y)
    launch(family.address(name, x.dtype.name), x.size, ctypes.addressof(block), x.size)
    return y


def definition(name, x):
    if name == "sigmoid":
        return np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x)))
    return np.log1p(x) if name == "log_one_plus" else getattr(np, name)(x)


def samples(name, dtype):
    rng = np.random.default_rng(5)
    limit = np.log(np.finfo(dtype).max)
    least = np.log(np.finfo(dtype).smallest_subnormal)
    if name == "log":
        return np.concatenate([np.exp(rng.uniform(least, limit, 100_000)), rng.uniform(0.4, 1.6, 100_000)])
    if name == "log_one_plus":
        return np.concatenate([np.exp(rng.uniform(least, 0, 100_000)), rng.uniform(0, 1, 100_000)])
    tiny = rng.standard_normal(50_000) * 10.0 ** rng.uniform(least / np.log(10), 0, 50_000)
    return np.concatenate([rng.uniform(least - 5, limit + 5, 50_000), rng.uniform(-25, 25, 100_000), tiny])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("family", [exact_order, any_order], ids=lambda f: f.make.__name__)
def test_errors_in_units_in_the_last_place(family, name, dtype):
    if dtype == "float64" and np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        pytest.skip("longdouble is no wider than float64 here")
    with np.errstate(all="ignore"):
        x = samples(name, dtype).astype(dtype)
        y = apply(family, name, x)
        expected = definition(name, x.astype(WIDER[dtype]))
        rounded = expected.astype(dtype)
        finite = np.isfinite(rounded) & (np.abs(rounded) < np.finfo(dtype).max / 2)
        unit = np.maximum(np.spacing(np.abs(rounded)), np.finfo(dtype).smallest_subnormal).astype(WIDER[dtype])
        error = np.abs(y.astype(WIDER[dtype]) - expected)[finite] / unit[finite]
    bounds = {"exp": EXP_LOG_ULP, "log": EXP_LOG_ULP, "log_one_plus": LOG_ONE_PLUS_ULP}
    assert error.max() <= bounds.get(name, TANH_SIGMOID_ULP)
    np.testing.assert_array_equal(np.isinf(y[~finite]), np.isinf(rounded[~finite]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "log_one_plus"])
@pytest.mark.parametrize("family", [exact_order, any_order], ids=lambda f: f.make.__name__)
def test_edges(family, name, dtype):
    x = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e5, -1e5], dtype)
    expected = {
        "exp": [np.nan, np.nan, np.inf, 0, 1, 1, np.inf, 0],
        "log": [np.nan, np.nan, np.inf, np.nan, -np.inf, -np.inf, np.log(1e5), np.nan],
        "tanh": [np.nan, np.nan, 1, -1, 0.0, -0.0, 1, -1],
        "sigmoid": [np.nan, np.nan, 1, 0, 0.5, 0.5, 1, 0],
    }[name]
    y = apply(family, name, x)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    if name == "tanh":
        np.testing.assert_array_equal(np.signbit(y[4:]), np.signbit(x[4:]))
        subnormal = np.full(1, np.finfo(dtype).smallest_subnormal, dtype)
        np.testing.assert_array_equal(apply(family, name, subnormal), subnormal)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family", [exact_order, any_order], ids=lambda f: f.make.__name__)
def test_log_one_plus_at_its_ends(family, dtype):
    x = np.array([0.0, np.finfo(dtype).smallest_subnormal, 1.0, np.nan], dtype)
    np.testing.assert_array_equal(apply(family, "log_one_plus", x), np.array([0, x[1], np.log(2), np.nan], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_two_that_are_weights(dtype):
    real = np.dtype(dtype).type
    least = -125 if dtype == "float32" else -1021
    x = np.linspace(least, 0, 100_003).astype(dtype)
    expected = np.exp2(x.astype(WIDER[dtype]))
    error = np.abs(apply(exact_order, "exp2_weight", x) - expected) / np.spacing(expected.astype(dtype))
    assert error.max() <= EXP2_WEIGHT_ULP
    edges = apply(exact_order, "exp2_weight", np.array([0, -0.0, -1, least - 50, -np.inf, np.nan], dtype))
    assert edges[:3].tolist() == [1, 1, 0.5]
    np.testing.assert_allclose(edges[3:5], real(2) ** real(least), rtol=1e-5)
    assert np.isnan(edges[5])


def test_coarse_powers_of_two_serve_bytes():
    """Their error moves a mean of bytes by a hundredth at most."""
    x = np.linspace(-125, 0, 100_003).astype(np.float32)

    y = np.full_like(x, 7)
    block = Template(2, []).filled(x, y)
    launch(coarse_weights.address(), x.size, ctypes.addressof(block), x.size)
    np.testing.assert_allclose(y, np.exp2(x.astype(np.float64)), rtol=6e-5)
