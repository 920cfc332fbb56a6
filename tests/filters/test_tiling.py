"""Filters on arrays that need not fit into memory: the tiles' results are those of the whole."""

import functools

import numpy as np
import pytest
from tilegrad.filters import cv
from tilegrad.filters.cv.halos import HALOS as CV_HALOS
from tilegrad.filters.halos import HALOS
from tolerances import EPS

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
    assert set(HALOS) == set(filters.__all__) - others


def test_every_filter_of_opencv_says_how_far_it_looks():
    names = {name for name in cv.__all__ if callable(getattr(cv, name))}
    no_filters = {
        "CLAHE", "HuMoments", "arcLength", "boundingRect", "calcHist", "contourArea", "createCLAHE", "findContours",
        "getGaussianKernel", "getRotationMatrix2D", "getStructuringElement", "matchShapes", "minMaxLoc", "moments",
    }  # fmt: skip
    assert set(CV_HALOS) == names - no_filters


DISK = np.hypot(*np.mgrid[-3:4, -3:4]) <= 3
CALLS = [
    ("black_tophat", {"footprint": DISK}),
    ("closing", {"footprint": DISK[:, 1:]}),
    ("convolve", {"weights": DISK[1:].astype(float)}),
    ("correlate", {"weights": np.ones((1, 6)), "origin": (0, -2)}),
    ("correlate1d", {"weights": [1.0, 2.0, 3.0, -1.0]}),
    ("denoise_bilateral", {"sigma_color": 0.2, "sigma_spatial": 2, "mode": "edge"}),
    ("denoise_nl_means", {"patch_size": 3, "patch_distance": 4}),
    ("denoise_nl_means", {"patch_size": 5, "patch_distance": 3, "fast_mode": False}),
    ("dilation", {"footprint": DISK, "mode": "min"}),
    ("dilation", {"footprint": [(np.ones((3, 1)), 2), (np.ones((1, 5)), 1)]}),
    ("erosion", {}),
    ("farid", {}),
    ("jpeg", {"quality": 20}),
    ("laplace", {"ksize": 3}),
    ("match_template", {"template": np.random.default_rng(2).random((7, 10)), "pad_input": True}),
    ("maximum", {"size": (3, 8), "origin": (0, 2)}),
    ("median", {"footprint": np.ones((5, 5), bool)}),
    ("minimum", {"footprint": DISK}),
    ("morphological_gradient", {}),
    ("motion_blur", {"length": 11, "angle": 30}),
    ("opening", {"footprint": DISK}),
    ("percentile", {"percentile": 30, "size": 4}),
    ("prewitt_h", {}),
    ("rank_filter", {"rank": 5, "size": 3}),
    ("roberts", {}),
    ("scharr", {}),
    ("sobel_v", {}),
    ("threshold_local", {"block_size": 13}),
    ("threshold_local", {"block_size": 9, "method": "mean"}),
    ("uniform", {"size": 7, "mode": "nearest"}),
    ("unsharp_mask", {"radius": 2, "preserve_range": True}),
    ("white_tophat", {}),
]


@pytest.mark.parametrize(("name", "keywords"), CALLS)
def test_tiles_of_every_filter_equal_the_whole(name, keywords):
    """To a few roundings of float64: that an element's place in a vector changes no bit is asked of integers and
    comparisons alone, and `match_template` adds up other blocks."""
    function = functools.partial(getattr(filters, name), **keywords)
    x = np.random.default_rng(1).random((70, 100))
    tile, multiple = (80, 16) if name == "jpeg" else (48, 1)
    halo = filters.halo(getattr(filters, name), **keywords)
    whole = function(x)
    result = np.full_like(whole, 7)
    filters.map_tiles(function, x, result, tile=tile, halo=halo, multiple=multiple)
    np.testing.assert_allclose(result, whole, rtol=0, atol=16 * EPS["float64"] * max(1, np.abs(whole).max()))


ELEMENT = cv.getStructuringElement(cv.MORPH_ELLIPSE, (7, 5))
CV_CALLS = [
    ("GaussianBlur", {"ksize": (0, 0), "sigmaX": 1.7}),
    ("GaussianBlur", {"ksize": (5, 11), "sigmaX": 0}),
    ("LUT", {"lut": np.arange(255, -1, -1).astype(np.uint8)}),
    ("Laplacian", {"ddepth": cv.CV_16S}),
    ("Laplacian", {"ddepth": cv.CV_16S, "ksize": 5}),
    ("Scharr", {"ddepth": cv.CV_16S, "dx": 1, "dy": 0}),
    ("Sobel", {"ddepth": cv.CV_16S, "dx": 1, "dy": 1, "ksize": 7}),
    ("bilateralFilter", {"d": 7, "sigmaColor": 20, "sigmaSpace": 3}),
    ("bilateralFilter", {"d": 0, "sigmaColor": 20, "sigmaSpace": 3}),
    ("blur", {"ksize": (3, 8)}),
    ("boxFilter", {"ddepth": -1, "ksize": (4, 3), "anchor": (0, 2)}),
    ("dilate", {"kernel": ELEMENT, "iterations": 2}),
    ("erode", {"kernel": None}),
    ("erode", {"kernel": ELEMENT, "anchor": (6, 0)}),
    ("fastNlMeansDenoising", {"h": 200, "templateWindowSize": 5, "searchWindowSize": 9}),
    ("filter2D", {"ddepth": -1, "kernel": np.ones((6, 3)) / 18}),
    ("medianBlur", {"ksize": 9}),
    ("morphologyEx", {"op": cv.MORPH_OPEN, "kernel": ELEMENT}),
    ("morphologyEx", {"op": cv.MORPH_GRADIENT, "kernel": ELEMENT, "iterations": 2}),
    ("sepFilter2D", {"ddepth": -1, "kernelX": np.ones(5) / 5, "kernelY": np.ones(8) / 8}),
]


@pytest.mark.parametrize(("name", "keywords"), CV_CALLS)
def test_tiles_of_every_filter_of_opencv_equal_the_whole(name, keywords):
    function = functools.partial(getattr(cv, name), **keywords)
    x = np.random.default_rng(1).integers(0, 256, (70, 100)).astype(np.uint8)
    whole, halo = function(x), filters.halo(getattr(cv, name), **keywords)
    np.testing.assert_array_equal(_tiled(function, x, whole, halo), whole)
    assert halo == 0 or np.any(_tiled(function, x, whole, 0) != whole)


def _tiled(function, x, whole, halo):
    result = np.empty_like(whole)
    filters.map_tiles(function, x, result, tile=48, halo=halo)
    return result


@pytest.mark.parametrize("name", ["Canny", "equalizeHist", "resize", "warpAffine", "threshold"])
def test_filters_of_opencv_that_cannot_be_tiled_say_why(name):
    with pytest.raises(ValueError, match=f"halo: {name} cannot be tiled: "):
        filters.halo(getattr(cv, name))
    with pytest.raises(ValueError, match="halo: blur cannot be tiled: BORDER_WRAP"):
        filters.halo(cv.blur, ksize=(3, 3), borderType=cv.BORDER_WRAP)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("canny", "depends on the whole image"),
        ("equalize_hist", "depends on the whole image"),
        ("random_noise", "random numbers"),
        ("denoise_bilateral", "sigma_color"),
        ("match_template", "another size"),
        ("unsharp_mask", "negative values"),
    ],
)
def test_filters_that_cannot_be_tiled_say_why(name, reason):
    with pytest.raises(ValueError, match=f"halo: {name} cannot be tiled: .*{reason}"):
        filters.halo(getattr(filters, name))


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
        (TypeError, lambda: filters.halo(cv.bilateralFilter), "halo: bilateralFilter expects its argument 'd'"),
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
