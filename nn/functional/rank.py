"""Filters that take one of the numbers under a window, of NHWC images.

The image is padded, and of what lies under each whole window one number is taken. Its gradient goes to the place where
it was found; as long as that stays where it is, the filter is linear, and gradients of any order exist. Of equal
numbers the first in the window, row by row, gets all of it.
"""

from typing import Any

import numpy as np

from ... import kernels
from ...kernels.convolution.geometry import pair
from ..primitive import Array, primitive
from ..tensor import Tensor
from .convolution import Pair
from .padding import pad2d
from .pooling import max_pool_grad
from .warping import warp2d

_PADDED = {"reflect": "symmetric", "mirror": "reflect", "nearest": "replicate", "wrap": "circular"}


@primitive()
def rank_of_windows(x: Array, size: tuple[int, int], rank: int, recorded: bool = False) -> Any:
    """The number of a rank under each window that lies in the image as a whole."""
    rows, columns = size
    top, left = rows // 2, columns // 2
    if rank in (0, -1):
        filtered = (kernels.max_filter2d if rank else kernels.min_filter2d)(x, size)
    else:
        filtered = kernels.rank_filter2d(x, size, rank)
    y = filtered[:, top : top + x.shape[1] - rows + 1, left : left + x.shape[2] - columns + 1].copy()
    return (y, {"indices": kernels.window_places(x, y, size)}) if recorded else y


rank_of_windows.gradients(
    x=lambda gy, indices, x_shape, size: max_pool_grad(gy, indices, x_shape, {"kernel_size": size, "stride": 1})
)


def min_filter(x: Tensor, size: Pair, mode: str = "reflect", cval: float = 0.0) -> Tensor:
    """The least number of the window around each pixel, of every channel of NHWC images.

    Parameters
    ----------
    x : (N, H, W, C)
    size : int or (height, width)
        The window; its middle is ``(height // 2, width // 2)``. It may be larger than the images: borders repeat.
    mode : {"reflect", "mirror", "nearest", "wrap", "constant"}
        What lies outside, in ``scipy.ndimage``'s names (`tilegrad.kernels.correlation` draws them).
    cval : float
        The number outside with "constant".

    Returns
    -------
    (N, H, W, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([5.0, 1.0, 4.0, 2.0]).reshape(1, 1, 4, 1)
    >>> nn.functional.min_filter(x, (1, 3)).reshape(-1)
    Tensor([1., 1., 1., 2.], dtype=float32)
    """
    return _filtered("min_filter", x, size, mode, cval, lambda pixels: 0)


def max_filter(x: Tensor, size: Pair, mode: str = "reflect", cval: float = 0.0) -> Tensor:
    """The greatest number of the window around each pixel, of every channel of NHWC images.

    Parameters
    ----------
    x, size, mode, cval
        As in `min_filter`.

    Returns
    -------
    (N, H, W, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([5.0, 1.0, 4.0, 2.0]).reshape(1, 1, 4, 1)
    >>> nn.functional.max_filter(x, (1, 3)).reshape(-1)
    Tensor([5., 5., 4., 4.], dtype=float32)
    """
    return _filtered("max_filter", x, size, mode, cval, lambda pixels: -1)


def median_filter(x: Tensor, size: Pair, mode: str = "reflect", cval: float = 0.0) -> Tensor:
    """The median of the window around each pixel, of every channel of NHWC images.

    Parameters
    ----------
    x, size, mode, cval
        As in `min_filter`. Of an even number of pixels, the greater of the two in the middle is taken.

    Returns
    -------
    (N, H, W, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([5.0, 1.0, 4.0, 2.0], requires_grad=True)
    >>> nn.functional.median_filter(x.reshape(1, 1, 4, 1), (1, 3)).sum().backward()
    >>> x.grad
    Tensor([1., 0., 1., 2.], dtype=float32)
    """
    return _filtered("median_filter", x, size, mode, cval, lambda pixels: pixels // 2)


def _filtered(name: str, x: Tensor, size: Pair, mode: Any, cval: float, rank: Any) -> Tensor:
    rows, columns = pair(name, "size", size, 1)
    if mode != "constant" and mode not in _PADDED:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, (*_PADDED, 'constant')))} but got {mode!r}")
    _, height, width, _ = x.shape
    if height * width == 0:
        return x
    once = {"mirror": 1, "reflect": 0, "wrap": 0}.get(mode)  # beyond so much less than its size, padding would repeat
    if once is None or (rows // 2 <= height - once and columns // 2 <= width - once):
        around = ((rows // 2, (rows - 1) // 2), (columns // 2, (columns - 1) // 2))
        padded = pad2d(x, around, _PADDED.get(mode, mode), cval)
    else:
        moved = np.array([[1, 0, -(columns // 2)], [0, 1, -(rows // 2)], [0, 0, 1]])
        padded = warp2d(x, moved, (height + rows - 1, width + columns - 1), "nearest-exact", mode)
    return rank_of_windows(padded, (rows, columns), rank(rows * columns))
