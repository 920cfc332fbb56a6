"""Variant "runs" of tables and polylines: images are cut into runs of numbers, each done by itself.

Processors gather words from a table in vectors, but not bytes: a table of bytes is widened for each run.

The segment of a polyline is found by halving, in steps that depend on the number of points alone, so that nothing is
guessed by the processor and neighbours overlap in its pipeline.
"""

from ctypes import addressof
from typing import Any

from numba import types
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.streams import read, stack, write
from ..machine.threads import launch
from ..operation import Run
from .geometry import TableGeometry
from .reference import between_points

_RUN = 1 << 14  # numbers of a task


@kernel()
def _look_up(dtype: str, itemsize: int, whole: bool) -> Any:
    """Task: a run of one image. ``whole``: every value of the type is in the table.

    block = x, table, y, size, runs, tables, entries, low
    """
    number, entry = getattr(types, dtype), getattr(types, f"uint{8 * itemsize}")
    size = number.bitwidth // 8
    widened = whole and size == itemsize == 1

    def work(begin, end, slot, block):
        words = stack(256, types.uint32)
        length, runs, tables, entries, low = block[3], block[4], block[5], block[6], block[7]
        for task in range(begin, end):
            image, first = task // runs, task % runs * _RUN
            count = min(_RUN, length - first)
            x = pointer(block[0] + (image * length + first) * size, number)
            y = pointer(block[2] + (image * length + first) * itemsize, entry)
            table = pointer(block[1] + image % tables * entries * itemsize, entry)
            if widened:
                for k in range(256):
                    words[k] = types.uint32(table[k])
                for j in range(count):
                    write(y, j, entry(words[read(x, j)]))
            else:
                for j in range(count):
                    k = types.int64(read(x, j)) - low
                    if not whole:
                        k = min(max(k, 0), entries - 1)
                    write(y, j, read(table, k))

    return work


@register_jitable
def _segment(value, xs, points):
    """The last point that lies at the value or before it; there is one, and it is not the last of all."""
    first, left = types.int64(0), points - 1
    while left > 1:
        half = left // 2
        first = first + half if xs[first + half] <= value else first
        left -= half
    return first


@kernel(fastmath=False)
def _polyline(dtype: str) -> Any:
    """Task: a run of one image.

    block = x, xp, fp, y, size, runs, points
    """
    number = getattr(types, dtype)
    size = number.bitwidth // 8

    def work(begin, end, slot, block):
        length, runs, points = block[4], block[5], block[6]
        for task in range(begin, end):
            image, first = task // runs, task % runs * _RUN
            x = pointer(block[0] + image * length * size, number)
            y = pointer(block[3] + image * length * size, number)
            xs, ys = (
                pointer(block[1] + image * points * 8, types.float64),
                pointer(block[2] + image * points * 8, types.float64),
            )
            for j in range(first, min(first + _RUN, length)):
                value = types.float64(x[j])
                if value != value:
                    y[j] = x[j]
                elif value < xs[0]:
                    y[j] = number(ys[0])
                elif value >= xs[points - 1]:
                    y[j] = number(ys[points - 1])
                else:
                    y[j] = number(between_points(value, xs, ys, _segment(value, xs, points)))

    return work


def build_look_up(g: TableGeometry) -> Run:
    if g.n * g.size == 0:
        return lambda arrays, outputs: None
    dtype = "uint8" if g.dtype.kind == "b" else g.dtype.name
    values = 256 if g.dtype.itemsize == 1 else 65536
    whole = g.dtype.kind == "u" and g.dtype.itemsize <= 2 and g.low == 0 and g.entries >= values
    worker = _look_up.address(dtype, g.outputs[0][1].itemsize, whole)
    runs = -(-g.size // _RUN)
    template = Template(3, (g.size, runs, g.tables, g.entries, g.low))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(worker, g.n * runs, addressof(block), g.n * g.size * 0.5)

    return run


def build_polyline(g: TableGeometry) -> Run:
    if g.n * g.size == 0:
        return lambda arrays, outputs: None
    worker = _polyline.address(g.dtype.name)
    runs = -(-g.size // _RUN)
    template = Template(4, (g.size, runs, g.entries))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(worker, g.n * runs, addressof(block), g.n * g.size * 5.0)

    return run
