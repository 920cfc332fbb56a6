"""Arithmetic, element by element, with NumPy's broadcasting. Arguments are tensors, arrays or Python numbers."""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor
from .activation import relu_grad


@primitive(broadcasts=True)
def add(a: Array, b: Array, *, out: Array = None) -> Array:
    """``a + b``.

    >>> from tilegrad import nn
    >>> nn.functional.add(nn.Tensor([1.0, 2.0]), 0.5)
    Tensor([1.5, 2.5], dtype=float32)
    """
    return kernels.add(a, b, out=out)


@primitive(broadcasts=True)
def sub(a: Array, b: Array, *, out: Array = None) -> Array:
    """``a - b``."""
    return kernels.subtract(a, b, out=out)


@primitive(broadcasts=True)
def mul(a: Array, b: Array, *, out: Array = None) -> Array:
    """``a * b``."""
    return kernels.multiply(a, b, out=out)


@primitive(broadcasts=True)
def div(a: Array, b: Array, *, out: Array = None) -> Array:
    """``a / b``."""
    return kernels.divide(a, b, out=out)


@primitive(broadcasts=True)
def maximum(a: Array, b: Array, *, out: Array = None) -> Array:
    """The larger of ``a`` and ``b``; NaN where either is. A tie shares the gradient equally, as in PyTorch."""
    return kernels.maximum(a, b, out=out)


@primitive(broadcasts=True)
def minimum(a: Array, b: Array, *, out: Array = None) -> Array:
    """The smaller of ``a`` and ``b``; NaN where either is. A tie shares the gradient equally, as in PyTorch."""
    return kernels.minimum(a, b, out=out)


@primitive()
def neg(x: Array, *, out: Array = None) -> Array:
    """``-x``."""
    return kernels.negative(x, out=out)


@primitive()
def abs(x: Array, *, out: Array = None) -> Array:
    """The magnitude of ``x``; its gradient at 0 is 0, as in PyTorch."""
    return kernels.absolute(x, out=out)


@primitive()
def square(x: Array, *, out: Array = None) -> Array:
    """``x * x``."""
    return kernels.square(x, out=out)


@primitive()
def sqrt(x: Array, *, out: Array = None) -> Array:
    """The square root; its gradient at 0 is infinite."""
    return kernels.sqrt(x, out=out)


@primitive()
def exp(x: Array, *, out: Array = None) -> Array:
    """e to the power ``x``."""
    return kernels.exp(x, out=out)


@primitive()
def log(x: Array, *, out: Array = None) -> Array:
    """The natural logarithm."""
    return kernels.log(x, out=out)


@primitive()
def pow(x: Array, exponent: float, *, out: Array = None) -> Array:
    """``x`` to a power that is a Python number.

    >>> from tilegrad import nn
    >>> nn.functional.pow(nn.Tensor([1.0, 2.0, 3.0]), 3.0)
    Tensor([ 1.,  8., 27.], dtype=float32)
    """
    if not isinstance(exponent, int | float):
        raise TypeError(f"pow: exponent expects a Python number but got {type(exponent).__name__}")
    return kernels.power(x, float(exponent), out=out)


def where_larger(gy: Tensor, a: Any, b: Any) -> Tensor:
    """``gy`` where a > b, half of it where a == b, else 0. Halves are selected: an infinite ``gy`` makes no NaN."""
    difference, half = sub(a, b), gy * 0.5
    not_smaller = 1.0 - relu_grad(gy.ones_like(), neg(difference))
    return relu_grad(half, difference) + relu_grad(half, not_smaller)


def power_slope(x: Tensor, exponent: float) -> Tensor | float:
    """The derivative of ``x**exponent``; exponents 0, 1 and 2 stand apart because theirs is finite at 0 too."""
    if exponent in (0, 1):
        return float(exponent)
    return x * 2.0 if exponent == 2 else pow(x, exponent - 1) * exponent


add.gradients(a=lambda gy: gy, b=lambda gy: gy)
sub.gradients(a=lambda gy: gy, b=lambda gy: -gy)
mul.gradients(a=lambda gy, b: gy * b, b=lambda gy, a: gy * a)
div.gradients(a=lambda gy, b: gy / b, b=lambda gy, b, y: -(gy * y) / b)
maximum.gradients(a=lambda gy, a, b: where_larger(gy, a, b), b=lambda gy, a, b: where_larger(gy, b, a))
minimum.gradients(a=lambda gy, a, b: where_larger(gy, b, a), b=lambda gy, a, b: where_larger(gy, a, b))
neg.gradients(x=lambda gy: -gy)
abs.gradients(x=lambda gy, x: relu_grad(gy, x) - relu_grad(gy, -x))
square.gradients(x=lambda gy, x: gy * (x * 2.0))
sqrt.gradients(x=lambda gy, y: gy / y * 0.5)
exp.gradients(x=lambda gy, y: gy * y)
log.gradients(x=lambda gy, x: gy / x)
pow.gradients(x=lambda gy, x, exponent: gy * power_slope(x, exponent))
