"""Dropout: some numbers become 0, the others are scaled up. Which, the random stream says.

reference.py    the definition
cpu_vector.py   "vector": a block of the stream for every four numbers, in registers
cuda_naive.py   "naive" on CUDA: one thread, one number
cuda_blocks.py  "blocks" on CUDA: one thread, the four numbers of a block of the stream
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..arguments import check_real, finite
from ..arrays import is_on_cuda
from ..changing import Changing
from ..operation import Operation, Spec, Variant
from ..random import stream_place
from . import reference

__all__ = ["dropout"]


class Dropout(NamedTuple):
    """``size`` numbers; one is kept, and multiplied by ``scale``, where 24 random bits are at least ``threshold``."""

    dtype: np.dtype
    size: int
    threshold: int
    scale: float
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]


def _geometry(x: Spec, place: Spec, p: Any) -> Dropout:
    check_real("dropout", "x", x)
    share = finite("dropout", "p", p)
    if not 0 <= share <= 1:
        raise ValueError(f"dropout: p expects a probability in [0, 1] but got {p}")
    scale = 1 / (1 - share) if share < 1 else 0.0
    return Dropout(x.dtype, math.prod(x.shape), math.ceil(share * 2**24), scale, ((x.shape, x.dtype),))


DROPOUT = Operation(
    "dropout",
    package=__name__,
    geometry=_geometry,
    variants=(
        Variant("vector", "cpu_vector"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda", teaching=True),
    ),
    reference=reference.dropout,
    reference_args=lambda g: (g.threshold, g.scale),
    flops=lambda g: g.size,
    bytes_moved=lambda g: 2 * g.dtype.itemsize * g.size,
    cases=(
        {"shapes": [(1,)], "p": 0.5, "seed": 1},
        {"shapes": [(3, 5)], "p": 0.25, "seed": 2, "counter": 7},
        {"shapes": [(3, 41, 67)], "p": 0.1, "seed": 3},
    ),
)


def dropout(
    x: np.ndarray,
    *,
    p: float = 0.5,
    seed: Changing[int],
    counter: Changing[int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Multiply each number by 0 with probability ``p``, otherwise by ``1 / (1 - p)``.

    Parameters
    ----------
    x : array, float32 or float64
        An array that is not C-contiguous is copied first.
    p : float in [0, 1]
        With 1 everything is multiplied by 0.
    seed, counter : int
        The place in the random stream, as in `tilegrad.kernels.random_uniform`; a call takes
        ``random_blocks(x.size, "uniform")`` blocks.
    out : array of the same shape and dtype, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the same shape

    Raises
    ------
    ValueError, TypeError
        Where dtype, probability, seed or counter do not fit; nothing is computed.

    Notes
    -----
    The kept numbers are those for which ``random_uniform(x.shape, seed=seed, counter=counter) >= p``, in both dtypes.
    The gradient by ``x`` is the same call on the gradient by the result. Since it multiplies, NaN stays NaN. Srivastava
    et al., Dropout: a simple way to prevent neural networks from overfitting (JMLR 2014).

    Examples
    --------
    >>> import numpy as np
    >>> dropout(np.ones(6), p=0.5, seed=3)
    array([2., 0., 2., 2., 0., 2.])
    """
    return DROPOUT.run((x, stream_place("dropout", seed, counter, is_on_cuda(x))), (p,), out, variant)
