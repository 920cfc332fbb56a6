"""Sobel's derivatives of images, as layers of a loss: edges that a network is to keep.

Compositions of padding and a depthwise convolution, so that gradients of any order exist.
"""

from typing import Any

import numpy as np

from ...kernels.arrays import beside
from ..tensor import Tensor
from .arithmetic import sqrt, square
from .convolution import conv2d
from .padding import pad2d
from .shape import getitem, reshape

_SMOOTH, _SLOPE = np.array([0.25, 0.5, 0.25]), np.array([-1.0, 0.0, 1.0])
_MODES = ("symmetric", "reflect", "replicate", "circular", "constant")
_WEIGHTS = np.stack([np.multiply.outer(_SLOPE, _SMOOTH), np.multiply.outer(_SMOOTH, _SLOPE)])


def sobel(x: Any, mode: str = "symmetric", value: float = 0.0) -> tuple[Tensor, Tensor]:
    """The derivatives of NHWC images down the columns and along the rows, by Sobel's weights.

    Parameters
    ----------
    x : (N, H, W, C)
        Each channel is on its own.
    mode : {"symmetric", "reflect", "replicate", "circular", "constant"}
        What lies outside the image, in the names of `pad2d`; ``value`` is that of "constant".

    Returns
    -------
    down, along : (N, H, W, C) Tensors
        A slope (-1, 0, 1) along the axis, smoothed by (1, 2, 1) / 4 across it; as `tilegrad.filters.sobel`.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[0.0, 0.0, 1.0, 1.0]] * 3).reshape(1, 3, 4, 1)
    >>> down, along = nn.functional.sobel(x)
    >>> along[0, 1].reshape(-1)
    Tensor([0., 1., 1., 0.], dtype=float32)
    """
    if mode not in _MODES:
        raise ValueError(f"sobel: mode expects one of {', '.join(map(repr, _MODES))} but got {mode!r}")
    n, h, w, c = x.shape
    image = x.data if isinstance(x, Tensor) else x
    weights = beside(image, np.tile(_WEIGHTS[..., None], (c, 1, 1, 1)).astype(x.dtype))  # two outputs for each channel
    pair = reshape(conv2d(pad2d(x, 1, mode, value), weights, groups=c), (n, h, w, c, 2))
    return getitem(pair, (..., 0)), getitem(pair, (..., 1))


def sobel_magnitude(x: Any, mode: str = "symmetric", value: float = 0.0, eps: float = 1e-12) -> Tensor:
    """The length of the gradient of NHWC images: ``sqrt((down**2 + along**2) / 2 + eps)`` of `sobel`.

    ``eps`` keeps the gradient finite where the image is flat.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[0.0, 0.0, 1.0, 1.0]] * 3).reshape(1, 3, 4, 1)
    >>> round(nn.functional.sobel_magnitude(x)[0, 1, 1, 0].item(), 4)
    0.7071
    """
    down, along = sobel(x, mode, value)
    return sqrt((square(down) + square(along)) * 0.5 + eps)
