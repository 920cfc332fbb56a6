"""The "vector" variant: a step takes four numbers and their blocks of the stream; LLVM runs many steps side by side.

    draws(step)               what the stream has for the four numbers of a step: deviates, or pairs of words
    taken(x, index)           a number of the image; integers become fractions of their largest value
    one(draw, number, ...)    a result

A task's numbers may belong to several images, each with its own least value: it goes from image to image. A step that
two images share is drawn twice and gone through number by number. Fast-math is off: nothing may be contracted (see
../random/normal.py).
"""

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import int64, njit, types

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import select
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from ..random.cpu_vector import NORMALS
from ..random.normal import fma
from ..random.philox import LOW, words_at

if TYPE_CHECKING:
    from . import Noise

_STEPS = 2048  # in a task
_NS_PER_NUMBER = {("added", "f"): 1.3, ("added", "d"): 2.6, ("replaced", "f"): 1.0, ("replaced", "d"): 1.2}


@njit(forceinline=True)
def _pairs(counter, step, k0, k1, mean, std, _):
    """Two words for each of four numbers."""
    w0, w1, w2, w3 = words_at(counter + np.uint64(2) * step, k0, k1)
    w4, w5, w6, w7 = words_at(counter + np.uint64(2) * step + np.uint64(1), k0, k1)
    return (w0 & LOW, w1 & LOW), (w2 & LOW, w3 & LOW), (w4 & LOW, w5 & LOW), (w6 & LOW, w7 & LOW)


@njit(forceinline=True)
def _within(value, low, high):
    raised = select(value < low, low, value)
    return select(raised > high, high, raised)


@njit(forceinline=True)
def _sum(noise, number, factor, low, high, share, salt):
    return _within(number + noise, low, high)


@njit(forceinline=True)
def _spread_sum(noise, number, factor, low, high, share, salt):
    return _within(fma(factor, noise, number), low, high)


@njit(forceinline=True)
def _replacement(words, number, factor, low, high, share, salt):
    return select(words[0] < share, select(words[1] < salt, high, low), number)


@njit(forceinline=True)
def _clipped_replacement(words, number, factor, low, high, share, salt):
    return _replacement(words, _within(number, low, high), factor, low, high, share, salt)


_MODES = {"added": _sum, "spread": _spread_sum, "replaced": _replacement, "clipped": _clipped_replacement}


@kernel(fastmath=False)
def noisy(mode: str, dtype: str, source: str) -> Callable[..., Any]:
    """``y`` of one of the modes."""
    real, scalar = TYPES[dtype]
    draws = _pairs if mode in ("replaced", "clipped") else NORMALS[dtype]
    one, given = _MODES[mode], getattr(types, source)
    half = np.uint64(32)
    if source == dtype:
        taken = read
    else:
        unit = 1 / np.iinfo(source).max

        @njit(forceinline=True)
        def taken(x, index):
            return real(read(x, index)) * unit

    @njit(forceinline=True)
    def ragged(x, factors, y, begin, end, stream, numbers):
        """The numbers of one step from ``begin`` on."""
        counter, k0, k1, mean, std = stream
        low, high, share, salt = numbers
        step = begin // 4
        d0, d1, d2, d3 = draws(counter, np.uint64(step), k0, k1, mean, std, std)
        for i in range(begin, end):
            j = i - 4 * step
            draw = d0 if j == 0 else d1 if j == 1 else d2 if j == 2 else d3
            y[i] = one(draw, taken(x, i), taken(factors, i), low, high, share, salt)

    def worker(begin, end, slot, block):
        x, place, factors = pointer(block[0], given), pointer(block[1], int64), pointer(block[2], given)
        lows, y = pointer(block[3], real), pointer(block[4], real)
        n, each = block[5], block[6]
        mean, std, high = scalar(float_bits(block[7])), scalar(float_bits(block[8])), scalar(float_bits(block[9]))
        share, salt = np.uint64(block[10]), np.uint64(block[11])
        k0, k1 = np.uint64(place[0]), np.uint64(place[1])
        counter = np.uint64(place[2]) | np.uint64(place[3]) << half
        stream = (counter, k0, k1, mean, std)
        i, last = 4 * begin * _STEPS, min(4 * end * _STEPS, n)
        while i < last:
            image = i // each
            low, stop = lows[image], min((image + 1) * each, last)
            numbers = (low, high, share, salt)
            if i % 4:
                until = min(stop, i // 4 * 4 + 4)
                ragged(x, factors, y, i, until, stream, numbers)
                i = until
            for step in range(i // 4, stop // 4):
                d0, d1, d2, d3 = draws(counter, np.uint64(step), k0, k1, mean, std, std)
                at = 4 * step
                write(y, at, one(d0, taken(x, at), taken(factors, at), low, high, share, salt))
                write(y, at + 1, one(d1, taken(x, at + 1), taken(factors, at + 1), low, high, share, salt))
                write(y, at + 2, one(d2, taken(x, at + 2), taken(factors, at + 2), low, high, share, salt))
                write(y, at + 3, one(d3, taken(x, at + 3), taken(factors, at + 3), low, high, share, salt))
            i = max(i, stop // 4 * 4)
            if i < stop:
                ragged(x, factors, y, i, stop, stream, numbers)
                i = stop

    return worker


def build(g: "Noise") -> Run:
    """What runs a planned call."""
    address, mean, std, high = noisy.address(g.mode, g.dtype.name, g.source.name), *g.constants
    unlimited = np.full(1, -np.inf, g.dtype)
    template = Template(5, [g.size, g.each, *map(word_of, (mean, std, high)), *g.thresholds], {3: unlimited})
    tasks, ns = -(-g.size // (4 * _STEPS)), g.size * _NS_PER_NUMBER[g.kind, g.dtype.char]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, place, *rest = arrays
        spread, low = (None, *rest) if g.kind == "replaced" else rest
        block = template.filled(x, place, x if spread is None else spread, low, *outputs)
        launch(address, tasks, ctypes.addressof(block), ns)

    return run
