"""The inverse of a B-spline's samples is a chain of recursive filters, one for each pole z.

Along a line c of n numbers, which hold the samples times the filter's gain, each pole takes four steps:

    c[0]     = sum over k of  z^k * c[border(-k)]          what came before the line
    c[i]    += z * c[i - 1]                                forwards
    c[n - 1] = ...                                         what comes after it, by the border
    c[i]     = z * (c[i + 1] - c[i])                       backwards

The adjoint takes the transposed steps from the last to the first. The first and third step are short lists of places
and weights, made with the plan.
"""

import math

import numpy as np

from ..correlation.reference import REFLECT, WRAP, border

_LEAST = 1e-20  # what comes before a line is left out from where it no longer counts

_POLES = {
    2: (math.sqrt(8) - 3,),
    3: (math.sqrt(3) - 2,),
    4: tuple(math.sqrt(664 + sign * math.sqrt(438976)) - sign * math.sqrt(304) - 19 for sign in (-1, 1)),
    5: tuple(math.sqrt(67.5 + sign * math.sqrt(4436.25)) - sign * math.sqrt(26.25) - 6.5 for sign in (-1, 1)),
}


def filter_tables(n: int, degree: int, outside: int, dtype: np.dtype) -> list[np.ndarray]:
    """For lines of n numbers: where each list begins, places, weights, and the poles with the gain behind them.

    Of pole k, list 2 k makes the first number before the pass forwards, list 2 k + 1 the last before that backwards.
    """
    poles = _POLES[degree] if n > 1 else ()  # a single number is its own coefficient
    ends = [end for z in poles for end in _ends(n, z, outside)]
    gain = math.prod((1 - z) * (1 - 1 / z) for z in poles)
    return [
        np.cumsum([0, *map(len, ends)], dtype=np.int64),
        np.array([place for end in ends for place in end], np.int64),
        np.array([weight for end in ends for weight in end.values()], dtype),
        np.array([*poles, gain], dtype),
    ]


def _ends(n: int, z: float, outside: int) -> tuple[dict[int, float], dict[int, float]]:
    """Places and weights of a line's first number before the pass forwards, and of its last before that backwards."""
    first: dict[int, float] = {}
    for k in range(math.ceil(math.log(_LEAST) / math.log(-z))):
        place = border(-k, n, outside)
        first[place] = first.get(place, 0.0) + z**k
    if outside == REFLECT:
        return first, {n - 1: z / (z - 1)}
    if outside != WRAP:
        return first, {n - 2: z * z / (z * z - 1), n - 1: z / (z * z - 1)}
    last: dict[int, float] = {}
    for k in range(math.ceil(math.log(_LEAST) / math.log(-z))):
        place = border(n - 1 + k, n, outside)
        last[place] = last.get(place, 0.0) - z ** (k + 1)
    return first, last
