"""``channel_axis`` and ``batch_axes`` of every public function, and why some have none."""

import inspect

import pytest
from tilegrad.filters import cv

from tilegrad import filters

_LINES = "one axis is filtered, all others count lines"
_LEADING = "takes any axes in front of the moments"
_NO_IMAGE = "takes no image"
_POINTS = "takes contours, each as long as it is"
_EACH = "each number on its own: any axes"
WITHOUT_BATCH = {
    "filters": {"correlate1d": _LINES, "halo": _NO_IMAGE, "moments_hu": _LEADING},
    "cv": {
        "HuMoments": _LEADING, "LUT": _EACH, "arcLength": _POINTS, "boundingRect": _POINTS, "contourArea": _POINTS,
        "createCLAHE": "its method has it", "getGaussianKernel": _NO_IMAGE, "getRotationMatrix2D": _NO_IMAGE,
        "getStructuringElement": _NO_IMAGE, "matchShapes": "takes two shapes, contours or images",
    },
}  # fmt: skip

_ALL = "one number for all numbers of an image, its channels too"
_MOMENTS = "moments along every axis; channels are counted as images by batch_axes"
_SHAPES = "shapes have no channels"
WITHOUT_CHANNELS = {
    "correlate1d": _LINES, "distance_transform_edt": _SHAPES, "find_contours": _SHAPES, "halo": _NO_IMAGE,
    "integrate": "boxes along every axis; channels are counted as images by batch_axes", "label": _SHAPES,
    "map_tiles": "tiles have all channels", "mean_squared_error": _ALL, "moments": _MOMENTS,
    "moments_central": _MOMENTS, "moments_hu": _LEADING, "moments_normalized": _MOMENTS, "normalized_root_mse": _ALL,
    "peak_signal_noise_ratio": _ALL, "random_noise": _EACH, "threshold_otsu": _ALL,
}  # fmt: skip


def without(module, argument):
    functions = {name: getattr(module, name) for name in module.__all__}
    found = {name: f for name, f in functions.items() if inspect.isfunction(f)}
    return {name for name, f in found.items() if argument not in inspect.signature(f).parameters}


@pytest.mark.parametrize("module", [filters, cv])
def test_what_counts_images_of_a_batch(module):
    assert without(module, "batch_axes") == set(WITHOUT_BATCH[module.__name__.rpartition(".")[2]])


def test_what_has_an_axis_of_channels():
    """OpenCV's images have theirs last."""
    assert without(filters, "channel_axis") == set(WITHOUT_CHANNELS)
    assert "batch_axes" in inspect.signature(cv.CLAHE.apply).parameters
