"""What lies outside an image, by OpenCV's constants."""

from typing import Any

import numpy as np

BORDER_CONSTANT = 0
BORDER_REPLICATE = 1
BORDER_REFLECT = 2
BORDER_WRAP = 3
BORDER_REFLECT_101 = BORDER_REFLECT101 = BORDER_DEFAULT = 4

_MODES = {
    BORDER_CONSTANT: "constant",
    BORDER_REPLICATE: "nearest",
    BORDER_REFLECT: "reflect",
    BORDER_WRAP: "wrap",
    BORDER_REFLECT_101: "mirror",
}
_NAMES = {
    "BORDER_CONSTANT": BORDER_CONSTANT,
    "BORDER_REPLICATE": BORDER_REPLICATE,
    "BORDER_REFLECT": BORDER_REFLECT,
    "BORDER_WRAP": BORDER_WRAP,
    "BORDER_REFLECT_101": BORDER_REFLECT_101,
}


def border_mode(name: str, border: Any, *, without: tuple[int, ...] = ()) -> str:
    """The kernels' name of a border: see `tilegrad.kernels.correlation.reference.border` for pictures.

    >>> border_mode("blur", BORDER_REFLECT_101)
    'mirror'
    """
    if border.__class__ is int and border in _MODES and border not in without:
        return _MODES[border]
    if isinstance(border, bool) or not isinstance(border, int | np.integer):
        raise TypeError(f"{name}: borderType expects an integer but got {border!r}")
    if border not in _MODES or border in without:
        known = ", ".join(f"{label} = {value}" for label, value in _NAMES.items() if value not in without)
        raise ValueError(f"{name}: borderType expects one of {known} but got {border}")
    return _MODES[int(border)]


def border_numbers(name: str, argument: str, values: Any, dtype: np.dtype) -> np.ndarray:
    """Numbers outside an image as OpenCV converts them to its type: integers are rounded, halves to even, and saturate.

    >>> border_numbers("erode", "borderValue", [2.5, 300, -1], np.dtype("uint8"))
    array([  2., 255.,   0.])
    """
    numbers = np.asarray(values, np.float64)
    if dtype.kind not in "iu":
        return numbers
    if np.isnan(numbers).any():
        raise ValueError(f"{name}: {argument} expects a number that {dtype} holds but got {values!r}")
    ends = np.iinfo(dtype)
    return np.clip(np.rint(numbers), ends.min, ends.max)
