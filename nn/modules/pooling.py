"""Pooling layers."""

from typing import Any

from .. import functional
from ..functional.convolution import Pair
from .convolution import check_sizes, plain
from .module import Module


class MaxPool2d(Module):
    """NHWC images (PyTorch: NCHW): the greatest number of each window of every channel.

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or (height, width)
        The stride is ``kernel_size`` if None; padding, with minus infinity, is at most half of ``kernel_size``.
    return_indices : bool
        Return ``h * W + w`` of the greatest numbers too.
    ceil_mode : bool
        Take windows too that begin inside the padded image and end outside.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.MaxPool2d(2)(nn.randn((1, 8, 8, 3))).shape
    (1, 4, 4, 3)
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        dilation: Pair = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        stride = kernel_size if stride is None else stride
        check_sizes("MaxPool2d", kernel_size=kernel_size, stride=stride, dilation=dilation)
        self.kernel_size, self.stride, self.padding = plain(kernel_size), plain(stride), plain(padding)
        self.dilation, self.return_indices, self.ceil_mode = plain(dilation), return_indices, ceil_mode

    def forward(self, x: Any) -> Any:
        return functional.max_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        text = f"{self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}"
        return text + (", ceil_mode=True" if self.ceil_mode else "")


class AvgPool2d(Module):
    """NHWC images (PyTorch: NCHW): the average of each window of every channel.

    Parameters
    ----------
    kernel_size, stride, padding : int or (height, width)
        The stride is ``kernel_size`` if None; padding, with zeros, is at most half of ``kernel_size``.
    ceil_mode : bool
        Take windows too that begin inside the padded image and end outside.
    count_include_pad : bool
        Divide by the numbers of a window that lie in the padding too.
    divisor_override : int, optional
        Divide by this number instead.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.AvgPool2d(3, stride=2, padding=1)(nn.randn((1, 8, 8, 3))).shape
    (1, 4, 4, 3)
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        stride = kernel_size if stride is None else stride
        check_sizes("AvgPool2d", kernel_size=kernel_size, stride=stride)
        self.kernel_size, self.stride, self.padding = plain(kernel_size), plain(stride), plain(padding)
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def forward(self, x: Any) -> Any:
        return functional.avg_pool2d(
            x, self.kernel_size, self.stride, self.padding,
            self.ceil_mode, self.count_include_pad, self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.kernel_size}, stride={self.stride}, padding={self.padding}"
        text += ", ceil_mode=True" if self.ceil_mode else ""
        text += "" if self.count_include_pad else ", count_include_pad=False"
        return text + ("" if self.divisor_override is None else f", divisor_override={self.divisor_override}")


class AdaptiveAvgPool2d(Module):
    """NHWC images (PyTorch: NCHW): averages over windows that divide an image into ``output_size`` parts.

    Parameters
    ----------
    output_size : int or (P, Q)
        1 averages all of an image (global average pooling); None for a side keeps the size there.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.AdaptiveAvgPool2d(1)(nn.randn((1, 7, 5, 3))).shape
    (1, 1, 1, 3)
    """

    def __init__(self, output_size: Any) -> None:
        self.output_size = plain(output_size)

    def forward(self, x: Any) -> Any:
        return functional.adaptive_avg_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        return f"{self.output_size}"


class AdaptiveMaxPool2d(Module):
    """NHWC images (PyTorch: NCHW): the greatest numbers of windows that divide an image into ``output_size`` parts.

    Parameters
    ----------
    output_size : int or (P, Q)
        1 takes the greatest of all of an image; None for a side keeps the size there.
    return_indices : bool
        Return ``h * W + w`` of the greatest numbers too.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.AdaptiveMaxPool2d((3, None))(nn.randn((1, 7, 5, 3))).shape
    (1, 3, 5, 3)
    """

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        self.output_size, self.return_indices = plain(output_size), return_indices

    def forward(self, x: Any) -> Any:
        return functional.adaptive_max_pool2d(x, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"{self.output_size}"
