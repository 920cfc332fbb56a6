"""Rows of a table by their numbers. The gradient adds rows up by number; either is the other's gradient."""

from ... import kernels
from ..primitive import Array, primitive


@primitive()
def embedding(indices: Array, weight: Array) -> Array:
    """Rows of ``weight`` by their numbers; otherwise PyTorch's ``embedding``.

    Parameters
    ----------
    indices : Tensor or array of integers of any shape
        ``0 <= indices < rows``; negative ones are refused.
    weight : (rows, width) Tensor

    Returns
    -------
    (*indices.shape, width) Tensor

    Examples
    --------
    >>> import numpy as np
    >>> from tilegrad import nn
    >>> nn.functional.embedding(np.array([1, 0]), nn.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[3., 4.],
            [1., 2.]], dtype=float32)
    """
    return kernels.embedding(weight, indices)


@primitive()
def embedding_grad(gy: Array, indices: Array, rows: int) -> Array:
    """The gradient of `embedding` by its table of that many rows."""
    return kernels.embedding_grad(gy, indices, rows)


embedding.gradients(
    weight=lambda gy, indices, weight_shape: embedding_grad(gy, indices, weight_shape[0]), without=("indices",)
)
embedding_grad.gradients(gy=lambda g, indices: embedding(indices, g), without=("indices",))
