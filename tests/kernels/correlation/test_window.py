"""Correlation with weights of two axes and its gradients: against the definitions, SciPy, and each other."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tolerances import CORRELATION_ROUNDINGS, EPS

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")


@st.composite
def calls(draw, types=("float32", "float64")):
    """Images, weights, and the keywords that the operation and its gradients share."""
    shape = (draw(st.integers(1, 2)), *(draw(st.sampled_from([1, 2, 3, 7, 20, 40])) for _ in range(2)))
    shape = (*shape, draw(st.integers(1, 3)))
    taps = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = (rng.standard_normal(shape) * 50).astype(draw(st.sampled_from(types)))
    origin = tuple(draw(st.integers(-(n // 2), (n - 1) // 2)) for n in taps)
    return x, rng.standard_normal(taps), {"mode": draw(st.sampled_from(MODES)), "origin": origin}


def bound(dtype, taps, *arrays):
    """Largest error that rounding explains: see tolerances.py."""
    return (taps + CORRELATION_ROUNDINGS) * EPS[dtype.name] * np.prod([np.abs(a).sum() + 1 for a in arrays])


@pytest.mark.parity
@given(calls(), st.sampled_from([0.0, -2.5]))
def test_equals_scipy(call, cval):
    ndimage = pytest.importorskip("scipy.ndimage")
    x, weights, keywords = call
    out = np.full(x.shape, np.nan, x.dtype)
    assert kernels.correlate2d(x, weights, cval=cval, out=out, **keywords) is out
    wide, window = x.astype(np.float64), weights[None, :, :, None]
    origin = (0, *keywords["origin"], 0)
    border = {"mode": keywords["mode"], "cval": cval, "origin": origin}
    expected = ndimage.correlate(wide, window, **border)
    sizes = ndimage.correlate(np.abs(wide), np.abs(window), **{**border, "cval": abs(cval)})
    error = (weights.size + CORRELATION_ROUNDINGS) * EPS[x.dtype.name] * sizes
    assert (np.abs(out - expected) <= error).all()


@given(calls(types=("float64",)), st.integers(0, 2**32 - 1))
@example((np.ones((1, 70, 3, 1)), np.ones((3, 2)), {"mode": "mirror", "origin": (0, 0)}), 0)  # three bands of rows
def test_the_gradients_are_the_adjoints(call, seed):
    """<A x, y> = <x, A' y> in the images, and the same in the weights, for every border."""
    x, weights, keywords = call
    y = np.random.default_rng(seed).standard_normal(x.shape)
    forward = np.vdot(kernels.correlate2d(x, weights, **keywords), y)
    back = kernels.correlate2d_input_grad(y, weights, **keywords)
    assert abs(forward - np.vdot(x, back)) <= bound(x.dtype, weights.size, weights, x) * np.abs(y).max()
    back = kernels.correlate2d_weight_grad(y, x, weights.shape, **keywords)
    assert abs(forward - np.vdot(weights, back)) <= bound(x.dtype, weights.size, weights, x) * np.abs(y).max()


@pytest.mark.parametrize("mode", MODES)
def test_the_gradients_equal_the_definitions(mode):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 2, 6, 3, 2))
    weights = rng.standard_normal((4, 9))
    for function, arguments in (
        (kernels.correlate2d_input_grad, (y, weights)),
        (kernels.correlate2d_weight_grad, (y, x, weights.shape)),
    ):
        expected = function(*arguments, mode=mode, origin=(1, -2), variant="reference")
        out = np.full(expected.shape, np.nan)
        function(*arguments, mode=mode, origin=(1, -2), out=out)
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("source", "target"), [("uint8", "uint8"), ("uint8", "int16"), ("uint16", "uint16")])
def test_integers_are_rounded_to_even_and_saturate(source, target):
    """Weights that are sums of powers of two: the sums are exact, so nothing is left to rounding."""
    rng = np.random.default_rng(2)
    info = np.iinfo(source)
    x = rng.integers(info.min, info.max, (2, 9, 40, 3), source, endpoint=True)
    weights = np.array([[-1, 0.5, 0.25], [1.5, -0.75, 2]]) * (1 if source == target else 64)
    out = np.full(x.shape, 7, target)
    kernels.correlate2d(x, weights, mode="mirror", delta=0.5, dtype=target, out=out)
    sums = kernels.correlate2d(x.astype(np.float64), weights, mode="mirror", delta=0.5)
    limits = np.iinfo(target)
    expected = np.clip(np.rint(sums), limits.min, limits.max)
    assert (sums != expected).mean() > 0.5
    assert (expected == limits.max).any()
    assert (sums % 1 == 0.5).any()
    np.testing.assert_array_equal(out, expected)
    definition = kernels.correlate2d(x, weights, mode="mirror", delta=0.5, dtype=target, variant="naive")
    np.testing.assert_array_equal(definition, expected)


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize(
    ("source", "target"), [("float32", "float32"), ("float64", "float64"), ("uint8", "int16"), ("int16", "float64")]
)
def test_blocks_of_rows_equal_single_rows(source, target, side):
    """Bit for bit: bands and blocks that are not full, rows that end anywhere in a vector, all borders."""
    rng = np.random.default_rng(side)
    for shape, mode in zip(
        ((1, 1, 16, 1), (2, 35, 17, 1), (1, 38, 49, 1), (1, 6, 20, 3), (1, 66, 31, 2)), MODES, strict=True
    ):
        x = (rng.standard_normal(shape) * 50 + 100).astype(source)
        if source[0] == "f":
            x[0, shape[1] // 2, 3, 0] = np.nan
        weights, out = rng.standard_normal((side, side)), np.full(shape, 7, target)
        keywords = {"mode": mode, "cval": 2.0, "delta": 0.5 * (shape[1] % 2), "dtype": target, "origin": (1, -1)}
        kernels.correlate2d(x, weights, out=out, variant="blocks", **keywords)
        expected = kernels.correlate2d(x, weights, variant="rows", **keywords)
        np.testing.assert_array_equal(out, expected, err_msg=f"{shape} {mode}")


def test_not_a_number_reaches_the_window_and_no_further():
    x = np.ones((1, 20, 40, 2), np.float32)
    x[0, 10, 20, 1] = np.nan
    y = kernels.correlate2d(x, [[0, 1, 0], [0, 0, 0]])
    rows, columns = np.nonzero(np.isnan(y[0, :, :, 1]))
    assert sorted(zip(rows, columns, strict=True)) == [(r, c) for r in (10, 11) for c in (19, 20, 21)]
    assert not np.isnan(y[..., 0]).any()
    least = kernels.correlate2d(x, [[1.0]], dtype="int16")
    assert least[0, 10, 20, 1] == -32768
    assert (least == 1).sum() == x.size - 1


@pytest.mark.parametrize("shape", [(0, 3, 3, 1), (1, 0, 3, 1), (1, 3, 0, 1), (1, 3, 3, 0)])
def test_empty_images(shape):
    x = np.empty(shape)
    assert kernels.correlate2d(x, np.ones((3, 3))).shape == shape
    assert kernels.correlate2d_input_grad(x, np.ones((3, 3))).shape == shape
    np.testing.assert_array_equal(kernels.correlate2d_weight_grad(x, x, (2, 3)), np.zeros((2, 3)))


def test_any_strides():
    x = np.random.default_rng(3).random((2, 12, 36, 2))
    expected = kernels.correlate2d(x[:, ::-1, ::-3].copy(), np.ones((2, 3)))
    x.flags.writeable = False
    np.testing.assert_array_equal(kernels.correlate2d(x[:, ::-1, ::-3], np.ones((2, 3))), expected)


X = np.ones((1, 4, 5, 1))


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (X.astype(np.int32), [[1.0]]), {}, "x expects one of float32, .* but got int32"),
        (ValueError, (X[0], [[1.0]]), {}, r"x expects \(N, H, W, C\) but got shape \(4, 5, 1\)"),
        (ValueError, (X, [1.0]), {}, r"weights expects two axes of at least one number but got shape \(1,\)"),
        (TypeError, (X, [["a"]]), {}, "weights expects real numbers"),
        (ValueError, (X, np.ones((3, 3))), {"origin": (2, 0)}, r"origin expects values in \[-1, 1\] for 3 weights"),
        (ValueError, (X, [[1.0]]), {"origin": (0, 0, 0)}, "origin expects an integer or 2 of them"),
        (TypeError, (X, [[1.0]]), {"origin": 0.0}, "origin expects integers"),
        (ValueError, (X, [[1.0]]), {"mode": "symmetric"}, "mode expects one of"),
        (TypeError, (X, [[1.0]]), {"delta": "1"}, "delta expects a number"),
        (TypeError, (X, [[1.0]]), {"dtype": "int64"}, "dtype expects one of"),
        (TypeError, (X, [[1.0]]), {"dtype": "no type"}, "dtype expects one of"),
        (ValueError, (X, [[1.0]]), {"out": X}, "out shares memory"),
    ],
)
def test_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"correlate2d: {message}"):
        kernels.correlate2d(*arguments, **keywords)


def test_gradients_refuse():
    with pytest.raises(ValueError, match="correlate2d_weight_grad: gy expects"):
        kernels.correlate2d_weight_grad(X[:, 1:], X, (1, 1))
    with pytest.raises(TypeError, match="correlate2d_weight_grad: weight_shape expects two integers"):
        kernels.correlate2d_weight_grad(X, X, 3)
    with pytest.raises(TypeError, match="correlate2d_input_grad: gy expects float32 or float64"):
        kernels.correlate2d_input_grad(X.astype(np.uint8), [[1.0]])
