"""Activations. Each kernel of convolutions and products can apply one to its result (``activation="relu"``).

The gradient of each is a function of its output, so that a fused activation needs no array besides the one that is
there. Where that function has a slope of its own (tanh, sigmoid), it can be differentiated by it too.
"""

from ... import kernels
from ..primitive import PRIMITIVES, ZERO, Array, Primitive, primitive
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
def softplus(x: Array, *, out: Array = None) -> Array:
    """``log(1 + exp(x))``, without overflow.

    >>> from tilegrad import nn
    >>> round(nn.functional.softplus(nn.Tensor(0.0)).item(), 4)
    0.6931
    """
    return kernels.softplus(x, out=out)


@primitive()
def softmax_last(x: Array, *, out: Array = None) -> Array:
    """Softmax over the last axis."""
    return kernels.softmax(x, out=out)


@primitive()
def log_softmax_last(x: Array, *, out: Array = None) -> Array:
    """The logarithm of softmax over the last axis."""
    return kernels.log_softmax(x, out=out)


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


@primitive()
def softmax_grad(gy: Array, y: Array, *, out: Array = None) -> Array:
    """``y * (gy - sum(gy * y))`` over the last axis, with the output ``y`` of softmax."""
    return kernels.softmax_grad(gy, y, out=out)


@primitive()
def log_softmax_grad(gy: Array, y: Array, *, out: Array = None) -> Array:
    """``gy - exp(y) * sum(gy)`` over the last axis, with the output ``y`` of log_softmax."""
    return kernels.log_softmax_grad(gy, y, out=out)


def over_last(function: Primitive, x: Tensor, dim: int) -> Tensor:
    """A function of the last axis, applied to another."""
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"{function.name.removesuffix('_last')}: dim expects an axis of {x.shape} but got {dim}")
    return function(x) if dim in (-1, x.ndim - 1) else function(x.transpose(dim, -1)).transpose(dim, -1)


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """``exp(x)`` divided by its sum over an axis; the last one, classes or channels, costs no transposition.

    >>> from tilegrad import nn
    >>> nn.functional.softmax(nn.Tensor([0.0, 0.0]))
    Tensor([0.5, 0.5], dtype=float32)
    """
    return over_last(softmax_last, x, dim)


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """The logarithm of `softmax`, also where that underflows.

    >>> from tilegrad import nn
    >>> nn.functional.log_softmax(nn.Tensor([0.0, -1000.0]))
    Tensor([    0., -1000.], dtype=float32)
    """
    return over_last(log_softmax_last, x, dim)


def silu(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``."""
    return x * sigmoid(x)


def _softmax_grad_by_output(g: Tensor, gy: Tensor, y: Tensor) -> Tensor:
    return g * (gy - (gy * y).sum(-1, keepdim=True)) - gy * (g * y).sum(-1, keepdim=True)


relu.gradients(x=lambda gy, y: relu_grad(gy, y))
leaky_relu.gradients(x=lambda gy, y, negative_slope: leaky_relu_grad(gy, y, negative_slope))
tanh.gradients(x=lambda gy, y: tanh_grad(gy, y))
sigmoid.gradients(x=lambda gy, y: sigmoid_grad(gy, y))
softplus.gradients(x=lambda gy, x: gy * sigmoid(x))
softmax_last.gradients(x=lambda gy, y: softmax_grad(gy, y))
log_softmax_last.gradients(x=lambda gy, y: log_softmax_grad(gy, y))
relu_grad.gradients(gy=lambda g, y: relu_grad(g, y), y=ZERO)
leaky_relu_grad.gradients(gy=lambda g, y, negative_slope: leaky_relu_grad(g, y, negative_slope), y=ZERO)
tanh_grad.gradients(gy=lambda g, y: tanh_grad(g, y), y=lambda g, gy, y: g * gy * y * -2.0)
sigmoid_grad.gradients(gy=lambda g, y: sigmoid_grad(g, y), y=lambda g, gy, y: g * gy * (1.0 - y * 2.0))
softmax_grad.gradients(gy=lambda g, y: softmax_grad(g, y), y=_softmax_grad_by_output)
log_softmax_grad.gradients(
    gy=lambda g, y: g - (g * y.exp()).sum(-1, keepdim=True),
    y=lambda g, gy, y: -(g * y.exp()) * gy.sum(-1, keepdim=True),
)


def activated(x: Tensor, activation: str | None, negative_slope: float) -> Tensor:
    """An activation by its name, unfused."""
    if activation is None:
        return x
    return PRIMITIVES[activation](x, negative_slope) if activation == "leaky_relu" else PRIMITIVES[activation](x)
