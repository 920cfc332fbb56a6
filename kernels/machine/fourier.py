"""Fourier transforms of columns, as many at once as a vector register has lanes.

A *strip* is ``n`` rows of complex numbers, one column to a lane. The real and the imaginary parts of a row lie beside
each other, each one vector wide, so a strip is one run of memory and every load and store is a whole vector::

    row 0      re re re ... re   im im im ... im          n = 256 rows are 32 kB with AVX-512, the size of the
    row 1      re re re ... re   im im im ... im          first-level cache
    ...

A transform of n = 4^k rows is k passes of four-point transforms (W is a primitive root of unity of the pass's length):

    forward     rows j, j + L/4, j + L/2, j + 3L/4  ->  their four-point transform, the q-th times W^(j q)
                for L = n, n/4, ..., 4                                                 (decimation in frequency)
    inverse     the same passes undone in opposite order: times W^(-j q), then the four-point transform backwards

The forward transform leaves its rows in digit-reversed order, and the inverse takes them so. Products of spectra do not
care about the order, so for a convolution nothing is ever sorted. The inverse does not divide by n.

After the first pass the four quarters of a strip do not meet again: each is finished before the next one is begun, so
that it stays in the first-level cache for the other passes.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from .processor import lanes
from .vectors import Vectors

Complex = tuple[ir.Value, ir.Value]

_I64 = ir.IntType(64)


def roots(n: int, dtype: np.dtype) -> np.ndarray:
    """The factors of all passes over n rows in the order of the forward transform, six numbers for each j.

    >>> roots(16, np.dtype(np.float64))[6:12].round(3)
    array([ 0.924, -0.383,  0.707, -0.707,  0.383, -0.924])
    """
    tables = []
    length = n
    while length > 4:
        turns = np.arange(length // 4)[:, None] * np.arange(1, 4) / length
        factors = np.exp(-2j * np.pi * turns)
        tables.append(np.stack([factors.real, factors.imag], axis=-1).ravel())
        length //= 4
    return np.concatenate(tables).astype(dtype)


def _four_points(v: Vectors, x: list[Complex], forward: bool) -> list[Complex]:
    """The transform of four complex vectors, by powers of -i (forward) or i."""
    even, odd = [v.add(x[0][k], x[2][k]) for k in (0, 1)], [v.sub(x[0][k], x[2][k]) for k in (0, 1)]
    others, difference = [v.add(x[1][k], x[3][k]) for k in (0, 1)], [v.sub(x[1][k], x[3][k]) for k in (0, 1)]
    # odd - i difference and odd + i difference
    minus = (v.add(odd[0], difference[1]), v.sub(odd[1], difference[0]))
    plus = (v.sub(odd[0], difference[1]), v.add(odd[1], difference[0]))
    first = (v.add(even[0], others[0]), v.add(even[1], others[1]))
    third = (v.sub(even[0], others[0]), v.sub(even[1], others[1]))
    return [first, minus, third, plus] if forward else [first, plus, third, minus]


def _times(v: Vectors, x: Complex, factor: Complex, conjugate: bool) -> Complex:
    """``x * factor``, or ``x`` times the conjugate of ``factor``."""
    (a, b), (c, d) = x, factor
    crossed = v.b.fmul(b, d)
    if conjugate:
        return v.fma(a, c, crossed), v.fma(b, c, v.b.fneg(v.b.fmul(a, d)))
    return v.fma(a, c, v.b.fneg(crossed)), v.fma(a, d, v.b.fmul(b, c))


def _constants(values: tuple[Any, ...]) -> tuple[int, ...] | None:
    if not all(isinstance(value, types.IntegerLiteral) for value in values):
        return None
    return tuple(value.literal_value for value in values)


@intrinsic(prefer_literal=True)
def _four_rows(typingctx, itemsize, forward, turned, row, distance, factors):
    """One four-point transform in place of the rows at ``row`` and 1, 2, 3 times ``distance`` bytes behind it.

    ``turned`` says whether there are factors: the last pass of a forward transform has none.
    """
    constants = _constants((itemsize, forward, turned))
    if constants is None:
        return None
    size, ahead, factored = constants

    def codegen(context, builder, signature, args):
        v = Vectors(builder, size)
        rows = [v.pointer(builder.add(args[3], builder.mul(args[4], _I64(q)))) for q in range(4)]
        x = [(v.load(r), v.load(v.at(r, _I64(v.lanes)))) for r in rows]
        table = v.pointer(args[5])
        if factored:
            w = [(v.broadcast(v.at(table, _I64(2 * q))), v.broadcast(v.at(table, _I64(2 * q + 1)))) for q in range(3)]
            if not ahead:
                x = [x[0], *[_times(v, x[q], w[q - 1], conjugate=True) for q in (1, 2, 3)]]
        x = _four_points(v, x, bool(ahead))
        if factored and ahead:
            x = [x[0], *[_times(v, x[q], w[q - 1], conjugate=False) for q in (1, 2, 3)]]
        for r, (real, imaginary) in zip(rows, x, strict=True):
            v.store(real, r)
            v.store(imaginary, v.at(r, _I64(v.lanes)))
        return context.get_dummy_value()

    return types.void(itemsize, forward, turned, *[types.int64] * 3), codegen


@intrinsic(prefer_literal=True)
def _multiply_row(typingctx, itemsize, accumulate, row, spectrum, target):
    """``target = row * conj(spectrum)``, or with ``accumulate`` the same added to it; addresses of one row each."""
    constants = _constants((itemsize, accumulate))
    if constants is None:
        return None

    def codegen(context, builder, signature, args):
        v = Vectors(builder, constants[0])
        second = _I64(v.lanes)

        def load(address: ir.Value) -> Complex:
            place = v.pointer(address)
            return v.load(place), v.load(v.at(place, second))

        real, imaginary = _times(v, load(args[2]), load(args[3]), conjugate=True)
        if constants[1]:
            old = load(args[4])
            real, imaginary = v.add(real, old[0]), v.add(imaginary, old[1])
        place = v.pointer(args[4])
        v.store(real, place)
        v.store(imaginary, v.at(place, second))
        return context.get_dummy_value()

    return types.void(itemsize, accumulate, *[types.int64] * 3), codegen


def row_bytes(itemsize: int) -> int:
    """The size of one row of a strip."""
    return 2 * lanes(itemsize) * itemsize


def strips(itemsize: int) -> tuple[Any, Any, Any]:
    """``forward(strip, n, roots)``, ``inverse(strip, n, roots)`` and ``multiply(strip, spectrum, sums, n, first)``.

    Strips, roots and sums are addresses. ``multiply`` writes ``strip * conj(spectrum)`` to ``sums`` if it is the first
    such product, and otherwise adds it.
    """
    row = row_bytes(itemsize)

    @register_jitable
    def forward_passes(strip, n, table):
        length = n
        while length > 4:
            quarter = length // 4
            for group in range(0, n, length):
                for j in range(quarter):
                    _four_rows(itemsize, 1, 1, strip + (group + j) * row, quarter * row, table + j * 6 * itemsize)
            table += quarter * 6 * itemsize
            length = quarter
        for group in range(0, n, 4):
            _four_rows(itemsize, 1, 0, strip + group * row, row, table)

    @register_jitable
    def forward(strip, n, table):
        quarter = n // 4
        for j in range(quarter):
            _four_rows(itemsize, 1, 1, strip + j * row, quarter * row, table + j * 6 * itemsize)
        for part in range(4):
            forward_passes(strip + part * quarter * row, quarter, table + quarter * 6 * itemsize)

    @register_jitable
    def inverse_passes(strip, n, end):
        for group in range(0, n, 4):
            _four_rows(itemsize, 0, 0, strip + group * row, row, end)
        length = 16
        while length <= n:
            quarter = length // 4
            end -= quarter * 6 * itemsize
            for group in range(0, n, length):
                for j in range(quarter):
                    _four_rows(itemsize, 0, 1, strip + (group + j) * row, quarter * row, end + j * 6 * itemsize)
            length *= 4

    @register_jitable
    def inverse(strip, n, table):
        quarter = n // 4
        # The first pass has n/4 entries of six numbers, all later ones n/16 + n/64 + ... + 4.
        end = table + (quarter + (quarter - 4) // 3) * 6 * itemsize
        for part in range(4):
            inverse_passes(strip + part * quarter * row, quarter, end)
        for j in range(quarter):
            _four_rows(itemsize, 0, 1, strip + j * row, quarter * row, table + j * 6 * itemsize)

    @register_jitable
    def multiply(strip, spectrum, sums, n, first):
        for i in range(n):
            at = i * row
            if first:
                _multiply_row(itemsize, 0, strip + at, spectrum + at, sums + at)
            else:
                _multiply_row(itemsize, 1, strip + at, spectrum + at, sums + at)

    return forward, inverse, multiply
