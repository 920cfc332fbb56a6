"""The tiles of "winograd_rows", in registers: the inner loops of cpu_winograd_rows.py, emitted as vector code.

A *quad* is 4 neighbouring outputs of a row. A group of 3 taps finds them from 6 points, one of 2 taps from 5
(winograd_lines.py, F(4, 3) and F(4, 2)); ``taps``, a constant, says which. What is broadcast are the thin side's
points: of each position of a line of few channels, the numbers that stand for the 6 or 5 pixels from there on, next to
each other (`line_points`). What fills the lanes are the wide side's channels.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.vectors import Vectors
from . import winograd_lines as lines
from .winograd_lines import Line

QUAD = 4  # outputs
SIZE = 4  # bytes of a float32: wider types have no use for the bargain

_I64, _I32 = ir.IntType(64), ir.IntType(32)


def points_of(taps: int) -> int:
    """Points of a quad for groups of so many taps."""
    return QUAD + taps - 1


class _Matrices(NamedTuple):
    """Winograd's matrices for one number of taps."""

    input: Callable[[Vectors, Line], Line]
    output: Callable[[Vectors, Line], Line]
    gradient: Callable[[Vectors, Line], Line]
    weight: Callable[[Vectors, Line], Line]
    weight_gradient: Callable[[Vectors, Line], Line]


_MATRICES = {
    2: _Matrices(lines.input_4_2, lines.output_4_2, lines.gradient_4_2, lines.weight_2, lines.weight_gradient_2),
    3: _Matrices(lines.input_4_3, lines.output_4_3, lines.gradient_4_3, lines.weight_4_3, lines.weight_gradient_4_3),
}


def _constants(*arguments: types.Type) -> bool:
    return all(isinstance(t, types.IntegerLiteral) for t in arguments)


class _Rows(Vectors):
    """Vectors, loops over addresses and sums that stay in registers (LLVM promotes what `variable` gives)."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        super().__init__(builder, SIZE)

    def variable(self, start: ir.Value) -> ir.Value:
        return cgutils.alloca_once_value(self.b, start)

    def add_product(self, total: ir.Value, factor: ir.Value, vector: ir.Value) -> None:
        self.b.store(self.fma(factor, vector, self.b.load(total)), total)

    def blocks(self, vector: ir.Value, width: int) -> list[ir.Value]:
        """A vector cut into parts of ``width`` lanes."""
        kind = ir.VectorType(_I32, width)
        parts = [ir.Constant(kind, list(range(i, i + width))) for i in range(0, self.lanes, width)]
        return [self.b.shuffle_vector(vector, vector, part) for part in parts]


def _beside(v: _Rows, points: Line, target: ir.Value) -> None:
    """Store the points of each lane's position next to each other, so many numbers from one position to the next.

    Squares of at most 8 x 8 are turned in registers, as in machine/transpose.py. A store may write beyond its points,
    where the next position's follow: positions go up.
    """
    width, many = min(8, v.lanes), len(points)
    undefined = ir.Constant(v.vector, ir.Undefined)
    parts = []
    for first in range(0, many, width):
        rows = (points[first : first + width] + [undefined] * width)[:width]
        distance = 1
        while distance < width:
            kind, indices = ir.VectorType(_I32, v.lanes), range(v.lanes)
            low = ir.Constant(kind, [j if not j & distance else v.lanes + j - distance for j in indices])
            high = ir.Constant(kind, [j + distance if not j & distance else v.lanes + j for j in indices])
            for i in range(width):
                if not i & distance:
                    one, other = rows[i], rows[i + distance]
                    rows[i] = v.b.shuffle_vector(one, other, low)
                    rows[i + distance] = v.b.shuffle_vector(one, other, high)
            distance *= 2
        parts.append([v.blocks(row, width) for row in rows])
    for position in range(v.lanes):
        for part, rows in enumerate(parts):
            block = rows[position % width][position // width]
            place = v.at(target, _I64(position * many + part * width))
            v.b.store(block, v.b.bitcast(place, block.type.as_pointer())).align = SIZE


@intrinsic(prefer_literal=True)
def line_points(typingctx, taps, line, step, target):
    """The points of ``lanes`` positions of a line: each from as many numbers, ``step`` elements apart."""
    if not _constants(taps):
        return None
    points, matrices = points_of(taps.literal_value), _MATRICES[taps.literal_value]

    def codegen(context, builder, signature, args):
        v = _Rows(builder)
        line = v.pointer(args[1])
        numbers = [v.load(v.at(line, v.times(args[2], i))) for i in range(points)]
        _beside(v, matrices.input(v, numbers), v.pointer(args[3]))
        return context.get_dummy_value()

    return types.void(taps, types.int64, types.int64, types.int64), codegen


@intrinsic(prefer_literal=True)
def quads_of_row(
    typingctx, taps, quads, vectors, y, pixel, a, position, apart, steps, offsets, weights, bias, mode, slope
):
    """Outputs of ``quads`` quads and ``vectors`` vectors of channels, both constants.

    ``y``, ``a``, ``offsets``, ``weights`` and ``bias`` are addresses. Outputs lie ``pixel`` elements apart, points
    ``position`` elements; the second quad begins ``apart`` outputs after the first, at most `QUAD`, and writes over
    what both have. Each of the ``steps`` of the reduction (a tap row, a group of taps, a channel) reads points at its
    offset, an int64 in elements, and a row of weights for each point.
    """
    if not _constants(taps, quads, vectors):
        return None
    count, wide = quads.literal_value, vectors.literal_value
    points, matrices = points_of(taps.literal_value), _MATRICES[taps.literal_value]

    def codegen(context, builder, signature, args):
        y, pixel, a, position, apart, steps, offsets, weights, bias, mode, slope = args[3:]
        quad = builder.mul(position, apart)
        v = _Rows(builder)
        y, a, weights, bias = (v.pointer(address) for address in (y, a, weights, bias))
        offsets = builder.inttoptr(offsets, _I64.as_pointer())
        slope = v.splat(builder.fptrunc(slope, v.scalar))
        zero = v.constant(0.0)
        added = [v.load(v.at(bias, _I64(j * v.lanes))) for j in range(wide)]
        # Point 1 adds to every output of its quad: it begins with the bias.
        sums = [
            [[v.variable(added[j] if i == 1 else zero) for i in range(points)] for j in range(wide)]
            for _ in range(count)
        ]
        with cgutils.for_range(builder, steps) as loop:
            here = v.at(a, builder.load(v.at(offsets, loop.index)))
            row = v.at(weights, v.times(loop.index, points * wide * v.lanes))
            for i in range(points):
                columns = [v.load(v.at(row, _I64((i * wide + j) * v.lanes))) for j in range(wide)]
                for n in range(count):
                    number = v.broadcast(v.at(v.at(here, v.times(quad, n)), _I64(i)))
                    for j in range(wide):
                        v.add_product(sums[n][j][i], number, columns[j])
        outputs = []
        for n in range(count):
            for j in range(wide):
                line = matrices.output(v, [builder.load(total) for total in sums[n][j]])
                for i, value in enumerate(line):
                    output = builder.mul(pixel, builder.add(v.times(apart, n), _I64(i)))
                    place = v.at(y, builder.add(output, _I64(j * v.lanes)))
                    outputs.append((value, place))
        with builder.if_else(builder.icmp_signed("==", mode, _I64(0))) as (plain, active):
            with plain:
                for value, place in outputs:
                    v.store(value, place)
            with active:
                for value, place in outputs:
                    v.store(v.activate(value, mode, slope), place)
        return context.get_dummy_value()

    return types.void(taps, quads, vectors, *[types.int64] * 10, types.float64), codegen


@intrinsic(prefer_literal=True)
def gradients_of_rows(
    typingctx, taps, rows, sums, sums_row, point, a, a_row, tap_row, quad, gy, gy_row, pixel, many, quads
):
    """Add to the sums of ``rows`` tap rows (a constant) at all points, for one vector of channels.

    Sums lie at ``sums``, rows ``sums_row`` and points ``point`` elements apart. ``many`` rows of ``quads`` quads are
    gone through: of gy at ``gy``, rows ``gy_row`` and outputs ``pixel`` elements apart, and of points at ``a``, rows
    ``a_row`` and quads ``quad`` elements apart, each tap row ``tap_row`` after the one before.
    """
    if not _constants(taps, rows):
        return None
    tap_rows, points, matrices = rows.literal_value, points_of(taps.literal_value), _MATRICES[taps.literal_value]

    def codegen(context, builder, signature, args):
        sums, sums_row, point, a, a_row, tap_row, quad, gy, gy_row, pixel, many, quads = args[2:]
        v = _Rows(builder)
        sums, a, gy = (v.pointer(address) for address in (sums, a, gy))
        places = [
            [v.at(sums, builder.add(v.times(sums_row, m), v.times(point, i))) for i in range(points)]
            for m in range(tap_rows)
        ]
        totals = [[v.variable(v.load(place)) for place in row] for row in places]
        with cgutils.for_range(builder, many) as outer:
            a_here, gy_here = v.at(a, builder.mul(a_row, outer.index)), v.at(gy, builder.mul(gy_row, outer.index))
            with cgutils.for_range(builder, quads) as inner:
                four = v.at(gy_here, builder.mul(v.times(pixel, QUAD), inner.index))
                line = matrices.gradient(v, [v.load(v.at(four, v.times(pixel, i))) for i in range(QUAD)])
                numbers = v.at(a_here, builder.mul(quad, inner.index))
                for m in range(tap_rows):
                    for i in range(points):
                        number = v.broadcast(v.at(v.at(numbers, v.times(tap_row, m)), _I64(i)))
                        v.add_product(totals[m][i], number, line[i])
        for row, totals_of_row in zip(places, totals, strict=True):
            for place, total in zip(row, totals_of_row, strict=True):
                v.store(builder.load(total), place)
        return context.get_dummy_value()

    return types.void(taps, rows, *[types.int64] * 12), codegen


def _line(matrix: str, inputs: Callable[[int], int]) -> Any:
    """An intrinsic that applies a matrix: vectors at source, as many as ``inputs`` says, the results at target."""

    @intrinsic(prefer_literal=True)
    def apply(typingctx, taps, source, source_step, target, target_step):
        if not _constants(taps):
            return None
        function, count = getattr(_MATRICES[taps.literal_value], matrix), inputs(taps.literal_value)

        def codegen(context, builder, signature, args):
            v = _Rows(builder)
            source, target = v.pointer(args[1]), v.pointer(args[3])
            entries = [v.load(v.at(source, v.times(args[2], i))) for i in range(count)]
            for i, value in enumerate(function(v, entries)):
                v.store(value, v.at(target, v.times(args[4], i)))
            return context.get_dummy_value()

        return types.void(taps, *[types.int64] * 4), codegen

    return apply


weight_points = _line("weight", lambda taps: taps)
"""``weight_points(taps, source, source_step, target, target_step)``: vectors of taps at all points."""

taps_of_points = _line("weight_gradient", points_of)
"""``taps_of_points(taps, source, source_step, target, target_step)``: vectors of sums at all points give taps."""
