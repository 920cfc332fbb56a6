"""Variant "blocks": windows of 3x3 and 5x5 weights, four rows of results at once.

A row of the image is under as many rows of results as the window has rows. Where those are computed together, in
registers, a vector of the image is read once for each column of the window and serves all of them: 5x5 weights take 10
vectors for a vector of results rather than 25, most of which straddle two cache lines. The weights are read for two
vectors at a time.

Padded rows in a ring, bands of rows and the order of the sums, row by row of the window, are those of cpu_window.py:
so are the results, to the last bit.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.processor import lanes
from ..machine.rounding import saturating
from ..machine.threads import launch, num_threads
from ..machine.vectors import Vectors
from ..operation import Run
from .cpu_window import BAND, LINE, edges, padded_row
from .window_geometry import WindowGeometry, work_ns

_SIDES = (3, 5)
_ROWS = 4  # of results at once; a band has a whole number of them

_I64 = ir.IntType(64)


def rejects(g: WindowGeometry) -> str | None:
    if g.r != g.s or g.r not in _SIDES:
        return "takes windows of 3x3 and 5x5 weights"
    least = lanes(g.total.itemsize)
    return None if g.w * g.c >= least else f"takes rows of at least {least} numbers"


def _block(number: Any, side: int, vectors: int) -> Callable[..., None]:
    """An intrinsic that computes ``vectors`` vectors of each row of results, from number ``first`` on.

    ``sources`` and ``targets`` are addresses of the rows' addresses; a pixel has ``pixel`` bytes.
    """
    size = number.bitwidth // 8

    @intrinsic
    def block(typingctx, sources, weights, pixel, targets, first):
        def codegen(context, builder, signature, args):
            sources, weights, pixel, targets, first = args
            e, b = Vectors(builder, size), builder
            multiply_add = e.intrinsic(f"llvm.fmuladd.{e.suffix}", e.vector, *[e.vector] * 3)
            offset = b.mul(first, _I64(size))

            def row(table: ir.Value, index: int) -> ir.Value:
                place = b.inttoptr(b.add(table, _I64(8 * index)), _I64.as_pointer())
                return b.add(b.load(place), offset)

            def at(address: ir.Value, v: int) -> ir.Value:
                return e.pointer(b.add(address, _I64(v * e.lanes * size)))

            sums: list[list[Any]] = [[e.constant(0.0)] * vectors for _ in range(_ROWS)]
            for source in range(side + _ROWS - 1):
                address = row(sources, source)
                for column in range(side):
                    samples = [e.load(at(address, v)) for v in range(vectors)]
                    for r in range(max(0, source - side + 1), min(_ROWS, source + 1)):
                        place = _I64(((source - r) * side + column) * size)
                        weight = e.broadcast(e.pointer(b.add(weights, place)))
                        for v, sample in enumerate(samples):
                            sums[r][v] = b.call(multiply_add, [weight, sample, sums[r][v]])
                    address = b.add(address, pixel)
            for r, results in enumerate(sums):
                address = row(targets, r)
                for v, result in enumerate(results):
                    e.store(result, at(address, v))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), codegen

    return block


def _sums(number: Any, side: int) -> Callable[..., None]:
    """Whole rows of results, of at least a vector."""
    two, one, width = _block(number, side, 2), _block(number, side, 1), lanes(number.bitwidth // 8)

    @register_jitable
    def sums(sources, weights, pixel, targets, count):
        j = 0
        while j + 2 * width <= count:
            two(sources, weights, pixel, targets, j)
            j += 2 * width
        if j + width <= count:
            one(sources, weights, pixel, targets, j)
            j += width
        if j < count:  # the last vector overlaps the one before it
            one(sources, weights, pixel, targets, count - width)

    return sums


@kernel()
def _blocks(source: str, total: str, target: str, side: int) -> Any:
    """Task: a band of rows of one image.

    block = x, y, weights, rows, pads, scratch, h, w, C, before, cval, delta, bands, the pitch of scratch and that of
    its rows, whether sums are results.
    """
    given, number, result = getattr(types, source), getattr(types, total), getattr(types, target)
    size, result_size, source_size = number.bitwidth // 8, result.bitwidth // 8, given.bitwidth // 8
    sums, load, converted = _sums(number, side), padded_row(given, number), saturating(number, result)
    same, held = number == result, side + _ROWS - 1

    def work(begin, end, slot, block):
        x, y, weights = block[0], block[1], block[2]
        rows, pads = pointer(block[3], types.int64), pointer(block[4], types.int64)
        h, w, inner, before = block[6], block[7], block[8], block[9]
        cval, delta = number(float_bits(block[10])), number(float_bits(block[11]))
        bands, pitch, line_pitch, direct = block[12], block[13], block[14], block[15]
        sources = (block[5] + LINE - 1) // LINE * LINE + slot * pitch
        targets, ring = sources + LINE, sources + 2 * LINE
        source, target = pointer(sources, types.int64), pointer(targets, types.int64)
        between = ring + held * line_pitch
        line, after, pixel = w * inner, side - 1 - before, inner * size
        for task in range(begin, end):
            image, band = task // bands, task % bands
            first, last = band * BAND, min(band * BAND + BAND, h)
            filled = first
            for p in range(first, last, _ROWS):
                while filled < p + held:
                    k = rows[min(filled, h + side - 2)]  # below the last row that is needed, any
                    row = x + (image * h + k) * line * source_size
                    load(
                        ring + filled % held * line_pitch, 0 if k < 0 else row, pads, cval, w, inner, before, after
                    )  # fmt: skip
                    filled += 1
                for e in range(held):
                    source[e] = ring + (p + e) % held * line_pitch
                out = y + (image * h + p) * line * result_size
                for r in range(_ROWS):
                    written = same and direct != 0 and p + r < last
                    target[r] = out + r * line * result_size if written else between + r * line_pitch
                sums(sources, weights, pixel, targets, line)
                if same and direct != 0:
                    continue
                for r in range(min(_ROWS, last - p)):
                    summed = pointer(between + r * line_pitch, number)
                    results = pointer(out + r * line * result_size, result)
                    for i in range(line):
                        results[i] = converted(summed[i] + delta)

    return work


def build(g: WindowGeometry) -> Run:
    """Tables and sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    rows, pads = g.rows(), edges(g.columns(), g.w, g.before[1])
    bands = -(-g.h // BAND)
    line_pitch = -(-(g.w + g.s - 1) * g.c * g.total.itemsize // LINE) * LINE
    pitch = 2 * LINE + (g.r + 2 * _ROWS - 1) * line_pitch
    constants = (word_of(g.cval), word_of(g.delta), bands, pitch, line_pitch, int(g.delta == 0))
    template = Template(6, (g.h, g.w, g.c, g.before[1], *constants), {3: rows, 4: pads})
    worker = _blocks.address(g.source.name, g.total.name, g.dtype.name, g.r)
    ns = work_ns(g) / 2

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        weights = arrays[1].astype(g.total)
        buffer = empty((num_threads() * pitch + LINE,), np.uint8)
        block = template.filled(arrays[0], outputs[0], weights, None, None, buffer)
        launch(worker, g.n * bands, addressof(block), ns)

    return run
