"""Variant "runs": rows become runs of pixels, and runs of neighbouring rows that touch are joined.

    runs     each band of rows is cut into runs (first column, end) and its runs are joined among themselves
    seams    bands are joined with the band before them, in order
    roots    every run finds the first run of its component; bands count those that are their own
    numbers  first runs get the numbers that follow those of the bands before
    paint    every run writes its component's number, and zeros stand between

A run knows a *parent* of its component that comes before it in raster order; the first run is its own. To join two
components, the one that begins later gets the other as its parent, so whatever the order of joining, the root of a
component is its first run, and numbering roots in order numbers components by their first pixels.

A run's number counts from its band's first pixel, so bands need not wait for one another to number theirs:

    row        places[row] = numbers of its first run and of the one after its last
    run        bounds[run] = first column and end;   parents[run] = another run, or after "numbers" -label of a root

An image is ``slices`` of ``rows``: a volume is what it says; a plane's every row is a slice, so that a row of both has
neighbours in the slice before, and before it in its own. Bands hold whole slices and are cut from the shape alone.
"""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import int32, types
from numba.extending import register_jitable

from ..machine.bits import WORD, lowest, store_equal, unequal, unequal_to
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch
from ..operation import Run
from .geometry import LabelGeometry

_BANDS = 16
_LEAST_ROWS = 16
_NS_PER_PIXEL = 0.4


@register_jitable
def _root(parents, run):
    """The first run of a component; paths to it become shorter."""
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run


@register_jitable
def _join(parents, one, other):
    a, b = _root(parents, one), _root(parents, other)
    if a < b:
        parents[b] = a
    elif b < a:
        parents[a] = b


def _joined_rows(number: Any, equal: bool) -> Any:
    """Joins the touching runs of two rows, each given by its first run, the end of its runs, and its pixels."""

    @register_jitable
    def touch(bounds, i, j, reach, above, here):
        if bounds[2 * i] >= bounds[2 * j + 1] + reach or bounds[2 * j] >= bounds[2 * i + 1] + reach:
            return False
        return not equal or above[bounds[2 * i]] == here[bounds[2 * j]]

    @register_jitable
    def joined(bounds, parents, i, i_end, j, j_end, reach, above, here):
        while i < i_end and j < j_end:
            if touch(bounds, i, j, reach, above, here):
                _join(parents, i, j)
            end_i, end_j = bounds[2 * i + 1], bounds[2 * j + 1]
            if end_i < end_j:
                i += 1
            else:
                # Runs that end together may each touch the other's successor diagonally, where no gap follows them.
                if equal and end_i == end_j and i + 1 < i_end and touch(bounds, i + 1, j, reach, above, here):
                    _join(parents, i + 1, j)
                j += 1

    return joined


def _joined_slices(number: Any, equal: bool) -> Any:
    """Joins a row with its neighbours in the slice before: the row above, and in volumes those beside it."""
    size = number.bitwidth // 8
    joined = _joined_rows(number, equal)

    @register_jitable
    def with_row(image, bounds, parents, places, w, row, other, reach):
        above, here = pointer(image + other * w * size, number), pointer(image + row * w * size, number)
        joined(
            bounds, parents, places[2 * other], places[2 * other + 1], places[2 * row], places[2 * row + 1],
            reach, above, here,
        )  # fmt: skip

    @register_jitable
    def with_slice(image, bounds, parents, places, w, row, rows, connectivity):
        with_row(image, bounds, parents, places, w, row, row - rows, int(connectivity > 1))
        if connectivity > 1 and rows > 1:
            if row % rows > 0:
                with_row(image, bounds, parents, places, w, row, row - rows - 1, int(connectivity > 2))
            if row % rows < rows - 1:
                with_row(image, bounds, parents, places, w, row, row - rows + 1, int(connectivity > 2))

    return with_row, with_slice


def _cut(number: Any, equal: bool) -> Any:
    """Writes the runs of a row; how many there are."""
    size = number.bitwidth // 8
    changes, others = unequal(size), unequal_to(size)

    @register_jitable
    def word(line, j, count, background):
        """Bit t, for t < count: whether pixel j + t differs from the one before it, or from the background."""
        bits = types.uint64(0)
        pixels = pointer(line, number)
        for t in range(count):
            bit = pixels[j + t] != pixels[j + t - 1] if equal else types.int64(pixels[j + t]) != background
            bits |= types.uint64(bit) << types.uint64(t)
        return bits

    @register_jitable
    def between_values(line, bounds, w, background):
        """Runs of one value end where the next pixel has another; those of the background are written over."""
        pixels = pointer(line, number)
        runs, start, j = 0, 0, 1
        while j < w:
            if j + WORD <= w:
                bits = changes(line + j * size, line + (j - 1) * size)
            elif w > WORD:  # the last word repeats comparisons, which are shifted out
                bits = changes(line + (w - WORD) * size, line + (w - WORD - 1) * size) >> types.uint64(j + WORD - w)
            else:
                bits = word(line, j, w - j, background)
            while bits != 0:
                end = j + lowest(bits)
                bits &= bits - types.uint64(1)
                bounds[2 * runs], bounds[2 * runs + 1] = int32(start), int32(end)
                runs += int(types.int64(pixels[start]) != background)
                start = end
            j += WORD
        bounds[2 * runs], bounds[2 * runs + 1] = int32(start), int32(w)
        return runs + int(types.int64(pixels[start]) != background)

    @register_jitable
    def without_background(line, bounds, w, background):
        """Bounds are where a pixel is background and the one before it is not, or the other way round."""
        count, before, j = 0, types.uint64(0), 0
        while j < w:
            if j + WORD <= w:
                bits = others(line + j * size, background)
            elif w >= WORD:
                bits = others(line + (w - WORD) * size, background) >> types.uint64(j + WORD - w)
            else:
                bits = word(line, j, w, background)
            edges = bits ^ ((bits << types.uint64(1)) | before)
            before = bits >> types.uint64(WORD - 1)
            while edges != 0 and j + lowest(edges) < w:
                bounds[count] = int32(j + lowest(edges))
                edges &= edges - types.uint64(1)
                count += 1
            j += WORD
        if count % 2 == 1:
            bounds[count] = int32(w)
            count += 1
        return count // 2

    return between_values if equal else without_background


@kernel()
def _runs(dtype: str, equal: bool) -> Any:
    """Task: one band of one image.

    block = x, places, bounds, parents, rows, slices, w, bands, slices in a band, connectivity, background,
    runs in a row
    """
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    cut = _cut(number, equal)
    with_row, with_slice = _joined_slices(number, equal)

    def work(begin, end, slot, block):
        rows, slices, w, bands, deep = block[4], block[5], block[6], block[7], block[8]
        connectivity, background, capacity = block[9], block[10], block[11]
        height = rows * slices
        for task in range(begin, end):
            n, band = task // bands, task % bands
            image = block[0] + n * height * w * size
            places = pointer(block[1] + n * height * 8, int32)
            bounds_of_image = block[2] + n * height * capacity * 8
            bounds, parents = pointer(bounds_of_image, int32), pointer(block[3] + n * height * capacity * 4, int32)
            first, last = band * deep * rows, min((band + 1) * deep, slices) * rows
            run = first * capacity
            for row in range(first, last):
                count = cut(image + row * w * size, pointer(bounds_of_image + run * 8, int32), w, background)
                places[2 * row] = int32(run)
                for k in range(count):
                    parents[run + k] = int32(run + k)
                run += count
                places[2 * row + 1] = int32(run)
                if row % rows > 0:
                    with_row(image, bounds, parents, places, w, row, row - 1, int(connectivity > 1))
                if row >= first + rows:
                    with_slice(image, bounds, parents, places, w, row, rows, connectivity)

    return work


@kernel()
def _seams(dtype: str, equal: bool) -> Any:
    """Task: one image, whose bands are joined with the slice before them. The block is that of `_runs`."""
    number = getattr(types, dtype)
    size = number.bitwidth // 8
    _, with_slice = _joined_slices(number, equal)

    def work(begin, end, slot, block):
        rows, slices, w, bands, deep, connectivity = block[4], block[5], block[6], block[7], block[8], block[9]
        height = rows * slices
        for n in range(begin, end):
            image = block[0] + n * height * w * size
            places = pointer(block[1] + n * height * 8, int32)
            runs = n * height * block[11]
            bounds, parents = pointer(block[2] + runs * 8, int32), pointer(block[3] + runs * 4, int32)
            for band in range(1, bands):
                first = band * deep * rows
                for row in range(first, first + rows):
                    with_slice(image, bounds, parents, places, w, row, rows, connectivity)

    return work


@kernel()
def _roots() -> Any:
    """Task: one band of one image. Another band may shorten its paths meanwhile: they lead to the same roots.

    block = places, parents, roots in each band, counts, labels, bounds, rows in all, rows in a band, w, bands,
    runs in a row
    """

    def work(begin, end, slot, block):
        height, deep, bands, capacity = block[6], block[7], block[9], block[10]
        roots = pointer(block[2], types.int64)
        for task in range(begin, end):
            n, band = task // bands, task % bands
            places = pointer(block[0] + n * height * 8, int32)
            parents = pointer(block[1] + n * height * capacity * 4, int32)
            first, last = band * deep, min((band + 1) * deep, height) - 1
            own = 0
            for run in range(places[2 * first], places[2 * last + 1]):
                root = parents[run]
                while parents[root] != root:
                    root = parents[root]
                parents[run] = root
                own += int(root == run)
            roots[task] = own

    return work


@kernel()
def _numbers() -> Any:
    """Task: one band of one image. The block is that of `_roots`."""

    def work(begin, end, slot, block):
        height, deep, bands, capacity = block[6], block[7], block[9], block[10]
        roots, counts = pointer(block[2], types.int64), pointer(block[3], types.int64)
        for task in range(begin, end):
            n, band = task // bands, task % bands
            places = pointer(block[0] + n * height * 8, int32)
            parents = pointer(block[1] + n * height * capacity * 4, int32)
            first, last = band * deep, min((band + 1) * deep, height) - 1
            label = 0
            for before in range(band):
                label += roots[n * bands + before]
            for run in range(places[2 * first], places[2 * last + 1]):
                if parents[run] == run:
                    label += 1
                    parents[run] = int32(-label)
            if band == bands - 1:
                counts[n] = label

    return work


@kernel()
def _paint(itemsize: int) -> Any:
    """Task: one band of one image. The block is that of `_roots`."""
    number = types.int64 if itemsize == 8 else int32
    many = min(16, lanes(itemsize))
    stored = store_equal(itemsize, many)

    @register_jitable
    def fill(line, j, end, w, value):
        """Writes columns j to end - 1; what vectors write beyond them is written over later, or is not in the row."""
        while j < end and j + many <= w:
            stored(line + j * itemsize, value)
            j += many
        while j < end:
            pointer(line, number)[j] = number(value)
            j += 1

    def work(begin, end, slot, block):
        height, deep, w, bands, capacity = block[6], block[7], block[8], block[9], block[10]
        for task in range(begin, end):
            n, band = task // bands, task % bands
            places = pointer(block[0] + n * height * 8, int32)
            runs = n * height * capacity
            parents, bounds = pointer(block[1] + runs * 4, int32), pointer(block[5] + runs * 8, int32)
            for row in range(band * deep, min((band + 1) * deep, height)):
                line = block[4] + (n * height + row) * w * itemsize
                done = types.int64(0)
                for run in range(places[2 * row], places[2 * row + 1]):
                    parent = parents[run]
                    label = types.int64(-parent if parent < 0 else -parents[parent])
                    fill(line, done, types.int64(bounds[2 * run]), w, 0)
                    done = types.int64(bounds[2 * run + 1])
                    fill(line, types.int64(bounds[2 * run]), done, w, label)
                fill(line, done, w, w, 0)

    return work


def build(g: LabelGeometry) -> Run:
    """The five steps on one geometry."""
    if g.pixels == 0:
        return lambda arrays, outputs: outputs[1].fill(0)
    slices, rows = (g.d, g.h) if g.d > 1 else (g.h, 1)
    deep = max(-(-slices // _BANDS), -(-_LEAST_ROWS // rows))
    bands, height = -(-slices // deep), slices * rows
    dtype = "uint8" if g.dtype.kind == "b" else g.dtype.name
    equal = g.equal and not (g.dtype.kind == "b" and g.background in (0, 1))  # what is not background is equal then
    capacity = g.w if equal else -(-g.w // 2)
    first = Template(4, (rows, slices, g.w, bands, deep, g.connectivity, g.background, capacity))
    then = Template(6, (height, deep * rows, g.w, bands, capacity))
    cut, seams = _runs.address(dtype, equal), _seams.address(dtype, equal)
    roots, numbers, paint = _roots.address(), _numbers.address(), _paint.address(g.outputs[0][1].itemsize)
    tasks, ns = g.n * bands, g.pixels * _NS_PER_PIXEL

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        labels, counts = outputs
        places = empty((g.n, height, 2), np.int32)
        bounds, parents = empty((g.n, height * capacity, 2), np.int32), empty((g.n, height * capacity), np.int32)
        own = empty((g.n, bands), np.int64)
        block = first.filled(arrays[0], places, bounds, parents)
        launch(cut, tasks, addressof(block), ns)
        launch(seams, g.n, addressof(block), g.n * bands * rows * g.w * _NS_PER_PIXEL)
        block = then.filled(places, parents, own, counts, labels, bounds)
        launch(roots, tasks, addressof(block), ns)
        launch(numbers, tasks, addressof(block), ns)
        launch(paint, tasks, addressof(block), ns)

    return run
