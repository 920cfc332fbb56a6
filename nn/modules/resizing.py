"""Layers that change an image's size: interpolation, pixel shuffle, padding."""

from typing import Any

from .. import functional
from ..functional.convolution import Padding
from ..tensor import Tensor
from .convolution import plain
from .module import Module


class Upsample(Module):
    """NHWC images (PyTorch: NCHW) of another size, by interpolation.

    Parameters
    ----------
    size : int or (P, Q), optional
    scale_factor : number or (height, width), optional
        Instead of a size.
    mode : {"nearest", "bilinear", "bicubic"}
    align_corners : bool, optional
        Not with "nearest". The corner pixels of both images lie on each other, rather than the images' borders.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.Upsample(scale_factor=2)(nn.randn((1, 8, 8, 3))).shape
    (1, 16, 16, 3)
    """

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
    ) -> None:
        self.size, self.scale_factor = plain(size), scale_factor
        self.mode, self.align_corners = mode, align_corners

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners)

    def extra_repr(self) -> str:
        text = f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}"
        return f"{text}, mode={self.mode!r}" + (", align_corners=True" if self.align_corners else "")


class PixelShuffle(Module):
    """(N, H, W, C * r * r) to (N, H * r, W * r, C), r = ``upscale_factor``; channels in PyTorch's order.

    Channel ``c * r * r + i * r + j`` becomes pixel (i, j) of a block in channel c, so that a convolution before it
    takes PyTorch's weights as they are.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.PixelShuffle(2)(nn.randn((1, 8, 8, 12))).shape
    (1, 16, 16, 3)
    """

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, x: Tensor) -> Tensor:
        return functional.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"{self.upscale_factor}"


class PixelUnshuffle(Module):
    """(N, H * r, W * r, C) to (N, H, W, C * r * r), r = ``downscale_factor``: the inverse of `PixelShuffle`."""

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, x: Tensor) -> Tensor:
        return functional.pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"{self.downscale_factor}"


class ConstantPad2d(Module):
    """NHWC images with ``value`` around them.

    Parameters
    ----------
    padding : int, (height, width) or ((top, bottom), (left, right))
        PyTorch's layers take (left, right, top, bottom).
    value : float

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.ConstantPad2d((1, 2), 0.5)(nn.randn((1, 8, 8, 3))).shape
    (1, 10, 12, 3)
    """

    mode = "constant"

    def __init__(self, padding: Padding, value: float) -> None:
        self.padding, self.value = plain(padding), value

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad2d(x, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}, value={self.value}"


class ZeroPad2d(ConstantPad2d):
    """NHWC images with zeros around them; padding as in `ConstantPad2d`."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad2d(ZeroPad2d):
    """NHWC images mirrored about their outermost pixels; padding as in `ConstantPad2d`, less than the image."""

    mode = "reflect"


class ReplicationPad2d(ZeroPad2d):
    """NHWC images with their outermost pixels repeated; padding as in `ConstantPad2d`."""

    mode = "replicate"


class CircularPad2d(ZeroPad2d):
    """NHWC images repeated periodically; padding as in `ConstantPad2d`, at most the image."""

    mode = "circular"
