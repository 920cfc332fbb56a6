"""Linear layers, and the change from images to vectors and back."""

import numpy as np

from .. import functional
from ..tensor import Parameter, Tensor
from .convolution import check_activation, check_sizes, uniform_like_pytorch
from .module import Module


class Linear(Module):
    """Features on the last axis, weight (C_out, C_in), as in PyTorch: ``x @ weight.T + bias``.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.Linear(20, 30)(nn.randn((128, 20))).shape
    (128, 30)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        activation: str | None = None,
        negative_slope: float = 0.01,
    ) -> None:
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        check_activation("Linear", activation)
        self.activation, self.negative_slope = activation, negative_slope
        self.weight = Parameter(np.empty((out_features, in_features), np.float32))
        self.bias = Parameter(np.empty(out_features, np.float32)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """PyTorch's default initialisation, from the default generator."""
        uniform_like_pytorch(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(
            x, self.weight, self.bias, activation=self.activation, negative_slope=self.negative_slope
        )

    def extra_repr(self) -> str:
        text = f"{self.weight.shape[1]}, {self.weight.shape[0]}" + ("" if self.bias is not None else ", bias=False")
        return text + ("" if self.activation is None else f", activation={self.activation!r}")


class Flatten(Module):
    """(N, H, W, C) to (N, H * W * C), channels fastest (PyTorch: C, H, W, columns fastest).

    A linear layer behind it sees its inputs in another order than in PyTorch, so the importer of PyTorch weights needs
    the shape: it is given here, or else recorded at the first call.

    Parameters
    ----------
    shape : (H, W, C), optional

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.Flatten()(nn.randn((2, 4, 4, 3))).shape
    (2, 48)
    """

    def __init__(self, shape: tuple[int, int, int] | None = None) -> None:
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        if self.shape is None:
            self.shape = x.shape[1:]  # type: ignore[assignment]
        if x.shape[1:] != self.shape:
            raise ValueError(f"Flatten: expects (N, H, W, C) with (H, W, C) = {self.shape} but got {x.shape}")
        return x.reshape(x.shape[0], -1)

    def extra_repr(self) -> str:
        return "" if self.shape is None else f"{self.shape}"


class Unflatten(Module):
    """(N, H * W * C) to (N, H, W, C), channels fastest (PyTorch: C, H, W, columns fastest).

    Parameters
    ----------
    shape : (H, W, C)

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.Unflatten((7, 7, 64))(nn.randn((2, 3136))).shape
    (2, 7, 7, 64)
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != int(np.prod(self.shape)):
            raise ValueError(f"Unflatten: expects (N, {' * '.join(map(str, self.shape))}) but got {x.shape}")
        return x.reshape(x.shape[0], *self.shape)

    def extra_repr(self) -> str:
        return f"{self.shape}"
