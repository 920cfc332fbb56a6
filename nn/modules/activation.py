"""Activations as layers. Convolutions and linear layers take them fused, as ``activation="relu"``."""

from .. import functional
from ..tensor import Tensor
from .module import Module


class ReLU(Module):
    """Any layout, element by element: ``max(x, 0)``."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x)


class LeakyReLU(Module):
    """Any layout, element by element: ``x`` where x > 0, else ``negative_slope * x``."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"{self.negative_slope}"


class Tanh(Module):
    """Any layout, element by element: the hyperbolic tangent."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.tanh(x)


class Sigmoid(Module):
    """Any layout, element by element: ``1 / (1 + exp(-x))``."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.sigmoid(x)


class Softplus(Module):
    """Any layout, element by element: ``log(1 + exp(x))``."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.softplus(x)


class SiLU(Module):
    """Any layout, element by element: ``x * sigmoid(x)``."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x)


class Softmax(Module):
    """Any layout: ``exp(x)`` divided by its sum over the axis ``dim``, the last one (NHWC's channels) by default."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return functional.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """The logarithm of `Softmax`."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.log_softmax(x, self.dim)
