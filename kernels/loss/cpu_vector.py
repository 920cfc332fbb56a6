"""The "vector" variant: one pass over the arrays, sums in float64 in an order that the shape alone decides."""

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import float64

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from ..reduction.cpu_blocked import Step
from ..reduction.geometry import Pass

if TYPE_CHECKING:
    from . import Loss

_CHUNK = 16384
_NS_PER_NUMBER = 0.25


@kernel()
def squared_error_sums(dtype: str, result: str) -> Callable[..., Any]:
    """Sums of ``(x - target)**2`` times a scale, one for each task."""
    (real, scalar), (out_real, out_scalar) = TYPES[dtype], TYPES[result]
    size = np.dtype(scalar).itemsize

    def worker(begin, end, slot, block):
        sums, total, chunk, scale = pointer(block[2], out_real), block[3], block[4], float_bits(block[5])
        for task in range(begin, end):
            first = task * chunk
            x, target = pointer(block[0] + first * size, real), pointer(block[1] + first * size, real)
            part = 0.0
            for i in range(min(chunk, total - first)):
                difference = float64(read(x, i)) - float64(read(target, i))
                part += difference * difference
            sums[task] = out_scalar(part * scale)

    return worker


@kernel()
def squared_error(dtype: str) -> Callable[..., Any]:
    """``y = (x - target)**2``."""
    real, _ = TYPES[dtype]

    def worker(begin, end, slot, block):
        x, target, y = pointer(block[0], real), pointer(block[1], real), pointer(block[2], real)
        total, chunk = block[3], block[4]
        for i in range(begin * chunk, min(end * chunk, total)):
            difference = read(x, i) - read(target, i)
            write(y, i, difference * difference)

    return worker


@kernel()
def squared_error_grad(dtype: str, summed: bool) -> Callable[..., Any]:
    """``gx = scale * gy * (x - target)``, with one gy for all numbers (``summed``) or one for each."""
    real, scalar = TYPES[dtype]

    def worker(begin, end, slot, block):
        gy, x, target = pointer(block[0], real), pointer(block[1], real), pointer(block[2], real)
        gx, total, chunk = pointer(block[3], real), block[4], block[5]
        scale = float_bits(block[6])
        if summed:
            factor = scalar(scale * gy[0])
            for i in range(begin * chunk, min(end * chunk, total)):
                write(gx, i, factor * (read(x, i) - read(target, i)))
        else:
            factor = scalar(scale)
            for i in range(begin * chunk, min(end * chunk, total)):
                write(gx, i, factor * read(gy, i) * (read(x, i) - read(target, i)))

    return worker


def build(g: "Loss") -> Run:
    """What runs a planned `mse_loss`."""
    tasks, ns = -(-g.size // _CHUNK), g.size * _NS_PER_NUMBER
    if not g.summed:
        template = Template(3, [g.size, _CHUNK])
        address = squared_error.address(g.dtype.name)

        def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            block = template.filled(*arrays, *outputs)
            launch(address, tasks, ctypes.addressof(block), ns)

        return run

    one_task = tasks == 1  # it writes the loss itself
    sums = squared_error_sums.address(g.dtype.name, g.dtype.name if one_task else "float64")
    template = Template(3, [g.size, _CHUNK, word_of(g.scale if one_task else 1.0)])
    last = Step(Pass(1, tasks, 1), max(1, tasks), "float64", g.dtype.name, g.scale)

    def run_summed(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        result = outputs[0] if one_task else empty((tasks,), np.float64)
        block = template.filled(*arrays, result)
        launch(sums, tasks, ctypes.addressof(block), ns)
        if not one_task:
            last.run(result, outputs[0])

    return run_summed


def build_grad(g: "Loss") -> Run:
    """What runs a planned `mse_loss_grad`."""
    address = squared_error_grad.address(g.dtype.name, g.summed)
    template = Template(4, [g.size, _CHUNK, word_of(2 * g.scale)])
    tasks, ns = -(-g.size // _CHUNK), g.size * _NS_PER_NUMBER

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(address, tasks, ctypes.addressof(block), ns)

    return run
