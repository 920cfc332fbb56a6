"""The types of pixels, by OpenCV's constants."""

from typing import Any

import numpy as np

CV_8U = 0
CV_8S = 1
CV_16U = 2
CV_16S = 3
CV_32S = 4
CV_32F = 5
CV_64F = 6

_TYPES = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32, np.float64)
_NAMES = ("CV_8U", "CV_8S", "CV_16U", "CV_16S", "CV_32S", "CV_32F", "CV_64F")


def depth_type(name: str, ddepth: Any, source: np.dtype) -> np.dtype:
    """The type of the result for a ``ddepth``: the source's own for -1.

    >>> depth_type("filter2D", CV_16S, np.dtype(np.uint8))
    dtype('int16')
    >>> depth_type("filter2D", -1, np.dtype(np.uint8))
    dtype('uint8')
    """
    if isinstance(ddepth, bool) or not isinstance(ddepth, int | np.integer):
        raise TypeError(f"{name}: ddepth expects an integer but got {ddepth!r}")
    if ddepth == -1:
        return source
    if not 0 <= ddepth < len(_TYPES):
        known = ", ".join(f"{label} = {value}" for value, label in enumerate(_NAMES))
        raise ValueError(f"{name}: ddepth expects -1 or one of {known} but got {ddepth}")
    return np.dtype(_TYPES[ddepth])
