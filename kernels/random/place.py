"""A place in a random stream."""

import operator
from typing import Any

import numpy as np

from ..changing import Changing, asked, changing


def _word(name: str, argument: str, value: Any) -> int:
    try:
        word = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}") from None
    if not 0 <= word < 1 << 64:
        raise ValueError(f"{name}: {argument} expects 0 <= {argument} < 2**64 but got {word}")
    return word


def stream_place(name: str, seed: Changing[int], counter: Changing[int], on_cuda: bool) -> Any:
    """A place in a random stream as the array that kernels read: lower and upper half of seed and counter."""

    def halves() -> np.ndarray:
        k, c = _word(name, "seed", asked(seed)), _word(name, "counter", asked(counter))
        return np.array((k & 0xFFFFFFFF, k >> 32, c & 0xFFFFFFFF, c >> 32), np.int64)

    return changing(halves, on_cuda=on_cuda)
