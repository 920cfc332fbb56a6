"""How an image is cut into blocks for products in the frequency domain, and a template into parts.

A block of n x n numbers, transformed, multiplied and transformed back, gives the products of all windows that lie
wholly inside it: (n - R + 1) x (n - S + 1) of them. So blocks overlap by the size of the template. A template that
would leave little of a block is cut into parts; the products of the parts, each with the block that lies under it, are
added before they are transformed back. Each part of each channel is a *term*.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from .geometry import MatchGeometry

SIDES = (64, 256)  # powers of 4: one whose planes stay in the first-level cache, one in the second
_OTHER_WORK = 8.0  # reading, turning, multiplying and writing, in passes of a transform


class BlocksPlan(NamedTuple):
    """Blocks of ``side`` squared give ``rows`` x ``columns`` places each, ``down`` x ``across`` of them an image."""

    side: int
    rows: int
    columns: int
    down: int
    across: int
    part_rows: int
    part_columns: int
    parts: tuple[tuple[int, int], ...]
    cost: float

    @property
    def blocks(self) -> int:
        return self.down * self.across

    @property
    def pairs(self) -> int:
        """Two blocks of an image share one transform of complex numbers."""
        return -(-self.blocks // 2)


@functools.lru_cache(maxsize=256)
def _plan(n: int, p: int, q: int, c: int, r: int, s: int, templates: int) -> BlocksPlan:
    best = None
    for side in SIDES:
        for rows in _part_lengths(r, side):
            for columns in _part_lengths(s, side):
                plan = _cut(n, p, q, c, r, s, templates, side, rows, columns)
                if best is None or plan.cost < best.cost:
                    best = plan
    assert best is not None
    return best


def _part_lengths(length: int, side: int) -> list[int]:
    """Lengths of equal parts of a template's side that leave at least a quarter of a block.

    >>> _part_lengths(100, 64)
    [34, 25, 20, 17]
    """
    fewest = -(-length // (3 * side // 4))
    counts = [fewest, fewest + 1, fewest + 2, fewest + 3]
    return sorted({-(-length // count) for count in counts}, reverse=True)


def _cut(
    n: int, p: int, q: int, c: int, r: int, s: int, templates: int, side: int, rows: int, columns: int
) -> BlocksPlan:
    down, across = -(-p // (side - rows + 1)), -(-q // (side - columns + 1))
    parts = tuple((i, j) for i in range(0, r, rows) for j in range(0, s, columns))
    pairs = n * -(-down * across // 2)
    terms = len(parts) * c
    work = side * side * (2 * math.log2(side) + _OTHER_WORK)
    cost = work * (pairs * (terms + 1) + templates * terms)
    return BlocksPlan(side, -(-p // down), -(-q // across), down, across, rows, columns, parts, cost)


def blocks_plan(g: MatchGeometry) -> BlocksPlan:
    """The cheapest way, by a count of operations."""
    return _plan(g.n, g.p, g.q, g.c, g.r, g.s, g.templates)


def terms_of(plan: BlocksPlan, g: MatchGeometry) -> np.ndarray:
    """(terms, 3): the row, the column and the channel that each term begins with."""
    return np.array([(i, j, k) for i, j in plan.parts for k in range(g.c)], np.int64)
