"""CPU workers of the optimisers: one pass over all parameters, each number read and written once.

A task is `CHUNK` elements of all parameters laid end to end, so it may begin in one array and end in another.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float32, float64, int64

from ..machine.blocks import address_of
from ..machine.compile import Family, kernel
from ..machine.pointers import float_bits, pointer
from ..machine.threads import launch
from ..operation import Run
from .in_place import CHUNK, GRADS, Invocation

_NS_PER_BYTE = 0.05
_REALS = {"f": float32, "d": float64}


@kernel()
def _adam(char, decay):
    real = _REALS[char]

    def work(begin, end, slot, block):
        table, first_rows = pointer(block[0], int64), pointer(block[1], int64)
        rows, total = block[2], block[3]
        rest1, beta2, rest2 = real(float_bits(block[4])), real(float_bits(block[5])), real(float_bits(block[6]))
        step_size, scale = real(float_bits(block[7])), real(1.0 / float_bits(block[8]))
        eps, amount = real(float_bits(block[9])), real(float_bits(block[10]))
        for task in range(begin, end):
            row, at = first_rows[task], task * CHUNK
            stop = min(at + CHUNK, total)
            while at < stop:
                upto = min(stop, table[row])
                base = table[row - 1] if row > 0 else 0
                parameter, grad = pointer(table[rows + row], real), pointer(table[2 * rows + row], real)
                avg, avg_sq = pointer(table[3 * rows + row], real), pointer(table[4 * rows + row], real)
                for i in range(at - base, upto - base):
                    p, g = parameter[i], grad[i]
                    if decay == 1:
                        g += amount * p
                    if decay == 2:
                        p -= amount * p
                    m = avg[i] + rest1 * (g - avg[i])
                    v = beta2 * avg_sq[i] + rest2 * g * g
                    avg[i] = m
                    avg_sq[i] = v
                    parameter[i] = p - step_size * m / (math.sqrt(v) * scale + eps)
                at = upto
                row += 1

    return work


@kernel()
def _sgd(char, decay):
    real = _REALS[char]

    def work(begin, end, slot, block):
        table, first_rows = pointer(block[0], int64), pointer(block[1], int64)
        rows, total = block[2], block[3]
        lr, amount = real(float_bits(block[4])), real(float_bits(block[5]))
        for task in range(begin, end):
            row, at = first_rows[task], task * CHUNK
            stop = min(at + CHUNK, total)
            while at < stop:
                upto = min(stop, table[row])
                base = table[row - 1] if row > 0 else 0
                parameter, grad = pointer(table[rows + row], real), pointer(table[2 * rows + row], real)
                for i in range(at - base, upto - base):
                    g = grad[i]
                    if decay == 1:
                        g += amount * parameter[i]
                    parameter[i] -= lr * g
                at = upto
                row += 1

    return work


@kernel()
def _sgd_momentum(char, decay, nesterov, first):
    real = _REALS[char]

    def work(begin, end, slot, block):
        table, first_rows = pointer(block[0], int64), pointer(block[1], int64)
        rows, total = block[2], block[3]
        lr, amount = real(float_bits(block[4])), real(float_bits(block[5]))
        momentum, share = real(float_bits(block[6])), real(float_bits(block[7]))
        for task in range(begin, end):
            row, at = first_rows[task], task * CHUNK
            stop = min(at + CHUNK, total)
            while at < stop:
                upto = min(stop, table[row])
                base = table[row - 1] if row > 0 else 0
                parameter, grad = pointer(table[rows + row], real), pointer(table[2 * rows + row], real)
                buffer = pointer(table[3 * rows + row], real)
                for i in range(at - base, upto - base):
                    g = grad[i]
                    if decay == 1:
                        g += amount * parameter[i]
                    b = g if first else momentum * buffer[i] + share * g
                    buffer[i] = b
                    parameter[i] -= lr * (g + momentum * b if nesterov else b)
                at = upto
                row += 1

    return work


@kernel()
def _average(char):
    real = _REALS[char]

    def work(begin, end, slot, block):
        table, first_rows = pointer(block[0], int64), pointer(block[1], int64)
        rows, total = block[2], block[3]
        share = real(float_bits(block[4]))
        for task in range(begin, end):
            row, at = first_rows[task], task * CHUNK
            stop = min(at + CHUNK, total)
            while at < stop:
                upto = min(stop, table[row])
                base = table[row - 1] if row > 0 else 0
                average, array = pointer(table[rows + row], real), pointer(table[2 * rows + row], real)
                for i in range(at - base, upto - base):
                    average[i] += share * (array[i] - average[i])
                at = upto
                row += 1

    return work


def _builder(family: Family) -> Callable[[Invocation], Run]:
    def build(geometry: Invocation) -> Run:
        group = geometry.group
        worker = family.address(group.dtype.char, *geometry.args)
        rows, first_rows = len(group.shapes), address_of(group.first_rows)
        ns = group.size * group.dtype.itemsize * (2 * len(group.table) - 3) * _NS_PER_BYTE

        def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            grads = [g if g.flags.c_contiguous else g.copy(order="C") for g in arrays[GRADS]]
            table = group.table_with(grads)
            words = (address_of(table), first_rows, rows, group.size, *arrays[-1].view(np.int64).tolist())
            block = np.array(words, np.int64)
            launch(worker, group.tasks, address_of(block), ns)

        return run

    return build


build_adam, build_sgd, build_sgd_momentum = _builder(_adam), _builder(_sgd), _builder(_sgd_momentum)
build_average = _builder(_average)
