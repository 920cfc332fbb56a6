"""Flooding a map of classes from its strong cells: what hysteresis and Canny end with.

A map holds one byte for each pixel, 0 nothing, 1 weak, 2 strong, and a border of nothing, so that no neighbour is ever
out of bounds; it is seen as one run of cells, and a neighbour is a fixed distance away:

    . . . . . .        a *line* of an image is a row, of a volume a plane; its length is a multiple of a vector,
    . 2 1 0 1 .        and the cells at its end are border too
    . 0 0 1 0 .
    . . . . . .        neighbours of 8: -line - 1, -line, -line + 1, -1, 1, line - 1, line, line + 1

*Seeds* are strong cells with a weak neighbour. Whole vectors of cells are looked at together, and where most cells are
nothing that is most of the work. From each seed a stack floods the weak cells, which become strong.

Threads: lines are cut into bands. First each band is flooded from its inner lines, inside the band, so that no two
threads touch one cell. Then, image by image, the first and last lines of the bands are looked at and flooded from
without bounds. What is kept is what weak cells join to a strong one, whoever finds it, so the result depends neither
on the bands nor on the threads.

The stack is short. A cell that finds it full is marked and not followed; then the cells are looked at once more, and
the seeds that were left are found by what they are. Every look marks at least one cell, so that ends.
"""

from ctypes import addressof
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.integers import I64, Integers, over
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from .reference import STRONG, WEAK

STACK = 16384  # cells
LINES = 64  # of a band
CELLS = 64  # a line's length is a multiple of it, and as many bytes of the map lie before and behind


class Maps(NamedTuple):
    """The maps of ``n`` images: ``lines`` lines of ``rows`` rows each; an image's line is a row, a volume's a plane.

    ``line`` and ``row`` are lengths in cells, border included; ``inside`` is where in a line its first row begins.
    """

    n: int
    lines: int
    rows: int
    line: int
    row: int
    inside: int
    offsets: np.ndarray

    @property
    def size(self) -> int:
        """Cells of one map."""
        return (self.lines + 2) * self.line

    @property
    def bands(self) -> int:
        return -(-self.lines // LINES)

    def new(self) -> np.ndarray:
        """Memory for all maps and what may be read beside them."""
        return empty((self.n * self.size + 2 * CELLS,), np.uint8)


def maps_of(n: int, shape: tuple[int, ...], connectivity: int) -> Maps:
    """Maps of ``n`` images of one, two or three axes."""
    row = -(-(shape[-1] + 2) // CELLS) * CELLS
    deep = len(shape) > 2
    line = row * (shape[1] + 2) if deep else row
    strides = np.array([line, row, 1] if deep else [row, 1][-len(shape) :])
    steps = np.array(list(np.ndindex(*[3] * len(shape)))) - 1
    far = np.abs(steps).sum(axis=1)
    offsets = steps[(far > 0) & (far <= connectivity)] @ strides
    lines = shape[0] if len(shape) > 1 else 1
    return Maps(n, lines, shape[1] if deep else 1, line, row, row if deep else 0, offsets.astype(np.int64))


def _seeds(neighbours: int) -> Any:
    """An intrinsic ``seeds(cells, offsets)``: which of the next cells are strong and have a weak neighbour, by bits."""

    @intrinsic
    def seeds(typingctx, cells, offsets):
        def codegen(context, builder, signature, args):
            e = Integers(builder, lanes(1))
            cells, offsets = args
            near = e.constant(0, 8)
            for k in range(neighbours):
                place = builder.inttoptr(builder.add(offsets, I64(8 * k)), I64.as_pointer())
                near = builder.or_(near, e.load(cells, builder.load(place), 8))
            strong = builder.icmp_unsigned("==", e.load(cells, I64(0), 8), e.constant(STRONG, 8))
            weak = builder.icmp_unsigned("!=", builder.and_(near, e.constant(WEAK, 8)), e.constant(0, 8))
            return e.mask(builder.and_(strong, weak))

        return types.int64(types.int64, types.int64), codegen

    return seeds


@intrinsic
def lowest_bit(typingctx, word):
    """The number of the lowest bit that is set."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


def flooding(neighbours: int) -> Any:
    """The function ``flood(cells, first, last, low, high, offsets, stack)`` for so many neighbours.

    It looks for seeds in cells ``first .. last - 1``, counted from the address ``cells``, and floods cells
    ``low .. high - 1``. ``stack`` is the address of `STACK` words. True where the stack was too short: then there may
    be more seeds, anywhere in ``low .. high - 1``.
    """
    seeds, width, depth_limit = _seeds(neighbours), lanes(1), STACK

    @register_jitable
    def flood(cells, first, last, low, high, offsets, stack):
        marks, steps, waiting = pointer(cells, types.uint8), pointer(offsets, types.int64), pointer(stack, types.int64)
        left = False
        for start in range(first, last, width):
            found = seeds(cells + start, offsets)
            while found != 0:
                waiting[0] = start + lowest_bit(found)
                found &= found - 1
                depth = 1
                while depth > 0:
                    depth -= 1
                    cell = waiting[depth]
                    for k in range(neighbours):
                        near = cell + steps[k]
                        if marks[near] == WEAK and low <= near < high:
                            marks[near] = STRONG
                            if depth < depth_limit:
                                waiting[depth] = near
                                depth += 1
                            else:
                                left = True
        return left

    return flood


def flooding_of_bands(neighbours: int) -> Any:
    """The function ``flood_band(cells, lines, line, band, offsets, stack)``: a band from its inner lines.

    ``cells`` is the address of the map's first cell.
    """
    flood, height = flooding(neighbours), LINES

    @register_jitable
    def flood_band(cells, lines, line, band, offsets, stack):
        first, last = band * height, min(band * height + height, lines)
        low, high = (first + 1) * line, (last + 1) * line
        # Lines whose neighbours belong to another band are left for later.
        inner = low + (line if first > 0 else 0)
        outer = high - (line if last < lines else 0)
        while flood(cells, inner, outer, low, high, offsets, stack):
            pass

    return flood_band


@kernel()
def _bands(neighbours: int) -> Any:
    flood_band = flooding_of_bands(neighbours)

    def work(begin, end, slot, block):
        cells, offsets, stacks = block[0], block[1], block[2]
        lines, line, bands, size, depth = block[3], block[4], block[5], block[6], block[7]
        for task in range(begin, end):
            flood_band(cells + task // bands * size, lines, line, task % bands, offsets, stacks + slot * depth)

    return work


@kernel()
def _seams(neighbours: int) -> Any:
    flood, height = flooding(neighbours), LINES

    def work(begin, end, slot, block):
        offsets, stack = block[1], block[2] + slot * block[7]
        lines, line, bands, size = block[3], block[4], block[5], block[6]
        for task in range(begin, end):
            cells = block[0] + task * size
            low, high = line, (lines + 1) * line
            left = False
            for band in range(1, bands):
                seam = (band * height + 1) * line
                left |= flood(cells, seam - line, seam + line, low, high, offsets, stack)
            while left:
                left = flood(cells, low, high, low, high, offsets, stack)

    return work


@intrinsic
def _kept(typingctx, cells, target, value, count):
    """``target = value`` where a cell is strong, else 0."""

    def codegen(context, builder, signature, args):
        cells, target, value, count = args

        def body(e: Integers, first: Any) -> None:
            strong = builder.icmp_unsigned("==", e.load(cells, first, 8), e.constant(STRONG, 8))
            e.store(builder.select(strong, e.splat(value, 8), e.constant(0, 8)), target, first)

        over(builder, count, lanes(1), body)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), codegen


@kernel()
def _collect() -> Any:
    def work(begin, end, slot, block):
        cells, target, value, size = block[0], block[1], block[2], block[3]
        lines, rows, line, row, inside, w = block[4], block[5], block[6], block[7], block[8], block[9]
        for task in range(begin, end):
            place, image = task % (lines * rows), task // (lines * rows)
            cell = image * size + (place // rows + 1) * line + place % rows * row + inside + 1
            _kept(cells + cell, target + task * w, value, w)

    return work


class Flooding:
    """What floods the maps of one geometry and collects the kept pixels: ``value`` for each of them, else 0."""

    def __init__(self, maps: Maps, w: int, value: int) -> None:
        self.maps = maps
        cells = maps.n * maps.size
        self.pixels = maps.n * maps.lines * maps.rows * w
        sizes = (maps.lines, maps.line, maps.bands, maps.size)
        self._flood = Template(3, (*sizes, 8 * STACK))
        self._out = Template(2, (value, maps.size, maps.lines, maps.rows, maps.line, maps.row, maps.inside, w))
        self._workers = (
            _bands.address(len(maps.offsets)), _seams.address(len(maps.offsets)), _collect.address(),
        )  # fmt: skip
        self._ns = (cells * 0.2, maps.n * maps.bands * maps.line * 0.2, cells * 0.1)

    @staticmethod
    def stacks() -> np.ndarray:
        """A stack for each thread."""
        return empty((num_threads() * STACK,), np.int64)

    def bands(self, memory: np.ndarray, stacks: np.ndarray) -> None:
        """Flood the bands, each from its inner lines."""
        block = self._flood.filled(memory[CELLS:], self.maps.offsets, stacks)
        launch(self._workers[0], self.maps.n * self.maps.bands, addressof(block), self._ns[0])

    def finish(self, memory: np.ndarray, stacks: np.ndarray, out: np.ndarray) -> None:
        """Join the bands, and collect."""
        cells = memory[CELLS:]
        if self.maps.bands > 1:
            block = self._flood.filled(cells, self.maps.offsets, stacks)
            launch(self._workers[1], self.maps.n, addressof(block), self._ns[1])
        block = self._out.filled(cells, out)
        launch(self._workers[2], self.maps.n * self.maps.lines * self.maps.rows, addressof(block), self._ns[2])
