"""Random numbers from counters: the same seed and counter give the same bits, whatever the machine.

A *block* is four 32-bit words, a function (Philox4x32-10) of the seed and of the block's number, the counter. A call
takes the blocks from its ``counter`` on, as many as `random_blocks` says; who draws again goes on at the sum of the
two. Nothing is kept between calls, so results depend on no thread, no device and no order of calls.

    reference.py     the definition in loops, with the mathematics library's logarithm and cosine
    philox.py        the block function for workers
    normal.py        normal deviates by polynomials, to the bit alike on every machine
    cpu_vector.py    "vector": registers of blocks
    cuda_naive.py    "naive" on CUDA: one thread, one number
    cuda_blocks.py   "blocks" on CUDA, with cuda_blocks.cu: one thread, one block (dropout too)
    cuda_lists.py    permutations on CUDA, with cuda_lists.cu: one thread, one place
    poisson.py       Poisson numbers; cpu_poisson.py is their variant "loops"
"""

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..arrays import is_on_cuda
from ..changing import Changing
from ..operation import Operation, Spec, Variant
from . import reference
from .place import stream_place
from .poisson import random_poisson

__all__ = ["random_blocks", "random_normal", "random_permutation", "random_poisson", "random_uniform"]


class RandomGeometry(NamedTuple):
    """How many values of what kind; ``constants`` are low, high - low and the largest value, or mean and std."""

    kind: str
    n: int
    dtype: np.dtype
    constants: tuple[float, float, float]
    high: float
    flops_each: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def words(self) -> int:
        """Random words in a value."""
        return self.dtype.itemsize // 4


def _checked_shape(name: str, shape: Any) -> tuple[int, ...]:
    sides = (shape,) if isinstance(shape, int | np.integer) else shape
    if not (isinstance(sides, tuple | list) and all(isinstance(v, int | np.integer) for v in sides)):
        raise TypeError(f"{name}: shape expects an integer or a tuple of integers but got {shape!r}")
    if any(v < 0 for v in sides):
        raise ValueError(f"{name}: shape expects no negative extent but got {tuple(sides)}")
    return tuple(int(v) for v in sides)


def _checked_float(name: str, argument: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name}: {argument} expects a finite number but got {number}")
    return number


def _checked_dtype(name: str, dtype: np.dtype) -> np.dtype:
    if dtype.char not in "fd":
        raise TypeError(f"{name}: dtype expects float32 or float64 but got {dtype}")
    return dtype


def _uniform_geometry(state: Spec, shape: Any, dtype: np.dtype, low: Any, high: Any) -> RandomGeometry:
    name = "random_uniform"
    sides, dtype = _checked_shape(name, shape), _checked_dtype(name, dtype)
    bottom, top = dtype.type(_checked_float(name, "low", low)), dtype.type(_checked_float(name, "high", high))
    scale = float(top) - float(bottom)
    if not (bottom < top and scale <= float(np.finfo(dtype).max)):
        raise ValueError(f"{name}: expects low < high, finite and apart in {dtype}, but got low = {low}, high = {high}")
    constants = (float(bottom), scale, float(np.nextafter(top, bottom)))
    return RandomGeometry("uniform", math.prod(sides), dtype, constants, float(top), 3, ((sides, dtype),))


def _normal_geometry(state: Spec, shape: Any, dtype: np.dtype, mean: Any, std: Any) -> RandomGeometry:
    name = "random_normal"
    sides, dtype = _checked_shape(name, shape), _checked_dtype(name, dtype)
    constants = (_checked_float(name, "mean", mean), _checked_float(name, "std", std), 0.0)
    if constants[1] < 0:
        raise ValueError(f"{name}: std expects a value of at least 0 but got {std}")
    flops = 24 if dtype.char == "f" else 40
    return RandomGeometry("normal", math.prod(sides), dtype, constants, 0.0, flops, ((sides, dtype),))


def _permutation_geometry(state: Spec, n: int) -> RandomGeometry:
    if not 0 <= n < 1 << 31:
        raise ValueError(f"random_permutation: n expects 0 <= n < 2**31 but got {n}")
    integer = np.dtype(np.int64)
    return RandomGeometry("permutation", n, integer, (0.0, 0.0, 0.0), 0.0, 0, (((n,), integer),))


_VARIANTS = (
    Variant("vector", "cpu_vector"),
    Variant("blocks", "cuda_blocks", device="cuda"),
    Variant("naive", "cuda_naive", device="cuda", teaching=True),
)


def _operation(
    name: str,
    geometry: Callable[..., RandomGeometry],
    definition: Callable[..., None],
    reference_args: Callable[[RandomGeometry], tuple[Any, ...]],
    cases: tuple[dict[str, Any], ...],
    variants: tuple[Variant, ...] = _VARIANTS,
) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=geometry,
        variants=variants,
        reference=definition,
        reference_args=reference_args,
        flops=lambda g: g.n * g.flops_each,
        bytes_moved=lambda g: g.n * g.dtype.itemsize,
        cases=cases,
    )


UNIFORM = _operation(
    "random_uniform",
    _uniform_geometry,
    reference.uniform,
    lambda g: (g.constants[0], g.high, g.constants[2], g.words),
    ({"shape": (3, 5), "seed": 1}, {"shape": (8201,), "seed": 1, "low": -1.0, "high": 3.0}),
)
NORMAL = _operation(
    "random_normal",
    _normal_geometry,
    reference.normal,
    lambda g: (*g.constants[:2], g.words),
    ({"shape": (3, 5), "seed": 1}, {"shape": (8201,), "seed": 1, "mean": -1.0, "std": 3.0}),
)
PERMUTATION = _operation(
    "random_permutation",
    _permutation_geometry,
    reference.permutation,
    lambda g: (),
    ({"n": 1, "seed": 1}, {"n": 1000, "seed": 1}),
    (
        Variant("vector", "cpu_vector", build="build_permutation"),
        Variant("lists", "cuda_lists", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda", build="build_permutation"),
    ),
)


def random_uniform(
    shape: int | tuple[int, ...],
    *,
    seed: Changing[int],
    counter: Changing[int] = 0,
    low: float = 0.0,
    high: float = 1.0,
    dtype: DTypeLike = np.float32,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Uniform random numbers in ``[low, high)``.

    Parameters
    ----------
    shape : int or tuple of int
    seed, counter : int
        At least 0 and below 2**64: which stream, and the number of blocks of it that were used before. After 2**64
        blocks the counter starts again at 0. Functions that give them are asked again before each replay of a graph.
    low, high : float
        Finite, ``low < high`` in the dtype.
    dtype : float32 or float64
        Values have 24 or 53 random bits.
    out : array, optional
        Where to write, of that shape and dtype, C-contiguous; an array of CuPy is filled on its GPU.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of that shape and dtype, filled in C order, so that a longer call begins with the values of a shorter one.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or dtypes do not fit; nothing is computed.

    Notes
    -----
    Philox4x32-10: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011).

    Examples
    --------
    >>> random_uniform(3, seed=1)
    array([0.89025915, 0.8946847 , 0.5857259 ], dtype=float32)
    >>> random_uniform(2, seed=1, low=-1, high=1).shape
    (2,)
    """
    place = stream_place("random_uniform", seed, counter, is_on_cuda(out))
    return UNIFORM.run((place,), (shape, np.dtype(dtype), low, high), out, variant)


def random_normal(
    shape: int | tuple[int, ...],
    *,
    seed: Changing[int],
    counter: Changing[int] = 0,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: DTypeLike = np.float32,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Normal random numbers of that mean and standard deviation.

    Parameters
    ----------
    shape, seed, counter, dtype, out, variant
        As in `random_uniform`.
    mean, std : float
        Finite; ``std`` at least 0.

    Returns
    -------
    array of that shape and dtype, filled in C order. No value is further than 6.7 (float32) or 8.6 (float64) standard
    deviations from the mean.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or dtypes do not fit; nothing is computed.

    Notes
    -----
    Box and Muller's transform of Philox4x32-10, by polynomials and correctly rounded operations only: the same seed
    and counter give the same bits on every processor and device.

    Examples
    --------
    >>> z = random_normal((1000, 1000), seed=1)
    >>> bool(abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01)
    True
    """
    place = stream_place("random_normal", seed, counter, is_on_cuda(out))
    return NORMAL.run((place,), (shape, np.dtype(dtype), mean, std), out, variant)


def random_permutation(
    n: int,
    *,
    seed: Changing[int],
    counter: Changing[int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """A random order of ``0 .. n - 1``.

    Parameters
    ----------
    n : int
        At least 0 and below 2**31.
    seed, counter, out, variant
        As in `random_uniform`.

    Returns
    -------
    (n,) array, int64

    Notes
    -----
    Fisher and Yates' shuffle, which reaches every order by exactly one sequence of draws ``0 <= j <= i``. Each draw is
    ``key * (i + 1) // 2**64`` with a 64-bit key of its own, which misses the probability ``1 / (i + 1)`` by less than
    ``2**-64``: the n! orders are alike to within ``n**2 / 2**64``.

    Examples
    --------
    >>> random_permutation(5, seed=1)
    array([0, 4, 2, 1, 3])
    """
    size = operator.index(n)
    place = stream_place("random_permutation", seed, counter, is_on_cuda(out))
    return PERMUTATION.run((place,), (size,), out, variant)


def random_blocks(n: int, kind: str, dtype: DTypeLike = np.float32) -> int:
    """How many blocks a call for ``n`` values consumes: what to add to the counter before the next one.

    Parameters
    ----------
    n : int
        Number of values.
    kind : {"uniform", "normal", "permutation", "poisson"}
    dtype : float32 or float64
        Of uniform or normal values; the others' blocks do not depend on it.

    >>> random_blocks(10, "normal"), random_blocks(10, "normal", np.float64), random_blocks(10, "permutation")
    (3, 5, 5)
    """
    name = "random_blocks"
    if kind not in ("uniform", "normal", "permutation", "poisson"):
        raise ValueError(f'{name}: kind expects "uniform", "normal", "permutation" or "poisson" but got {kind!r}')
    size = operator.index(n)
    if size < 0:
        raise ValueError(f"{name}: n expects at least 0 but got {n}")
    if kind == "poisson":
        return size
    each = 8 if kind == "permutation" else _checked_dtype(name, np.dtype(dtype)).itemsize
    return -(-size * each // 16)
