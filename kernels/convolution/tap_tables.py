"""Where the products of the "taps" variant go: the tables that its plan makes once for a geometry.

*Which row.* In a convolution the source row h serves the output row p with ``h = p * stride + r * dilation - top``;
in an input gradient the row p of gy serves the row h of gx by the same equation. So both are
``target = (source * up + add[r]) / down``, where the division leaves no rest: a convolution has ``down = stride`` and
an input gradient ``up = stride``. Columns likewise.

A convolution with a stride has source *phases*: the pixels whose row and column leave the same rest serve the same
taps, and only those taps are multiplied. An input gradient with a stride has target phases: sums of each rest are kept
apart, so that additions always run over contiguous numbers.
"""

from typing import NamedTuple

import numpy as np

from ..machine.microkernel import block_columns
from ..machine.packing import padded_columns
from ..machine.processor import lanes

UNIT_WORDS, ENTRY_WORDS = 7, 3  # of the tables


def over(a: int, b: int) -> int:
    """``a / b``, rounded up."""
    return -(-a // b)


def rounded(a: int, b: int) -> int:
    """``a`` rounded up to a multiple of ``b``."""
    return -(-a // b) * b


class Side(NamedTuple):
    """One axis: source ``i`` serves target ``(i * up + add[tap]) // down`` where that division leaves no rest."""

    sources: int
    targets: int
    up: int
    down: int
    adds: tuple[int, ...]

    def source_taps(self, phase: int) -> list[int]:
        """The taps that serve sources ``i`` with ``i % down == phase``."""
        return [tap for tap, add in enumerate(self.adds) if (phase * self.up + add) % self.down == 0]


def forward_side(sources: int, targets: int, taps: int, stride: int, dilation: int, before: int) -> Side:
    """An axis of a convolution.

    >>> forward_side(sources=8, targets=4, taps=4, stride=2, dilation=1, before=1)
    Side(sources=8, targets=4, up=1, down=2, adds=(1, 0, -1, -2))
    """
    return Side(sources, targets, 1, stride, tuple(before - tap * dilation for tap in range(taps)))


def gradient_side(sources: int, targets: int, taps: int, stride: int, dilation: int, before: int) -> Side:
    """An axis of an input gradient.

    >>> gradient_side(sources=4, targets=8, taps=4, stride=2, dilation=1, before=1)
    Side(sources=4, targets=8, up=2, down=1, adds=(-1, 0, 1, 2))
    """
    return Side(sources, targets, stride, 1, tuple(tap * dilation - before for tap in range(taps)))


def _offset(side: Side, tap: int, phase: int) -> tuple[int, int]:
    """Where sources of a phase add: the phase of the targets, and how far the first source's target lies in it."""
    add = side.adds[tap]
    return (add % side.up, add // side.up) if side.down == 1 else (0, (phase + add) // side.down)


class TapTables(NamedTuple):
    """What the worker and the packing look up.

    A unit is a phase of source rows with one of source columns: its first pixel in a row, step, count; the columns of
    its matrix and where it begins; its entries. An entry is a column of a matrix: what is added to the row (times
    ``up``), where in a row of sums the products of the unit's first pixel go, and which column it is.
    """

    starts: np.ndarray  # the first unit of each phase of rows, and the end
    units: np.ndarray
    entries: np.ndarray
    places: np.ndarray  # of the packed matrices' numbers in the weight
    widest: int  # matrix
    pitch: int  # of sums: numbers from one target phase and channel to the next
    margin: int  # numbers before the first target's


def tap_tables(rows: Side, columns: Side, few: int, many: int, strides: tuple[int, ...], itemsize: int) -> TapTables:
    """The tables of a layer whose weight has these strides by its axes (few, r, s, many)."""
    width = lanes(itemsize)
    starts, units, entries, places = [0], list[int](), list[int](), [np.zeros(0, np.int64)]
    offsets = [_offset(columns, s, b)[1] for b in range(columns.down) for s in columns.source_taps(b)]
    margin = max(0, -min(offsets, default=0))
    most = rounded(over(columns.sources, columns.down), width)
    pitch = margin + max(over(columns.targets, columns.up), max(offsets, default=0) + most)
    widest, size = width, 0
    for a in range(rows.down):
        for b in range(columns.down):
            taps = [(f, r, s) for f in range(few) for r in rows.source_taps(a) for s in columns.source_taps(b)]
            count = len(range(b, columns.sources, columns.down))
            if not taps or not count:
                continue
            padded, first_entry = padded_columns(len(taps), itemsize), len(entries) // ENTRY_WORDS
            # By the places of their sources, so that a sum is made in this order also across the chunks of a row.
            for column, (f, r, s) in sorted(enumerate(taps), key=lambda entry: -columns.adds[entry[1][2]]):
                phase, offset = _offset(columns, s, b)
                entries += [rows.adds[r], (phase * few + f) * pitch + margin + offset, column]
            units += [b, columns.down, count, padded, size, first_entry, len(entries) // ENTRY_WORDS]
            places.append(_packed_places(taps, many, strides, padded, itemsize))
            size, widest = size + many * padded, max(widest, padded)
        starts.append(len(units) // UNIT_WORDS)
    first_units, unit_words, entry_words = (np.array(table, np.int64) for table in (starts, units, entries))
    return TapTables(first_units, unit_words, entry_words, np.concatenate(places), widest, pitch, margin)


def _packed_places(
    taps: list[tuple[int, int, int]], many: int, strides: tuple[int, ...], columns: int, itemsize: int
) -> np.ndarray:
    """Where in the weight each number of the packed matrix lies: blocks of columns, as `panel` reads them.

    Columns beyond the taps repeat the first: nothing reads their products.
    """
    places = np.array(taps + [taps[0]] * (columns - len(taps))) @ np.array(strides[:3])
    matrix = np.arange(many)[:, None] * strides[3] + places
    block = block_columns(itemsize)
    return np.concatenate([matrix[:, i : i + block].reshape(-1) for i in range(0, columns, block)])
