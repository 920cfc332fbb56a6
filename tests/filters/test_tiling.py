"""Filters on arrays that need not fit into memory: the tiles' results are those of the whole."""

import functools

import numpy as np
import pytest

from tilegrad import filters


@pytest.mark.parametrize("mode", ["nearest", "reflect", "mirror", "constant"])
def test_tiles_equal_the_whole(tmp_path, mode):
    x = np.random.default_rng(0).random((2, 90, 70, 3)).astype(np.float32)
    blur = functools.partial(filters.gaussian, sigma=1.5, mode=mode, cval=2.0, channel_axis=-1)
    source = np.memmap(tmp_path / "source", np.float32, "w+", shape=x.shape)
    target = np.memmap(tmp_path / "target", np.float32, "w+", shape=x.shape)
    source[...], target[...] = x, np.nan
    halo = filters.halo(filters.gaussian, sigma=1.5, mode=mode)
    filters.map_tiles(blur, source, target, tile=32, halo=halo, batch_axes=1)
    for n in range(2):
        np.testing.assert_array_equal(target[n], blur(x[n]))


def test_a_halo_that_is_too_small_shows():
    x = np.random.default_rng(0).random((60, 60))
    result = np.empty_like(x)
    filters.map_tiles(lambda tile: filters.gaussian(tile, 2.0), x, result, tile=30, halo=2)
    assert np.any(result != filters.gaussian(x, 2.0))


def test_channels_may_go(tmp_path):
    x = np.random.default_rng(0).random((40, 50, 3))
    result = np.empty((40, 50))
    filters.map_tiles(lambda tile: tile.mean(axis=-1), x, result, tile=16, halo=0, multiple=4)
    np.testing.assert_array_equal(result, x.mean(axis=-1))


def test_every_filter_says_how_far_it_looks():
    others = {"cv", "halo", "map_tiles"}
    from tilegrad.filters import tiling

    assert set(tiling.HALOS) == set(filters.__all__) - others


@pytest.mark.parametrize(("keywords", "halo"), [({}, 4), ({"sigma": (2, 1)}, 8), ({"sigma": 3, "truncate": 1}, 3)])
def test_the_halo_of_a_gaussian(keywords, halo):
    assert filters.halo(filters.gaussian, **keywords) == halo
    x = np.zeros((41, 41))
    x[20, 20] = 1
    rows, columns = np.nonzero(filters.gaussian(x, **keywords))
    assert max(rows.max(), columns.max()) == 20 + halo


X = np.ones((40, 50))


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (ValueError, lambda: filters.halo(filters.resize), "halo: resize cannot be tiled: its result has another size"),
        (
            ValueError,
            lambda: filters.halo(filters.gaussian, mode="wrap"),
            "halo: gaussian cannot be tiled: mode",
        ),
        (ValueError, lambda: filters.halo(np.sort), "halo: sort has no entry"),
        (TypeError, lambda: filters.halo(filters.gaussian, radius=3), "halo: gaussian has no argument 'radius'"),
        (ValueError, lambda: filters.map_tiles(abs, X, X.T.copy(), halo=0), "map_tiles: target expects the height"),
        (ValueError, lambda: filters.map_tiles(abs, X, X, halo=0), "map_tiles: target shares memory with source"),
        (ValueError, lambda: filters.map_tiles(abs, X[0], X[0], halo=0), "map_tiles: source expects"),
        (ValueError, lambda: filters.map_tiles(abs, X, X + 1, halo=-1), "map_tiles: halo expects at least 0"),
        (TypeError, lambda: filters.map_tiles(abs, X, X + 1, halo=1.0), "map_tiles: halo expects an integer"),
        (ValueError, lambda: filters.map_tiles(abs, X, X + 1, halo=9, tile=8), "tiles: side expects at least"),
        (ValueError, lambda: filters.map_tiles(np.ravel, X, X + 1, halo=0), "map_tiles: function expects to return"),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()
