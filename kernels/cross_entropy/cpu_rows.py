"""The "rows" variant: a task is as many rows as a thousand logits make.

Exponentials are taken over all logits of a task in one vector loop, as in softmax/cpu_rows.py. With a gradient they are
kept where the gradient goes, which then takes a multiplication and a subtraction; without one, on the stack.
"""

import ctypes
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import float64, int64

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import log64
from ..machine.streams import read, stack, write
from ..machine.threads import launch
from ..operation import Run
from ..reduction.cpu_blocked import Step
from ..reduction.geometry import Pass
from ..softmax.cpu_rows import BLOCK, EXP, row_functions

if TYPE_CHECKING:
    from . import CrossEntropy

_NS_PER_LOGIT = 1.0


@kernel()
def targets_weight(dtype: str, weighted: bool) -> Callable[..., Any]:
    """The sum of the weights of all targets that are not ignored."""
    real, _ = TYPES[dtype]

    def worker(begin, end, slot, block):
        target, weight, result = pointer(block[0], int64), pointer(block[1], real), pointer(block[2], float64)
        rows, ignored, total = block[3], block[4], 0.0
        for row in range(rows):
            if target[row] != ignored:
                total += float64(weight[target[row]]) if weighted else 1.0
        result[0] = total

    return worker


@kernel()
def cross_entropy_rows(
    dtype: str, result: str, weighted: bool, smooth: bool, summed: bool, with_grad: bool
) -> Callable[..., Any]:
    """Losses of rows, or their sum for each task, divided; and gradients on request."""
    (real, scalar), (out_real, out_scalar) = TYPES[dtype], TYPES[result]
    exp, size, zero = EXP[dtype], np.dtype(scalar).itemsize, scalar(0)
    largest, _ = row_functions(dtype)

    def worker(begin, end, slot, block):
        weight, results = pointer(block[2], real), pointer(block[4], out_real)
        total, classes, group, ignored = block[6], block[7], block[8], block[9]
        inverse = 1.0 / pointer(block[3], float64)[0]
        keep, share = 1.0 - float_bits(block[10]), float_bits(block[10]) / classes
        tops, powers, evenly = stack(BLOCK, real), stack(BLOCK, real), 0.0
        if smooth:
            for c in range(classes):
                evenly += share * (float64(read(weight, c)) if weighted else 1.0)
        for task in range(begin, end):
            rows = min(group, total - task * group)
            start = task * group * classes * size
            x, gx = pointer(block[0] + start, real), pointer(block[5] + start, real)
            target, part = pointer(block[1] + task * group * 8, int64), 0.0
            # Exponentials go to the gradient or to the stack; a row too long for that is summed as it is read.
            kept = with_grad or classes <= BLOCK
            buffer = gx if with_grad else powers
            for row in range(rows):
                first = row * classes
                tops[row] = largest(x, first, classes)
                if kept:
                    for c in range(classes):
                        buffer[first + c] = read(x, first + c) - tops[row]
            if kept:
                for i in range(rows * classes):
                    buffer[i] = exp(buffer[i])
            for row in range(rows):
                first, label, whole, loss = row * classes, target[row], 0.0, 0.0
                if label == ignored:
                    if with_grad:
                        for c in range(classes):
                            write(gx, first + c, zero)
                    if not summed:
                        results[task * group + row] = out_scalar(0.0)
                    continue
                if kept:
                    for c in range(classes):
                        whole += float64(buffer[first + c])
                else:
                    for c in range(classes):
                        whole += float64(exp(read(x, first + c) - tops[row]))
                level, top = log64(whole), float64(tops[row])
                own = keep * (float64(weight[label]) if weighted else 1.0)
                loss = own * (level - (float64(x[first + label]) - top))
                if smooth:
                    rest = 0.0
                    for c in range(classes):
                        distance = level - (float64(read(x, first + c)) - top)
                        rest += distance * float64(read(weight, c)) if weighted else distance
                    loss += share * rest
                if with_grad:
                    factor, each = scalar((own + evenly) / whole * inverse), scalar(share * inverse)
                    for c in range(classes):
                        slope = gx[first + c] * factor
                        if smooth and weighted:
                            slope -= each * read(weight, c)
                        elif smooth:
                            slope -= each
                        gx[first + c] = slope
                    gx[first + label] -= scalar(own * inverse)
                if summed:
                    part += loss
                else:
                    results[task * group + row] = out_scalar(loss)
            if summed:
                results[task] = out_scalar(part * inverse)

    return worker


def build(g: "CrossEntropy") -> Run:
    """What runs a planned call, with or without the gradient."""
    name, group = g.dtype.name, max(1, BLOCK // max(1, g.classes))
    tasks, ns = -(-g.rows // group), g.rows * g.classes * _NS_PER_LOGIT
    partial = g.summed and tasks != 1  # a single task writes the loss itself
    address = cross_entropy_rows.address(
        name, "float64" if partial else name, g.weighted, g.smoothing > 0, g.summed, g.with_grad
    )
    template = Template(6, [g.rows, g.classes, group, g.ignored, word_of(g.smoothing)])
    scale = math.nan if g.mean and not g.rows else 1.0
    last = Step(Pass(1, tasks, 1), max(1, tasks), "float64", name, scale) if partial else None
    weigh = targets_weight.address(name, g.weighted) if g.mean else None
    question = Template(3, [g.rows, g.ignored])
    unit = np.ones(1)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        _, target, weight = arrays
        divisor = unit
        if weigh is not None:
            divisor = np.empty(1)
            block = question.filled(target, weight, divisor)
            launch(weigh, 1, ctypes.addressof(block), 0.0)
        result = outputs[0] if last is None else empty((tasks,), np.float64)
        block = template.filled(*arrays, divisor, result, *outputs[1:])
        launch(address, tasks, ctypes.addressof(block), ns)
        if last is not None:
            last.run(result, outputs[0])

    return run
