"""Initialisers, under PyTorch's names. Each fills a tensor in place, outside the graph, and returns it.

Fans count what a weight connects: for ``(C_out, KH, KW, C_in // groups)`` the fan in is ``KH * KW * C_in // groups``.
Of a transposed convolution PyTorch reads its ``(C_in, C_out // groups, KH, KW)`` the same way, and so do we.
"""

import math

import numpy as np

from .random import Generator, default_generator
from .tensor import Tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in [a, b)."""
    return tensor.copy_((generator or default_generator).uniform(tensor.shape, a, b, tensor.dtype))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with this mean and standard deviation."""
    return tensor.copy_((generator or default_generator).normal(tensor.shape, mean, std, tensor.dtype))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere."""
    return tensor.copy_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return tensor.copy_(0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return tensor.copy_(1)


def fans(tensor: Tensor) -> tuple[int, int]:
    """Fan in and fan out of a weight ``(C_out, ..., C_in)``.

    >>> from tilegrad import nn
    >>> nn.init.fans(nn.randn((16, 3, 3, 8)))
    (72, 144)
    """
    if tensor.ndim < 2:
        raise ValueError(f"init: fans expect a weight of at least 2 axes but got shape {tensor.shape}")
    field = math.prod(tensor.shape[1:-1])
    return field * tensor.shape[-1], field * tensor.shape[0]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """What an activation does to the standard deviation, inverted; ``param`` is the slope of "leaky_relu".

    >>> round(calculate_gain("relu"), 4)
    1.4142
    """
    gains = {"linear": 1.0, "conv2d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in gains:
        expected = sorted([*gains, "leaky_relu"])
        raise ValueError(f"calculate_gain: nonlinearity expects one of {expected} but got {nonlinearity!r}")
    return gains[nonlinearity]


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming: mode expects 'fan_in' or 'fan_out' but got {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(tensor)[mode == "fan_out"])


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform, keeping the variance through layers (He et al., 2015); ``a`` is the slope of "leaky_relu"."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal, keeping the variance through layers (He et al., 2015); ``a`` is the slope of "leaky_relu"."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform, between the needs of forward and backward (Glorot and Bengio, 2010)."""
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal, between the needs of forward and backward (Glorot and Bengio, 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Orthonormal rows, or columns where there are fewer, of the weight as a matrix (Saxe et al., 2013)."""
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expects a weight of at least 2 axes but got shape {tensor.shape}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    draw = (generator or default_generator).normal((max(rows, columns), min(rows, columns)), dtype=tensor.dtype)
    q, r = np.linalg.qr(draw)
    q = q * np.sign(np.diag(r))
    return tensor.copy_(gain * (q if rows >= columns else q.T).reshape(tensor.shape))
