"""Integer arrays whose values are places: classes, or rows of a table.

A worker must not meet a place that does not exist, so all are looked at before it starts; a few hundred of them take a
microsecond.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import int64

from .blocks import Template
from .compile import kernel
from .pointers import pointer
from .threads import launch

_template = Template(2, [])


@kernel()
def first_outside() -> Callable[..., Any]:
    """The place of the first of ``n`` integers outside ``[0, bound)`` that is not the one to be ignored, if any is."""

    def worker(begin, end, slot, block):
        values, words = pointer(block[0], int64), pointer(block[1], int64)
        n, bound, ignoring, ignored = words[0], words[1], words[2], words[3]
        for i in range(n):
            if (values[i] < 0 or values[i] >= bound) and not (ignoring and values[i] == ignored):
                words[4] = i
                return

    return worker


def as_places(name: str, argument: str, values: Any, bound: int, ignored: int | None = None) -> Any:
    """Integers as int64, C-contiguous, after a look that all lie in ``[0, bound)`` or are ``ignored``.

    Negative numbers do not count from the end. Arrays on a GPU are not read.
    """
    dtype = getattr(values, "dtype", None)
    if dtype is None:
        raise TypeError(f"{name}: {argument} expects an array of integers but got {type(values).__name__}")
    if dtype.kind not in "iu":
        raise TypeError(f"{name}: {argument} expects an array of integers but got {dtype}")
    places = values.astype(np.int64, order="C", copy=False)
    if not isinstance(places, np.ndarray):
        return places
    words = np.array((places.size, bound, ignored is not None, ignored or 0, -1), np.int64)
    block = _template.filled(places, words)
    launch(first_outside.address(), 1, ctypes.addressof(block), 0.0)
    if words[4] >= 0:
        where = tuple(int(i) for i in np.unravel_index(int(words[4]), places.shape))
        wanted = f"0 <= {argument} < {bound}" + ("" if ignored is None else f" or {ignored}")
        raise ValueError(f"{name}: {argument} expects {wanted} but got {places[where]} at {where}")
    return places
