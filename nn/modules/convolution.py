"""Convolution layers."""

import math
from typing import Any

import numpy as np

from .. import functional, init
from ..functional.activation import ACTIVATIONS
from ..functional.convolution import Padding, Pair
from ..tensor import Parameter, Tensor
from .module import Module

PADDING_MODES = ("zeros", "replicate", "reflect", "circular")


def two(value: Any) -> tuple[int, int]:
    """An integer as (value, value); a pair as it is."""
    value = plain(value)
    return (value, value) if isinstance(value, int) else value


def plain(value: Any) -> Any:
    """NumPy's integers, and those in sequences, as Python's."""
    if isinstance(value, list | tuple):
        return tuple(plain(v) for v in value)
    return int(value) if isinstance(value, np.integer) else value


def check_sizes(name: str, **sizes: Any) -> None:
    """Refuse what is not an integer of at least 1, or a pair of them."""
    for argument, size in sizes.items():
        pair = argument in ("kernel_size", "stride", "dilation") and isinstance(size, list | tuple) and len(size) == 2
        if not all(isinstance(n, int | np.integer) and n >= 1 for n in (size if pair else (size,))):
            raise ValueError(f"{name}: {argument} expects integers of at least 1 but got {size!r}")


def check_activation(name: str, activation: str | None) -> None:
    if activation is not None and activation not in ACTIVATIONS:
        raise ValueError(f"{name}: activation expects None or one of {ACTIVATIONS} but got {activation!r}")


def uniform_like_pytorch(weight: Tensor, bias: Tensor | None) -> None:
    """PyTorch's default for convolutions and linear layers: uniform within 1 / sqrt(fan in), weight and bias."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = 1 / math.sqrt(max(1, init.fans(weight)[0]))
        init.uniform_(bias, -bound, bound)


class Conv2d(Module):
    """NHWC images and OHWI weights (PyTorch: NCHW, OIHW): two-dimensional convolution.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or (height, width)
    padding : int, (height, width) or ((top, bottom), (left, right))
    groups : int
    bias : bool
    padding_mode : {"zeros", "replicate", "reflect", "circular"}
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
        Fused into the kernel; ``negative_slope`` is that of "leaky_relu".

    Attributes
    ----------
    weight : (C_out, KH, KW, C_in // groups) Parameter
    bias : (C_out,) Parameter or None

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.Conv2d(3, 16, 3, stride=2, padding=1, activation="relu")(nn.randn((1, 8, 8, 3))).shape
    (1, 4, 4, 16)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        activation: str | None = None,
        negative_slope: float = 0.01,
    ) -> None:
        check_sizes("Conv2d", kernel_size=kernel_size, stride=stride, dilation=dilation)
        check_activation("Conv2d", activation)
        check_channels("Conv2d", in_channels, out_channels, groups)
        if padding_mode not in PADDING_MODES:
            known = ", ".join(map(repr, PADDING_MODES))
            raise ValueError(f"Conv2d: padding_mode expects one of {known} but got {padding_mode!r}")
        geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        self.geometry: dict[str, Any] = {name: plain(value) for name, value in geometry.items()}
        self.padding_mode = padding_mode
        self.activation, self.negative_slope = activation, negative_slope
        self.weight = Parameter(np.empty((out_channels, *two(kernel_size), in_channels // groups), np.float32))
        self.bias = Parameter(np.empty(out_channels, np.float32)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """PyTorch's default initialisation, from the default generator."""
        uniform_like_pytorch(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        geometry = self.geometry
        if self.padding_mode != "zeros":
            x = functional.pad2d(x, geometry["padding"], self.padding_mode)
            geometry = {**geometry, "padding": 0}
        return functional.conv2d(
            x, self.weight, self.bias, **geometry, activation=self.activation, negative_slope=self.negative_slope
        )

    def extra_repr(self) -> str:
        return describe(self, self.weight.shape[3] * self.geometry["groups"], self.weight.shape[0])


class ConvTranspose2d(Module):
    """NHWC images and IHWO weights (PyTorch: NCHW, IOHW): transposed two-dimensional convolution.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, output_padding, dilation : int or (height, width)
    padding : int, (height, width) or ((top, bottom), (left, right))
    groups : int
    bias : bool
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
        Fused into the kernel.

    Attributes
    ----------
    weight : (C_in, KH, KW, C_out // groups) Parameter, that of the convolution it transposes
    bias : (C_out,) Parameter or None

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1)(nn.randn((1, 7, 7, 64))).shape
    (1, 14, 14, 32)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        output_padding: Pair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Pair = 1,
        *,
        activation: str | None = None,
        negative_slope: float = 0.01,
    ) -> None:
        check_sizes("ConvTranspose2d", kernel_size=kernel_size, stride=stride, dilation=dilation)
        check_activation("ConvTranspose2d", activation)
        check_channels("ConvTranspose2d", in_channels, out_channels, groups)
        geometry = {
            "stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation,
            "groups": groups,
        }  # fmt: skip
        self.geometry: dict[str, Any] = {name: plain(value) for name, value in geometry.items()}
        self.activation, self.negative_slope = activation, negative_slope
        self.weight = Parameter(np.empty((in_channels, *two(kernel_size), out_channels // groups), np.float32))
        self.bias = Parameter(np.empty(out_channels, np.float32)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """PyTorch's default initialisation, from the default generator."""
        uniform_like_pytorch(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv_transpose2d(
            x, self.weight, self.bias, **self.geometry, activation=self.activation, negative_slope=self.negative_slope
        )

    def extra_repr(self) -> str:
        return describe(self, self.weight.shape[0], self.weight.shape[3] * self.geometry["groups"])


def check_channels(name: str, in_channels: int, out_channels: int, groups: int) -> None:
    check_sizes(name, in_channels=in_channels, out_channels=out_channels)
    if groups < 1 or in_channels % groups or out_channels % groups:
        seen = f"in_channels {in_channels}, out_channels {out_channels}, groups {groups}"
        raise ValueError(f"{name}: groups expects a divisor of both channel counts but got {seen}")


def describe(layer: Any, in_channels: int, out_channels: int) -> str:
    """The arguments of a convolution layer that are not defaults."""
    text = f"{in_channels}, {out_channels}, kernel_size={layer.weight.shape[1:3]}"
    usual = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1}
    text += "".join(f", {name}={value}" for name, value in layer.geometry.items() if value != usual[name])
    text += "" if layer.bias is not None else ", bias=False"
    return text + ("" if layer.activation is None else f", activation={layer.activation!r}")
