"""Variant "pairs": a row of the result from two rows of the image.

With one channel the numbers that belong together lie side by side. Read as integers of twice the width, as many to a
vector as there are results, they are taken apart by a mask and a shift, and no register has to be shuffled:

    bytes          a0 a1 a2 a3 ...          read as 16 bits     a0 + 256 * a1,  a2 + 256 * a3, ...
                   b0 b1 b2 b3 ...          low and high half   a0 | a2 ...     a1 | a3 ...

The sum of four bytes and the shift by two fit 16 bits. With several channels neighbours lie C numbers apart. Floats are
read as they lie, and the compiler takes a vector of pairs apart by two shuffles.

Reads every number once and writes a quarter as many: what bounds it is memory.
"""

import sys
from ctypes import addressof
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run

if TYPE_CHECKING:
    from . import Halving

_NS_PER_NUMBER = 0.1
_CONSTANT = (1, 3, 4)  # numbers of channels that a worker knows when it is compiled
_TWICE = {"uint8": types.uint16, "uint16": types.uint32, "int16": types.int32}


@kernel()
def _halve(dtype: str, channels: int) -> Any:
    number, twice = getattr(types, dtype), _TWICE[dtype]
    size, bits = number.bitwidth // 8, number.bitwidth
    single, wide = getattr(np, dtype), getattr(np, twice.name)
    signed, two, shift, little = number.signed, wide(2), wide(bits), sys.byteorder == "little"

    def work(begin, end, slot, block):
        Q = block[2]
        C = channels if channels > 0 else block[3]
        for row in range(begin, end):
            above = block[0] + row * (4 * Q * C * size)
            below = above + 2 * Q * C * size
            y = pointer(block[1] + row * (Q * C * size), number)
            if channels == 1 and little:
                a, b = pointer(above, twice), pointer(below, twice)
                for q in range(Q):
                    first, second = read(a, q), read(b, q)
                    if signed:  # the low half's sign is brought back by shifting it up and down
                        total = wide(wide(first << shift) >> shift) + wide(first >> shift)
                        total = total + wide(wide(second << shift) >> shift) + wide(second >> shift)
                    else:
                        low = wide((1 << bits) - 1)
                        total = wide(first & low) + wide(first >> shift) + wide(second & low) + wide(second >> shift)
                    write(y, q, single(wide(wide(total) + two) >> two))
            else:
                a, b = pointer(above, number), pointer(below, number)
                for q in range(Q):
                    for c in range(C):
                        left = 2 * q * C + c
                        total = wide(read(a, left)) + wide(read(a, left + C))
                        total = total + wide(read(b, left)) + wide(read(b, left + C))
                        write(y, q * C + c, single(wide(wide(total) + two) >> two))

    return work


@kernel()
def _halve_floats(dtype: str, channels: int) -> Any:
    number, real = getattr(types, dtype), getattr(np, dtype)
    size, quarter = number.bitwidth // 8, real(0.25)

    def work(begin, end, slot, block):
        Q = block[2]
        C = channels if channels > 0 else block[3]
        for row in range(begin, end):
            a = pointer(block[0] + row * (4 * Q * C * size), number)
            b = pointer(block[0] + row * (4 * Q * C * size) + 2 * Q * C * size, number)
            y = pointer(block[1] + row * (Q * C * size), number)
            for q in range(Q):
                for c in range(C):
                    left = 2 * q * C + c
                    total = read(a, left) + read(a, left + C) + (read(b, left) + read(b, left + C))
                    write(y, q * C + c, quarter * total)

    return work


def build(g: "Halving") -> Run:
    """One task for each row of the result."""
    worker = (_halve if g.whole else _halve_floats).address(g.dtype.name, g.c if g.c in _CONSTANT else 0)
    template = Template(2, (g.q, g.c))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if g.numbers:
            block = template.filled(arrays[0], outputs[0])
            launch(worker, g.n * g.p, addressof(block), _NS_PER_NUMBER * g.numbers)

    return run
