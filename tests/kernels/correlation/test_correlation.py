"""Correlation along axes: every variant against the definition, and against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.correlation import CORRELATE1D, CORRELATE_SEPARABLE2D
from tilegrad.kernels.correlation.geometry import positions
from tilegrad.kernels.correlation.reference import MODES as CODES
from tilegrad.kernels.correlation.reference import border
from tolerances import CORRELATION_ROUNDINGS, EPS

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap", "grid-constant")


def bound(x, *weights):
    """Largest error that rounding explains: see tolerances.py."""
    largest = max(1.0, float(np.abs(x).max(initial=0)))
    for w in weights:
        largest *= max(1.0, float(np.abs(w).sum()))
    return (sum(map(len, weights)) + CORRELATION_ROUNDINGS) * EPS[x.dtype.name] * largest


@st.composite
def one_axis(draw):
    """An array, weights, and the keywords of a call."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 5, 8, 17, 33, 70]), min_size=1, max_size=3))
    taps = draw(st.integers(1, 21))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal(shape).astype(draw(st.sampled_from(["float32", "float64"])))
    keywords = {
        "axis": draw(st.integers(-len(shape), len(shape) - 1)),
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, -2.5])),
        "origin": draw(st.integers(-(taps // 2), (taps - 1) // 2)),
    }
    return x, rng.standard_normal(taps), keywords


@pytest.mark.parametrize("variant", ["rows", "naive"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", [CORRELATE1D, CORRELATE_SEPARABLE2D], ids=lambda o: o.name)
def test_variants_equal_the_definition(operation, dtype, variant):
    for case in operation.cases:
        rng = np.random.default_rng(7)
        x, *weights = [rng.standard_normal(shape) for shape in case["shapes"]]
        x = x.astype(dtype)
        keywords = {k: v for k, v in case.items() if k != "shapes"}
        function = getattr(kernels, operation.name)
        out = np.full(x.shape, np.nan, dtype)
        assert function(x, *weights, out=out, variant=variant, **keywords) is out
        expected = function(x, *weights, variant="reference", **keywords)
        np.testing.assert_allclose(out, expected, rtol=0, atol=bound(x, *weights), err_msg=str(case))


@pytest.mark.parametrize("mode", MODES)
def test_positions_are_those_of_the_border(mode):
    for n, before, after in ((1, 3, 4), (2, 5, 1), (3, 7, 8), (6, 0, 0), (6, 2, 30)):
        expected = [border(i, n, CODES[mode]) for i in range(-before, n + after)]
        np.testing.assert_array_equal(positions(n, before, after, mode), expected)


@pytest.mark.parity
@given(one_axis())
def test_correlate1d_equals_scipy(call):
    ndimage = pytest.importorskip("scipy.ndimage")
    x, weights, keywords = call
    expected = ndimage.correlate1d(x.astype(np.float64), weights, **keywords)
    np.testing.assert_allclose(kernels.correlate1d(x, weights, **keywords), expected, rtol=0, atol=bound(x, weights))


@pytest.mark.parity
@given(one_axis(), st.integers(1, 12))
def test_correlate_separable2d_equals_two_passes_of_scipy(call, taps):
    ndimage = pytest.importorskip("scipy.ndimage")
    x, column, keywords = call
    x = x.reshape(1, *x.shape) if x.ndim == 1 else x
    axis = keywords["axis"] % (x.ndim - 1)
    border = {"mode": keywords["mode"], "cval": keywords["cval"]}
    row = np.linspace(-1, 2, taps)
    between = ndimage.correlate1d(x.astype(np.float64), column, axis=axis, **border)
    expected = ndimage.correlate1d(between, row, axis=axis + 1, **border)
    ours = kernels.correlate_separable2d(x, column, row, axis=axis, **border)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=3 * bound(x, column, row))


def test_long_rows_are_computed_in_segments():
    x = np.random.default_rng(0).random((6, 2500))
    ours = kernels.correlate1d(x, [1.0, -2.0, 4.0], axis=0, mode="constant", cval=3.0)
    padded = np.pad(x, ((1, 1), (0, 0)), constant_values=3.0)
    np.testing.assert_allclose(ours, padded[:-2] - 2 * padded[1:-1] + 4 * padded[2:], rtol=1e-14)


def test_not_a_number_reaches_the_window_and_no_further():
    x = np.ones((20, 40), np.float32)
    x[10, 20] = np.nan
    y = kernels.correlate_separable2d(x, [1, 1, 1], [0, 1, 0, 0, 0])
    rows, columns = np.nonzero(np.isnan(y))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (9, 11, 18, 22)
    assert rows.size == 15


def test_infinity_propagates():
    y = kernels.correlate1d(np.array([0.0, np.inf, 0.0, 0.0, 0.0]), [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(y, [np.inf, np.inf, np.inf, 0.0, 0.0])


@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0), (3, 0, 2)])
def test_empty_arrays_stay_empty(shape):
    assert kernels.correlate1d(np.empty(shape), [1.0, 2.0]).shape == shape
    if len(shape) > 1:
        assert kernels.correlate_separable2d(np.empty(shape), [1.0], [1.0, 2.0]).shape == shape


@pytest.mark.parametrize("view", ["reversed", "fortran", "broadcast", "read-only", "sliced"])
def test_any_strides(view):
    x = np.random.default_rng(1).random((12, 36))
    x.flags.writeable = view != "read-only"
    seen = {
        "reversed": x[::-1, ::-1],
        "fortran": np.asfortranarray(x),
        "broadcast": np.broadcast_to(x[0], (12, 36)),
        "read-only": x,
        "sliced": x[1:, ::3],
    }[view]
    expected = kernels.correlate_separable2d(np.array(seen, order="C"), [1.0, 3.0], [2.0, 1.0, 5.0])
    np.testing.assert_array_equal(kernels.correlate_separable2d(seen, [1.0, 3.0], [2.0, 1.0, 5.0]), expected)


def test_other_shapes_compile_nothing():
    from tilegrad.kernels.machine.compile import compiled_kernels

    kernels.correlate_separable2d(np.ones((400, 200), np.float32), np.ones(5), np.ones(3))
    before = len(compiled_kernels)
    kernels.correlate_separable2d(np.ones((3, 70, 111, 2), np.float32), np.ones(8), np.ones(40), axis=1)
    kernels.correlate1d(np.ones((3, 5, 7), np.float32), np.ones(2), axis=1)
    assert len(compiled_kernels) == before


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (np.ones((4, 4), np.int32), [1.0]), {}, "x expects float32 or float64 but got int32"),
        (TypeError, ([[1.0]], [1.0]), {}, "expects a numpy.ndarray"),
        (TypeError, (np.ones(4), [1j]), {}, "weights expects real numbers"),
        (ValueError, (np.ones(4), []), {}, r"weights expects one axis of at least one number but got shape \(0,\)"),
        (ValueError, (np.ones(4), [[1.0]]), {}, r"got shape \(1, 1\)"),
        (ValueError, (np.array(1.0), [1.0]), {}, "x expects at least 1 axes"),
        (ValueError, (np.ones(4), [1.0]), {"axis": 1}, r"axis expects a value in \[-1, 1\) but got 1"),
        (TypeError, (np.ones(4), [1.0]), {"axis": 0.0}, "axis expects an integer"),
        (ValueError, (np.ones(4), [1.0]), {"mode": "symmetric"}, "mode expects one of 'constant'"),
        (TypeError, (np.ones(4), [1.0]), {"mode": 3}, "mode expects a string"),
        (TypeError, (np.ones(4), [1.0]), {"cval": "0"}, "cval expects a number"),
        (ValueError, (np.ones(4), [1.0, 2.0]), {"origin": 1}, r"origin expects a value in \[-1, 0\] for 2 weights"),
        (TypeError, (np.ones(4), [1.0, 2.0]), {"origin": 0.5}, "origin expects an integer"),
        (ValueError, (np.ones(4), [1.0]), {"out": np.empty(3)}, "out expects"),
        (ValueError, (np.ones(4), [1.0]), {"variant": "tiled"}, 'no variant "tiled"'),
    ],
)
def test_correlate1d_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"correlate1d: .*{message}"):
        kernels.correlate1d(*arguments, **keywords)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (np.ones(4), [1.0], [1.0]), {}, "x expects at least 2 axes"),
        (ValueError, (np.ones((4, 4)), [1.0], [1.0]), {"axis": -1}, "axis expects an axis with another behind it"),
        (ValueError, (np.ones((4, 4)), [], [1.0]), {}, "column expects one axis"),
        (TypeError, (np.ones((4, 4)), [1.0], ["a"]), {}, "row expects real numbers"),
        (TypeError, (np.ones((4, 4), bool), [1.0], [1.0]), {}, "x expects float32 or float64"),
    ],
)
def test_correlate_separable2d_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"correlate_separable2d: {message}"):
        kernels.correlate_separable2d(*arguments, **keywords)


def test_out_may_not_be_the_input():
    x = np.ones(5)
    with pytest.raises(ValueError, match="out shares memory with an input"):
        kernels.correlate1d(x, [1.0, 1.0], out=x)
