"""The weight gradient of 4 x 4 convolutions of stride 2 by phases: any size, padding, channels, batch, segments."""

import numba
import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tilegrad.kernels.convolution import cpu_winograd_phases_weight_grad as phases
from tolerances import WINOGRAD_PHASES_WEIGHT_GRAD

from tilegrad import kernels

SIDES = st.tuples(st.integers(0, 5), st.integers(0, 5))


@st.composite
def calls(draw):
    """Images, channels and a padding under which at least one output pixel is left."""
    n, h, w = draw(st.integers(0, 5)), draw(st.integers(1, 30)), draw(st.integers(1, 30))
    c, k = draw(st.integers(16, 140)), draw(st.integers(32, 140))
    padding = (draw(SIDES), draw(SIDES))
    if h + sum(padding[0]) < 4 or w + sum(padding[1]) < 4:
        padding = ((2, 1), (1, 2))
    return (n, h, w, c), (k, 4, 4, c), padding


def arrays(x_shape, w_shape, padding, seed):
    draw = np.random.default_rng(seed)
    p, q = ((side + sum(pad) - 4) // 2 + 1 for side, pad in zip(x_shape[1:3], padding, strict=True))
    gy = draw.standard_normal((x_shape[0], p, q, w_shape[0]), np.float32)
    return gy, draw.standard_normal(x_shape, np.float32)


def assert_near(found, expected):
    most = max(float(np.abs(expected).max(initial=0.0)), 1e-30)
    assert np.abs(found - expected).max() <= WINOGRAD_PHASES_WEIGHT_GRAD * most


@pytest.fixture(params=["one segment", "many segments"])
def segments(request, monkeypatch):
    """Plans whose scratch is poisoned, with all tiles at once or a few at a time."""
    poison(monkeypatch, request.param)


def poison(patch, segments):
    if segments == "many segments":
        patch.setattr(phases, "_SEGMENT_BYTES", 1)
        patch.setattr(phases, "_LEAST_TILES", 5)
    patch.setattr(phases, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
    patch.setattr(kernels.convolution.CONV2D_WEIGHT_GRAD, "_plans", {})


@pytest.mark.parametrize("segments", ["one segment", "many segments"])
@settings(max_examples=40)
@given(call=calls(), seed=st.integers(0, 2**32))
def test_it_lies_within_the_stated_error(segments, call, seed):
    x_shape, w_shape, padding = call
    note(f"{segments}, x {x_shape}, w {w_shape}, padding={padding}, seed={seed}")
    gy, x = arrays(x_shape, w_shape, padding, seed)
    words = {"stride": 2, "padding": padding}
    wide = [a.astype(np.float64) for a in (gy, x)]
    expected = kernels.conv2d_weight_grad(*wide, w_shape, **words, variant="direct")
    memory = np.full(expected.size + 128, np.nan, np.float32)
    out = memory[64:-64].reshape(w_shape)
    with pytest.MonkeyPatch.context() as patch:
        poison(patch, segments)
        kernels.conv2d_weight_grad(gy, x, w_shape, **words, out=out, variant="winograd_phases")
    assert_near(out, expected)
    assert np.isnan(memory[:64]).all()
    assert np.isnan(memory[-64:]).all()


def test_it_equals_the_interpreted_definition(segments):
    padding, w_shape = ((1, 0), (1, 1)), (33, 4, 4, 17)
    gy, x = arrays((2, 5, 4, 17), w_shape, padding, 0)
    words = {"stride": 2, "padding": padding}
    expected = kernels.conv2d_weight_grad(gy, x, w_shape, **words, variant="reference")
    assert_near(kernels.conv2d_weight_grad(gy, x, w_shape, **words, variant="winograd_phases"), expected)


def test_results_do_not_depend_on_the_threads(segments):
    w_shape, padding = (130, 4, 4, 72), ((1, 1), (1, 1))
    gy, x = arrays((9, 14, 14, 72), w_shape, padding, 0)
    results, before = [], numba.get_num_threads()
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            words = {"stride": 2, "padding": padding, "variant": "winograd_phases"}
            results.append(kernels.conv2d_weight_grad(gy, x, w_shape, **words))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_one_nan_reaches_the_taps_of_its_phase_and_channel_only(segments):
    w_shape, padding = (40, 4, 4, 24), ((1, 1), (1, 1))
    gy, x = arrays((3, 14, 14, 24), w_shape, padding, 0)
    x[1, 4, 4, 5] = np.nan  # row and column 5 of the padded image: the odd phase
    gw = kernels.conv2d_weight_grad(gy, x, w_shape, stride=2, padding=1, variant="winograd_phases")
    assert np.isnan(gw[:, 1::2, 1::2, 5]).all()
    gw[:, 1::2, 1::2, 5] = 0
    assert np.isfinite(gw).all()


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "words", "dtype", "reason"),
    [
        ((1, 8, 8, 64), (64, 3, 3, 64), {"stride": 2}, "float32", "needs 4 x 4 taps, stride 2"),
        ((1, 8, 8, 64), (64, 4, 4, 64), {}, "float32", "needs 4 x 4 taps, stride 2"),
        ((1, 8, 8, 64), (64, 4, 4, 64), {"stride": 2}, "float64", "needs float32 (got float64)"),
        ((1, 8, 8, 15), (64, 4, 4, 15), {"stride": 2}, "float32", "needs 16 channels in and out (got C = 15, C_out"),
        ((1, 8, 8, 16), (16, 4, 4, 16), {"stride": 2}, "float32", "needs 512 pairs of channels (got 16 x 16)"),
    ],
)
def test_what_it_does_not_take_is_said(x_shape, w_shape, words, dtype, reason):
    x = np.ones(x_shape, dtype)
    gy = kernels.conv2d(x, np.ones(w_shape, dtype), **words)
    with pytest.raises(ValueError, match="winograd_phases") as error:
        kernels.conv2d_weight_grad(gy, x, w_shape, variant="winograd_phases", **words)
    assert reason in str(error.value)
    assert reason in kernels.explain(kernels.conv2d_weight_grad, gy, x, w_shape, **words)


def test_it_is_what_runs_where_it_can():
    x, w_shape = np.ones((2, 14, 14, 16), np.float32), (32, 4, 4, 16)
    with kernels.trace() as events:
        kernels.conv2d_weight_grad(np.ones((2, 7, 7, 32), np.float32), x, w_shape, stride=2, padding=1)
    assert [event.variant for event in events] == ["winograd_phases"]
