"""A table of vectors."""

from typing import Any

import numpy as np

from .. import functional, init
from ..tensor import Parameter, Tensor
from .convolution import check_sizes
from .module import Module


class Embedding(Module):
    """Integers of any shape to vectors of ``embedding_dim`` numbers, on a new last axis.

    Attributes
    ----------
    weight : (num_embeddings, embedding_dim) Parameter
        Standard normal at first, from the default generator, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> from tilegrad import nn
    >>> nn.Embedding(10, 4)(np.array([[3, 1], [0, 9]])).shape
    (2, 2, 4)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), np.float32))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Standard normal numbers, from the default generator."""
        init.normal_(self.weight)

    def forward(self, indices: Any) -> Tensor:
        return functional.embedding(indices, self.weight)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}"
