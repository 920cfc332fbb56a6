"""The tiles of "winograd_rows", in registers: the inner loops of cpu_winograd_rows.py, emitted as vector code.

A *quad* is 4 neighbouring outputs of a row, found from 6 points (winograd_lines.py, F(4, 3)). What is broadcast are
the thin side's points: of each position of a line of few channels, the 6 numbers that stand for the 6 pixels from
there on, next to each other (`line_points`). What fills the lanes are the wide side's channels.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.vectors import Vectors
from . import winograd_lines as lines
from .winograd_lines import Line

POINTS = 6
QUAD = 4  # outputs
SIZE = 4  # bytes of a float32: wider types have no use for the bargain

_I64, _I32 = ir.IntType(64), ir.IntType(32)


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
    """Store the points of each lane's position next to each other, `POINTS` numbers from one position to the next.

    Squares of at most 8 x 8 are turned in registers, as in machine/transpose.py. A store may write beyond its points,
    where the next position's follow: positions go up.
    """
    width = min(8, v.lanes)
    undefined = ir.Constant(v.vector, ir.Undefined)
    parts = []
    for first in range(0, POINTS, width):
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
            place = v.at(target, _I64(position * POINTS + part * width))
            v.b.store(block, v.b.bitcast(place, block.type.as_pointer())).align = SIZE


@intrinsic
def line_points(typingctx, line, step, target):
    """The points of ``lanes`` positions of a line: each from 6 numbers ``step`` elements apart."""

    def codegen(context, builder, signature, args):
        v = _Rows(builder)
        line = v.pointer(args[0])
        _beside(
            v, lines.input_4_3(v, [v.load(v.at(line, v.times(args[1], i))) for i in range(POINTS)]), v.pointer(args[2])
        )
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic(prefer_literal=True)
def quads_of_row(typingctx, quads, vectors, y, pixel, a, quad, steps, offsets, weights, bias, mode, slope):
    """Outputs of ``quads`` quads and ``vectors`` vectors of channels, both constants.

    ``y``, ``a``, ``offsets``, ``weights`` and ``bias`` are addresses. Outputs lie ``pixel`` elements apart; the points
    of the first quad at ``a``, those of the next ``quad`` elements on. Each of the ``steps`` of the reduction (a tap
    row, a group of three taps, a channel) reads points at its offset, an int64 in elements, and `POINTS` rows of
    weights.
    """
    if not all(isinstance(t, types.IntegerLiteral) for t in (quads, vectors)):
        return None
    count, wide = quads.literal_value, vectors.literal_value

    def codegen(context, builder, signature, args):
        y, pixel, a, quad, steps, offsets, weights, bias, mode, slope = args[2:]
        v = _Rows(builder)
        y, a, weights, bias = (v.pointer(address) for address in (y, a, weights, bias))
        offsets = builder.inttoptr(offsets, _I64.as_pointer())
        slope = v.splat(builder.fptrunc(slope, v.scalar))
        zero = v.constant(0.0)
        added = [v.load(v.at(bias, _I64(j * v.lanes))) for j in range(wide)]
        # Point 1 adds to every output of its quad: it begins with the bias.
        sums = [
            [[v.variable(added[j] if i == 1 else zero) for i in range(POINTS)] for j in range(wide)]
            for _ in range(count)
        ]
        with cgutils.for_range(builder, steps) as loop:
            here = v.at(a, builder.load(v.at(offsets, loop.index)))
            row = v.at(weights, v.times(loop.index, POINTS * wide * v.lanes))
            for i in range(POINTS):
                columns = [v.load(v.at(row, _I64((i * wide + j) * v.lanes))) for j in range(wide)]
                for n in range(count):
                    number = v.broadcast(v.at(v.at(here, v.times(quad, n)), _I64(i)))
                    for j in range(wide):
                        v.add_product(sums[n][j][i], number, columns[j])
        outputs = []
        for n in range(count):
            for j in range(wide):
                line = lines.output_4_3(v, [builder.load(total) for total in sums[n][j]])
                for i, value in enumerate(line):
                    place = v.at(y, builder.add(v.times(pixel, QUAD * n + i), _I64(j * v.lanes)))
                    outputs.append((value, place))
        with builder.if_else(builder.icmp_signed("==", mode, _I64(0))) as (plain, active):
            with plain:
                for value, place in outputs:
                    v.store(value, place)
            with active:
                for value, place in outputs:
                    v.store(v.activate(value, mode, slope), place)
        return context.get_dummy_value()

    return types.void(quads, vectors, *[types.int64] * 9, types.float64), codegen


@intrinsic(prefer_literal=True)
def gradients_of_rows(typingctx, rows, sums, sums_row, point, a, a_row, tap_row, quad, gy, gy_row, pixel, many, quads):
    """Add to the sums of ``rows`` tap rows (a constant) at 6 points, for one vector of channels.

    Sums lie at ``sums``, rows ``sums_row`` and points ``point`` elements apart. ``many`` rows of ``quads`` quads are
    gone through: of gy at ``gy``, rows ``gy_row`` and outputs ``pixel`` elements apart, and of points at ``a``, rows
    ``a_row`` and quads ``quad`` elements apart, each tap row ``tap_row`` after the one before.
    """
    if not isinstance(rows, types.IntegerLiteral):
        return None
    taps = rows.literal_value

    def codegen(context, builder, signature, args):
        sums, sums_row, point, a, a_row, tap_row, quad, gy, gy_row, pixel, many, quads = args[1:]
        v = _Rows(builder)
        sums, a, gy = (v.pointer(address) for address in (sums, a, gy))
        places = [
            [v.at(sums, builder.add(v.times(sums_row, m), v.times(point, i))) for i in range(POINTS)]
            for m in range(taps)
        ]
        totals = [[v.variable(v.load(place)) for place in row] for row in places]
        with cgutils.for_range(builder, many) as outer:
            a_here, gy_here = v.at(a, builder.mul(a_row, outer.index)), v.at(gy, builder.mul(gy_row, outer.index))
            with cgutils.for_range(builder, quads) as inner:
                four = v.at(gy_here, builder.mul(v.times(pixel, QUAD), inner.index))
                line = lines.gradient_4_3(v, [v.load(v.at(four, v.times(pixel, i))) for i in range(QUAD)])
                numbers = v.at(a_here, builder.mul(quad, inner.index))
                for m in range(taps):
                    for i in range(POINTS):
                        number = v.broadcast(v.at(v.at(numbers, v.times(tap_row, m)), _I64(i)))
                        v.add_product(totals[m][i], number, line[i])
        for row, totals_of_row in zip(places, totals, strict=True):
            for place, total in zip(row, totals_of_row, strict=True):
                v.store(builder.load(total), place)
        return context.get_dummy_value()

    return types.void(rows, *[types.int64] * 12), codegen


def _line(function: Callable[[Vectors, Line], Line], inputs: int) -> Any:
    """An intrinsic that applies a line function: ``inputs`` vectors at source, the outputs at target."""

    @intrinsic
    def apply(typingctx, source, source_step, target, target_step):
        def codegen(context, builder, signature, args):
            v = _Rows(builder)
            source, target = v.pointer(args[0]), v.pointer(args[2])
            entries = [v.load(v.at(source, v.times(args[1], i))) for i in range(inputs)]
            for i, value in enumerate(function(v, entries)):
                v.store(value, v.at(target, v.times(args[3], i)))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), codegen

    return apply


weight_points = _line(lines.weight_4_3, 3)
"""``weight_points(source, source_step, target, target_step)``: 3 vectors of taps at 6 points."""

taps_of_points = _line(lines.weight_gradient_4_3, POINTS)
"""``taps_of_points(source, source_step, target, target_step)``: 6 vectors of sums give 3 of taps."""
