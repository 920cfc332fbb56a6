"""Rank filters of images of more than two axes: every variant against the definition, and against SciPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
DTYPES = ("uint8", "int16", "uint16", "int64", "float32", "float64")


def images(shape, dtype, seed=0):
    """Random images with ties."""
    return np.random.default_rng(seed).integers(0, 60, shape).astype(dtype)


@st.composite
def calls(draw, axes):
    """Images, a window, a rank and the keywords of a call."""
    inner = tuple(draw(st.sampled_from([1, 2, 3, 6])) for _ in range(axes - 1))
    shape = draw(st.integers(1, 2)), *inner, draw(st.sampled_from([1, 4, 37])), draw(st.sampled_from([1, 3]))
    x = images(shape, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 2**32 - 1)))
    if x.dtype.kind == "f" and draw(st.booleans()):
        x[np.random.default_rng(0).random(shape) < 0.02] = np.nan
    footprint = tuple(draw(st.integers(1, 4)) for _ in range(axes))
    sides = footprint
    size = int(np.prod(sides))
    if draw(st.booleans()):
        footprint = np.random.default_rng(draw(st.integers(0, 99))).random(sides) < 0.6
        footprint.flat[draw(st.integers(0, size - 1))] = True
        size = int(footprint.sum())
    keywords = {
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 30.0])),
        "origin": tuple(draw(st.integers(-(side // 2), (side - 1) // 2)) for side in sides),
    }
    return x, footprint, draw(st.sampled_from([0, -1, size // 2, size // 3])), keywords


@pytest.mark.parametrize("axes", [3, 4])
@given(data=st.data())
def test_every_variant_equals_the_definition(axes, data):
    x, footprint, rank, keywords = data.draw(calls(axes))
    expected = kernels.rank_filter_nd(x, footprint, rank, variant="naive", **keywords)
    for variant in ("boxes", "taps", "selection"):
        extreme = rank in (0, -1) or np.size(footprint) == 1
        if (variant == "boxes" and not isinstance(footprint, tuple)) or (variant != "selection" and not extreme):
            continue
        out = np.full(x.shape, 7, x.dtype)
        assert kernels.rank_filter_nd(x, footprint, rank, out=out, variant=variant, **keywords) is out
        np.testing.assert_array_equal(out, expected, err_msg=variant)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_tiles_of_many_rows_and_columns(dtype):
    """Bands that are not full, of numbers as they are and of numbers that are replaced by their ranks."""
    x = images((1, 3, 131, 300, 1), dtype)
    window = np.random.default_rng(1).random((3, 5, 4)) < 0.8
    for mode in ("mirror", "constant"):
        expected = kernels.rank_filter_nd(x, window, 20, mode=mode, cval=30.0, variant="naive")
        np.testing.assert_array_equal(
            kernels.rank_filter_nd(x, window, 20, mode=mode, cval=30.0, variant="selection"), expected
        )
        expected = kernels.rank_filter_nd(x, window, 0, mode=mode, cval=30.0, variant="naive")
        np.testing.assert_array_equal(
            kernels.rank_filter_nd(x, window, 0, mode=mode, cval=30.0, variant="taps"), expected
        )


@pytest.mark.parametrize("sides", [(9, 1, 1), (12, 9, 1), (1, 9, 10), (40, 3, 3), (2**31, 2**31, 5)])
@pytest.mark.parametrize("rank", [0, -1])
def test_large_boxes(rank, sides):
    x = images((2, 11, 12, 21, 2), "float32")
    for mode in ("reflect", "nearest", "constant"):
        found = kernels.rank_filter_nd(x, sides, rank, mode=mode, cval=30.0, variant="boxes")
        expected = kernels.rank_filter_nd(x, tuple(min(s, 49) for s in sides), rank, mode=mode, cval=30.0,
                                          variant="taps")  # fmt: skip
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_scipy(dtype):
    ndimage = pytest.importorskip("scipy.ndimage")
    x = images((7, 9, 11), dtype)
    ball = np.linalg.norm(np.indices((5, 5, 5)) - 2, axis=0) <= 2
    for mode, (window, rank) in itertools.product(MODES, [(np.ones((3, 4, 5)), 30), (ball, 16), (ball, 0), (ball, -1)]):
        expected = ndimage.rank_filter(x, rank, footprint=window, mode=mode, cval=30)
        found = kernels.rank_filter_nd(x[None, ..., None], window, rank, mode=mode, cval=30.0)[0, ..., 0]
        np.testing.assert_array_equal(found, expected, err_msg=f"{mode} {rank}")


def test_a_border_that_is_not_a_number():
    x = images((1, 3, 4, 5, 1), "float32")
    for rank in (0, 13, -1):
        found = kernels.rank_filter_nd(x, (3, 3, 3), rank, mode="constant", cval=np.nan)[0, ..., 0]
        assert np.isnan(found).sum() == 60 - 6
        assert not np.isnan(found[1, 1:-1, 1:-1]).any()


@pytest.mark.parametrize("shape", [(0, 2, 4, 5, 1), (1, 0, 4, 5, 1), (1, 2, 0, 5, 1), (1, 2, 4, 5, 0)])
def test_empty_images_stay_empty(shape):
    x = np.empty(shape, np.uint8)
    for footprint, rank in (((3, 3, 3), 0), ((3, 3, 3), 13), ([[[0, 1]], [[1, 0]]], -1)):
        assert kernels.rank_filter_nd(x, footprint, rank).shape == shape


X = np.ones((1, 3, 4, 5, 1), np.float32)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (X[0], (3, 3, 3), 0), {}, r"x expects \(N, ..., H, W, C\) with the footprint's 3 axes inside"),
        (ValueError, (X, (3, 3), 0), {}, "footprint expects sides or an array of three axes or more"),
        (ValueError, (X, np.ones((3, 3)), 0), {}, "footprint expects sides or an array of three axes or more"),
        (ValueError, (X, (3, 0, 3), 0), {}, "footprint expects sizes of at least 1"),
        (ValueError, (X, (3, 3, 3), 27), {}, r"rank expects a value in \[-27, 27\)"),
        (ValueError, (X, (2**31, 3, 3), 5), {}, "footprint expects at most 16777216 pixels"),
        (TypeError, (X, (3, 3, 3), 5), {"origin": (1, 1)}, "origin expects an integer or 3 of them"),
        (ValueError, (X, (3, 3, 3), 5), {"origin": (0, 2, 0)}, "origin expects values in"),
        (ValueError, (X, (3, 3, 3), 5), {"variant": "taps"}, "takes minima and maxima"),
        (ValueError, (X, (3, 3, 3), 5), {"variant": "boxes"}, "takes minima and maxima under full windows"),
    ],
)
def test_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"rank_filter_nd: .*{message}"):
        kernels.rank_filter_nd(*arguments, **keywords)
