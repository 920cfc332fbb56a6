"""The definitions of the activations, and of their gradients as functions of the output y."""

import math
from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from .epilogue import LEAKY_RELU, RELU, SIGMOID, TANH


def _relu(x, parameter):
    return 0.0 if x < 0 else x


def _leaky_relu(x, negative_slope):
    return negative_slope * x if x < 0 else x


def _sigmoid(x, parameter):
    if x < 0:  # exp of a large positive number would overflow
        return math.exp(x) / (1.0 + math.exp(x))
    return 1.0 / (1.0 + math.exp(-x))


def _softplus(x, parameter):
    return (x if x > 0 else 0.0) + math.log1p(math.exp(-abs(x)))  # exp of a large positive number would overflow


@register_jitable
def _relu_grad(gy, y, parameter):
    return 0.0 if y <= 0 else gy


@register_jitable
def _leaky_relu_grad(gy, y, negative_slope):
    return negative_slope * gy if y <= 0 else gy


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "tanh": lambda x, parameter: math.tanh(x),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "relu_grad": _relu_grad,
    "leaky_relu_grad": _leaky_relu_grad,
    "tanh_grad": lambda gy, y, parameter: gy * ((1.0 - y) * (1.0 + y)),
    "sigmoid_grad": lambda gy, y, parameter: gy * (y * (1.0 - y)),
}


@register_jitable
def activate_grad(gy, y, code, negative_slope):
    """Gradient by the input of the activation of that code, whose output is y: for operations that fuse it."""
    if code == RELU:
        return _relu_grad(gy, y, negative_slope)
    if code == LEAKY_RELU:
        return _leaky_relu_grad(gy, y, negative_slope)
    if code == TANH:
        return gy * ((1.0 - y) * (1.0 + y))
    if code == SIGMOID:
        return gy * (y * (1.0 - y))
    return gy
