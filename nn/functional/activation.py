"""Activations. Each kernel of convolutions and products can apply one to its result (``activation="relu"``).

The gradient of each is a function of its output, so that a fused activation needs no array besides the one that is
there. Where that function has a slope of its own (tanh, sigmoid), it can be differentiated by it too.
"""

from ... import kernels
from ..primitive import PRIMITIVES, ZERO, Array, primitive
from ..tensor import Tensor

ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid")


@primitive()
def relu(x: Array, *, out: Array = None) -> Array:
    """``max(x, 0)``; the gradient at 0 is 0.

    >>> from tilegrad import nn
    >>> nn.functional.relu(nn.Tensor([-1.0, 0.0, 2.0]))
    Tensor([0., 0., 2.], dtype=float32)
    """
    return kernels.relu(x, out=out)


@primitive()
def leaky_relu(x: Array, negative_slope: float = 0.01, *, out: Array = None) -> Array:
    """``x`` where x > 0, else ``negative_slope * x``; the slope is not negative: the gradient reads the output."""
    if not negative_slope >= 0:
        raise ValueError(f"leaky_relu: negative_slope expects at least 0 but got {negative_slope}")
    return kernels.leaky_relu(x, negative_slope=negative_slope, out=out)


@primitive()
def tanh(x: Array, *, out: Array = None) -> Array:
    """The hyperbolic tangent."""
    return kernels.tanh(x, out=out)


@primitive()
def sigmoid(x: Array, *, out: Array = None) -> Array:
    """``1 / (1 + exp(-x))``, without overflow."""
    return kernels.sigmoid(x, out=out)


@primitive()
def relu_grad(gy: Array, y: Array, *, out: Array = None) -> Array:
    """``gy`` where the output ``y`` of relu is positive, else 0."""
    return kernels.relu_grad(gy, y, out=out)


@primitive()
def leaky_relu_grad(gy: Array, y: Array, negative_slope: float = 0.01, *, out: Array = None) -> Array:
    """``gy`` where the output ``y`` of leaky_relu is positive, else ``negative_slope * gy``."""
    return kernels.leaky_relu_grad(gy, y, negative_slope=negative_slope, out=out)


@primitive()
def tanh_grad(gy: Array, y: Array, *, out: Array = None) -> Array:
    """``gy * (1 - y * y)``, with the output ``y`` of tanh."""
    return kernels.tanh_grad(gy, y, out=out)


@primitive()
def sigmoid_grad(gy: Array, y: Array, *, out: Array = None) -> Array:
    """``gy * y * (1 - y)``, with the output ``y`` of sigmoid."""
    return kernels.sigmoid_grad(gy, y, out=out)


relu.gradients(x=lambda gy, y: relu_grad(gy, y))
leaky_relu.gradients(x=lambda gy, y, negative_slope: leaky_relu_grad(gy, y, negative_slope))
tanh.gradients(x=lambda gy, y: tanh_grad(gy, y))
sigmoid.gradients(x=lambda gy, y: sigmoid_grad(gy, y))
relu_grad.gradients(gy=lambda g, y: relu_grad(g, y), y=ZERO)
leaky_relu_grad.gradients(gy=lambda g, y, negative_slope: leaky_relu_grad(g, y, negative_slope), y=ZERO)
tanh_grad.gradients(gy=lambda g, y: tanh_grad(g, y), y=lambda g, gy, y: g * gy * y * -2.0)
sigmoid_grad.gradients(gy=lambda g, y: sigmoid_grad(g, y), y=lambda g, gy, y: g * gy * (1.0 - y * 2.0))


def activated(x: Tensor, activation: str | None, negative_slope: float) -> Tensor:
    """An activation by its name, unfused."""
    if activation is None:
        return x
    return PRIMITIVES[activation](x, negative_slope) if activation == "leaky_relu" else PRIMITIVES[activation](x)
