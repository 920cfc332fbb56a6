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

_SOURCES = ("float32", "float64", "uint8", "uint16")
_WORD = 1 << 32


class Noise(NamedTuple):
    """``size`` numbers, of which ``each`` share a least value.

    ``constants`` are mean, deviation and the greatest value of added noise; ``thresholds``, the words below which a
    number is replaced, and replaced by 1. Numbers of ``source`` become those of ``dtype``, the result's, as they are
    read.
    """

    kind: str
    source: np.dtype
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

    @property
    def mode(self) -> str:
        """ "added", "spread", "replaced" or "clipped"."""
        if self.kind == "added":
            return "spread" if self.spread else "added"
        return "clipped" if self.limited else "replaced"

    @property
    def unit(self) -> Any:
        """What a number of ``source`` is multiplied by."""
        return self.dtype.type(1 if self.source.kind == "f" else 1 / np.iinfo(self.source).max)


def _result_type(name: str, x: Spec) -> np.dtype:
    if x.dtype not in _SOURCES:
        raise TypeError(f"{name}: x expects float32, float64, uint8 or uint16 but got {x.dtype}")
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


def _each(name: str, x: Spec, low: Spec | None) -> int:
    """How many numbers share a least value."""
    size = math.prod(x.shape)
    if low is None:
        return max(size, 1)
    if low.dtype != _result_type(name, x):
        raise TypeError(f"{name}: low expects the result's {_result_type(name, x)} but got {low.dtype}")
    if len(low.shape) != 1 or low.shape[0] == 0 or size % low.shape[0]:
        raise ValueError(f"{name}: low expects one number for each of some equal parts of x but got {low.shape}")
    return max(size // low.shape[0], 1)


def _added(x: Spec, place: Spec, spread: Spec | None, low: Spec | None, mean: Any, std: Any, high: Any) -> Noise:
    name = "add_noise"
    dtype = _result_type(name, x)
    if spread is not None and (spread.shape, spread.dtype) != (x.shape, x.dtype):
        seen = f"{x.shape} {x.dtype} and {spread.shape} {spread.dtype}"
        raise ValueError(f"{name}: x and spread expect one shape and dtype but got {seen}")
    constants = (finite(name, "mean", mean), finite(name, "std", std), math.inf)
    if constants[1] < 0:
        raise ValueError(f"{name}: std expects a value of at least 0 but got {std}")
    if high is not None:
        constants = (*constants[:2], finite(name, "high", high))
    each, limited = _each(name, x, low), low is not None
    shape, size = ((x.shape, dtype),), math.prod(x.shape)
    return Noise("added", x.dtype, dtype, size, each, spread is not None, limited, constants, (0, 0), shape)


def _replaced(x: Spec, place: Spec, low: Spec, amount: Any, salt: Any, clip: Any) -> Noise:
    name = "salt_and_pepper"
    dtype = _result_type(name, x)
    check_real(name, "low", low)
    if not isinstance(clip, bool):
        raise TypeError(f"{name}: clip expects True or False but got {clip!r}")
    shares = [finite(name, argument, value) for argument, value in (("amount", amount), ("salt", salt))]
    for argument, share in zip(("amount", "salt"), shares, strict=True):
        if not 0 <= share <= 1:
            raise ValueError(f"{name}: {argument} expects a share in [0, 1] but got {share}")
    thresholds = (math.ceil(shares[0] * _WORD), math.ceil(shares[1] * _WORD))
    shape, size, constants = ((x.shape, dtype),), math.prod(x.shape), (0.0, 0.0, 1.0)
    return Noise("replaced", x.dtype, dtype, size, _each(name, x, low), False, clip, constants, thresholds, shape)


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
    reference_args=lambda g: (g.each, *g.constants, g.words, g.unit),
    flops=lambda g: g.size * (26.0 if g.dtype.char == "f" else 42.0),
    bytes_moved=lambda g: ((2.0 if g.spread else 1.0) * g.source.itemsize + g.dtype.itemsize) * g.size,
    cases=(
        {"shapes": [(1,)], "seed": 1},
        {"shapes": [(3, 5), (1,)], "seed": 2, "counter": 7, "mean": 0.5, "std": 0.25},
        {"shapes": [(3, 41, 67), (3,), (3, 41, 67)], "seed": 3, "std": 0.5, "high": 1.25},
        {"shapes": [(3, 41, 67)], "seed": 4, "std": 0.1, "below": {0: 256}, "integers": "uint8"},
    ),
)

SALT_AND_PEPPER = Operation(
    "salt_and_pepper",
    package=__name__,
    geometry=_replaced,
    variants=_VARIANTS,
    reference=reference.salt_and_pepper,
    reference_args=lambda g: (g.each, *g.thresholds, g.limited, g.unit),
    flops=lambda g: g.size,
    bytes_moved=lambda g: float(g.source.itemsize + g.dtype.itemsize) * g.size,
    cases=(
        {"shapes": [(1,), (1,)], "seed": 1, "amount": 0.5},
        {"shapes": [(3, 41, 67), (3,)], "seed": 3, "counter": 7, "amount": 0.3, "salt": 0.25},
        {"shapes": [(3, 41, 67), (3,)], "seed": 5, "amount": 0.1, "clip": True},
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
    x : array, float32, float64, uint8 or uint16
        Integers are multiplied by ``1.0 / 255`` or ``1.0 / 65535`` as they are read. An array that is not C-contiguous
        is copied first.
    low : (N,) array of the result's dtype, optional
        Results below it become it: one number for each of N equal parts of ``x``, in C order.
    spread : array of the shape and dtype of ``x``, optional
        What each random number is multiplied by, integers as those of ``x``; ``x`` itself gives speckle.
    seed, counter : int
        The place in the random stream, as in `tilegrad.kernels.random_normal`; a call takes
        ``random_blocks(x.size, "normal", x.dtype)`` blocks.
    mean, std : float
        Of the random numbers.
    high : float, optional
        Results above it become it.
    out : array of the result's shape and dtype, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and dtype of ``x``, float64 for integers

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
    clip: bool = False,
    seed: Changing[int],
    counter: Changing[int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Replace numbers by 1 or by ``low``.

    Parameters
    ----------
    x : array, float32, float64, uint8 or uint16
        As in `add_noise`.
    low : (N,) array of the result's dtype
        One number for each of N equal parts of ``x``, in C order.
    amount, salt : float in [0, 1]
        The probability that a number is replaced; and then, that it becomes 1.
    clip : bool
        Cut the numbers that stay to [low, 1].
    seed, counter : int
        The place in the random stream; a call takes ``(x.size + 1) // 2`` blocks.
    out : array of the result's shape and dtype, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and dtype of ``x``, float64 for integers

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
    return SALT_AND_PEPPER.run(arrays, (amount, salt, clip), out, variant)
