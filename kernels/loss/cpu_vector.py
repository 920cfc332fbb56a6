"""The "vector" variant: one pass over the arrays, sums in float64 in an order that the shape alone decides.

A loss and its slope have most of their arithmetic in common, so a definition gives both, and a worker that writes no
gradient leaves the slope to the compiler to forget.
"""

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float64
from numba.extending import register_jitable

from ..elementwise.cpu_loops import TYPES
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.polynomials import (
    exp32,
    exp64,
    log_one_plus32,
    log_one_plus64,
    magnitude,
    select,
    with_sign,
)
from ..machine.streams import read, write
from ..machine.threads import launch
from ..operation import Run
from ..reduction.cpu_blocked import Step
from ..reduction.geometry import Pass
from .declare import Loss

_CHUNK = 16384
_NS = {"charbonnier_loss": 0.6, "bce_with_logits": 1.5}


def _mse(real: Any) -> Callable[..., Any]:
    two = real(2)
    return lambda x, t, p, parameter: ((x - t) * (x - t), two * (x - t))


def _l1(real: Any) -> Callable[..., Any]:
    zero, one = real(0), real(1)

    def both(x, t, p, parameter):
        d = x - t
        return magnitude(d), select(d > zero, one, select(d < zero, -one, d))

    return both


def _huber(real: Any) -> Callable[..., Any]:
    half = real(0.5)

    def both(x, t, p, delta):
        d = x - t
        far, size = magnitude(d) > delta, magnitude(d)
        return select(far, delta * (size - half * delta), half * d * d), select(far, with_sign(delta, d), d)

    return both


def _smooth_l1(real: Any) -> Callable[..., Any]:
    zero, half, one = real(0), real(0.5), real(1)

    def both(x, t, p, beta):
        d = x - t
        size = magnitude(d)
        far, sign = size >= beta, select(d > zero, one, select(d < zero, -one, d))
        return select(far, size - half * beta, half * d * d / beta), select(far, sign, d / beta)

    return both


def _charbonnier(real: Any) -> Callable[..., Any]:
    def both(x, t, p, eps):
        d = x - t
        y = real(math.sqrt(d * d + eps * eps))
        return y, d / y

    return both


def _bce_with_logits(real: Any) -> Callable[..., Any]:
    single = real(0).itemsize == 4
    exp, log_one_plus = (exp32, log_one_plus32) if single else (exp64, log_one_plus64)
    zero, one = real(0), real(1)

    def both(x, t, p, parameter):
        e = exp(-magnitude(x))
        rest, large = log_one_plus(e), one / (one + e)
        below, above = select(x < zero, -x, zero) + rest, select(x > zero, x, zero) + rest
        sigmoid, other = select(x < zero, e, one) * large, select(x < zero, one, e) * large
        return t * p * below + (one - t) * above, (one - t) * sigmoid - t * p * other

    return both


_DEFINITIONS: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "mse_loss": _mse,
    "l1_loss": _l1,
    "huber_loss": _huber,
    "smooth_l1_loss": _smooth_l1,
    "charbonnier_loss": _charbonnier,
    "bce_with_logits": _bce_with_logits,
}


@kernel()
def loss_worker(
    loss: str, dtype: str, result: str, summed: bool, with_grad: bool, number: bool, weighted: bool, positive: bool
) -> Callable[..., Any]:
    """Losses, or their sum times a scale for each task, and gradients on request."""
    (real, scalar), (out_real, out_scalar) = TYPES[dtype], TYPES[result]
    size, one = np.dtype(scalar).itemsize, scalar(1)
    both = register_jitable(forceinline=True)(_DEFINITIONS[loss](scalar))

    def worker(begin, end, slot, block):
        total, chunk = block[6], block[7]
        sum_scale, slope_scale = float_bits(block[8]), scalar(float_bits(block[9]))
        parameter, same = scalar(float_bits(block[10])), scalar(float_bits(block[11]))
        results = pointer(block[4], out_real)
        for task in range(begin, end):
            first = task * chunk
            x, target = pointer(block[0] + first * size, real), pointer(block[1] + first * size, real)
            weights, shares = pointer(block[2] + first * size, real), pointer(block[3] + first * size, real)
            gx, part = pointer(block[5] + first * size, real), 0.0
            for i in range(min(chunk, total - first)):
                t = same if number else read(target, i)
                p = read(shares, i) if positive else one
                value, slope = both(read(x, i), t, p, parameter)
                if weighted:
                    value *= read(weights, i)
                    slope *= read(weights, i)
                if with_grad:
                    write(gx, i, slope * slope_scale)
                if summed:
                    part += float64(value)
                else:
                    write(results, first + i, value)
            if summed:
                results[task] = out_scalar(part * sum_scale)

    return worker


def build(g: Loss) -> Run:
    """What runs a planned loss, with or without its gradient."""
    name = g.dtype.name
    tasks, ns = -(-g.size // _CHUNK), g.size * _NS.get(g.loss, 0.25)
    partial = g.summed and tasks != 1  # a single task writes the loss itself
    options = (g.summed, g.with_grad, g.number is not None, g.weighted, g.positive)
    address = loss_worker.address(g.loss, name, "float64" if partial else name, *options)
    words = [1.0 if partial else g.scale, g.scale, g.parameter, g.number or 0.0]
    template = Template(6, [g.size, _CHUNK, *map(word_of, words)])
    last = Step(Pass(1, tasks, 1), max(1, tasks), "float64", name, g.scale) if partial else None

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        result = outputs[0] if last is None else empty((tasks,), np.float64)
        block = template.filled(*arrays, result, *outputs[1:])
        launch(address, tasks, ctypes.addressof(block), ns)
        if last is not None:
            last.run(result, outputs[0])

    return run
