"""Padding of images. (Convolutions pad with zeros by themselves.)

Padding copies rows and columns, so its gradient adds the copies back to where they came from; both are linear, and each
is the other's derivative.
"""

from ... import kernels
from ..primitive import Array, primitive
from .convolution import Padding


@primitive()
def pad2d(x: Array, padding: Padding, mode: str = "constant", value: float = 0.0) -> Array:
    """Put rows and columns around NHWC images.

    Parameters
    ----------
    x : (N, H, W, C)
    padding : int, (height, width) or ((top, bottom), (left, right))
        PyTorch's ``pad`` takes (left, right, top, bottom).
    mode : {"constant", "reflect", "replicate", "circular", "symmetric"}
        See `tilegrad.kernels.pad2d`; ``value`` is that of "constant".

    Returns
    -------
    (N, top + H + bottom, left + W + right, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[1.0, 2.0, 3.0]]).reshape(1, 1, 3, 1)
    >>> nn.functional.pad2d(x, ((0, 0), (2, 1)), "reflect").reshape(-1)
    Tensor([3., 2., 1., 2., 3., 2.], dtype=float32)
    """
    return kernels.pad2d(x, padding, mode=mode, value=value)


@primitive()
def pad2d_grad(gy: Array, input_shape: tuple[int, ...], padding: Padding, mode: str = "constant") -> Array:
    """The gradient of `pad2d`: what was copied, added back to where it came from."""
    return kernels.pad2d_grad(gy, input_shape, padding, mode=mode)


pad2d.gradients(x=lambda gy, x_shape, padding, mode: pad2d_grad(gy, x_shape, padding, mode))
pad2d_grad.gradients(gy=lambda g, padding, mode: pad2d(g, padding, mode))
