"""Variant "rows": everything up to the classes of pixels in one walk over the image, row by row, then a flood.

    derivatives   down the columns from the image's rows, along the row from there; of several channels the strongest
    norms         the last three rows of them, in a ring
    suppression   of the row in the middle, into the map of classes
    flood         of a band of rows as soon as it is complete, while it is near (../hysteresis/flooding.py)

so gradients and norms are never written to memory; the map takes a byte for each pixel.

    row y      . . . .   norms of y + 1   \\
    row y - 1  o o o o   norms of y        |  ring         a band of 64 rows computes the two rows around it, too:
    row y - 2  . . . .   norms of y - 1   /                3 % more work, and bands do not wait for one another

Bands are a matter of the shape, and what is kept does not depend on who finds it: the result is the same for any number
of threads.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..hysteresis.flooding import CELLS, LINES, STACK, Flooding, flooding_of_bands, maps_of
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..operation import Run
from .apertures import SMOOTH
from .geometry import CannyGeometry
from .passes import column_pass, copying_pass, row_pass, suppression

_LINE = 64  # bytes


def _gradients_of_images(aperture: int, squared: bool) -> Any:
    """``gradients(block, image, y, scratch, dx, dy, norms)``: one row of pixels, of an image."""
    columns, rows = column_pass(aperture), row_pass(aperture, squared)
    taps = len(SMOOTH[aperture])
    radius = taps // 2
    norm_type = types.int32 if squared else types.int16

    @register_jitable
    def gradients(block, image, y, scratch, dx, dy, norms):
        x, h, w, c = block[0], block[6], block[7], block[8]
        line = w * c
        table = pointer(scratch, types.int64)
        for t in range(taps):
            table[t] = x + (image * h + min(max(y + t - radius, 0), h - 1)) * line
        smooth = scratch + 64 + 2 * radius * c
        slope = smooth + block[12]
        columns(scratch, smooth, slope, line)
        for row in (smooth, slope):
            numbers, before = pointer(row, types.int16), pointer(row - 2 * radius * c, types.int16)
            for i in range(radius * c):
                before[i] = numbers[i % c]
                numbers[line + i] = numbers[line - c + i % c]
        rows(smooth, slope, c, dx, dy, norms, line)
        if c > 1:
            along, down, lengths = pointer(dx, types.int16), pointer(dy, types.int16), pointer(norms, norm_type)
            for i in range(w):
                best = i * c
                for j in range(i * c + 1, i * c + c):
                    if lengths[j] > lengths[best]:
                        best = j
                along[i], down[i], lengths[i] = along[best], down[best], lengths[best]

    return gradients


def _given_gradients(squared: bool) -> Any:
    copy = copying_pass(squared)

    @register_jitable
    def gradients(block, image, y, scratch, dx, dy, norms):
        h, w = block[6], block[7]
        row = 2 * (image * h + y) * w
        copy(block[0] + row, block[1] + row, dx, dy, norms, w)

    return gradients


@kernel()
def _rows(aperture: int, squared: bool) -> Any:
    gradients = _gradients_of_images(aperture, squared) if aperture else _given_gradients(squared)
    size = 4 if squared or not aperture else 2
    norm_type = types.int32 if size == 4 else types.int16
    suppress, flood_band, width, height = suppression(8 * size), flooding_of_bands(8), lanes(2), LINES
    largest = 2 ** (8 * size - 1) - 1  # no norm exceeds it

    def work(begin, end, slot, block):
        thresholds, offsets = pointer(block[2], types.int64), block[3]
        low, high = min(thresholds[0], largest), min(thresholds[1], largest)
        h, w, bands, line = block[6], block[7], block[9], block[10]
        pitch, row = block[11], block[12]
        stack = block[4] + slot * block[14]
        scratch = (block[5] + _LINE - 1) // _LINE * _LINE + slot * pitch
        dx = scratch + 64 + 2 * row
        dy, ring = dx + 2 * row, dx + 4 * row + _LINE
        for task in range(begin, end):
            band, image = task % bands, task // bands
            cells = block[13] + image * (h + 2) * line
            first, last = band * height, min(band * height + height, h)
            if first == 0:
                border = pointer(cells, types.uint8)
                for i in range(line):
                    border[i] = 0
            if last == h:
                border = pointer(cells + (h + 1) * line, types.uint8)
                for i in range(line):
                    border[i] = 0
            for y in range(first - 1, last + 1):
                norms = ring + (y + 3) % 3 * block[15]
                lengths = pointer(norms - size, norm_type)
                inside = 0 <= y < h
                if inside:
                    gradients(block, image, y, scratch, dx + (y & 1) * row, dy + (y & 1) * row, norms)
                lengths[0] = 0
                for i in range(w if inside else 0, (w + width - 1) // width * width + 1):
                    lengths[i + 1] = 0
                if y <= first:
                    continue
                classes = cells + y * line  # the map's line y is row y - 1
                suppress(
                    ring + (y + 1) % 3 * block[15], ring + (y + 2) % 3 * block[15], norms,
                    dx + (1 - (y & 1)) * row, dy + (1 - (y & 1)) * row,
                    classes + 1, low, high, w,
                )  # fmt: skip
                marks = pointer(classes, types.uint8)
                marks[0] = 0
                for i in range((w + width - 1) // width * width + 1, line):
                    marks[i] = 0
            flood_band(cells, h, line, band, offsets, stack)

    return work


def build(g: CannyGeometry) -> Run:
    """Sizes of one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: None
    maps = maps_of(g.n, (g.h, g.w), 2)
    flooding = Flooding(maps, g.w, 255)
    radius = len(SMOOTH[g.aperture]) // 2 if g.aperture else 0
    whole = -(-g.w * g.c // lanes(2)) * lanes(2)
    row = -(-2 * (whole + 2 * radius * g.c + lanes(2)) // _LINE) * _LINE
    ring = -(-(4 if g.squared or not g.aperture else 2) * (whole + 2 * lanes(2)) // _LINE) * _LINE
    pitch = 64 + 6 * row + 3 * ring + 2 * _LINE
    sizes = (g.h, g.w, g.c, maps.bands, maps.line, pitch, row)
    template = Template(6, (*sizes, 0, 8 * STACK, ring))
    worker = _rows.address(g.aperture, g.squared)
    ns = g.pixels * (g.c * (len(SMOOTH[g.aperture]) if g.aperture else 1) * 0.1 + 0.5)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        memory, stacks = maps.new(), flooding.stacks()
        buffer = empty((num_threads() * pitch + _LINE,), np.uint8)
        *sources, thresholds = arrays
        other = sources[1] if len(sources) > 1 else None
        block = template.filled(sources[0], other, thresholds, maps.offsets, stacks, buffer)
        block[13] = memory.ctypes.data + CELLS
        launch(worker, g.n * maps.bands, addressof(block), ns)
        flooding.finish(memory, stacks, outputs[0])

    return run
