"""Histograms, tables and tiles: every variant against its definition, and against NumPy."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

SHAPES = [(1, 1), (1, 70), (3, 5), (37, 61), (300, 250)]


@st.composite
def integers(draw):
    """Images of bytes, and where bins begin and how many there are."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = rng.integers(0, draw(st.sampled_from([1, 3, 256])), draw(st.sampled_from(SHAPES))).astype(np.uint8)
    return image, draw(st.sampled_from([-5, 0, 100])), draw(st.sampled_from([1, 7, 256, 300]))


@given(integers())
def test_count_values_equals_numpy(case):
    image, low, bins = case
    out = np.full(bins, 7)
    assert kernels.count_values(image, bins=bins, low=low, out=out) is out
    padded = np.zeros(1000, np.int64)
    padded[300 : 300 + 256] = np.bincount(image.ravel(), minlength=256)
    np.testing.assert_array_equal(out, padded[300 + low : 300 + low + bins])


def test_count_values_of_every_type():
    values = np.random.default_rng(0).integers(0, 100, (40, 50))
    expected = np.bincount(values.ravel(), minlength=120)
    for dtype in ("uint16", "int64"):
        np.testing.assert_array_equal(kernels.count_values(values.astype(dtype), bins=120), expected)
    np.testing.assert_array_equal(kernels.count_values(values > 30, bins=2), np.bincount((values > 30).ravel()))


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.sampled_from([1, 2, 10, 256]))
def test_count_between_equals_numpy(seed, shape, bins):
    image = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    expected, edges = np.histogram(image, bins=bins)
    np.testing.assert_array_equal(kernels.count_between(image, edges=edges), expected)


def test_numbers_on_edges_outside_and_not_a_number():
    x = np.array([0.0, 1.0, 2.0, 3.0, -0.1, 3.1, np.nan, np.inf, -np.inf])
    assert kernels.count_between(x, edges=[0.0, 1.0, 2.0, 3.0]).tolist() == [1, 1, 2]


def test_edges_of_unequal_distance():
    x = np.random.default_rng(0).random(5000)
    edges = np.array([0.0, 0.001, 0.5, 0.9, 0.90001, 1.0])
    np.testing.assert_array_equal(kernels.count_between(x, edges=edges), np.histogram(x, bins=edges)[0])


@given(integers())
def test_look_up_clips_to_its_table(case):
    image, low, bins = case
    table = np.random.default_rng(bins).random(bins)
    expected = table[np.clip(image.astype(int) - low, 0, bins - 1)]
    out = np.full(image.shape, np.nan)
    np.testing.assert_array_equal(kernels.look_up(image, table, low=low, out=out), expected)


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.sampled_from([1, 2, 9, 256]))
def test_piecewise_linear_equals_numpy(seed, shape, points):
    rng = np.random.default_rng(seed)
    xp, fp = np.sort(rng.standard_normal(points)), rng.standard_normal(points)
    x = rng.standard_normal(shape)
    x.flat[:: max(1, x.size // 3)] = rng.choice(xp, x.size)[:: max(1, x.size // 3)]
    np.testing.assert_array_equal(kernels.piecewise_linear(x, xp=xp, fp=fp), np.interp(x, xp, fp))


def test_piecewise_linear_keeps_not_a_number_and_meets_infinity():
    y = kernels.piecewise_linear(np.array([np.nan, -np.inf, np.inf, 0.5]), xp=[0, 1], fp=[2, 4])
    np.testing.assert_array_equal(y, [np.nan, 2, 4, 3])


@pytest.mark.parametrize("rule", ["opencv", "skimage"])
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(1, 1), (1, 30), (13, 7), (40, 61)]),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([0, 1, 3, 20]),
)
def test_tiles_equal_the_definition(rule, seed, shape, tile, limit):
    image = np.random.default_rng(seed).integers(0, 16, shape).astype(np.uint8)
    grid = tuple(-(-n // t) for n, t in zip(shape, tile, strict=True))
    keywords = {"tile": tile, "grid": grid, "bins": 16, "limit": limit, "top": 200, "rule": rule}
    maps = kernels.tile_maps(image, out=np.full((*grid, 16), 7, np.uint8), **keywords)
    np.testing.assert_array_equal(maps, kernels.tile_maps(image, variant="naive", **keywords))
    blended = kernels.blend_tile_maps(image, maps, tile=tile, rule=rule, out=np.full(shape, 7, np.uint8))
    expected = kernels.blend_tile_maps(image, maps, tile=tile, rule=rule, variant="naive")
    np.testing.assert_array_equal(blended, expected)


def test_the_number_of_threads_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (600, 700)).astype(np.uint8)
    threads, results = numba.get_num_threads(), []
    try:
        for count in {1, threads}:
            numba.set_num_threads(count)
            maps = kernels.tile_maps(image, tile=(75, 100), grid=(8, 7), limit=40)
            results.append(
                (kernels.count_values(image, bins=256), kernels.blend_tile_maps(image, maps, tile=(75, 100)))
            )
    finally:
        numba.set_num_threads(threads)
    for counts, blended in results[1:]:
        np.testing.assert_array_equal(counts, results[0][0])
        np.testing.assert_array_equal(blended, results[0][1])


def test_batches_equal_their_images():
    rng = np.random.default_rng(1)
    image, real = rng.integers(0, 16, (2, 3, 20, 30)).astype(np.uint8), rng.random((2, 3, 20, 30))
    tables, edges = rng.random((2, 3, 16)), np.sort(rng.random((2, 3, 5)), axis=-1)
    counts = kernels.count_values(image, bins=16, batch_axes=2)
    between = kernels.count_between(real, edges=edges, batch_axes=2)
    looked = kernels.look_up(image, tables, batch_axes=2)
    line = kernels.piecewise_linear(real, xp=edges, fp=tables[..., :5], batch_axes=2)
    tiles = {"tile": (7, 8), "grid": (3, 4), "bins": 16, "top": 15}
    maps = kernels.tile_maps(image, **tiles)
    blended = kernels.blend_tile_maps(image, maps, tile=(7, 8))
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(counts[i], kernels.count_values(image[i], bins=16))
        np.testing.assert_array_equal(between[i], kernels.count_between(real[i], edges=edges[i]))
        np.testing.assert_array_equal(looked[i], kernels.look_up(image[i], tables[i]))
        np.testing.assert_array_equal(line[i], kernels.piecewise_linear(real[i], xp=edges[i], fp=tables[i][:5]))
        np.testing.assert_array_equal(maps[i], kernels.tile_maps(image[i], **tiles))
        np.testing.assert_array_equal(blended[i], kernels.blend_tile_maps(image[i], maps[i], tile=(7, 8)))


def test_empty_images():
    empty, real = np.empty((0, 5), np.uint8), np.empty((0, 5))
    assert kernels.count_values(empty, bins=3).tolist() == [0, 0, 0]
    assert kernels.count_between(real, edges=[0.0, 1.0]).tolist() == [0]
    assert kernels.look_up(empty, np.ones(4)).shape == (0, 5)
    assert kernels.piecewise_linear(real, xp=[0.0], fp=[1.0]).shape == (0, 5)


BYTES, REAL = np.ones((4, 5), np.uint8), np.ones((4, 5))
MAPS = np.ones((1, 1, 256), np.uint8)


@pytest.mark.parametrize(
    ("error", "name", "arguments", "keywords", "message"),
    [
        (TypeError, "count_values", (REAL,), {"bins": 2}, "x expects integers or booleans but got float64"),
        (ValueError, "count_values", (BYTES,), {"bins": 0}, r"bins expects a value in \[1, 16777216\]"),
        (ValueError, "count_values", (BYTES,), {"bins": 2, "batch_axes": 3}, r"batch_axes expects a value in \[0, 2\]"),
        (TypeError, "count_between", (BYTES,), {"edges": [0.0, 1.0]}, "x expects float32 or float64 but got uint8"),
        (ValueError, "count_between", (REAL,), {"edges": [0.0]}, "edges expects shape"),
        (TypeError, "look_up", (REAL, REAL[0]), {}, "x expects integers or booleans"),
        (ValueError, "look_up", (BYTES, REAL), {}, "table expects shape"),
        (TypeError, "look_up", (BYTES, REAL[0].astype(complex)), {}, "table expects integers"),
        (ValueError, "piecewise_linear", (REAL,), {"xp": [0.0], "fp": [0.0, 1.0]}, "fp expects the shape of xp"),
        (ValueError, "piecewise_linear", (REAL,), {"xp": [], "fp": []}, "xp expects shape"),
        (ValueError, "tile_maps", (BYTES[0],), {"tile": (2, 2), "grid": (2, 2)}, "x expects at least 2 axes"),
        (ValueError, "tile_maps", (BYTES,), {"tile": (2, 0), "grid": (2, 2)}, "tile expects a value in"),
        (ValueError, "tile_maps", (BYTES,), {"tile": (2, 2), "grid": 3}, "grid expects two integers"),
        (ValueError, "tile_maps", (BYTES,), {"tile": (2, 2), "grid": (2, 3), "top": 256}, "top expects a value in"),
        (ValueError, "tile_maps", (BYTES,), {"tile": (2, 2), "grid": (2, 3), "rule": "pil"}, "rule expects one of"),
        (ValueError, "tile_maps", (BYTES[:0],), {"tile": (2, 2), "grid": (2, 3)}, "x expects images of at least one"),
        (ValueError, "blend_tile_maps", (BYTES, MAPS[0]), {"tile": (2, 2)}, "maps expects shape"),
        (TypeError, "blend_tile_maps", (BYTES, MAPS * 1.0), {"tile": (2, 2)}, "maps expects int8, uint8 or uint16"),
    ],
)
def test_refuses(error, name, arguments, keywords, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        getattr(kernels, name)(*arguments, **keywords)
