"""Images whose bytes lie the other way round, as TIFF and FITS files may have them, are filtered like others."""

from typing import Any

import numpy as np
import pytest
from tilegrad.filters import cv

from tilegrad import filters

IMAGE = np.random.default_rng(0).uniform(0.1, 0.9, (9, 11)).astype(np.float32)
TURNED = IMAGE.astype(IMAGE.dtype.newbyteorder())
LINE = np.ones(3, np.float32) / 3
CALLS = {
    "gaussian": lambda x: filters.gaussian(x, 0.8),
    "median": filters.median,
    "canny": filters.canny,
    "mean_squared_error": lambda x: filters.mean_squared_error(x, x[::-1]),
    "structural_similarity": lambda x: filters.structural_similarity(x, x[::-1], win_size=5, data_range=1.0),
    "GaussianBlur": lambda x: cv.GaussianBlur(x, (3, 5), 1.0),
    "boxFilter": lambda x: cv.boxFilter(x, -1, (3, 3)),
    "filter2D": lambda x: cv.filter2D(x, -1, np.outer(LINE, LINE)),
    "sepFilter2D": lambda x: cv.sepFilter2D(x, -1, LINE, LINE),
    "resize": lambda x: cv.resize(x, (6, 5)),
    "warpAffine": lambda x: cv.warpAffine(x, np.array([[1, 0.1, 0], [0, 1, 0.3]]), (11, 9)),
}

HOLE = np.zeros(IMAGE.shape, np.uint8)
HOLE[3:5, 4:7] = 1
TYPED_CALLS = {
    ("histogram", "int16"): filters.histogram,
    ("cumulative_distribution", "int32"): filters.cumulative_distribution,
    ("threshold_otsu", "uint16"): filters.threshold_otsu,
    ("equalize_hist", "int16"): filters.equalize_hist,
    ("match_histograms", "uint16"): lambda x: filters.match_histograms(x, x[:5]),
    ("label", "uint64"): filters.label,
    ("distance_transform_edt", "int64"): filters.distance_transform_edt,
    ("distance_transform_edt", "float32"): filters.distance_transform_edt,
    ("maximum", "float16"): lambda x: filters.maximum(x, 3),
    ("dilation", "float16"): filters.dilation,
    ("moments", "float32"): filters.moments,
    ("moments_hu", "float32"): lambda x: filters.moments_hu(x[:5, :5]),
    ("inpaint_exemplar", "float32"): lambda x: filters.inpaint_exemplar(x, HOLE, 3),
    ("threshold", "int16"): lambda x: cv.threshold(x, 40, 90, cv.THRESH_TOZERO),
    ("CLAHE", "uint16"): lambda x: cv.createCLAHE(tileGridSize=(2, 2)).apply(x),
    ("calcHist", "uint16"): lambda x: cv.calcHist([x], [0], None, [9], [0, 99]),
    ("inpaint", "uint16"): lambda x: cv.inpaint(x, HOLE, 3, cv.INPAINT_TELEA),
    ("matchTemplate", "float32"): lambda x: cv.matchTemplate(x, x[2:5, 3:7], cv.TM_SQDIFF),
    ("integral", "float64"): cv.integral,
    ("bilateralFilter", "float32"): lambda x: cv.bilateralFilter(x, 3, 9.0, 2.0),
}


def _arrays(results: Any) -> list[np.ndarray]:
    return [np.asarray(one) for one in (results if isinstance(results, tuple) else [results])]


@pytest.mark.parametrize(("name", "dtype"), TYPED_CALLS)
def test_the_other_byte_order_changes_nothing_of_any_type(name: str, dtype: str) -> None:
    image = (IMAGE * 100).astype(dtype)
    image[2, 3] = 0
    call = TYPED_CALLS[name, dtype]
    found, expected = call(image.astype(image.dtype.newbyteorder())), call(image)
    np.testing.assert_equal(found, expected)
    for a, b in zip(_arrays(found), _arrays(expected), strict=True):
        assert a.dtype.newbyteorder("=") == b.dtype


@pytest.mark.parametrize("name", CALLS)
def test_the_other_byte_order_changes_nothing(name: str) -> None:
    found, expected = CALLS[name](TURNED), CALLS[name](IMAGE)
    assert found.dtype.newbyteorder("=") == expected.dtype  # a result of the image's own type may have its order
    np.testing.assert_array_equal(found, expected)


def test_a_gaussian_too_wide_for_any_memory_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"gaussian: sigma = 1e\+09 and truncate = 4 make a window that reaches"):
        filters.gaussian(IMAGE, 1e9)
