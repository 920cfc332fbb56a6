"""Filters of CuPy's arrays, on a GPU or on the stand-in for one; test_filters_on_cuda.py runs this file both ways.

Pictures are tiny: the simulator takes about a tenth of a millisecond for a thread.
"""

import cupy
import numpy as np
import pytest
from gpu import from_gpu, is_stand_in, launching_on, to_gpu

from tilegrad import filters

is_stand_in(cupy)

_DRAW = np.random.default_rng(0)
REAL = _DRAW.uniform(0.1, 0.9, (7, 8))
BYTES = (REAL * 255).astype(np.uint8)
COLOUR = _DRAW.integers(0, 256, (6, 7, 3)).astype(np.uint8)
SHAPE = REAL > 0.5

# Functions, their images and their other arguments.
CASES = [
    ("apply_hysteresis_threshold", (REAL,), {"low": 0.4, "high": 0.7}),
    ("black_tophat", (BYTES,), {}),
    ("canny", (REAL,), {}),
    ("canny", (BYTES,), {"use_quantiles": True, "low_threshold": 0.3, "high_threshold": 0.7, "mode": "nearest"}),
    ("closing", (BYTES,), {}),
    ("convolve", (REAL,), {"weights": np.arange(6.0).reshape(2, 3)}),
    ("correlate1d", (COLOUR,), {"weights": [1, 2, 1], "axis": 0}),
    ("denoise_bilateral", (COLOUR,), {"win_size": 3, "channel_axis": -1}),
    ("denoise_bilateral", (REAL,), {"win_size": 3, "sigma_color": 0.2}),
    ("denoise_nl_means", (REAL,), {"patch_size": 3, "patch_distance": 2}),
    ("denoise_tv_chambolle", (REAL,), {"max_num_iter": 5}),
    ("dilation", (SHAPE,), {}),
    ("distance_transform_edt", (SHAPE,), {}),
    ("downscale_local_mean", (REAL,), {"factors": (2, 2)}),
    ("equalize_adapthist", (REAL,), {"kernel_size": 4}),
    ("equalize_hist", (BYTES,), {}),
    ("equalize_hist", (REAL,), {"nbins": 9}),
    ("erosion", (BYTES,), {}),
    ("farid", (REAL,), {}),
    ("gaussian", (COLOUR,), {"sigma": 0.7, "channel_axis": -1}),
    ("histogram", (BYTES,), {}),
    ("histogram", (REAL,), {"nbins": 7, "normalize": True}),
    ("integral_image", (REAL,), {}),
    ("jpeg", (COLOUR,), {"quality": 50, "channel_axis": -1}),
    ("label", (SHAPE.astype(np.uint8),), {}),
    ("laplace", (REAL,), {}),
    ("match_histograms", (BYTES, BYTES[::-1].copy() // 2), {}),
    ("match_histograms", (REAL, REAL[::-1].copy() / 2), {}),
    ("match_template", (REAL, REAL[1:4, 2:5].copy()), {}),
    ("maximum", (REAL,), {"size": 3}),
    ("mean_squared_error", (REAL, REAL * 0.9), {}),
    ("median", (COLOUR,), {"channel_axis": -1}),
    ("morphological_gradient", (BYTES,), {}),
    ("motion_blur", (REAL,), {"length": 3}),
    ("normalized_root_mse", (REAL, REAL * 0.9), {}),
    ("peak_signal_noise_ratio", (REAL, REAL * 0.9), {}),
    ("percentile", (BYTES,), {"percentile": 30.0, "size": 3}),
    ("prewitt", (REAL,), {}),
    ("psnr_and_ssim", (REAL, REAL * 0.9), {"win_size": 5, "data_range": 1.0}),
    ("pyramid_expand", (REAL,), {}),
    ("pyramid_reduce", (REAL,), {}),
    ("rescale", (REAL,), {"scale": 0.5}),
    ("resize", (REAL,), {"output_shape": (4, 5)}),
    ("resize_local_mean", (REAL,), {"output_shape": (3, 4)}),
    ("roberts", (REAL,), {}),
    ("rotate", (REAL,), {"angle": 30}),
    ("scharr", (REAL,), {}),
    ("sobel", (REAL,), {}),
    ("sobel", (BYTES,), {"axis": 0}),
    ("structural_similarity", (REAL, REAL * 0.9), {"win_size": 5, "data_range": 1.0}),
    ("threshold_local", (REAL,), {"block_size": 3}),
    ("threshold_otsu", (BYTES,), {}),
    ("uniform", (REAL,), {"size": 3}),
    ("unsharp_mask", (REAL,), {}),
    ("warp", (REAL,), {"inverse_map": np.array([[1, 0.1, 0], [0, 1, 0.3], [0, 0, 1]])}),
    ("white_tophat", (BYTES,), {}),
]  # fmt: skip


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


def test_out_lies_on_the_device_too():
    out = cupy.empty(REAL.shape, np.float64)
    assert filters.gaussian(cupy.asarray(REAL), 1.0, out=out) is out
    np.testing.assert_allclose(out.get(), filters.gaussian(REAL, 1.0), rtol=1e-12)


def test_a_filter_without_a_cuda_variant_says_so():
    with pytest.raises(TypeError, match=r"random_noise: image expects a numpy\.ndarray but got a cupy\.ndarray"):
        filters.random_noise(cupy.asarray(REAL))
