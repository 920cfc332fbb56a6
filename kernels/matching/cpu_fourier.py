"""Variant "fourier": overlapping blocks of the image, multiplied with the template's spectrum.

Two blocks of real numbers are the real and the imaginary part of one block of complex numbers; the spectrum of a real
template multiplies both without mixing them. A pair of blocks is

    read        row after row, levels taken off, into strips of columns                  machine/fourier.py
    forward     down the columns: each strip in place
    across      strip after strip of the other direction: squares of numbers are turned on the way, transformed,
                multiplied with the spectrum of each term, added up, transformed back, turned and put back
    inverse     down the columns, those that hold results alone
    written     row after row, each times the scale of its window where scores are wanted

                x -->                                  a strip of the other direction is one row
        ky    +---+---+---+---+                        of squares of this picture
        |     |   |   |   |   |   strips of columns
        v     +---+---+---+---+   lie one behind
              |   |   |   |   |   the other
              +---+---+---+---+

Pairs are taken inside one image and computed alone, so that the result depends neither on the batch nor on how threads
share the work.

A transform rounds all numbers of a block to the precision of the largest. Where that is not enough for the window of
least contrast, a block of float32 images says so, and is computed once more in float64.
"""

import math
from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.fourier import roots, row_bytes
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..operation import Run
from .block_steps import make_across, make_measure, make_read, make_write
from .blocks_plan import BlocksPlan, blocks_plan, terms_of
from .geometry import MEASURES, MatchGeometry
from .measures import Measured
from .pattern import Pattern

_LINE = 64  # bytes: scratch of different threads shares no cache line
_LEAST_TAPS = 64  # smaller templates are done sooner directly
_TOLERANCE = 2e-6  # largest error of a score that a float32 block may be expected to have
_ROUNDING = 1.0  # its error in units of eps times the root mean square: see `_checked`
_NS = 0.1  # of one thread for a number in a pass


@kernel()
def _spectra(working: str) -> Any:
    """Task: the spectrum of one term of one template."""
    number = getattr(types, working)
    size = number.bitwidth // 8
    width, row = lanes(size), row_bytes(size)
    _, _, _, spectrum_of = make_across(size)

    def work(begin, end, slot, block):
        pattern, spectra, table, terms = pointer(block[0], number), block[1], block[2], pointer(block[3], types.int64)
        n, r, s, c, rows, columns, pitch = block[5], block[6], block[7], block[8], block[9], block[10], block[11]
        plane = (block[4] + _LINE - 1) // _LINE * _LINE + slot * block[12]
        count = block[13]
        for task in range(begin, end):
            term, first = task % count, task // count * r * s * c
            top, left, channel = terms[3 * term], terms[3 * term + 1], terms[3 * term + 2]
            for x in range(n // width):
                strip = pointer(plane + x * pitch, number)
                for i in range(n * 2 * width):
                    strip[i] = 0
            for i in range(min(rows, r - top)):
                for j in range(min(columns, s - left)):
                    strip = pointer(plane + j // width * pitch + i * row, number)
                    strip[j % width] = pattern[first + ((top + i) * s + left + j) * c + channel]
            spectrum_of(plane, pitch, n, table, spectra + task * n * n * 2 * size)

    return work


@kernel()
def _pairs(dtype: str, working: str, result: str, measure: int) -> Any:
    """Task: one pair of blocks of one image; which one, a list may say."""
    number, kind = getattr(types, dtype), getattr(types, working)
    bytes_in, size = number.bitwidth // 8, kind.bitwidth // 8
    bytes_out = getattr(types, result).bitwidth // 8
    bytes_alone = 8 if dtype == "uint8" else bytes_out
    width, row = lanes(size), row_bytes(size)
    eps = float(np.finfo(working).eps)
    forward, inverse, across, _ = make_across(size)
    read, write = make_read(dtype, working), make_write(dtype, working, result)
    write_measure: Any = make_measure(dtype, result, measure) if measure else None

    def work(begin, end, slot, block):
        x, scale, y, spectra, table = block[0], block[1], block[2], block[3], block[4]
        terms, levels = pointer(block[5], types.int64), pointer(block[6], types.float64)
        chosen, errors = pointer(block[7], types.int64), pointer(block[8], types.float64)
        h, w, c, p, q = block[10], block[11], block[12], block[13], block[14]
        n, rows, columns, blocks, over = block[15], block[16], block[17], block[18], block[19]
        count, pitch, templates = block[20], block[21], block[23]
        tally = (block[9] + _LINE - 1) // _LINE * _LINE + slot * block[22]
        strip = tally + 6 * row
        plane = strip + n * row
        sums = plane + n // width * pitch
        tallies, pairs = pointer(tally, kind), (blocks + 1) // 2
        for task in range(begin, end):
            pair = task if block[7] == 0 else chosen[task]
            image, first = pair // pairs, pair % pairs * 2
            for j in range(12 * width):
                tallies[j] = 0
            for term in range(count):
                channel = terms[3 * term + 2]
                for part in range(2):
                    # Where the number of blocks is odd, the last pair's second one lies below the image: it is 0.
                    number_of = first + part
                    top = number_of // over * rows + terms[3 * term] if number_of < blocks else h
                    left = number_of % over * columns + terms[3 * term + 1]
                    start = x + (image * h * w * c + channel) * bytes_in
                    read(start, h, w, c, top, left, levels[image * c + channel], plane, pitch, n, part, tally)
                for k in range(n // width):
                    forward(plane + k * pitch, n, table)
                spectrum = spectra + (image % templates * count + term) * n * n * 2 * size
                across(plane, pitch, n, table, strip, sums, spectrum, term, count)
            for k in range((columns + width - 1) // width):
                inverse(plane + k * pitch, n, table)
            for part in range(2):
                number_of = first + part
                if number_of < blocks:
                    top, left = number_of // over * rows, number_of % over * columns
                    place = (image * p + top) * q + left
                    if measure:
                        write_measure(
                            plane, pitch, part, min(rows, p - top), min(columns, q - left), scale + place * 8,
                            y + place * bytes_out, q, float_bits(block[24]),
                        )  # fmt: skip
                        continue
                    write(
                        plane, pitch, part, min(rows, p - top), min(columns, q - left),
                        scale + place * bytes_out if scale != 0 else 0,
                        y + place * (bytes_out if scale != 0 else bytes_alone), q, tally + 4 * width * size,
                    )  # fmt: skip
            if scale != 0 and not measure:
                before, after, largest = 0.0, 0.0, 0.0
                for j in range(4 * width):
                    before += tallies[j]
                    after += tallies[4 * width + j]
                    largest = max(largest, types.float64(tallies[8 * width + j]))
                spread = math.sqrt(before) / n + math.sqrt(after / (rows * columns))
                errors[pair] = eps * spread * largest

    return work


class _Blocks:
    """The kernels of one geometry, in one working type."""

    def __init__(self, g: MatchGeometry, plan: BlocksPlan, working: str) -> None:
        dtype = np.dtype(working)
        width, row, n = lanes(dtype.itemsize), row_bytes(dtype.itemsize), plan.side
        self.dtype, self.plan = dtype, plan
        self.terms = terms_of(plan, g)
        self.table = roots(n, dtype)
        self.tasks = g.n * plan.pairs
        pitch = (n + 1) * row  # a row more, so that strips do not begin at one line of the cache
        plane = n // width * pitch
        sums = n // width * n * row if len(self.terms) > 1 else 0
        self.scratch = (6 * row + n * row + plane + sums) // _LINE * _LINE + 2 * _LINE
        passes = 2 * math.log2(n)
        self.ns = _NS * n * n * passes
        self.spectra = g.templates * len(self.terms)
        lengths = (plan.part_rows, plan.part_columns, pitch, self.scratch, len(self.terms))
        self.spectra_template = Template(5, (n, g.r, g.s, g.c, *lengths))
        sizes = (n, plan.rows, plan.columns, plan.blocks, plan.across, len(self.terms), pitch, self.scratch)
        self.template = Template(10, (g.h, g.w, g.c, g.p, g.q, *sizes, g.templates, 0))
        self.spectra_worker = _spectra.address(working)
        result = "float64" if g.dtype == np.float64 else "float32"
        self.worker = _pairs.address(g.dtype.name, working, result, g.measure)

    def __call__(
        self, x: Any, scale: np.ndarray | None, y: Any, pattern: np.ndarray, levels: np.ndarray,
        chosen: np.ndarray | None = None, constant: float = 0.0,
    ) -> np.ndarray:  # fmt: skip
        """Compute all pairs of blocks, or the chosen ones; the expected error of each pair's scores."""
        n = self.plan.side
        # The inverse transform leaves out to divide.
        numbers = np.ascontiguousarray(pattern, self.dtype) * self.dtype.type(1.0 / (n * n))
        spectra = empty((self.spectra, n * n * 2), self.dtype)
        buffer = empty((num_threads() * self.scratch + _LINE,), np.uint8)
        block = self.spectra_template.filled(numbers, spectra, self.table, self.terms, buffer)
        launch(self.spectra_worker, self.spectra, addressof(block), self.spectra * self.ns)
        errors = np.zeros(self.tasks)
        tasks = self.tasks if chosen is None else chosen.size
        block = self.template.filled(
            x, scale, y, spectra, self.table, self.terms, np.ascontiguousarray(levels), chosen, errors, buffer
        )
        block[len(block) - 1] = word_of(constant)
        launch(self.worker, tasks, addressof(block), tasks * (len(self.terms) + 1) * self.ns)
        return errors


def rejects(g: MatchGeometry) -> str | None:
    if g.taps < _LEAST_TAPS:
        return f"takes templates of at least {_LEAST_TAPS} numbers but got {g.taps}"
    if g.places == 0:
        return "takes at least one image"
    return None


def build_products(g: MatchGeometry) -> Run:
    """Sums of products alone. An image that is not finite would spoil whole blocks, and is done directly."""
    from . import cpu_direct

    blocks = _Blocks(g, blocks_plan(g), g.dtype.name if g.dtype.kind == "f" else "float64")
    nothing = np.zeros((g.n, g.c))
    direct = cpu_direct.build_products(g) if g.dtype.kind == "f" else None

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, template = arrays
        if direct is not None and not np.isfinite(np.add.reduce(x, axis=None)):
            direct(arrays, outputs)
        else:
            blocks(x, None, outputs[0], template, nothing)

    return run


def build_scores(g: MatchGeometry) -> Run:
    """Scores; blocks of float32 whose windows have too little contrast for that are computed in float64."""
    if g.measure:
        return _build_measure(g)
    plan, measure = blocks_plan(g), Pattern(g)
    wide = _Blocks(g, plan, "float64")
    narrow = _Blocks(g, plan, "float32") if g.dtype == np.float32 else None

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, template = arrays
        pattern, scale, levels = measure(x, template)
        if narrow is None:
            wide(x, scale, outputs[0], pattern, levels)
            return
        errors = narrow(x, scale, outputs[0], pattern, levels)
        doubtful = np.flatnonzero(~(errors * _ROUNDING <= _TOLERANCE))
        if doubtful.size:
            wide(x, scale, outputs[0], pattern, levels, doubtful)

    return run


def _build_measure(g: MatchGeometry) -> Run:
    """Other measures, in float64. Products alone do not tell which windows are not finite: then they are direct."""
    from . import cpu_direct

    blocks, measure = _Blocks(g, blocks_plan(g), "float64"), Measured(g)
    alone = g.dtype.kind == "f" and g.measure == MEASURES["products"]
    direct = cpu_direct.build_scores(g) if alone else None

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, template = arrays
        if direct is not None and not np.isfinite(np.add.reduce(x, axis=None)):
            direct(arrays, outputs)
        else:
            pattern, squares, levels, constant = measure(x, template)
            every = np.broadcast_to(levels, (g.n, g.c))
            blocks(x, squares, outputs[0], pattern, every, constant=constant)

    return run
