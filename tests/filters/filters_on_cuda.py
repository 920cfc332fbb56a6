"""Filters of CuPy's arrays, on a GPU or on the stand-in for one; test_filters_on_cuda.py runs this file both ways.

Pictures are tiny: the simulator takes about a tenth of a millisecond for a thread.
"""

import cupy
import numpy as np
import pytest
from gpu import from_gpu, is_stand_in, launching_on, to_gpu
from tilegrad.filters import cv

from tilegrad import filters

is_stand_in(cupy)

_DRAW = np.random.default_rng(0)
REAL = _DRAW.uniform(0.1, 0.9, (7, 8))
BYTES = (REAL * 255).astype(np.uint8)
COLOUR = _DRAW.integers(0, 256, (6, 7, 3)).astype(np.uint8)
SHAPE = REAL > 0.5
HOLE = np.pad(np.ones((2, 2), bool), ((0, 4), (4, 1)))
FOUR = _DRAW.uniform(0.1, 0.9, (3, 3, 4, 3))

# Functions, their images and their other arguments.
CASES = [
    ("apply_hysteresis_threshold", (REAL,), {"low": 0.4, "high": 0.7}),
    ("black_tophat", (BYTES,), {}),
    ("canny", (REAL,), {}),
    ("canny", (BYTES,), {"use_quantiles": True, "low_threshold": 0.3, "high_threshold": 0.7, "mode": "nearest"}),
    ("closing", (BYTES,), {}),
    ("convolve", (REAL,), {"weights": np.arange(6.0).reshape(2, 3)}),
    ("correlate", (FOUR[0],), {"weights": np.arange(12.0).reshape(3, 2, 2), "mode": "constant", "cval": 0.5}),
    ("correlate1d", (COLOUR,), {"weights": [1, 2, 1], "axis": 0}),
    ("degrade", (REAL,), {"steps": [("drop_blocks", {"block": 2}), ("random_noise", {"var": 0.01}), ("gaussian", {})]}),
    ("denoise_bilateral", (COLOUR,), {"win_size": 3, "channel_axis": -1}),
    ("denoise_bilateral", (REAL,), {"win_size": 3, "sigma_color": 0.2}),
    ("denoise_nl_means", (REAL,), {"patch_size": 3, "patch_distance": 2}),
    ("denoise_tv_chambolle", (REAL,), {"max_num_iter": 5}),
    ("dilation", (SHAPE,), {}),
    ("distance_transform_edt", (SHAPE,), {}),
    ("drop_blocks", (COLOUR,), {"block": 2, "amount": 0.5, "channel_axis": -1}),
    ("downsample", (BYTES,), {"factor": 2}),
    ("downscale_local_mean", (REAL,), {"factors": (2, 2)}),
    ("equalize_adapthist", (REAL,), {"kernel_size": 4}),
    ("equalize_hist", (BYTES,), {}),
    ("equalize_hist", (REAL,), {"nbins": 9}),
    ("erosion", (BYTES,), {}),
    ("farid", (REAL,), {}),
    ("gaussian", (COLOUR,), {"sigma": 0.7, "channel_axis": -1}),
    ("histogram", (BYTES,), {}),
    ("histogram", (REAL,), {"nbins": 7, "normalize": True}),
    ("inpaint_biharmonic", (REAL, np.pad(np.ones((2, 3), bool), ((2, 3), (4, 1)))), {}),
    ("inpaint_exemplar", (COLOUR, HOLE), {"patch_size": 3, "refinements": 0, "channel_axis": -1}),
    ("inpaint_exemplar", (REAL[:6, :7].copy(), HOLE), {"patch_size": 3, "refinements": 2}),
    ("crop", (COLOUR,), {"crop_width": (1, 2), "channel_axis": -1}),
    ("crop", (COLOUR,), {"crop_width": 1, "copy": True}),
    ("integral_image", (REAL,), {}),
    ("integrate", (REAL,), {"start": (1, 0), "end": [(1, 1), (2, 4)]}),
    ("integrate", (np.stack([REAL, REAL]),), {"start": (1, 0), "end": [(1, 1), (2, 4)], "batch_axes": 1}),
    ("jpeg", (COLOUR,), {"quality": 50, "channel_axis": -1}),
    ("label", (SHAPE.astype(np.uint8),), {}),
    ("laplace", (REAL,), {}),
    ("match_histograms", (BYTES, BYTES[::-1].copy() // 2), {}),
    ("match_histograms", (REAL, REAL[::-1].copy() / 2), {}),
    ("match_template", (REAL, REAL[1:4, 2:5].copy()), {}),
    ("maximum", (REAL,), {"size": 3}),
    ("mean_squared_error", (REAL, REAL * 0.9), {}),
    ("median", (COLOUR,), {"channel_axis": -1}),
    ("median", (COLOUR,), {}),
    ("median", (BYTES[2],), {"mode": "wrap"}),
    ("minimum", (COLOUR,), {"size": (3, 2, 5)}),
    ("maximum", (REAL[3],), {"size": 2**31}),
    ("percentile", (COLOUR,), {"percentile": 30.0, "footprint": np.eye(3)[None].repeat(2, 0)}),
    ("opening", (COLOUR,), {}),
    ("white_tophat", (BYTES[1],), {}),
    ("moments", (BYTES,), {}),
    ("moments_central", (np.stack([REAL, REAL.T.reshape(7, 8)]),), {"batch_axes": 1}),
    ("moments_hu", (np.arange(16.0).reshape(4, 4),), {}),
    ("moments_normalized", (np.arange(1, 17.0).reshape(4, 4),), {}),
    ("morphological_gradient", (BYTES,), {}),
    ("motion_blur", (REAL,), {"length": 3}),
    ("pad", (COLOUR,), {"pad_width": (2, 1), "mode": "reflect", "channel_axis": -1}),
    ("pad", (COLOUR,), {"pad_width": 1, "batch_axes": 1}),
    ("normalized_root_mse", (REAL, REAL * 0.9), {}),
    ("peak_signal_noise_ratio", (REAL, REAL * 0.9), {}),
    ("percentile", (BYTES,), {"percentile": 30.0, "size": 3}),
    ("prewitt", (REAL,), {}),
    ("psnr_and_ssim", (REAL, REAL * 0.9), {"win_size": 5, "data_range": 1.0}),
    ("pyramid_expand", (REAL,), {}),
    ("pyramid_reduce", (REAL,), {}),
    ("random_noise", (COLOUR,), {"seed": 1}),
    ("random_noise", (REAL - 0.5,), {"mode": "s&p", "amount": 0.4}),
    ("random_noise", (REAL,), {"mode": "localvar", "local_vars": REAL / 9}),
    ("random_noise", (REAL,), {"mode": "poisson", "batch_axes": 1}),
    ("rescale", (REAL,), {"scale": 0.5}),
    ("resize", (REAL,), {"output_shape": (4, 5)}),
    ("resize_local_mean", (REAL,), {"output_shape": (3, 4)}),
    ("richardson_lucy", (REAL,), {"psf": np.ones((3, 3)) / 9, "num_iter": 3, "filter_epsilon": 0.5}),
    ("roberts", (REAL,), {}),
    ("rotate", (REAL,), {"angle": 30}),
    ("scharr", (REAL,), {}),
    ("scratches", (REAL,), {"count": 2}),
    ("sobel", (REAL,), {}),
    ("sobel", (BYTES,), {"axis": 0}),
    ("structural_similarity", (REAL, REAL * 0.9), {"win_size": 5, "data_range": 1.0}),
    ("structural_similarity", (FOUR, FOUR * 0.9), {"win_size": 3, "data_range": 1.0, "full": True, "gradient": True}),
    ("tears", (BYTES,), {"fill": 7}),
    ("threshold_local", (REAL,), {"block_size": 3}),
    ("threshold_otsu", (BYTES,), {}),
    ("uniform", (REAL,), {"size": 3}),
    ("unsharp_mask", (REAL,), {}),
    ("warp", (REAL,), {"inverse_map": np.array([[1, 0.1, 0], [0, 1, 0.3], [0, 0, 1]])}),
    ("white_tophat", (BYTES,), {}),
    ("wiener", (COLOUR,), {"psf": np.ones((3, 2)) / 6, "balance": 0.1, "channel_axis": -1}),
]  # fmt: skip

_FLOAT, _BOX, _LINE = REAL.astype(np.float32), np.ones((3, 3), np.float32) / 9, np.ones(3, np.float32) / 3
_MAP = np.array([[1, 0.1, 0], [0, 1, 0.3], [0, 0, 1]])

# OpenCV's names, their images, and their other arguments in order.
CV_CASES = [
    ("Canny", (BYTES,), (50, 150)),
    ("GaussianBlur", (BYTES,), ((3, 3), 0)),
    ("GaussianBlur", (_FLOAT,), ((5, 5), 1.0)),
    ("Laplacian", (BYTES,), (cv.CV_16S,)),
    ("Scharr", (BYTES,), (cv.CV_16S, 1, 0)),
    ("Sobel", (_FLOAT,), (cv.CV_32F, 0, 1)),
    ("bilateralFilter", (BYTES,), (5, 20, 2)),
    ("blur", (BYTES,), ((3, 3),)),
    ("boxFilter", (_FLOAT,), (-1, (3, 3))),
    ("connectedComponents", (SHAPE.astype(np.uint8),), ()),
    ("copyMakeBorder", (COLOUR,), (1, 1, 2, 2, cv.BORDER_REFLECT)),
    ("copyMakeBorder", (BYTES,), (1, 0, 2, 2, cv.BORDER_CONSTANT)),
    ("dilate", (BYTES,), (np.ones((3, 3), np.uint8),)),
    ("distanceTransform", (SHAPE.astype(np.uint8),), (cv.DIST_L2, cv.DIST_MASK_PRECISE)),
    ("equalizeHist", (BYTES,), ()),
    ("erode", (_FLOAT,), (np.ones((3, 3), np.uint8),)),
    ("fastNlMeansDenoising", (BYTES,), (None, 10, 3, 5)),
    ("filter2D", (BYTES,), (-1, _BOX)),
    ("filter2D", (_FLOAT,), (-1, _BOX)),
    ("inpaint", (COLOUR, HOLE.astype(np.uint8)), (3, cv.INPAINT_TELEA)),
    ("inpaint", (_FLOAT[:6, :7].copy(), HOLE.astype(np.uint8)), (2, cv.INPAINT_NS)),
    ("integral", (BYTES,), ()),
    ("matchTemplate", (BYTES, BYTES[1:4, 2:5].copy()), (cv.TM_CCOEFF_NORMED,)),
    ("medianBlur", (COLOUR,), (3,)),
    ("minMaxLoc", (_FLOAT,), ()),
    ("morphologyEx", (BYTES,), (cv.MORPH_GRADIENT, np.ones((3, 3), np.uint8))),
    ("pyrDown", (BYTES,), ()),
    ("pyrUp", (BYTES,), ()),
    ("resize", (COLOUR,), ((7, 3), None, 0, 0, cv.INTER_AREA)),
    ("resize", (_FLOAT,), ((16, 14), None, 0, 0, cv.INTER_CUBIC)),
    ("sepFilter2D", (_FLOAT,), (-1, _LINE, _LINE)),
    ("threshold", (BYTES,), (0, 255, cv.THRESH_OTSU)),
    ("threshold", (_FLOAT,), (0.4, 1.0, cv.THRESH_TRUNC)),
    ("warpAffine", (_FLOAT,), (_MAP[:2], (8, 7))),
    ("warpAffine", (COLOUR,), (_MAP[:2], (8, 7), None, cv.INTER_NEAREST, cv.BORDER_CONSTANT, (1, 2, 3))),
    ("warpPerspective", (_FLOAT,), (_MAP, (8, 7))),
]


@pytest.fixture(autouse=True)
def _emulated():
    with launching_on(cupy):
        yield


def check(function, images, how):
    """Results lie where the images do, and equal those of main memory to rounding; integers to the bit."""
    found, expected = function(*to_gpu(images), **how), function(*images, **how)
    found, expected = (value if isinstance(value, tuple) else (value,) for value in (found, expected))
    for ours, theirs in zip(found, expected, strict=True):
        if isinstance(theirs, np.ndarray):
            assert isinstance(ours, cupy.ndarray), type(ours)
        ours = from_gpu(ours)
        assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)
        if getattr(theirs, "dtype", np.dtype(int)).kind in "iub":
            np.testing.assert_array_equal(ours, theirs)
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)  # some compute float64 images in float32


@pytest.mark.parametrize(("name", "images", "how"), CASES)
def test_filters(name, images, how):
    check(getattr(filters, name), images, how)


@pytest.mark.parametrize(("name", "images", "arguments"), CV_CASES)
def test_filters_with_names_of_opencv(name, images, arguments):
    check(lambda *own: getattr(cv, name)(*own, *arguments), images, {})


def test_tables_of_bytes():
    table = np.arange(255, -1, -1).astype(np.uint8)
    check(cv.LUT, (BYTES, table), {})
    check(cv.createCLAHE(2.0, (2, 2)).apply, (BYTES,), {})


def test_measures_of_components_lie_in_main_memory():
    _, _, *expected = cv.connectedComponentsWithStats(SHAPE.astype(np.uint8))
    _, labels, *found = cv.connectedComponentsWithStats(cupy.asarray(SHAPE.astype(np.uint8)))
    assert isinstance(labels, cupy.ndarray)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def same(found, expected):
    """Lists and tuples of NumPy's arrays, and numbers."""
    assert type(found) is type(expected)
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            same(ours, theirs)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        same(list(found.values()), list(expected.values()))
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12)


_CONTOUR = np.array([[0, 0], [4, 0], [4, 3], [0, 3]], np.int32)[:, None]


@pytest.mark.parametrize(
    ("function", "arrays", "how"),
    [
        (filters.find_contours, (REAL,), {}),
        (filters.find_contours, (np.stack([REAL, REAL[::-1]]),), {"level": 0.5, "batch_axes": 1}),
        (cv.findContours, (SHAPE,), {"mode": cv.RETR_TREE, "method": cv.CHAIN_APPROX_SIMPLE}),
        (cv.findContours, (np.stack([SHAPE, ~SHAPE]),), {"mode": 1, "method": 1, "batch_axes": 1}),
        (cv.moments, (BYTES,), {}),
        (cv.moments, (BYTES,), {"binaryImage": True}),
        (cv.moments, (np.stack([BYTES, BYTES // 2]),), {"batch_axes": 1}),
        (cv.moments, (_CONTOUR,), {}),
        (cv.matchShapes, (BYTES, COLOUR[..., 0].copy()), {"method": cv.CONTOURS_MATCH_I2}),
        (cv.matchShapes, (_CONTOUR, 3 * _CONTOUR[:3]), {"method": cv.CONTOURS_MATCH_I1}),
        (cv.contourArea, (_CONTOUR,), {}),
        (cv.arcLength, (_CONTOUR,), {"closed": True}),
        (cv.boundingRect, (_CONTOUR,), {}),
    ],
)
def test_what_is_as_long_as_its_outlines_lies_in_main_memory(function, arrays, how):
    same(function(*to_gpu(arrays), **how), function(*arrays, **how))


def test_elements_and_matrices_may_lie_on_the_device():
    element, image = np.array([[0, 1], [1, 1]], np.uint8), cupy.asarray(BYTES)
    for function, own, more in ((cv.erode, element, ()), (cv.warpAffine, _MAP[:2], ((8, 7),))):
        found = function(image, cupy.asarray(own), *more)
        np.testing.assert_array_equal(found.get(), function(image, own, *more).get())
    found = filters.erosion(image, cupy.asarray(element))
    np.testing.assert_array_equal(found.get(), filters.erosion(BYTES, element))


def test_contours_in_a_mask():
    same(
        filters.find_contours(cupy.asarray(REAL), 0.5, mask=cupy.asarray(REAL < 0.8)),
        filters.find_contours(REAL, 0.5, mask=REAL < 0.8),
    )
    with pytest.raises(TypeError, match="find_contours: mask lies on cpu and the image on cuda"):
        filters.find_contours(cupy.asarray(REAL), 0.5, mask=REAL < 0.8)


def test_out_lies_on_the_device_too():
    out = cupy.empty(REAL.shape, np.float64)
    assert filters.gaussian(cupy.asarray(REAL), 1.0, out=out) is out
    np.testing.assert_allclose(out.get(), filters.gaussian(REAL, 1.0), rtol=1e-12)


def test_patches_are_copied_on_the_device_from_where_they_may_be():
    """Of half precision, which another type computes; both images of a batch."""
    images, holes = np.stack([REAL[:6, :7], REAL[1:, 1:]]).astype(np.float16), np.stack([HOLE, HOLE[::-1]])
    source = np.ones(holes.shape, bool)
    source[:, :, :2] = False

    def filled(images, holes, source):
        return filters.inpaint_exemplar(images, holes, 3, source=source, refinements=0, batch_axes=1)

    check(filled, (images, holes, source), {})


MASK = REAL > 0.3


@pytest.mark.parametrize(
    ("name", "image"), [("sobel", REAL), ("canny", REAL), ("equalize_hist", BYTES), ("roberts", REAL)]
)
def test_a_mask_lies_on_the_device_too(name, image):
    def masked(own, mask):
        return getattr(filters, name)(own, mask=mask)

    check(masked, (image, MASK), {})


def test_what_lies_elsewhere_is_refused_before_any_work():
    there = cupy.asarray(REAL)
    with pytest.raises(TypeError, match="sobel: mask lies on cpu and the image on cuda"):
        filters.sobel(there, mask=MASK)
    with pytest.raises(TypeError, match="sobel: mask lies on cuda and the image on cpu"):
        filters.sobel(REAL, mask=cupy.asarray(MASK))
    with pytest.raises(TypeError, match="gaussian: out lies on cpu and the image on cuda"):
        filters.gaussian(there, 1.0, out=np.empty_like(REAL))
    with pytest.raises(TypeError, match="median: out lies on cuda and the image on cpu"):
        filters.median(REAL, out=cupy.empty(REAL.shape, np.float64))
    with pytest.raises(TypeError, match="inpaint_exemplar: mask lies on cpu and the image on cuda"):
        filters.inpaint_exemplar(there, MASK)
    with pytest.raises(TypeError, match="inpaint_exemplar: source lies on cpu and the image on cuda"):
        filters.inpaint_exemplar(there, cupy.asarray(MASK), source=MASK)
    with pytest.raises(TypeError, match="inpaint: inpaintMask lies on cpu and the image on cuda"):
        cv.inpaint(cupy.asarray(BYTES), MASK.astype(np.uint8), 3, cv.INPAINT_NS)
    with pytest.raises(TypeError, match="mean_squared_error: image1 lies on cuda and the image on cpu"):
        filters.mean_squared_error(REAL, there)
