"""OpenCV's median filter."""

from typing import Any

import numpy as np

from ... import kernels
from ...kernels.rank.geometry import Footprint, check_rank
from ..comparing import over_images
from .channels import axis_of_channels


def medianBlur(  # noqa: N802
    src: np.ndarray, ksize: int, dst: np.ndarray | None = None, *, batch_axes: int = 0
) -> np.ndarray:
    """The median of the square around each pixel; outside the image lies its edge.

    Parameters
    ----------
    src : (H, W) or (H, W, C) array of real numbers
        Of any type up to 64 bits and any number of channels, with ``batch_axes`` more axes in front.
    ksize : int
        The square's side: odd, of up to 4095 pixels.
    dst : array of the shape and type of ``src``, optional
        Where to write; it may be ``src`` itself.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, an even side, a ``dst`` that does not fit.

    Notes
    -----
    Equals OpenCV's ``medianBlur`` bit for bit; that takes uint8 alone where the side is more than 5, sides up to 255
    and four channels. A window that holds a NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> medianBlur(np.array([[1, 1, 200, 1, 3]], np.uint8), 3)
    array([[1, 1, 1, 3, 3]], dtype=uint8)
    """
    name = "medianBlur"
    if isinstance(ksize, bool) or not isinstance(ksize, int | np.integer):
        raise TypeError(f"{name}: ksize expects an integer but got {ksize!r}")
    if ksize < 1 or ksize % 2 == 0:
        raise ValueError(f"{name}: ksize expects a positive odd number but got {ksize}")
    window = Footprint((int(ksize), int(ksize)), None)
    middle = check_rank(name, window.size // 2, window)

    def kernel(x: np.ndarray, out: np.ndarray | None) -> Any:
        return kernels.rank_filter2d(x, window, middle, mode="nearest", out=out)

    channels = axis_of_channels(name, src, batch_axes)
    return over_images(
        name, src, kernel, channel_axis=channels, batch_axes=batch_axes, out=dst, arguments=("src", "dst")
    )
