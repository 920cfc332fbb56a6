"""The box filter: against its definition, exact for integers, and local."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tilegrad.kernels.box.cpu_sums import _reciprocal
from tolerances import CORRELATION_ROUNDINGS, EPS

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")


@st.composite
def calls(draw):
    """The shape and the keywords of a call, and a seed."""
    shape = tuple(draw(st.sampled_from([1, 2, 5, 19, 70])) for _ in range(2))
    shape = (*((draw(st.integers(1, 2)),) if draw(st.booleans()) else ()), *shape, draw(st.integers(1, 3)))
    size = tuple(draw(st.sampled_from([1, 2, 3, 4, 5, 11, 17, 70])) for _ in range(2))
    origin = tuple(draw(st.integers(-(n // 2), (n - 1) // 2)) for n in size)
    keywords = {
        "axis": -3,
        "size": size,
        "origin": origin,
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 3.0])),
    }
    return shape, keywords, draw(st.integers(0, 2**32 - 1))


TALL = ((150, 3, 1), {"axis": -3, "size": (70, 2), "mode": "mirror"}, 0)  # more rows than share their suffixes


@given(calls(), st.sampled_from(["float32", "float64"]), st.booleans())
@example(TALL, "float32", True)
def test_floats_equal_the_definition(call, dtype, mean):
    shape, keywords, seed = call
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    out = np.full(shape, np.nan, dtype)
    assert kernels.box2d(x, mean=mean, out=out, **keywords) is out
    expected = kernels.box2d(x.astype(np.float64), mean=mean, variant="naive", **keywords)
    sizes = kernels.box2d(np.abs(x.astype(np.float64)), mean=mean, variant="naive", **keywords)
    ours = (sum(keywords["size"]) + CORRELATION_ROUNDINGS) * EPS[dtype]
    definition = np.prod(keywords["size"]) * EPS["float64"]  # it adds one pixel after the other
    assert (np.abs(out - expected) <= (ours + definition) * sizes).all()


@given(calls(), st.sampled_from(["uint8", "int16"]))
@example(TALL, "uint8")
@example(((5, 19, 1), {"axis": -3, "size": (5, 51), "mode": "wrap"}, 1), "uint8")  # 255 pixels: sums fill 16 bits
def test_sums_of_integers_are_exact(call, dtype):
    shape, keywords, seed = call
    info = np.iinfo(dtype)
    rng = np.random.default_rng(seed)
    x = rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    x[rng.random(shape) < 0.5] = info.max
    out = np.full(shape, 7, np.int32)
    kernels.box2d(x, mean=False, dtype="int32", out=out, **keywords)
    np.testing.assert_array_equal(out, kernels.box2d(x.astype(np.float64), mean=False, variant="naive", **keywords))


@pytest.mark.parametrize("size", [(1, 2), (2, 2), (3, 3), (5, 7), (11, 11), (16, 16), (15, 17)])
def test_integer_division(size):
    """Every sum of the window's area: the quotient is exact, and saturates."""
    area = size[0] * size[1]
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.integers(0, 256, (40, 70)), np.full((20, 70), 255)]).astype(np.uint8)
    sums = kernels.box2d(x, size, mean=False, dtype="int32")
    for offset in (0, min(area, 255)):
        expected = np.minimum((sums + offset) // area, 255)
        for variant in ("sums", "naive"):
            np.testing.assert_array_equal(kernels.box2d(x, size, offset=offset, variant=variant), expected)


def test_the_reciprocal_divides_every_sum_of_every_area():
    for area in range(2, 257):
        offset, most, extra, factor, shift = map(int, _reciprocal(0, area))
        n = np.arange(256 * area, dtype=np.uint64)
        assert (offset, most) == (0, n[-1])
        assert most + extra < 2**16
        assert ((n + extra) * factor >> 16 + shift == n // area).all()


def test_means_of_integers_are_rounded_to_even_and_saturate():
    x = np.array([[1, 2, 4, 5, 7]], np.int16)
    np.testing.assert_array_equal(kernels.box2d(x, (1, 2), origin=(0, -1)), [[2, 3, 4, 6, 7]])
    sums = kernels.box2d(np.full((3, 3), 30000, np.int16), 3, mean=False)
    np.testing.assert_array_equal(sums, np.full((3, 3), 32767))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_what_is_large_or_no_number_stays_in_its_window(value):
    x = np.random.default_rng(1).random((60, 50)).astype(np.float32)
    spoilt = x.copy()
    spoilt[30, 20] = value
    y, clean = kernels.box2d(spoilt, (7, 5)), kernels.box2d(x, (7, 5))
    changed = np.zeros(x.shape, bool)
    changed[27:34, 18:23] = True
    np.testing.assert_array_equal(y[~changed], clean[~changed])
    assert (np.isnan(y[changed]) if np.isnan(value) else y[changed] > 1e28).all()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 3, 3), (2, 2, 0)])
def test_empty_images(shape):
    assert kernels.box2d(np.empty(shape, np.float32), 3).shape == shape


def test_any_strides():
    x = np.random.default_rng(2).random((20, 30))
    x.flags.writeable = False
    np.testing.assert_array_equal(kernels.box2d(x[::-1, ::-2], 3), kernels.box2d(x[::-1, ::-2].copy(), 3))


U8, F32 = np.ones((4, 5), np.uint8), np.ones((4, 5), np.float32)


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, U8.astype(np.int64), {"size": 3}, "x expects one of float32, .* but got int64"),
        (ValueError, F32[0], {"size": 3}, "x expects at least 2 axes"),
        (ValueError, F32, {"size": 0}, "size expects values of at least 1"),
        (ValueError, F32, {"size": (3, 3, 3)}, "size expects an integer or 2 of them"),
        (TypeError, F32, {"size": 3.0}, "size expects integers"),
        (ValueError, F32, {"size": 3, "axis": 1}, "axis expects an axis with another behind it"),
        (ValueError, F32, {"size": 3, "origin": 2}, r"origin expects values in \[-1, 1\]"),
        (TypeError, F32, {"size": 3, "mean": 1}, "mean expects True or False"),
        (TypeError, F32, {"size": 3, "dtype": "uint8"}, "dtype expects float64, or float32 for float32 images"),
        (TypeError, F32.astype(np.float64), {"size": 3, "dtype": "float32"}, "dtype expects float64"),
        (ValueError, U8, {"size": 3, "mode": "constant", "cval": 0.5}, "cval expects a value of uint8 but got 0.5"),
        (ValueError, U8, {"size": 3000}, "size expects windows whose sums of uint8 fit 32 bits"),
        (ValueError, F32, {"size": 3, "offset": 1}, "offset expects None but for means of uint8"),
        (ValueError, U8, {"size": 17, "offset": 1}, "offset expects None but for means of uint8, of 2 to 256"),
        (ValueError, U8, {"size": 16, "offset": 256}, r"offset expects an integer in \[0, 255\]"),
        (
            ValueError,
            U8,
            {"size": 3, "offset": 10},
            r"offset expects an integer in \[0, 9\] for windows of 3 but got 10",
        ),
        (ValueError, F32, {"size": 3, "mode": "edge"}, "mode expects one of"),
    ],
)
def test_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"box2d: {message}"):
        kernels.box2d(x, **keywords)
