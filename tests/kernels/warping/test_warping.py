"""Warps: against their definition, their adjoint, and on places and matrices that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import SEPARABLE

from tilegrad import kernels

# Each compiles its own kernel; the declared cases have the others.
MODES = ("nearest-exact", "nearest-even", "bilinear", "catmull-rom")


@st.composite
def calls(draw, dtype="float64"):
    shape = draw(st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 6), st.integers(1, 3)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.1, 3.0]))
    matrix = np.eye(3) + random.uniform(-spread, spread, draw(st.sampled_from([(3, 3), (shape[0], 3, 3)])))
    size = draw(st.sampled_from([None, 4, (3, 7), (1, 0)]))
    how = {
        "mode": draw(st.sampled_from(MODES)),
        "border": draw(st.sampled_from(["constant", "nearest", "reflect", "mirror", "wrap"])),
    }
    return random.standard_normal(shape), matrix, size, how


@given(calls())
def test_equals_the_definition(call):
    x, matrix, size, how = call
    y = kernels.warp2d(x, matrix, size, cval=0.7, **how)
    expected = kernels.warp2d(x, matrix, size, cval=0.7, **how, variant="reference")
    np.testing.assert_allclose(y, expected, rtol=0, atol=10 * SEPARABLE["float64"])


@given(calls())
def test_the_gradient_is_adjoint(call):
    x, matrix, size, how = call
    y = kernels.warp2d(x, matrix, size, **how)
    gy = np.random.default_rng(1).standard_normal(y.shape)
    gx = kernels.warp2d_grad(gy, matrix, x.shape, **how, out=np.full_like(x, np.nan))
    assert np.vdot(y, gy) == pytest.approx(np.vdot(x, gx), abs=1e-12 * (1 + np.abs(gy).sum()))


def test_of_two_pixels_the_even_one_from_a_place_in_float32():
    x = np.arange(8.0).reshape(1, 1, 8, 1)
    for shift, expected in ((0.5, [0, 2, 2, 4, 4, 6]), (0.5 + 1e-12, [0, 2, 2, 4, 4, 6]), (0.5 + 1e-6, range(1, 7))):
        y = kernels.warp2d(x, [[1, 0, shift], [0, 1, 0], [0, 0, 1]], (1, 6), mode="nearest-even")
        np.testing.assert_array_equal(y.ravel(), expected)


def test_the_identity_and_a_shift_copy():
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3))
    for mode in MODES:
        np.testing.assert_array_equal(kernels.warp2d(x, np.eye(3), mode=mode), x)
    moved = kernels.warp2d(x, [[1, 0, 2], [0, 1, -1], [0, 0, 1]], border="wrap")
    np.testing.assert_array_equal(moved, np.roll(x, (1, -2), axis=(1, 2)))


def test_a_nan_reaches_those_that_take_it_alone():
    x = np.zeros((1, 5, 5, 1))
    x[0, 2, 2] = np.nan
    y = kernels.warp2d(x, [[1, 0, 0.5], [0, 1, 0], [0, 0, 1]])[0, :, :, 0]
    np.testing.assert_array_equal(np.argwhere(np.isnan(y)), [[2, 1], [2, 2]])
    outside = kernels.warp2d(np.ones((1, 2, 3, 1)), np.eye(3), (2, 5), cval=np.nan)[0, 0, :, 0]
    np.testing.assert_array_equal(outside, [1, 1, 1, np.nan, np.nan])


@pytest.mark.parametrize("border", ["constant", "nearest", "reflect", "mirror", "wrap"])
@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.diag([1e300, -np.inf, 1.0])])
def test_places_that_are_none_stay_inside_of_memory(matrix, border):
    with np.errstate(all="ignore"):
        y = kernels.warp2d(np.ones((1, 4, 5, 1)), matrix, border=border, cval=1.0)
        kernels.warp2d_grad(y, matrix, y.shape, border=border)
    np.testing.assert_array_equal(y, 1)


X = np.ones((2, 4, 5, 1))


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (X, np.eye(2)), {}, r"matrix expects shape \(3, 3\) or \(2, 3, 3\) but got \(1, 2, 2\)"),
        (ValueError, (X, np.ones((3, 3, 3))), {}, r"matrix expects shape \(3, 3\) or \(2, 3, 3\)"),
        (TypeError, (X, np.eye(3).astype(str)), {}, "matrix expects real numbers"),
        (ValueError, (X, np.eye(3)), {"mode": "area"}, "mode expects one of 'bilinear'"),
        (ValueError, (X, np.eye(3)), {"border": "edge"}, "mode expects one of 'constant'"),
        (ValueError, (X[:, :0], np.eye(3)), {}, "x expects at least one pixel"),
        (ValueError, (X, np.eye(3), -1), {}, "size expects values of at least 0"),
        (TypeError, (X.astype(int), np.eye(3)), {}, "x expects float32 or float64"),
    ],
)
def test_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"warp2d: {message}"):
        kernels.warp2d(*arguments, **keywords)


def test_the_gradient_refuses_another_batch():
    with pytest.raises(ValueError, match="warp2d_grad: gy expects N and C of the input"):
        kernels.warp2d_grad(X, np.eye(3), (1, 4, 5, 1))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest-exact", "nearest-even", "bicubic"])
@pytest.mark.parametrize("border", ["constant", "mirror"])
def test_long_rows_of_affine_maps_equal_the_definition(dtype, mode, border):
    """Rows that begin outside the image, cross it for longer than is computed together, and leave it."""
    random = np.random.default_rng(0)
    x = (random.uniform(-1, 1, (1, 40, 1200, 3)) * 200).astype(dtype)
    if x.dtype.kind == "f":
        x[0, 7, 100] = np.nan
    for matrix in ([[1.0, 0.1, -30.5], [0.01, 0.9, -2.25]], [[-0.7, 0, 1000.0], [0.02, -1, 30]], np.eye(3)[:2]):
        full = np.vstack([matrix, [0, 0, 1]])
        for channels in (1, 2, 3):
            part = np.ascontiguousarray(x[..., :channels])
            found = kernels.warp2d(part, full, (45, 1300), mode=mode, border=border, cval=7.0)
            wide = part if x.dtype.kind == "f" else part.astype(np.float64)
            expected = kernels.warp2d(wide, full, (45, 1300), mode=mode, border=border, cval=7.0, variant="naive")
            if x.dtype.kind != "f":
                expected = np.clip(expected, np.iinfo(dtype).min, np.iinfo(dtype).max)
            # Of numbers up to 200; integers are the nearest, of two as near as float32 can tell, either.
            bound = {"float32": 1e-3, "float64": 1e-11}.get(dtype, 0.5 + 1e-3)
            np.testing.assert_allclose(found.astype(np.float64), expected, rtol=0, atol=bound)
