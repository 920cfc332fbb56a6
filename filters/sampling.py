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
    for place in np.ndindex(result.shape[:batch_axes]):
        source, target = image[place], result[place]
        if target.size == 0 or np.all(np.isnan(source)):
            continue
        low, high = np.nanmin(source), np.nanmax(source)
        outside = mode == "constant" and not low <= cval <= high and not np.all(np.isnan(target))
        if outside and np.nanmin(target) <= cval <= np.nanmax(target):
            low, high = min(low, source.dtype.type(cval)), max(high, source.dtype.type(cval))
        np.clip(target, low, high, out=target)
