"""Noise on images, in one pass: the random numbers are drawn where they are added, and never written to memory.

    reference.py    the definitions
    cpu_vector.py   "vector": a step of four numbers, and their blocks of the random stream, in registers
    cuda_naive.py   "naive" on CUDA: one thread, one number
    cuda_blocks.py  "blocks" on CUDA: one thread, the numbers of a block of the stream

Values are drawn as `tilegrad.kernels.random_normal` and its like deal them, so that they are the same everywhere.
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

__all__ = ["add_noise", "salt_and_pepper"]

_WORD = 1 << 32


class Noise(NamedTuple):
    """``size`` numbers, of which ``each`` share a least value.

    ``constants`` are mean, deviation and the greatest value of added noise; ``thresholds``, the words below which a
    number is replaced, and replaced by 1.
    """

    kind: str
    dtype: np.dtype
    size: int
    each: int
    spread: bool
    limited: bool
    constants: tuple[float, float, float]
    thresholds: tuple[int, int]
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def words(self) -> int:
        """Random words of a number that is drawn for noise that is added."""
        return self.dtype.itemsize // 4


def _each(name: str, x: Spec, low: Spec | None) -> int:
    """How many numbers share a least value."""
    size = math.prod(x.shape)
    if low is None:
        return max(size, 1)
    if low.dtype != x.dtype:
        raise TypeError(f"{name}: x and low expect one dtype but got {x.dtype} and {low.dtype}")
    if len(low.shape) != 1 or low.shape[0] == 0 or size % low.shape[0]:
        raise ValueError(f"{name}: low expects one number for each of some equal parts of x but got {low.shape}")
    return max(size // low.shape[0], 1)


def _added(x: Spec, place: Spec, spread: Spec | None, low: Spec | None, mean: Any, std: Any, high: Any) -> Noise:
    name = "add_noise"
    check_real(name, "x", x)
    if spread is not None and (spread.shape, spread.dtype) != (x.shape, x.dtype):
        seen = f"{x.shape} {x.dtype} and {spread.shape} {spread.dtype}"
        raise ValueError(f"{name}: x and spread expect one shape and dtype but got {seen}")
    constants = (finite(name, "mean", mean), finite(name, "std", std), math.inf)
    if constants[1] < 0:
        raise ValueError(f"{name}: std expects a value of at least 0 but got {std}")
    if high is not None:
        constants = (*constants[:2], finite(name, "high", high))
    each, limited = _each(name, x, low), low is not None
    shape, size = ((x.shape, x.dtype),), math.prod(x.shape)
    return Noise("added", x.dtype, size, each, spread is not None, limited, constants, (0, 0), shape)


def _replaced(x: Spec, place: Spec, low: Spec, amount: Any, salt: Any) -> Noise:
    name = "salt_and_pepper"
    check_real(name, "x", x)
    check_real(name, "low", low)
    shares = [finite(name, argument, value) for argument, value in (("amount", amount), ("salt", salt))]
    for argument, share in zip(("amount", "salt"), shares, strict=True):
        if not 0 <= share <= 1:
            raise ValueError(f"{name}: {argument} expects a share in [0, 1] but got {share}")
    thresholds = (math.ceil(shares[0] * _WORD), math.ceil(shares[1] * _WORD))
    shape, size = ((x.shape, x.dtype),), math.prod(x.shape)
    return Noise("replaced", x.dtype, size, _each(name, x, low), False, True, (0.0, 0.0, 0.0), thresholds, shape)


_VARIANTS = (
    Variant("vector", "cpu_vector"),
    Variant("blocks", "cuda_blocks", device="cuda"),
    Variant("naive", "cuda_naive", device="cuda", teaching=True),
)

ADD_NOISE = Operation(
    "add_noise",
    package=__name__,
    geometry=_added,
    variants=_VARIANTS,
    reference=reference.add_noise,
    reference_args=lambda g: (g.each, *g.constants, g.words),
    flops=lambda g: g.size * (26.0 if g.dtype.char == "f" else 42.0),
    bytes_moved=lambda g: (3.0 if g.spread else 2.0) * g.dtype.itemsize * g.size,
    cases=(
        {"shapes": [(1,)], "seed": 1},
        {"shapes": [(3, 5), (1,)], "seed": 2, "counter": 7, "mean": 0.5, "std": 0.25},
        {"shapes": [(3, 41, 67), (3,), (3, 41, 67)], "seed": 3, "std": 0.5, "high": 1.25},
    ),
)

SALT_AND_PEPPER = Operation(
    "salt_and_pepper",
    package=__name__,
    geometry=_replaced,
    variants=_VARIANTS,
    reference=reference.salt_and_pepper,
    reference_args=lambda g: (g.each, *g.thresholds),
    flops=lambda g: g.size,
    bytes_moved=lambda g: 2.0 * g.dtype.itemsize * g.size,
    cases=(
        {"shapes": [(1,), (1,)], "seed": 1, "amount": 0.5},
        {"shapes": [(3, 41, 67), (3,)], "seed": 3, "counter": 7, "amount": 0.3, "salt": 0.25},
    ),
)


def add_noise(
    x: np.ndarray,
    low: np.ndarray | None = None,
    spread: np.ndarray | None = None,
    *,
    seed: Changing[int],
    counter: Changing[int] = 0,
    mean: float = 0.0,
    std: float = 1.0,
    high: float | None = None,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Add normal random numbers to an array.

    Parameters
    ----------
    x : array, float32 or float64
        An array that is not C-contiguous is copied first.
    low : (N,) array of the dtype of ``x``, optional
        Results below it become it: one number for each of N equal parts of ``x``, in C order.
    spread : array of the shape and dtype of ``x``, optional
        What each random number is multiplied by; ``x`` itself gives speckle.
    seed, counter : int
        The place in the random stream, as in `tilegrad.kernels.random_normal`; a call takes
        ``random_blocks(x.size, "normal", x.dtype)`` blocks.
    mean, std : float
        Of the random numbers.
    high : float, optional
        Results above it become it.
    out : array of the shape and dtype of ``x``, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and dtype of ``x``

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes, seed or counter do not fit; nothing is computed.

    Notes
    -----
    To the bit ``x + random_normal(x.shape, ...)``, cut to [low, high]; with ``spread`` the product and the sum are
    rounded once. NaN stays NaN.

    Examples
    --------
    >>> import numpy as np
    >>> add_noise(np.zeros(4), np.zeros(1), seed=3, high=1).round(2)
    array([0.  , 0.35, 1.  , 0.  ])
    """
    arrays = (x, stream_place("add_noise", seed, counter, is_on_cuda(x)), spread, low)
    return ADD_NOISE.run(arrays, (mean, std, high), out, variant)


def salt_and_pepper(
    x: np.ndarray,
    low: np.ndarray,
    *,
    amount: float,
    salt: float = 0.5,
    seed: Changing[int],
    counter: Changing[int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Replace numbers by 1 or by ``low``.

    Parameters
    ----------
    x : array, float32 or float64
        An array that is not C-contiguous is copied first.
    low : (N,) array of the dtype of ``x``
        One number for each of N equal parts of ``x``, in C order.
    amount, salt : float in [0, 1]
        The probability that a number is replaced; and then, that it becomes 1.
    seed, counter : int
        The place in the random stream; a call takes ``(x.size + 1) // 2`` blocks.
    out : array of the shape and dtype of ``x``, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and dtype of ``x``

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes, shares, seed or counter do not fit; nothing is computed.

    Notes
    -----
    Number i is replaced where word ``2 i`` of the stream (Philox4x32-10) is below ``amount * 2**32``, by 1 where word
    ``2 i + 1`` is below ``salt * 2**32``.

    Examples
    --------
    >>> import numpy as np
    >>> salt_and_pepper(np.full(8, 0.5), np.zeros(1), amount=0.5, seed=1)
    array([0.5, 0.5, 0.5, 0. , 0. , 0.5, 0.5, 1. ])
    """
    arrays = (x, stream_place("salt_and_pepper", seed, counter, is_on_cuda(x)), low)
    return SALT_AND_PEPPER.run(arrays, (amount, salt), out, variant)
