"""Variant "shares": each share of an image is counted by itself, and the shares are added in order.

Equal neighbours are the rule in images, and a counter cannot be increased again before its last increase has been
stored. So four neighbours are counted in four tables, which are added up at the end of the share.

Of real numbers the bin is guessed by a product, which equally spaced edges make nearly right, and is then moved until
the number lies between its edges: the edges alone decide.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch, num_threads
from ..operation import Run
from .geometry import CountGeometry

_SHARES = 16
_LEAST_SHARE = 1 << 15  # numbers
_TABLES = 4
_LINE = 64


@register_jitable
def _counted(tables, bins, counts):
    """Adds up the four tables of a share."""
    for k in range(bins):
        counts[k] = types.int64(tables[k]) + tables[bins + k] + tables[2 * bins + k] + tables[3 * bins + k]


@kernel()
def _values(dtype: str, whole: bool) -> Any:
    """Task: a share of one image. ``whole``: every value of the type has a bin.

    block = x, counts of the shares, scratch, size, shares, share, bins, low, scratch of a thread
    """
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    @register_jitable
    def count(table, value, bins, low):
        k = types.int64(value) - low
        if whole or (k >= 0 and k < bins):
            table[k] += types.int32(1)

    def work(begin, end, slot, block):
        length, shares, share, bins, low = block[3], block[4], block[5], block[6], block[7]
        scratch = (block[2] + _LINE - 1) // _LINE * _LINE + slot * block[8]
        tables = pointer(scratch, types.int32)
        one, two = pointer(scratch, types.int32), pointer(scratch + 4 * bins, types.int32)
        three, four = pointer(scratch + 8 * bins, types.int32), pointer(scratch + 12 * bins, types.int32)
        for task in range(begin, end):
            first = task % shares * share
            last = min(first + share, length)
            x = pointer(block[0] + task // shares * length * size, number)
            for k in range(_TABLES * bins):
                tables[k] = types.int32(0)
            fours = first + (last - first) // 4 * 4
            for j in range(first, fours, 4):
                a, b, c, d = x[j], x[j + 1], x[j + 2], x[j + 3]
                count(one, a, bins, low)
                count(two, b, bins, low)
                count(three, c, bins, low)
                count(four, d, bins, low)
            for j in range(fours, last):
                count(one, x[j], bins, low)
            _counted(tables, bins, pointer(block[1] + task * bins * 8, types.int64))

    return work


@kernel()
def _between(dtype: str) -> Any:
    """Task: a share of one image.

    block = x, edges, counts of the shares, scratch, size, shares, share, bins, scratch of a thread
    """
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        length, shares, share, bins = block[4], block[5], block[6], block[7]
        tables = pointer((block[3] + _LINE - 1) // _LINE * _LINE + slot * block[8], types.int32)
        for task in range(begin, end):
            image, first = task // shares, task % shares * share
            x = pointer(block[0] + image * length * size, number)
            edges = pointer(block[1] + image * (bins + 1) * size, number)
            low, high = edges[0], edges[bins]
            factor = bins / (types.float64(high) - types.float64(low))
            for k in range(_TABLES * bins):
                tables[k] = types.int32(0)
            for j in range(first, min(first + share, length)):
                value = x[j]
                if value >= low and value <= high:
                    guess = (types.float64(value) - types.float64(low)) * factor
                    k = types.int64(guess) if guess < bins else bins - 1
                    while value < edges[k]:
                        k -= 1
                    while k < bins - 1 and value >= edges[k + 1]:
                        k += 1
                    tables[j % _TABLES * bins + k] += types.int32(1)
            _counted(tables, bins, pointer(block[2] + task * bins * 8, types.int64))

    return work


def _share(g: CountGeometry) -> tuple[int, int]:
    """How many shares an image is cut into, and how many numbers each has. Few where tables would outweigh them."""
    shares = min(_SHARES, -(-g.size // max(_LEAST_SHARE, 2 * _TABLES * g.bins)))
    return shares, -(-g.size // shares)


def _build(g: CountGeometry, worker: int, arrays: int, low: tuple[int, ...], ns: float) -> Run:
    if g.n * g.size == 0:
        return lambda arrays, outputs: outputs[0].fill(0)
    shares, share = _share(g)
    scratch = -(-_TABLES * 4 * g.bins // _LINE) * _LINE
    template = Template(arrays + 2, (g.size, shares, share, g.bins, *low, scratch))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
        counts = outputs[0] if shares == 1 else empty((g.n, shares, g.bins), np.int64)
        block = template.filled(*arrays, counts, buffer)
        launch(worker, g.n * shares, addressof(block), ns)
        if shares > 1:
            np.sum(counts, axis=1, out=outputs[0].reshape(g.n, g.bins))

    return run


def build_values(g: CountGeometry) -> Run:
    dtype = "uint8" if g.dtype.kind == "b" else g.dtype.name
    kind = np.iinfo(dtype)
    whole = g.low <= kind.min and kind.max < g.low + g.bins
    return _build(g, _values.address(dtype, whole), 1, (g.low,), g.n * (g.size * 0.5 + g.bins * 4))


def build_between(g: CountGeometry) -> Run:
    return _build(g, _between.address(g.dtype.name), 2, (), g.n * (g.size * 2.0 + g.bins * 4))
