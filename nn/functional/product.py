"""Matrix products."""

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor


@primitive()
def matmul(a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False, out: Array = None) -> Array:
    """The product of two matrices, each read transposed where that is asked for.

    Parameters
    ----------
    a : (M, K), or (K, M) with ``transpose_a``
    b : (K, N), or (N, K) with ``transpose_b``

    Returns
    -------
    (M, N) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> a = nn.Tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> nn.functional.matmul(a, a, transpose_b=True)
    Tensor([[ 5., 11.],
            [11., 25.]], dtype=float32)
    """
    return kernels.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, out=out)


@primitive(epilogue=True)
def linear(
    x: Array, w: Array, bias: Array = None, *, activation: str | None = None, negative_slope: float = 0.01
) -> Array:
    """``x @ w.T + bias``, with an activation fused.

    Parameters
    ----------
    x : (..., C_in)
    w : (C_out, C_in)
    bias : (C_out,), optional

    Returns
    -------
    (..., C_out) Tensor
    """
    return kernels.linear(x, w, bias, activation=activation, negative_slope=negative_slope)


def rows(x: Tensor) -> Tensor:
    """All axes but the last as one."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _gradient_a(g: Tensor, b: Tensor, transpose_a: bool, transpose_b: bool) -> Tensor:
    if transpose_a:
        return matmul(b, g, transpose_a=transpose_b, transpose_b=True)
    return matmul(g, b, transpose_b=not transpose_b)


def _gradient_b(g: Tensor, a: Tensor, transpose_a: bool, transpose_b: bool) -> Tensor:
    if transpose_b:
        return matmul(g, a, transpose_a=True, transpose_b=transpose_a)
    return matmul(a, g, transpose_a=not transpose_a)


matmul.gradients(
    a=lambda gy, b, transpose_a, transpose_b: _gradient_a(gy, b, transpose_a, transpose_b),
    b=lambda gy, a, transpose_a, transpose_b: _gradient_b(gy, a, transpose_a, transpose_b),
)
linear.gradients(
    x=lambda gy, w, x_shape: matmul(rows(gy), w).reshape(x_shape),
    w=lambda gy, x: matmul(rows(gy), rows(x), transpose_a=True),
    bias=lambda gy: rows(gy).sum(0),
)
