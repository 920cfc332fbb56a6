"""Winograd along the rows of thin layers against the definition, on sizes that no quad or vector divides."""

import numpy as np
import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st
from tilegrad.kernels import operation as operation_module
from tilegrad.kernels.convolution import cpu_winograd_rows, cpu_winograd_rows_weight_grad
from tilegrad.kernels.machine.processor import lanes
from tolerances import WINOGRAD, WINOGRAD_WEIGHT_GRAD

from tilegrad import kernels

SIDES = st.tuples(st.integers(0, 5), st.integers(0, 5))


@pytest.fixture(scope="module", autouse=True)
def scratch_is_full_of_nan():
    """Whatever is read of scratch without having been written shows in the result."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (operation_module, cpu_winograd_rows, cpu_winograd_rows_weight_grad):
            patch.setattr(module, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
        yield


@st.composite
def calls(draw):
    """Images of few channels, weights of many, and keywords under which at least one output pixel is left."""
    of = st.sampled_from
    w = draw(of((16, 17, 31, 32, 33, 48, 64, 70))), draw(st.integers(1, 5)), draw(of((3, 3, 4, 5, 6, 7, 9)))
    x = (
        draw(st.integers(0, 3)),
        draw(st.integers(1, 19)),
        draw(of((1, 4, 7, 16, 19, 33, 70))),
        draw(of((1, 1, 2, 3, 15))),
    )
    padding, dilation = (draw(SIDES), draw(SIDES)), draw(of((1, 1, 2, 3)))
    across = draw(of((1, 1, 2))) if w[2] in (4, 5, 6) else draw(of((1, 3))) if w[2] in (7, 9) else 1
    words = {"padding": padding, "dilation": (dilation, 1), "stride": (draw(of((1, 1, 2, 3))), across)}
    assume(x[1] + sum(padding[0]) > dilation * (w[1] - 1) and x[2] + sum(padding[1]) >= w[2])
    return x, (*w, x[3]), words


def largest(array):
    return max(float(np.abs(array).max(initial=0.0)), 1e-30)


@given(call=calls(), bias=st.booleans(), activation=st.sampled_from((None, "relu", "leaky_relu", "tanh")))
def test_forward_lies_within_the_stated_error(call, bias, activation):
    x_shape, w_shape, words = call
    note(f"x {x_shape}, w {w_shape}, {words}, activation={activation!r}, bias={bias}")
    draw = np.random.default_rng(sum(x_shape))
    x, w = draw.standard_normal(x_shape, np.float32), draw.standard_normal(w_shape, np.float32)
    b = draw.standard_normal(w_shape[:1], np.float32) if bias else None
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b)]
    plain, expected = (kernels.conv2d(*wide, **words, activation=a, variant="naive") for a in (None, activation))
    assume(expected.shape[2] >= 4)
    out = np.full(expected.shape, np.nan, np.float32)
    y = kernels.conv2d(x, w, b, **words, activation=activation, out=out, variant="winograd_rows")
    assert np.abs(y - expected).max(initial=0.0) <= WINOGRAD * largest(plain)


@given(call=calls())
def test_the_input_gradient_lies_within_the_stated_error(call):
    (n, h, width, few), (many, r, s, _), words = call
    words["stride"] = 1
    assume(width >= 4)
    note(f"x {(n, h, width, many)}, w {(few, r, s, many)}, {words}")
    draw = np.random.default_rng(h)
    p = h + sum(words["padding"][0]) - words["dilation"][0] * (r - 1)
    q = width + sum(words["padding"][1]) - s + 1
    gy, w = draw.standard_normal((n, p, q, few), np.float32), draw.standard_normal((few, r, s, many), np.float32)
    shape = (n, h, width, many)
    expected = kernels.conv2d_input_grad(gy.astype(np.float64), w.astype(np.float64), shape, **words, variant="naive")
    out = np.full(shape, np.nan, np.float32)
    kernels.conv2d_input_grad(gy, w, shape, **words, out=out, variant="winograd_rows")
    assert np.abs(out - expected).max(initial=0.0) <= WINOGRAD * largest(expected)


@given(call=calls(), turned=st.booleans())
def test_the_weight_gradient_lies_within_the_stated_error(call, turned):
    (n, h, width, few), (many, r, s, _), words = call
    assume(s != 4)  # where groups of two taps serve the others
    c, k = (many, few) if turned else (few, many)
    words["stride"] = 1 if turned else words["stride"]
    note(f"x {(n, h, width, c)}, w {(k, r, s, c)}, {words}")
    draw = np.random.default_rng(h)
    x, w = draw.standard_normal((n, h, width, c), np.float32), np.empty((k, r, s, c), np.float32)
    gy = draw.standard_normal(kernels.conv2d(x, w, **words, variant="direct").shape, np.float32)
    wide = gy.astype(np.float64), x.astype(np.float64)
    expected = kernels.conv2d_weight_grad(*wide, w.shape, **words, variant="naive")
    # A sum of few products may cancel to nothing: what rounds are the products.
    sizes = kernels.conv2d_weight_grad(*map(np.abs, wide), w.shape, **words, variant="naive")
    out = np.full(w.shape, np.nan, np.float32)
    kernels.conv2d_weight_grad(gy, x, w.shape, **words, out=out, variant="winograd_rows")
    assert np.abs(out - expected).max() <= WINOGRAD_WEIGHT_GRAD * largest(sizes)


def test_the_weight_gradient_of_many_bands():
    """More bands than shares, and rows that are longer than the first-level cache."""
    draw = np.random.default_rng(0)
    x, gy = draw.standard_normal((3, 90, 603, 2), np.float32), draw.standard_normal((3, 90, 603, 40), np.float32)
    gw = kernels.conv2d_weight_grad(gy, x, (40, 5, 7, 2), padding=(2, 3), variant="winograd_rows")
    wide = gy.astype(np.float64), x.astype(np.float64)
    expected = kernels.conv2d_weight_grad(*wide, gw.shape, padding=(2, 3), variant="direct")
    assert np.abs(gw - expected).max() <= WINOGRAD_WEIGHT_GRAD * largest(expected)


def test_a_result_does_not_depend_on_what_lies_beside_it():
    """Bands, chunks of a row and overlapping quads of a wide image: every pixel once, from the right places."""
    draw = np.random.default_rng(0)
    x, w = draw.standard_normal((1, 70, 203, 1), np.float32), draw.standard_normal((40, 9, 9, 1), np.float32)
    y = kernels.conv2d(x, w, padding=4, variant="winograd_rows")
    expected = kernels.conv2d(x.astype(np.float64), w.astype(np.float64), padding=4, variant="direct")
    assert np.abs(y - expected).max() <= WINOGRAD * largest(expected)


@pytest.mark.parametrize(
    ("shapes", "words", "dtype", "reason"),
    [
        (
            ((1, 8, 8, 1), (16, 3, 3, 1)),
            {"stride": 2},
            "float32",
            "needs rows of taps that groups of 2 or 3 save products of",
        ),
        (((1, 8, 8, 1), (16, 3, 3, 1)), {"dilation": 2}, "float32", "needs no dilation along the row and one group"),
        (((1, 8, 8, 2), (32, 3, 3, 1)), {"groups": 2}, "float32", "needs no dilation along the row and one group"),
        (((1, 8, 8, 1), (16, 3, 3, 1)), {}, "float64", "needs float32 (got float64)"),
        (((1, 8, 8, 1), (16, 3, 1, 1)), {}, "float32", "(got 1 taps at stride 1)"),
        (((1, 8, 8, 1), (3, 3, 3, 1)), {}, "float32", f"{lanes(4)} on the other (got 1 and 3)"),
        (((1, 8, 5, 1), (16, 3, 3, 1)), {}, "float32", "needs rows of 4 outputs (got 3)"),
    ],
)
def test_what_it_does_not_take_is_said(shapes, words, dtype, reason):
    x, w = (np.ones(shape, dtype) for shape in shapes)
    with pytest.raises(ValueError, match="winograd_rows") as error:
        kernels.conv2d(x, w, variant="winograd_rows", **words)
    assert reason in str(error.value)
    assert reason in kernels.explain(kernels.conv2d, x, w, **words)


def test_it_is_what_runs_where_it_can():
    x, w = np.ones((1, 8, 8, 1), np.float32), np.ones((16, 3, 3, 1), np.float32)
    with kernels.trace() as events:
        kernels.conv2d(x, w, padding=1)
        kernels.conv2d_input_grad(x, np.ones((1, 3, 3, 16), np.float32), (1, 8, 8, 16), padding=1)
        kernels.conv2d_weight_grad(np.ones((1, 8, 8, 16), np.float32), x, (16, 3, 3, 1), padding=1)
        kernels.conv2d_weight_grad(x, np.ones((1, 8, 8, 16), np.float32), (1, 3, 3, 16), padding=1)
    assert [event.variant for event in events] == ["winograd_rows"] * 4
