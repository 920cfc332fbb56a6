"""Winograd against the definition in float64, on sizes that no tile divides and channels that no vector does."""

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tolerances import WINOGRAD, WINOGRAD_WEIGHT_GRAD

from tilegrad import kernels

SIDES = st.tuples(st.integers(0, 4), st.integers(0, 4))


@st.composite
def calls(draw):
    """Images, weights and a padding under which at least one output pixel is left."""
    n, h, w = draw(st.integers(0, 3)), draw(st.integers(1, 19)), draw(st.integers(1, 19))
    c, k = draw(st.integers(16, 70)), draw(st.integers(16, 70))
    padding = (draw(SIDES), draw(SIDES))
    if h + sum(padding[0]) < 3 or w + sum(padding[1]) < 3:
        padding = ((1, 1), (1, 1))
    return (n, h, w, c), (k, 3, 3, c), padding, draw(st.sampled_from((None, "relu", "leaky_relu")))


def largest(array):
    return max(float(np.abs(array).max(initial=0.0)), 1e-30)


@given(call=calls(), bias=st.booleans(), seed=st.integers(0, 2**32))
def test_forward_and_gradients_lie_within_the_stated_error(call, bias, seed):
    x_shape, w_shape, padding, activation = call
    note(f"x {x_shape}, w {w_shape}, padding={padding}, activation={activation!r}, bias={bias}, seed={seed}")
    draw = np.random.default_rng(seed)
    x, w = draw.standard_normal(x_shape, np.float32), draw.standard_normal(w_shape, np.float32)
    b = draw.standard_normal(w_shape[:1], np.float32) if bias else None
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b)]
    expected = kernels.conv2d(*wide, padding=padding, activation=activation, variant="naive")
    out = np.full(expected.shape, np.nan, np.float32)
    y = kernels.conv2d(x, w, b, padding=padding, activation=activation, out=out, variant="winograd")
    assert np.abs(y - expected).max(initial=0.0) <= WINOGRAD * largest(expected)

    gy = draw.standard_normal(expected.shape, np.float32)
    gx = np.full(x_shape, np.nan, np.float32)
    kernels.conv2d_input_grad(gy, w, x_shape, padding=padding, out=gx, variant="winograd")
    expected = kernels.conv2d_input_grad(gy.astype(np.float64), wide[1], x_shape, padding=padding, variant="naive")
    assert np.abs(gx - expected).max(initial=0.0) <= WINOGRAD * largest(expected)

    gw = np.full(w_shape, np.nan, np.float32)
    kernels.conv2d_weight_grad(gy, x, w_shape, padding=padding, out=gw, variant="winograd")
    expected = kernels.conv2d_weight_grad(gy.astype(np.float64), wide[0], w_shape, padding=padding, variant="naive")
    assert np.abs(gw - expected).max(initial=0.0) <= WINOGRAD_WEIGHT_GRAD * largest(expected)


def test_many_blocks_of_tiles():
    """More tiles than a block has, in several images, so that blocks cross from one image into the next."""
    draw = np.random.default_rng(0)
    x, w = draw.standard_normal((5, 30, 22, 33), np.float32), draw.standard_normal((65, 3, 3, 33), np.float32)
    y = kernels.conv2d(x, w, padding=1, variant="winograd")
    expected = kernels.conv2d(x.astype(np.float64), w.astype(np.float64), padding=1, variant="direct")
    assert np.abs(y - expected).max() <= WINOGRAD * largest(expected)
    gw = kernels.conv2d_weight_grad(y, x, w.shape, padding=1, variant="winograd")
    expected = kernels.conv2d_weight_grad(
        y.astype(np.float64), x.astype(np.float64), w.shape, padding=1, variant="direct"
    )
    assert np.abs(gw - expected).max() <= WINOGRAD_WEIGHT_GRAD * largest(expected)


@pytest.mark.parametrize(
    ("shapes", "words", "dtype", "reason"),
    [
        (((1, 8, 8, 16), (16, 4, 4, 16)), {}, "float32", "needs 3 x 3 taps, stride 1"),
        (((1, 8, 8, 16), (16, 3, 3, 16)), {"stride": 2}, "float32", "needs 3 x 3 taps, stride 1"),
        (((1, 8, 8, 16), (16, 3, 3, 16)), {"dilation": 2}, "float32", "needs 3 x 3 taps, stride 1"),
        (((1, 8, 8, 32), (32, 3, 3, 16)), {"groups": 2}, "float32", "needs 3 x 3 taps, stride 1"),
        (((1, 8, 8, 16), (16, 3, 3, 16)), {}, "float64", "needs float32 (got float64)"),
        (((1, 8, 8, 15), (16, 3, 3, 15)), {}, "float32", "needs 16 channels in and out (got C = 15, C_out = 16)"),
    ],
)
def test_what_it_does_not_take_is_said(shapes, words, dtype, reason):
    x, w = (np.ones(shape, dtype) for shape in shapes)
    with pytest.raises(ValueError, match="winograd") as error:
        kernels.conv2d(x, w, variant="winograd", **words)
    assert reason in str(error.value)
    assert reason in kernels.explain(kernels.conv2d, x, w, **words)


def test_it_is_what_runs_where_it_can():
    x, w = np.ones((1, 8, 8, 16), np.float32), np.ones((16, 3, 3, 16), np.float32)
    with kernels.trace() as events:
        y = kernels.conv2d(x, w, padding=1)
        kernels.conv2d_input_grad(y, w, x.shape, padding=1)
        kernels.conv2d_weight_grad(y, x, w.shape, padding=1)
    assert [event.variant for event in events] == ["winograd"] * 3


def test_one_nan_reaches_its_tile_and_no_further():
    x = np.ones((1, 12, 12, 16), np.float32)
    x[0, 1, 1, 0] = np.nan
    y = kernels.conv2d(x, np.ones((16, 3, 3, 16), np.float32), padding=1, variant="winograd")
    assert np.isnan(y[0, :3, :3]).all()
    assert np.isfinite(y[0, 4:, 4:]).all()
