"""Dropout as layers: nothing in evaluation."""

from .. import functional
from ..functional.dropout import check_probability
from ..tensor import Tensor
from .module import Module


class Dropout(Module):
    """Any layout, element by element: 0 with probability ``p``, otherwise ``x / (1 - p)``, in training.

    Masks come from the default generator; see `tilegrad.nn.manual_seed`.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.Dropout(0.5).eval()(nn.Tensor([1.0, 2.0]))
    Tensor([1., 2.], dtype=float32)
    """

    def __init__(self, p: float = 0.5) -> None:
        check_probability(type(self).__name__, p)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout2d(Dropout):
    """NHWC images: whole channels become 0 with probability ``p``, in training. Otherwise as `Dropout`."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout2d(x, self.p, self.training)
