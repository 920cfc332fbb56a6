"""Pooling of NHWC images.

Averages are linear: the gradient's derivative is the average itself. A maximum is linear as long as it stays where it
is: its gradient puts numbers at the places of the maxima, and the derivative of that takes the numbers there.
"""

from typing import Any

from ... import kernels
from ..autograd import is_grad_enabled
from ..primitive import Array, primitive
from ..tensor import Tensor
from .convolution import Pair

Window = dict[str, Any]


@primitive()
def max_pool(x: Array, window: Window, places: bool = True) -> Array:
    """`max_pool2d`; where it is recorded, with the places that its gradient goes by."""
    if not places:
        return kernels.max_pool2d(x, **window)
    y, indices = kernels.max_pool2d(x, **window, return_indices=True)
    return y, {"indices": indices}


@primitive()
def adaptive_max_pool(x: Array, output_size: Any, places: bool = True) -> Array:
    """`adaptive_max_pool2d`; where it is recorded, with the places that its gradient goes by."""
    if not places:
        return kernels.adaptive_max_pool2d(x, output_size)
    y, indices = kernels.adaptive_max_pool2d(x, output_size, return_indices=True)
    return y, {"indices": indices}


@primitive()
def max_pool_grad(gy: Array, indices: Array, input_shape: tuple[int, ...], window: Window | None = None) -> Array:
    """Each number of ``gy`` added at its place. Without a window, those are adaptive."""
    if window is None:
        return kernels.adaptive_max_pool2d_grad(gy, indices, input_shape)
    return kernels.max_pool2d_grad(gy, indices, input_shape, **window)


@primitive()
def max_pool_take(x: Array, indices: Array, window: Window | None = None) -> Array:
    """The numbers at the places of the maxima; the window is that of the gradient."""
    return kernels.take_pixels(x, indices)


@primitive()
def avg_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The average of each window of every channel of NHWC images; otherwise PyTorch's ``avg_pool2d``.

    Parameters
    ----------
    x : (N, H, W, C)
    kernel_size, stride, padding : int or (height, width)
        The stride is the window's size if None; padding, with zeros, is at most half of ``kernel_size``.
    ceil_mode : bool
        Take windows too that begin inside the padded image and end outside.
    count_include_pad : bool
        Divide by the numbers of a window that lie in the padding too.
    divisor_override : int, optional
        Divide by this number instead.

    Returns
    -------
    (N, P, Q, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.functional.avg_pool2d(nn.Tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1), 2).item()
    2.5
    """
    return kernels.avg_pool2d(
        x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
        count_include_pad=count_include_pad, divisor_override=divisor_override,
    )  # fmt: skip


@primitive()
def avg_pool2d_grad(
    gy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The gradient of `avg_pool2d` by its input, of shape ``input_shape``."""
    return kernels.avg_pool2d_grad(
        gy, input_shape, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
        count_include_pad=count_include_pad, divisor_override=divisor_override,
    )  # fmt: skip


@primitive()
def adaptive_avg_pool2d(x: Array, output_size: Any) -> Array:
    """Averages over windows that divide NHWC images into ``output_size`` parts; 1 averages all of an image.

    Parameters
    ----------
    x : (N, H, W, C)
    output_size : int or (P, Q)
        None for a side keeps the size there.

    Returns
    -------
    (N, P, Q, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.functional.adaptive_avg_pool2d(nn.randn((2, 7, 5, 16)), 1).shape
    (2, 1, 1, 16)
    """
    return kernels.adaptive_avg_pool2d(x, output_size)


@primitive()
def adaptive_avg_pool2d_grad(gy: Array, input_shape: tuple[int, ...]) -> Array:
    """The gradient of `adaptive_avg_pool2d` by its input, of shape ``input_shape``."""
    return kernels.adaptive_avg_pool2d_grad(gy, input_shape)


def _window(settings: dict[str, Any]) -> Window:
    """What an average and its gradient have in common."""
    return {name: value for name, value in settings.items() if name != "input_shape"}


max_pool.gradients(x=lambda gy, indices, x_shape, window: max_pool_grad(gy, indices, x_shape, window))
adaptive_max_pool.gradients(x=lambda gy, indices, x_shape: max_pool_grad(gy, indices, x_shape))
max_pool_grad.gradients(gy=lambda g, indices, window: max_pool_take(g, indices, window))
max_pool_take.gradients(x=lambda gy, indices, x_shape, window: max_pool_grad(gy, indices, x_shape, window))
avg_pool2d.gradients(x=lambda gy, x_shape, settings: avg_pool2d_grad(gy, x_shape, **settings))
avg_pool2d_grad.gradients(gy=lambda g, settings: avg_pool2d(g, **_window(settings)))
adaptive_avg_pool2d.gradients(x=lambda gy, x_shape: adaptive_avg_pool2d_grad(gy, x_shape))
adaptive_avg_pool2d_grad.gradients(gy=lambda g, gy_shape: adaptive_avg_pool2d(g, gy_shape[1:3]))


def max_pool2d(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest number of each window of every channel of NHWC images; otherwise PyTorch's ``max_pool2d``.

    Parameters
    ----------
    x : (N, H, W, C)
    kernel_size, stride, padding, dilation : int or (height, width)
        The stride is ``kernel_size`` if None; padding, with minus infinity, is at most half of ``kernel_size``.
    ceil_mode : bool
        Take windows too that begin inside the padded image and end outside.
    return_indices : bool
        Return ``h * W + w`` of the greatest numbers too, as int32. They are found in a pass of their own.

    Returns
    -------
    (N, P, Q, C) Tensor, or two

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.functional.max_pool2d(nn.Tensor([1.0, 2.0, 4.0, 3.0]).reshape(1, 2, 2, 1), 2).item()
    4.0
    """
    window: Window = {
        "kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode,
    }  # fmt: skip
    y = max_pool(x, window, _recorded(x))
    return (y, Tensor.wrap(kernels.max_pool2d(x.data, **window, return_indices=True)[1])) if return_indices else y


def adaptive_max_pool2d(x: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The greatest numbers of windows that divide NHWC images into ``output_size`` parts; 1 takes that of an image.

    Parameters
    ----------
    x : (N, H, W, C)
    output_size : int or (P, Q)
        None for a side keeps the size there.
    return_indices : bool
        As in `max_pool2d`.

    Returns
    -------
    (N, P, Q, C) Tensor, or two

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.functional.adaptive_max_pool2d(nn.randn((2, 7, 5, 16)), (3, None)).shape
    (2, 3, 5, 16)
    """
    y = adaptive_max_pool(x, output_size, _recorded(x))
    if return_indices:
        return y, Tensor.wrap(kernels.adaptive_max_pool2d(x.data, output_size, return_indices=True)[1])
    return y


def _recorded(x: Any) -> bool:
    return is_grad_enabled() and isinstance(x, Tensor) and x.requires_grad
