"""Argument blocks that a plan makes ready once and fills with addresses at every call.

The Python cost of a call is mostly here, so it is kept to what is needed: copying a few words, and one address per
array. A block belongs to one call, because several threads may run the same plan at once.
"""

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def _data_word() -> int | None:
    """Where in an array object NumPy keeps the address of its data: the first word after Python's own, or nowhere."""
    offset = object.__basicsize__
    probe = np.empty(3)[1:]
    if ctypes.c_int64.from_address(id(probe) + offset).value == probe.ctypes.data:
        return offset
    return None


_DATA = _data_word()
_word_at = ctypes.c_int64.from_address


def address_of(array: np.ndarray) -> int:
    """The address of an array's first element: ``array.ctypes.data``, six times faster.

    >>> a = np.zeros(3)
    >>> address_of(a[1:]) - address_of(a)
    8
    """
    if _DATA is None:
        return int(array.ctypes.data)
    return _word_at(id(array) + _DATA).value


class Template:
    """The words of a block; the first ones stand for arrays.

    ``kept`` are the plan's own arrays, by their places: their addresses are taken once.
    """

    def __init__(self, arrays: int, words: Sequence[int], kept: Mapping[int, np.ndarray] | None = None) -> None:
        self._kind: Any = ctypes.c_int64 * (arrays + len(words))
        self._kept = kept or {}  # they live as long as their addresses are used
        block = self._kind(*[0] * arrays, *words)
        for index, array in self._kept.items():
            block[index] = address_of(array)
        self._words = bytes(block)

    def filled(self, *arrays: np.ndarray | None) -> Any:
        """A block for one call, as a ctypes array: the arrays' addresses and the other words.

        Where an array is None, the address is that of the array kept there, or 0.
        """
        block = self._kind.from_buffer_copy(self._words)
        for index, array in enumerate(arrays):
            if array is not None:
                # `address_of`, without the call, which takes as long again.
                block[index] = _word_at(id(array) + _DATA).value if _DATA else array.ctypes.data
        return block
