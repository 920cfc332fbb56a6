"""Batch normalisation, and the blocks of convolution, normalisation and activation."""

from collections.abc import Callable

import numpy as np

from .. import functional
from ..functional import chain
from ..functional.convolution import Padding, Pair
from ..primitive import Primitive
from ..tensor import Parameter, Tensor
from .convolution import Conv2d, ConvTranspose2d, check_activation, check_sizes
from .module import Module


class BatchNorm2d(Module):
    """NHWC images, channels on the last axis (PyTorch: NCHW): batch normalisation.

    Running statistics move as in PyTorch: by ``momentum`` towards the batch's, with the unbiased variance.

    Attributes
    ----------
    weight, bias : (C,) Parameter, or None if not ``affine``
    running_mean, running_var : (C,) buffers, or None if not ``track_running_stats``

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.BatchNorm2d(8)(nn.randn((2, 4, 4, 8))).shape
    (2, 4, 4, 8)
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        activation: str | None = None,
        negative_slope: float = 0.01,
    ) -> None:
        name = type(self).__name__
        check_sizes(name, num_features=num_features)
        check_activation(name, activation)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.activation, self.negative_slope = activation, negative_slope
        self.weight = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_features, np.float32)) if affine else None
        self.running_mean: Tensor | None
        self.running_var: Tensor | None
        self.register_buffer(
            "running_mean", Tensor(np.zeros(num_features, np.float32)) if track_running_stats else None
        )
        self.register_buffer("running_var", Tensor(np.ones(num_features, np.float32)) if track_running_stats else None)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.num_features:
            name = type(self).__name__
            raise ValueError(f"{name}: expects {self.num_features} channels on the last axis but got {x.shape}")
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or self.running_mean is None, self.momentum, self.eps,
            activation=self.activation, negative_slope=self.negative_slope,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
        return text + ("" if self.activation is None else f", activation={self.activation!r}")


class BatchNorm1d(BatchNorm2d):
    """Features on the last axis, (N, C): batch normalisation. Otherwise as `BatchNorm2d`.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.BatchNorm1d(8, activation="relu")(nn.randn((16, 8))).shape
    (16, 8)
    """


class Block(Module):
    """A convolution without bias, its normalisation and an activation."""

    conv: Conv2d | ConvTranspose2d
    function: Callable[..., Tensor]
    unapplied: Primitive

    def __init__(
        self, conv: Conv2d | ConvTranspose2d, channels: int, activation: str | None, negative_slope: float, eps: float,
        momentum: float,
    ) -> None:  # fmt: skip
        check_activation(type(self).__name__, activation)
        self.conv = conv
        self.norm = BatchNorm2d(channels, eps, momentum)
        self.activation, self.negative_slope = activation, negative_slope

    def forward(self, x: Tensor) -> Tensor:
        norm = self.norm
        return type(self).function(
            x, self.conv.weight, norm.running_mean, norm.running_var, norm.weight, norm.bias,
            self.training, norm.momentum, norm.eps,
            activation=self.activation, negative_slope=self.negative_slope, **self.conv.geometry,
        )  # fmt: skip

    def links(self, x: Tensor | chain.Unapplied) -> bool:
        """Whether to hand on what is not normalised: in training, where tensor cores normalise what they read."""
        return self.training and chain.links(type(self).unapplied, x, self.conv.weight, **self.conv.geometry)

    def link(self, x: Tensor | chain.Unapplied) -> chain.Unapplied:
        """The block in training, but for its normalisation and activation."""
        norm = self.norm
        return chain.link(
            type(self).unapplied, x, self.conv.weight, norm.running_mean, norm.running_var, norm.weight, norm.bias,
            momentum=norm.momentum, eps=norm.eps, activation=self.activation, negative_slope=self.negative_slope,
            **self.conv.geometry,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return "" if self.activation is None else f"activation={self.activation!r}"


class Conv2dBatchNorm(Block):
    """NHWC images and OHWI weights (PyTorch: NCHW, OIHW): convolution, batch normalisation and activation, fused.

    Computes what ``Sequential(Conv2d(..., bias=False), BatchNorm2d(...), activation)`` computes, with one node in the
    graph, and as a single convolution in evaluation.

    Attributes
    ----------
    conv : Conv2d without bias
    norm : BatchNorm2d

    Examples
    --------
    >>> from tilegrad import nn
    >>> block = nn.Conv2dBatchNorm(3, 8, 3, padding=1, activation="relu")
    >>> block(nn.randn((2, 6, 6, 3))).shape
    (2, 6, 6, 8)
    """

    function = functional.conv2d_batch_norm
    unapplied = chain.conv2d_unapplied

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        *,
        activation: str | None = None,
        negative_slope: float = 0.01,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias=False)
        super().__init__(conv, out_channels, activation, negative_slope, eps, momentum)


class ConvTranspose2dBatchNorm(Block):
    """NHWC images and IHWO weights (PyTorch: NCHW, IOHW): `Conv2dBatchNorm` with a transposed convolution.

    Attributes
    ----------
    conv : ConvTranspose2d without bias
    norm : BatchNorm2d

    Examples
    --------
    >>> from tilegrad import nn
    >>> block = nn.ConvTranspose2dBatchNorm(8, 4, 4, stride=2, padding=1, activation="relu")
    >>> block(nn.randn((2, 7, 7, 8))).shape
    (2, 14, 14, 4)
    """

    function = functional.conv_transpose2d_batch_norm
    unapplied = chain.conv_transpose2d_unapplied

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        output_padding: Pair = 0,
        groups: int = 1,
        dilation: Pair = 1,
        *,
        activation: str | None = None,
        negative_slope: float = 0.01,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        conv = ConvTranspose2d(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias=False,
            dilation=dilation,
        )  # fmt: skip
        super().__init__(conv, out_channels, activation, negative_slope, eps, momentum)
