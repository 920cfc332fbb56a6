"""The loops around a scalar function, for any strides.

A task is a run of the output, which is C-contiguous. The worker walks it in segments of the innermost axis; within a
segment all is one simple loop, of which there are a few forms, compiled only where they are met:

    "v"  "vv"       contiguous: whole vectors (a per-channel operand of an NHWC image comes as short segments of this)
    "vs" "sv"       one operand is a single number within the segment
    "strided"       anything else, one number at a time

Short segments pay for the walk, so a contiguous last axis of few channels against a per-channel operand is made
longer: the operand is repeated (see `_repetition`), and a segment takes many pixels.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float32, float64
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import Family
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from .geometry import Elementwise

TYPES = {"float32": (float32, np.float32), "float64": (float64, np.float64)}
_CHUNK = 16384
_SHORT = 512  # numbers in a segment below which it pays to make it longer
_LONG = 2048

# Words of a block after the arrays' addresses.
_TOTAL, _CHUNK_WORD, _PARAMETER, _AXES, _SHAPE = 0, 1, 2, 3, 4


@register_jitable
def _offset(row, axes, block, shape, strides):
    """Where an array keeps row number ``row`` of the nest: all its axes but the last."""
    offset = 0
    for axis in range(axes - 2, 0, -1):
        following = row // block[shape + axis]
        offset += (row - following * block[shape + axis]) * block[strides + axis]
        row = following
    return offset + row * block[strides] if axes > 1 else offset


def unary(function: Callable[..., Any], dtype: str, form: str) -> Callable[..., Any]:
    """A worker for ``y = function(x, parameter)``; the parameter is a float64, whatever the type of x."""
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize
    strided = form == "strided"

    def worker(begin, end, slot, block):
        total, chunk, axes = block[2 + _TOTAL], block[2 + _CHUNK_WORD], block[2 + _AXES]
        parameter = float_bits(block[2 + _PARAMETER])
        shape = 2 + _SHAPE
        inner, step = block[shape + axes - 1], block[shape + 2 * axes - 1]
        position, last = begin * chunk, min(end * chunk, total)
        row = position // inner
        column = position - row * inner
        while position < last:
            count = min(inner - column, last - position)
            x = pointer(block[0] + (_offset(row, axes, block, shape, shape + axes) + column * step) * size, real)
            y = pointer(block[1] + position * size, real)
            if strided:
                for i in range(count):
                    write(y, i, function(read(x, i * step), parameter))
            else:
                for i in range(count):
                    write(y, i, function(read(x, i), parameter))
            position += count
            row += 1
            column = 0

    return worker


def binary(function: Callable[..., Any], dtype: str, form: str) -> Callable[..., Any]:
    """A worker for ``y = function(a, b, parameter)``; the parameter is a float64."""
    real, scalar = TYPES[dtype]
    size = np.dtype(scalar).itemsize

    if form == "vv":

        @register_jitable
        def segment(a, b, y, count, step_a, step_b, parameter):
            for i in range(count):
                write(y, i, function(read(a, i), read(b, i), parameter))

    elif form == "vs":

        @register_jitable
        def segment(a, b, y, count, step_a, step_b, parameter):
            number = b[0]
            for i in range(count):
                write(y, i, function(read(a, i), number, parameter))

    elif form == "sv":

        @register_jitable
        def segment(a, b, y, count, step_a, step_b, parameter):
            number = a[0]
            for i in range(count):
                write(y, i, function(number, read(b, i), parameter))

    else:

        @register_jitable
        def segment(a, b, y, count, step_a, step_b, parameter):
            for i in range(count):
                write(y, i, function(read(a, i * step_a), read(b, i * step_b), parameter))

    def worker(begin, end, slot, block):
        total, chunk, axes = block[3 + _TOTAL], block[3 + _CHUNK_WORD], block[3 + _AXES]
        parameter = float_bits(block[3 + _PARAMETER])
        shape = 3 + _SHAPE
        strides_a, strides_b = shape + axes, shape + 2 * axes
        inner, step_a, step_b = block[shape + axes - 1], block[strides_b - 1], block[strides_b + axes - 1]
        position, last = begin * chunk, min(end * chunk, total)
        row = position // inner
        column = position - row * inner
        while position < last:
            count = min(inner - column, last - position)
            a = pointer(block[0] + (_offset(row, axes, block, shape, strides_a) + column * step_a) * size, real)
            b = pointer(block[1] + (_offset(row, axes, block, shape, strides_b) + column * step_b) * size, real)
            segment(a, b, pointer(block[2] + position * size, real), count, step_a, step_b, parameter)
            position += count
            row += 1
            column = 0

    return worker


def _form(steps: tuple[int, ...], inner: int) -> str:
    """The form of the loop over the innermost axis, for inputs with these strides along it."""
    if all(step == 1 for step in steps):
        return "v" * len(steps)
    if steps == (1, 0):
        return "vs"
    if steps == (0, 1):
        return "sv"
    return "strided"


def _repetition(g: Elementwise) -> tuple[int, int]:
    """Which operand to repeat, and how often, where the other is contiguous and channels are few; 0 times if not."""
    if len(g.strides) != 2 or len(g.shape) != 2 or g.shape[1] >= _SHORT or g.size < _CHUNK:
        return 0, 0
    channels = g.shape[1]
    for operand in (0, 1):
        if g.strides[operand] == (0, 1) and g.strides[1 - operand] == (channels, 1):
            return operand, -(-_LONG // channels)
    return 0, 0


def build(g: Elementwise, family: Family, ns_per_element: float) -> Run:
    """What runs a planned call with the workers of ``family(operation, dtype, form)``."""
    arity, shape, strides = len(g.strides), g.shape, g.strides
    operand, times = _repetition(g)
    if times:
        # Rows of ``times`` pixels; the last row may be short, which a run of the output may be anyway.
        shape = (-(-g.size // (g.shape[1] * times)), g.shape[1] * times)
        strides = tuple((0, 1) if i == operand else (shape[1], 1) for i in (0, 1))
    form = _form(tuple(step[-1] for step in strides), shape[-1])
    if form == "strided":
        ns_per_element += 1.0
    words = [g.size, _CHUNK, word_of(g.parameter), len(shape), *shape]
    for step in strides:
        words += step
    template = Template(arity + 1, words)
    address = family.address(g.operation, g.dtype.name, form)
    tasks, ns = -(-g.size // _CHUNK), g.size * ns_per_element
    copied = g.copied if any(g.copied) else None

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if copied:
            arrays = tuple([a.copy(order="C") if copy else a for a, copy in zip(arrays, copied, strict=True)])
        if times:
            repeated = np.empty((times, g.shape[1]), g.dtype)
            repeated[...] = arrays[operand].reshape(-1)
            arrays = (repeated, arrays[1]) if operand == 0 else (arrays[0], repeated)
        block = template.filled(*arrays, *outputs)
        launch(address, tasks, ctypes.addressof(block), ns)

    return run
