"""Images whose bytes lie the other way round, as TIFF and FITS files may have them, are filtered like others."""

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


@pytest.mark.parametrize("name", CALLS)
def test_the_other_byte_order_changes_nothing(name: str) -> None:
    found, expected = CALLS[name](TURNED), CALLS[name](IMAGE)
    assert found.dtype.newbyteorder("=") == expected.dtype  # a result of the image's own type may have its order
    np.testing.assert_array_equal(found, expected)


def test_a_gaussian_too_wide_for_any_memory_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"gaussian: sigma = 1e\+09 and truncate = 4 make a window that reaches"):
        filters.gaussian(IMAGE, 1e9)
