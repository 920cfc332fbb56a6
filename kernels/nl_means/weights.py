"""The integer weights of non-local means of uint8 images, and whether a polynomial gives the same ones.

Distances of patches are sums of squares over ``patch * patch`` pixels; shifted right by as many bits as make them
about means, they index a table of

    round(F * exp(-mean / (channels * h * h)))        F = (2**31 - 1) // (search * search * 255)

so that a weighted sum of bytes over the whole search window fits 31 bits. Weights below F / 1000 are 0. Source: the
table of OpenCV's fastNlMeansDenoising, whose h is a float32.
"""

import functools
from typing import NamedTuple

import numpy as np

from ..machine.polynomials import EXP2_TAYLOR as _TAYLOR

_LEAST = 0.001
_STEPS = range(-40, 41)


class Weights(NamedTuple):
    """The table up to its last entry that is not 0, by which bits a distance is shifted, and the largest weight."""

    table: np.ndarray
    shift: int
    largest: int


@functools.lru_cache(64)
def weights_of(h: float, patch: int, search: int, channels: int) -> Weights:
    """The table for distances of patches of ``patch * patch`` pixels."""
    largest = (2**31 - 1) // (search * search * 255)
    shift = (patch * patch - 1).bit_length()
    mean = (1 << shift) / (patch * patch)
    squared = np.float32(h) * np.float32(h) * np.float32(channels)
    distances = np.arange(int(255 * 255 * channels / mean + 1)) * mean
    with np.errstate(divide="ignore", invalid="ignore"):
        falling = np.exp(-distances / np.float64(squared))
    falling[np.isnan(falling)] = 1.0  # the distance 0 where h is 0
    table = np.rint(largest * falling).astype(np.int32)
    table[table < _LEAST * largest] = 0
    return Weights(table[: np.count_nonzero(table)], shift, largest)


@functools.lru_cache(64)
def rate_of(h: float, patch: int, search: int, channels: int) -> float | None:
    """The float32 rate for which ``rint(F * 2**(-rate * k))``, as the kernel computes it, is the table for every k.

    Rounding may put an entry on the wrong side of a half, so entries are compared one by one, for the rate itself and
    for its neighbours. None where none of them does (a table of very many or very large entries).
    """
    table, shift, largest = weights_of(h, patch, search, channels)
    squared = np.float32(h) * np.float32(h) * np.float32(channels)
    if squared == 0 or largest >= 1 << 22:
        return None
    rate = np.float32((1 << shift) / (patch * patch) / float(squared) / np.log(2))
    ulp = np.spacing(rate)
    for step in sorted(_STEPS, key=abs):
        near = np.float32(rate + np.float32(step) * ulp)
        if np.array_equal(polynomial_weights(near, len(table), largest), table):
            return float(near)
    return None


def polynomial_weights(rate: np.float32, count: int, largest: int) -> np.ndarray:
    """What the kernel computes, step by step: every fma in float64, rounded once to float32."""
    k = np.arange(count).astype(np.float64)
    magic = np.float64(1.5 * 2.0**23)

    def fma(a: np.ndarray, b: np.ndarray | np.float64, c: np.ndarray | np.float64) -> np.ndarray:
        return (a * b + c).astype(np.float32).astype(np.float64)

    whole = fma(k, -np.float64(rate), magic) - magic
    rest = fma(k, -np.float64(rate), -whole)
    coefficients = scaled_coefficients(largest)
    total = np.full(count, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = fma(total, rest, coefficient)
    return np.rint(np.ldexp(total, whole.astype(np.int64))).astype(np.int32)


def scaled_coefficients(largest: int) -> list[np.float64]:
    """Coefficients of ``largest * 2**x`` as float32 numbers."""
    return [np.float64(np.float32(largest * c)) for c in _TAYLOR[:7]]
