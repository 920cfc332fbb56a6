"""The small matrices of Winograd's F(4x4, 3x3), as straight-line vector code.

A 3-tap filter over a line gives 4 outputs from 6 inputs with 6 multiplications instead of 12 (Winograd 1980; Lavin and
Gray 2016, https://arxiv.org/abs/1509.09308): evaluate the line of inputs and the filter, read as polynomials, at the
points 0, 1, -1, 2, -2 and infinity, multiply point by point, interpolate::

    y = A^T [ (G g) . (B^T d) ]

    B^T = 4  0 -5  0  1  0      G =  1/4     0     0       A^T = 1  1  1  1  1  0
          0 -4 -4  1  1  0          -1/6  -1/6  -1/6             0  1 -1  2 -2  0
          0  4 -4 -1  1  0          -1/6   1/6  -1/6             0  1  1  4  4  0
          0 -2 -1  2  1  0          1/24  1/12   1/6             0  1 -1  8 -8  1
          0  2 -1 -2  1  0          1/24 -1/12   1/6
          0  4  0 -5  0  1             0     0     1

In two dimensions each matrix is applied to the columns, then to the rows: 36 products of transformed numbers instead
of 144 of plain ones. The transposed matrices give the weight gradient: gw = G^T [sum of (B^T d B) . (A gy A^T)] G.

Each transform below works on one line, whose entries are vectors over channels; sums that two entries share are made
once. `transform` emits both passes for a whole tile.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..machine.vectors import Vectors

Line = list[ir.Value]


def input_line(e: Vectors, d: Line) -> Line:
    """B^T d: 6 inputs at 6 points."""
    even, odd = e.fma(-4, d[2], d[4]), e.fma(-4, d[1], d[3])
    outer, inner = e.sub(d[4], d[2]), e.sub(d[3], d[1])
    return [
        e.fma(4, d[0], e.fma(-5, d[2], d[4])),
        e.add(even, odd),
        e.sub(even, odd),
        e.fma(2, inner, outer),
        e.fma(-2, inner, outer),
        e.fma(4, d[1], e.fma(-5, d[3], d[5])),
    ]


def output_line(e: Vectors, m: Line) -> Line:
    """A^T m: 6 products give 4 outputs."""
    ones, ones_odd = e.add(m[1], m[2]), e.sub(m[1], m[2])
    twos, twos_odd = e.add(m[3], m[4]), e.sub(m[3], m[4])
    return [
        e.add(m[0], e.add(ones, twos)),
        e.fma(2, twos_odd, ones_odd),
        e.fma(4, twos, ones),
        e.add(e.fma(8, twos_odd, ones_odd), m[5]),
    ]


def gradient_line(e: Vectors, y: Line) -> Line:
    """A y: 4 gradients at 6 points."""
    even, odd = e.add(y[0], y[2]), e.add(y[1], y[3])
    even_two, odd_two = e.fma(4, y[2], y[0]), e.fma(8, y[3], e.scale(2, y[1]))
    return [y[0], e.add(even, odd), e.sub(even, odd), e.add(even_two, odd_two), e.sub(even_two, odd_two), y[3]]


def weight_line(e: Vectors, g: Line) -> Line:
    """G g: 3 taps at 6 points."""
    even, odd = e.scale(-1 / 6, e.add(g[0], g[2])), e.scale(1 / 6, g[1])
    even_two, odd_two = e.fma(1 / 6, g[2], e.scale(1 / 24, g[0])), e.scale(1 / 12, g[1])
    return [
        e.scale(1 / 4, g[0]),
        e.sub(even, odd),
        e.add(even, odd),
        e.add(even_two, odd_two),
        e.sub(even_two, odd_two),
        g[2],
    ]


def weight_gradient_line(e: Vectors, m: Line) -> Line:
    """G^T m: 6 sums of products give 3 taps."""
    ones, ones_odd = e.add(m[1], m[2]), e.sub(m[2], m[1])
    twos, twos_odd = e.add(m[3], m[4]), e.sub(m[3], m[4])
    return [
        e.fma(1 / 4, m[0], e.fma(-1 / 6, ones, e.scale(1 / 24, twos))),
        e.fma(1 / 6, ones_odd, e.scale(1 / 12, twos_odd)),
        e.fma(1 / 6, e.sub(twos, ones), m[5]),
    ]


INPUT, OUTPUT, GRADIENT, WEIGHT, WEIGHT_GRADIENT = range(5)
_LINES: list[tuple[Callable[[Vectors, Line], Line], int, int]] = [
    (input_line, 6, 6),
    (output_line, 6, 4),
    (gradient_line, 4, 6),
    (weight_line, 3, 6),
    (weight_gradient_line, 6, 3),
]


@intrinsic(prefer_literal=True)
def transform(
    typingctx, kind, itemsize, source, source_row, source_column, target, target_row, target_column, bias, mode, slope
):
    """Transform one tile for one vector of channels.

    ``kind`` is one of the constants above. ``source``, ``target`` and ``bias`` are addresses, and entry (i, j) of a
    tile lies ``i * row + j * column`` elements from its start. Outputs (kind OUTPUT) get the bias, where its address
    is not 0, and the activation in ``mode``.
    """
    if not isinstance(kind, types.IntegerLiteral) or not isinstance(itemsize, types.IntegerLiteral):
        return None
    line, inputs, outputs = _LINES[kind.literal_value]
    finishes, size = kind.literal_value == OUTPUT, itemsize.literal_value

    def codegen(context, builder, signature, args):
        source, source_row, source_column, target, target_row, target_column, bias, mode, slope = args[2:]
        e = Vectors(builder, size)
        source, target = e.pointer(source), e.pointer(target)

        def entry(base: ir.Value, i: int, j: int, row: ir.Value, column: ir.Value) -> ir.Value:
            return e.at(base, builder.add(e.times(row, i), e.times(column, j)))

        columns = [
            line(e, [e.load(entry(source, i, j, source_row, source_column)) for i in range(inputs)])
            for j in range(inputs)
        ]
        added, below = (_bias(e, bias), _slope(e, slope)) if finishes else (None, None)
        for i in range(outputs):
            for j, value in enumerate(line(e, [column[i] for column in columns])):
                if finishes:
                    value = e.activate(e.add(value, added), mode, below)
                e.store(value, entry(target, i, j, target_row, target_column))
        return context.get_dummy_value()

    return types.void(kind, itemsize, *[types.int64] * 8, types.float64), codegen


def _bias(e: Vectors, address: Any) -> ir.Value:
    """The bias of these channels, or zeros where there is none."""
    b = e.b
    entry, some, end = b.block, b.append_basic_block("bias"), b.append_basic_block("bias_end")
    b.cbranch(b.icmp_signed("!=", address, ir.IntType(64)(0)), some, end)
    b.position_at_end(some)
    loaded = e.load(e.pointer(address))
    b.branch(end)
    b.position_at_end(end)
    value = b.phi(e.vector)
    value.add_incoming(e.constant(0.0), entry)
    value.add_incoming(loaded, some)
    return value


def _slope(e: Vectors, slope: Any) -> ir.Value:
    return e.splat(slope if e.align == 8 else e.b.fptrunc(slope, e.scalar))
