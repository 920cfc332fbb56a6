"""Dropout. The mask is never kept: it is a function of a place in a random stream, and backward computes it again."""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive
from ..random import Generator, default_generator
from ..tensor import Tensor


@primitive()
def dropout_at(x: Array, p: float, seed: int, counter: int) -> Array:
    """Dropout by the mask at a place in a random stream: linear in ``x``, and its own gradient."""
    return kernels.dropout(x, p=p, seed=seed, counter=counter)


dropout_at.gradients(x=lambda gy, settings: dropout_at(gy, **settings))


def check_probability(name: str, p: Any) -> None:
    if not (isinstance(p, int | float) and 0 <= p <= 1):
        raise ValueError(f"{name}: p expects a probability in [0, 1] but got {p!r}")


def dropout(x: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Tensor:
    """Multiply each element by 0 with probability ``p``, otherwise by ``1 / (1 - p)``; not training, do nothing.

    Parameters
    ----------
    x : Tensor
    p : float in [0, 1]
    training : bool
    generator : Generator, optional
        Whose stream says which; the default generator's otherwise. The same place in the stream gives the same mask,
        whatever the number of threads.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.functional.dropout(nn.Tensor([1.0, 1.0, 1.0, 1.0, 1.0]), 0.5, generator=nn.Generator(3))
    Tensor([2., 0., 2., 2., 0.], dtype=float32)
    """
    check_probability("dropout", p)
    if not training or p == 0:
        return x
    return dropout_at(x, float(p), **(generator or default_generator).advance(x.size, "uniform"))


def dropout2d(x: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Tensor:
    """`dropout` of whole channels of NHWC images (or of (H, W, C)).

    Examples
    --------
    >>> from tilegrad import nn
    >>> y = nn.functional.dropout2d(nn.Tensor([[[[1.0, 1.0], [1.0, 1.0]]]]), 0.5, generator=nn.Generator(3))
    >>> bool((y.numpy()[0, 0, 0] == y.numpy()[0, 0, 1]).all())
    True
    """
    check_probability("dropout2d", p)
    if x.ndim not in (3, 4):
        raise ValueError(f"dropout2d: expects images (N, H, W, C) or (H, W, C) but got {x.shape}")
    if not training or p == 0:
        return x
    ones = Tensor.wrap(x.data[..., :1, :1, :].copy()).ones_like()
    return x * dropout(ones, p, generator=generator)
