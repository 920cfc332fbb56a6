"""Interpolation against its definition and PyTorch; its adjoint; bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.correlation.reference import MODES as BORDERS
from tilegrad.kernels.interpolation.reference import MODES
from tolerances import INTERPOLATION, SEPARABLE

from tilegrad import kernels

DTYPES = ["float32", "float64"]


SHAPES = st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 16, 33]))
# Wide enough for taps to lie in windows of two registers, or, far apart, not to.
WIDE = st.tuples(st.just(1), st.integers(1, 9), st.integers(1, 80), st.sampled_from([1, 2, 3, 17]))


@st.composite
def resizings(draw, modes=MODES, borders=tuple(BORDERS), shapes=SHAPES):
    """The shape of an image and what size it gets: odd sizes, single rows and columns, up, down and fractions."""
    shape = draw(shapes)
    how = {"mode": draw(st.sampled_from(modes))}
    if draw(st.booleans()):
        how["size"] = draw(st.tuples(st.integers(1, 20), st.integers(1, 20) | st.integers(1, 150)))
    else:
        how["scale_factor"] = draw(st.sampled_from([1, 2, 3.0, 1.5, (2.5, 1), (4, 1.25)]))
        if borders and draw(st.booleans()):  # PyTorch takes either; here the size may round a fraction up
            how["scale_factor"] = down, along = draw(st.sampled_from([(0.5, 0.5), (1.5, 0.25), (2.5, 1)]))
            how["size"] = math.ceil(down * shape[1]), math.ceil(along * shape[2])
    variations = [{}]
    if how["mode"] in ("bilinear", "bicubic"):
        variations += [{"align_corners": True}, {"antialias": True}]
    elif how["mode"] == "area":
        variations.append({"align_corners": True})
    how.update(draw(st.sampled_from(variations)))
    if how["mode"] not in ("nearest", "nearest-below", "area") and len(how) == 2 and borders:
        how["border"] = draw(st.sampled_from(borders))
        how["margin"] = draw(
            st.sampled_from([0, 1, (0, 2)]).filter(lambda margin: min(shape[1:3]) > 2 * np.max(margin))
        )
    return shape, how


def images(shape, dtype, how):
    """An image, and a gradient by what it becomes."""
    random = np.random.default_rng(0)
    x = random.standard_normal(shape).astype(dtype)
    return x, random.standard_normal(kernels.interpolate(x, **how).shape).astype(dtype)


@given(call=resizings(shapes=SHAPES | WIDE), dtype=st.sampled_from(DTYPES))
def test_equals_the_definition(call, dtype):
    shape, how = call
    x, gy = images(shape, dtype, how)
    tolerance = {"rtol": SEPARABLE[dtype], "atol": SEPARABLE[dtype] * 10}
    y = kernels.interpolate(x, **how, out=np.full_like(gy, 9))
    expected = kernels.interpolate(x, **how, variant="reference" if gy.size < 300 else "naive")
    np.testing.assert_allclose(y, expected, **tolerance)
    tolerance["atol"] *= max(1, gy.size / x.size)  # a sum has as many terms
    definition = kernels.interpolate_grad(gy, shape, **how, variant="naive")
    np.testing.assert_allclose(kernels.interpolate_grad(gy, shape, **how), definition, **tolerance)


@pytest.mark.parity
@given(call=resizings(("nearest", "bilinear", "bicubic"), ()), dtype=st.sampled_from(DTYPES))
def test_equals_pytorch(call, dtype):
    torch = pytest.importorskip("torch")
    shape, how = call
    x, gy = images(shape, dtype, how)
    leaf = torch.from_numpy(x).permute(0, 3, 1, 2).clone().requires_grad_()
    expected = torch.nn.functional.interpolate(leaf, **how)
    tolerance = {"rtol": INTERPOLATION[dtype], "atol": INTERPOLATION[dtype] * 10}
    np.testing.assert_allclose(
        kernels.interpolate(x, **how), expected.detach().permute(0, 2, 3, 1).numpy(), **tolerance
    )
    expected.backward(torch.from_numpy(gy).permute(0, 3, 1, 2))
    expected = leaf.grad.permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(kernels.interpolate_grad(gy, shape, **how), expected, **tolerance)


@given(call=resizings())
def test_the_gradient_is_adjoint(call):
    shape, how = call
    x, gy = images(shape, "float64", how)
    gx = kernels.interpolate_grad(gy, shape, **how)
    assert np.vdot(kernels.interpolate(x, **how), gy) == pytest.approx(np.vdot(x, gx), abs=1e-10)


@pytest.mark.parametrize("mode", MODES)
def test_a_constant_stays_one_and_an_empty_batch_empty(mode):
    x = np.full((1, 5, 7, 3), 2.5, np.float32)
    np.testing.assert_allclose(kernels.interpolate(x, (13, 4), mode=mode), 2.5, rtol=SEPARABLE["float32"])
    assert kernels.interpolate(x[:0], scale_factor=2, mode=mode).shape == (0, 10, 14, 3)


@pytest.mark.parametrize("size", [41, 49, 103])
def test_nearest_repeats_each_pixel_a_whole_number_of_times(size):
    """Where positions are rounded, a pixel may come once too often."""
    x = np.arange(3.0).reshape(1, 3, 1, 1)
    np.testing.assert_array_equal(
        kernels.interpolate(x, (3 * size, 1)).reshape(3, size), x.reshape(3, 1) + np.zeros(size)
    )
    np.testing.assert_array_equal(kernels.interpolate(x, scale_factor=size)[:, :, 0].reshape(3, size)[:, 0], [0, 1, 2])


def test_a_size_may_round_the_factors_up_or_down():
    x = np.arange(7.0).reshape(1, 1, 7, 1)
    for size, expected in ((3, [0.5, 2.5, 4.5]), (4, [0.5, 2.5, 4.5, 6])):
        y = kernels.interpolate(x, (1, size), scale_factor=(1, 0.5), mode="bilinear")
        np.testing.assert_array_equal(y.reshape(-1), expected)


def test_a_nan_reaches_its_neighbours_alone():
    x = np.zeros((1, 1, 4, 1), np.float32)
    x[0, 0, 1] = np.nan
    y = kernels.interpolate(x, (1, 7), mode="bilinear", align_corners=True).reshape(-1)
    np.testing.assert_array_equal(np.isnan(y), [False, True, True, True, False, False, False])


X = np.ones((2, 4, 5, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.interpolate(X), "interpolate: expects size or scale_factor but got neither"),
        (
            lambda: kernels.interpolate(X, (8, 11), scale_factor=2),
            r"interpolate: size \(8, 11\) by scale_factor 2 goes beyond the input \(2, 4, 5, 3\)",
        ),
        (lambda: kernels.interpolate(X, 0), "interpolate: size expects values of at least 1 but got 0"),
        (
            lambda: kernels.interpolate(X, scale_factor=-1),
            "interpolate: scale_factor expects numbers over 0 but got -1",
        ),
        (
            lambda: kernels.interpolate(X, scale_factor=0.2),
            r"interpolate: scale_factor 0.2 leaves no pixel of the input",
        ),
        (lambda: kernels.interpolate(X, 3, mode="cubic"), "interpolate: mode expects one of 'nearest', 'bilinear'"),
        (lambda: kernels.interpolate(X, 3, antialias=True), 'interpolate: antialias expects mode "bilinear" or'),
        (lambda: kernels.interpolate(X, 3, mode="bilinear", border="edge"), "interpolate: border expects one of"),
        (
            lambda: kernels.interpolate(X, 3, mode="area", border="mirror"),
            "interpolate: border and margin expect",
        ),
        (
            lambda: kernels.interpolate(X, 3, mode="bilinear", margin=2),
            "interpolate: x expects at least one pixel",
        ),
        (
            lambda: kernels.interpolate(X, 3, mode="bilinear", margin=-1),
            "interpolate: margin expects values of",
        ),
        (lambda: kernels.interpolate(X, 3, align_corners=True), 'interpolate: align_corners expects mode "bilinear"'),
        (lambda: kernels.interpolate(X[:, :0], 3), "interpolate: x expects at least one pixel but got shape"),
        (
            lambda: kernels.interpolate_grad(X, X.shape, 3),
            r"interpolate_grad: gy expects \(2, 3, 3, 3\) but got \(2, 4,",
        ),
    ],
)
def test_wrong_sizes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types_are_refused():
    with pytest.raises(TypeError, match="interpolate: size expects an integer or"):
        kernels.interpolate(X, 3.0)
    with pytest.raises(TypeError, match="interpolate: scale_factor expects a number"):
        kernels.interpolate(X, scale_factor=(1, 2, 3))
    with pytest.raises(TypeError, match="interpolate: x expects float32 or float64 but got int64"):
        kernels.interpolate(X.astype(int), 3)


@given(call=resizings(shapes=WIDE), dtype=st.sampled_from(["uint8", "uint16", "int16"]))
def test_integers_are_the_rounded_sums(call, dtype):
    """Of exact sums the nearest integer; of two as near as float32 can tell, either."""
    shape, how = call
    info = np.iinfo(dtype)
    x = np.random.default_rng(shape[2]).integers(info.min, info.max, shape, dtype, endpoint=True)
    found, exact = kernels.interpolate(x, **how), kernels.interpolate(x.astype(np.float64), **how)
    assert found.dtype == dtype
    # Of two passes of up to 41 products each, some of either sign: float32's rounding of sums of numbers of that size.
    room = 0.5 + 2e-6 * max(abs(info.min), info.max)
    np.testing.assert_allclose(found, np.clip(exact, info.min, info.max), rtol=0, atol=room)
