"""Poisson numbers, each of a mean of its own: the public function and its declaration."""

import math
from typing import NamedTuple

import numpy as np

from ..arrays import is_on_cuda
from ..changing import Changing
from ..operation import Operation, Spec, Variant
from . import reference
from .place import stream_place

_LARGEST = 500.0  # exp(-500) is still a number, and the steps still few


class PoissonGeometry(NamedTuple):
    """``n`` means, and from which mean on a normal number stands for the count."""

    n: int
    dtype: np.dtype
    largest: float
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]


def poisson_geometry(place: Spec, rates: Spec) -> PoissonGeometry:
    """The geometry of ``random_poisson``."""
    if rates.dtype.char not in "fd":
        raise TypeError(f"random_poisson: rates expects float32 or float64 but got {rates.dtype}")
    return PoissonGeometry(math.prod(rates.shape), rates.dtype, _LARGEST, ((rates.shape, rates.dtype),))


POISSON = Operation(
    "random_poisson",
    package=__package__,
    geometry=poisson_geometry,
    variants=(Variant("loops", "cpu_poisson"), Variant("naive", "cuda_naive", device="cuda", build="build_poisson")),
    reference=reference.poisson,
    reference_args=lambda g: (g.largest,),
    flops=lambda g: 100.0 * g.n,
    bytes_moved=lambda g: 2.0 * g.n * g.dtype.itemsize,
    cases=({"shapes": [(3, 5)], "seed": 1}, {"shapes": [(5000,)], "seed": 2}),
)


def random_poisson(
    rates: np.ndarray,
    *,
    seed: Changing[int],
    counter: Changing[int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Counts with the Poisson distribution, of a mean each.

    Parameters
    ----------
    rates : array, float32 or float64
        The means. One that is negative, infinite or NaN gives NaN.
    seed, counter, variant
        As in `random_uniform`; each value takes a block.
    out : array, optional
        Where to write, of the shape and type of ``rates``, C-contiguous; shares no memory with it.

    Returns
    -------
    array of the shape and type of ``rates``, filled in C order

    Notes
    -----
    By inversion of the distribution function; from a mean of 500 on by a rounded normal number with Cornish and
    Fisher's correction for skewness, whose distribution differs by less than a per mille of a standard deviation.

    Examples
    --------
    >>> counts = random_poisson(np.full(100_000, 7.0), seed=1)
    >>> bool(abs(counts.mean() - 7) < 0.05 and abs(counts.var() - 7) < 0.15)
    True
    """
    return POISSON.run((stream_place("random_poisson", seed, counter, is_on_cuda(rates)), rates), (), out, variant)
