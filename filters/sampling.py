"""What resizing and warping share: scikit-image's names of borders, orders of interpolation, and ranges of values."""

from typing import Any

import numpy as np

BORDERS = {
    "constant": "constant",
    "edge": "nearest",
    "symmetric": "reflect",
    "reflect": "mirror",
    "wrap": "wrap",
}
"""``numpy.pad``'s modes, which resizing and warping take, and the kernels' names of them."""

SPLINE_FRAME = 12
"""Pixels that are put around an image whose spline goes on with a constant or the edge, as many as SciPy puts. That
they end changes the spline by the pole to the power of 24 on the image, 2e-9 of its values with order 5, and to the
power of 12 at their outer end, 4e-5."""


def check_mode(name: str, mode: Any) -> str:
    """The kernels' name of a border."""
    if not isinstance(mode, str) or mode not in BORDERS:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, BORDERS))} but got {mode!r}")
    return BORDERS[mode]


def check_order(name: str, order: Any, dtype: np.dtype) -> int:
    """The order of interpolation: by default 0 for booleans, which have no other, and 1 for numbers."""
    if order is None:
        return 0 if dtype == np.bool_ else 1
    if isinstance(order, bool) or not isinstance(order, int | np.integer):
        raise TypeError(f"{name}: order expects an integer but got {order!r}")
    if not 0 <= order <= 5:
        raise ValueError(f"{name}: order expects a value in [0, 5] but got {order}")
    if dtype == np.bool_ and order != 0:
        raise ValueError(f"{name}: order expects 0 for an image of booleans but got {order}; cast it to numbers first")
    return int(order)


def check_number(name: str, argument: str, value: Any) -> float:
    """A number, which may be infinite or none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    return float(value)


def clip_to_range(result: np.ndarray, image: np.ndarray, mode: str, cval: float, batch_axes: int) -> None:
    """Clip each image of a batch, in place, to the values of the one that it was made of.

    A ``cval`` outside of them widens the range where it is in the range of the result. NaN stays, and does not count.
    """
    if result.size == 0:
        return
    low, high = _range(image, batch_axes)
    if mode == "constant":
        least, most = _range(result, batch_axes)
        reached = (least <= cval) & (cval <= most) & ~((low <= cval) & (cval <= high))
        if reached.any():
            value = np.where(reached, image.dtype.type(cval), low)
            low, high = np.minimum(low, value), np.maximum(high, value)
    np.clip(result, low, high, out=result)


def _range(images: np.ndarray, batch_axes: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest number of each image of a batch; where all are NaN, the least is above the largest."""
    axes = tuple(range(batch_axes, images.ndim))
    low, high = images.min(axis=axes, keepdims=True), images.max(axis=axes, keepdims=True)
    if (low != low).any():
        none = images != images
        low = np.where(none, np.inf, images).min(axis=axes, keepdims=True)
        high = np.where(none, -np.inf, images).max(axis=axes, keepdims=True)
    return low, high
