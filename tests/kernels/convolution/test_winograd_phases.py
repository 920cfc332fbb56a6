"""4 x 4 convolutions of stride 2 by phases against the definition in float64: any size, padding, channels, batch."""

import numba
import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tilegrad.kernels.convolution import cpu_winograd_phases, winograd_tiling
from tilegrad.kernels.convolution.winograd_tiling import KINDS, Tiling
from tolerances import WINOGRAD_PHASES

from tilegrad import kernels

SIDES = st.tuples(st.integers(0, 5), st.integers(0, 5))
WEIGHTS = ("small", "large")


@pytest.fixture(params=WEIGHTS)
def weights(request, monkeypatch):
    """Plans as for small weights, and as for large ones, of any size; some plans hold a block of tiles at a time."""
    take_weights(request.param, monkeypatch)
    return request.param


def take_weights(kind, patch):
    patch.setattr(cpu_winograd_phases, "_U_BYTES", {"small": 1 << 60, "large": 0}[kind])
    patch.setattr(cpu_winograd_phases, "_U_TILES", 0)
    patch.setattr(cpu_winograd_phases, "_LEAST_OUTPUTS", 0)
    patch.setattr(cpu_winograd_phases, "_V_BYTES", 1 << 20)
    patch.setattr(cpu_winograd_phases, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
    for operation in (kernels.convolution.CONV2D, kernels.convolution.CONV2D_INPUT_GRAD):
        patch.setattr(operation, "_plans", {})
    patch.setattr(kernels.convolution.CONV_TRANSPOSE2D, "_plans", {})


@st.composite
def calls(draw):
    """Images, weights and a padding under which at least one output pixel is left."""
    n, h, w = draw(st.integers(0, 9)), draw(st.integers(1, 30)), draw(st.integers(1, 30))
    c, k = draw(st.integers(16, 140)), draw(st.integers(16, 140))
    padding = (draw(SIDES), draw(SIDES))
    if h + sum(padding[0]) < 4 or w + sum(padding[1]) < 4:
        padding = ((2, 1), (1, 2))
    return (n, h, w, c), (k, 4, 4, c), padding, draw(st.sampled_from((None, "relu", "leaky_relu", "tanh")))


def largest(array):
    return max(float(np.abs(array).max(initial=0.0)), 1e-30)


def assert_near(found, expected):
    assert np.abs(found - expected).max(initial=0.0) <= WINOGRAD_PHASES * largest(expected)


@pytest.mark.parametrize("kind", WEIGHTS)
@given(call=calls(), bias=st.booleans(), seed=st.integers(0, 2**32))
def test_every_pass_lies_within_the_stated_error(kind, call, bias, seed):
    x_shape, w_shape, padding, activation = call
    words = {"stride": 2, "padding": padding}
    note(f"{kind} weights, x {x_shape}, w {w_shape}, {words}, activation={activation!r}, bias={bias}, seed={seed}")
    draw = np.random.default_rng(seed)
    x, w = draw.standard_normal(x_shape, np.float32), draw.standard_normal(w_shape, np.float32)
    w /= 4 * np.sqrt(np.float32(w_shape[3]))  # sums of about 1, where tanh is neither the identity nor a constant
    b, c = (draw.standard_normal(size, np.float32) if bias else None for size in (w_shape[0], w_shape[3]))
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b, c)]
    with pytest.MonkeyPatch.context() as patch:
        take_weights(kind, patch)
        expected = kernels.conv2d(*wide[:3], **words, activation=activation, variant="direct")
        out = np.full(expected.shape, np.nan, np.float32)
        kernels.conv2d(x, w, b, **words, activation=activation, out=out, variant="winograd_phases")
        assert_near(out, expected)

        gy = draw.standard_normal(expected.shape, np.float32)
        words |= {"bias": c, "activation": activation}
        gx = np.full(x_shape, np.nan, np.float32)
        kernels.conv2d_input_grad(gy, w, x_shape, **words, out=gx, variant="winograd_phases")
        words["bias"] = wide[3]
        assert_near(gx, kernels.conv2d_input_grad(gy.astype(np.float64), wide[1], x_shape, **words, variant="direct"))


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "words"),
    [
        ((3, 7, 7, 128), (128, 4, 4, 64), {"padding": 1, "activation": "relu"}),
        ((5, 4, 6, 40), (40, 4, 4, 33), {"padding": ((0, 1), (2, 1)), "output_padding": (1, 0)}),
        ((1, 1, 1, 64), (64, 4, 4, 64), {}),
    ],
)
def test_a_transposed_convolution(weights, x_shape, w_shape, words):
    draw = np.random.default_rng(0)
    x, w = draw.standard_normal(x_shape, np.float32), draw.standard_normal(w_shape, np.float32)
    b = draw.standard_normal(w_shape[3:], np.float32)
    expected = kernels.conv_transpose2d(*(a.astype(np.float64) for a in (x, w, b)), stride=2, **words, variant="naive")
    out = np.full(expected.shape, np.nan, np.float32)
    kernels.conv_transpose2d(x, w, b, stride=2, **words, out=out, variant="winograd_phases")
    assert_near(out, expected)


def test_it_equals_the_interpreted_definition(weights):
    draw = np.random.default_rng(0)
    x, w = draw.standard_normal((1, 5, 4, 32), np.float32), draw.standard_normal((33, 4, 4, 32), np.float32)
    words = {"stride": 2, "padding": ((1, 0), (1, 1))}
    expected = kernels.conv2d(x, w, **words, variant="reference")
    assert_near(kernels.conv2d(x, w, **words, variant="winograd_phases"), expected)


def test_results_do_not_depend_on_the_threads(weights):
    draw = np.random.default_rng(0)
    x, w = draw.standard_normal((7, 14, 14, 64), np.float32), draw.standard_normal((130, 4, 4, 64), np.float32)
    gy = draw.standard_normal((7, 7, 7, 130), np.float32)
    words = {"stride": 2, "padding": 1, "variant": "winograd_phases"}
    results, before = [], numba.get_num_threads()
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            results.append((kernels.conv2d(x, w, **words), kernels.conv2d_input_grad(gy, w, x.shape, **words)))
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_nan_reaches_its_tiles_and_no_further(weights):
    x, w = np.ones((2, 24, 24, 64), np.float32), np.ones((64, 4, 4, 64), np.float32)
    x[0, 2, 3, 5] = np.nan
    y = kernels.conv2d(x, w, stride=2, padding=1, variant="winograd_phases")
    assert np.isnan(y[0, 1:2, 1:3]).all()
    assert np.isfinite(y[0, 4:]).all()
    assert np.isfinite(y[0, :, 4:]).all()
    assert np.isfinite(y[1]).all()
    gx = kernels.conv2d_input_grad(x[:, :12, :12], w, (2, 24, 24, 64), stride=2, padding=1, variant="winograd_phases")
    assert np.isnan(gx[0, 3:7, 5:9]).all()
    assert np.isfinite(gx[0, 10:]).all()
    assert np.isfinite(gx[1]).all()


@pytest.mark.parametrize(
    ("shapes", "words", "dtype", "reason"),
    [
        (((1, 8, 8, 64), (64, 3, 3, 64)), {"stride": 2}, "float32", "needs 4 x 4 taps, stride 2"),
        (((1, 8, 8, 64), (64, 4, 4, 64)), {}, "float32", "needs 4 x 4 taps, stride 2"),
        (((1, 8, 8, 64), (64, 4, 4, 64)), {"stride": 2, "dilation": 2}, "float32", "needs 4 x 4 taps, stride 2"),
        (((1, 8, 8, 128), (64, 4, 4, 64)), {"stride": 2, "groups": 2}, "float32", "needs 4 x 4 taps, stride 2"),
        (((1, 8, 8, 64), (64, 4, 4, 64)), {"stride": 2}, "float64", "needs float32 (got float64)"),
        (((1, 8, 8, 15), (64, 4, 4, 15)), {"stride": 2}, "float32", "needs 16 channels in and out (got C = 15, C_out"),
        (((1, 8, 8, 64), (64, 4, 4, 64)), {"stride": 2}, "float32", "needs 32 output pixels of the convolution (got 1"),
    ],
)
def test_what_it_does_not_take_is_said(shapes, words, dtype, reason):
    x, w = (np.ones(shape, dtype) for shape in shapes)
    with pytest.raises(ValueError, match="winograd_phases") as error:
        kernels.conv2d(x, w, variant="winograd_phases", padding=2, **words)
    assert reason in str(error.value)
    assert reason in kernels.explain(kernels.conv2d, x, w, padding=2, **words)


def test_it_is_what_runs_where_it_can():
    x, w = np.ones((4, 14, 14, 64), np.float32), np.ones((64, 4, 4, 64), np.float32)
    with kernels.trace() as events:
        y = kernels.conv2d(x, w, stride=2, padding=1)
        kernels.conv2d_input_grad(y, w, x.shape, stride=2, padding=1)
        kernels.conv_transpose2d(y, w, stride=2, padding=1)
    assert [event.variant for event in events] == ["winograd_phases"] * 3


@given(outputs=st.integers(1, 200))
def test_an_axis_is_cut_without_a_remainder_where_it_can_be(outputs):
    fours, threes = winograd_tiling.cut(outputs)
    over = 4 * fours + 3 * threes - outputs
    assert over == {1: 2, 2: 1, 5: 1}.get(outputs, 0)
    fewest = min(5 * f + 4 * t for f in range(60) for t in range(60) if 4 * f + 3 * t == outputs + over)
    assert 5 * fours + 4 * threes == fewest


@given(images=st.integers(0, 4), rows=st.integers(1, 23), columns=st.integers(1, 23))
def test_tiles_cover_every_output_once_and_points_are_ranges(images, rows, columns):
    tiling = Tiling(images, rows, columns)
    words = tiling.words
    assert len(words) == winograd_tiling.TILING_WORDS
    covered = np.zeros((images, rows + 2, columns + 2), int)
    for number in range(tiling.tiles):
        kind, image, row, column = winograd_tiling.place(number, words, 0)
        high, wide = winograd_tiling.sides(kind)
        assert (high, wide) == KINDS[kind]
        covered[image, row : row + high, column : column + wide] += 1
        for point in range(25):
            first, end = winograd_tiling.active(point, words, 0)
            assert (first <= number < end) == (point // 5 <= high and point % 5 <= wide)
    assert (covered[:, :rows, :columns] == 1).all()
    assert (covered <= 1).all()
    per_point = [np.diff(winograd_tiling.active(point, words, 0))[0] for point in range(25)]
    assert sum(per_point) == tiling.products
