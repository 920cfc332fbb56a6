"""The "vector" variant: a step takes four numbers and one block of the stream; LLVM runs many steps side by side."""

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import int64

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import select
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from ..random.philox import LOW, words_at

if TYPE_CHECKING:
    from . import Dropout

_STEPS = 2048  # in a task
_NS_PER_NUMBER = 0.7


@kernel()
def dropped(dtype: str) -> Callable[..., Any]:
    """``y = x * scale`` or ``x * 0``."""
    real, scalar = TYPES[dtype]
    zero, eight, half = scalar(0), np.uint64(8), np.uint64(32)

    def worker(begin, end, slot, block):
        x, place, y = pointer(block[0], real), pointer(block[1], int64), pointer(block[2], real)
        n, threshold, scale = block[3], np.uint64(block[4]), scalar(float_bits(block[5]))
        k0, k1 = np.uint64(place[0]), np.uint64(place[1])
        counter = np.uint64(place[2]) | np.uint64(place[3]) << half
        last = min(end * _STEPS, n // 4)
        for step in range(begin * _STEPS, last):
            w0, w1, w2, w3 = words_at(counter + np.uint64(step), k0, k1)
            i = 4 * step
            write(y, i, read(x, i) * select((w0 & LOW) >> eight >= threshold, scale, zero))
            write(y, i + 1, read(x, i + 1) * select((w1 & LOW) >> eight >= threshold, scale, zero))
            write(y, i + 2, read(x, i + 2) * select((w2 & LOW) >> eight >= threshold, scale, zero))
            write(y, i + 3, read(x, i + 3) * select((w3 & LOW) >> eight >= threshold, scale, zero))
        if last < end * _STEPS and 4 * last < n:  # the last numbers, fewer than four
            w0, w1, w2, _ = words_at(counter + np.uint64(last), k0, k1)
            for j in range(n - 4 * last):
                word = w0 if j == 0 else w1 if j == 1 else w2
                write(y, 4 * last + j, x[4 * last + j] * select((word & LOW) >> eight >= threshold, scale, zero))

    return worker


def build(g: "Dropout") -> Run:
    """What runs a planned call."""
    address = dropped.address(g.dtype.name)
    template = Template(3, [g.size, g.threshold, word_of(g.scale)])
    tasks, ns = -(-g.size // (4 * _STEPS)), g.size * _NS_PER_NUMBER

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(address, tasks, ctypes.addressof(block), ns)

    return run
