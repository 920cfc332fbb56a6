"""Winograd's transforms of whole tiles: the lines of winograd_lines.py, emitted as straight-line vector code.

A tile is transformed by one line function down its columns, then by one across its rows; the two may be of different
sizes. An entry of a tile is a vector over channels.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from ..machine.compile import kernel
from ..machine.processor import lanes
from ..machine.vectors import Vectors
from . import winograd_lines as lines
from .winograd_lines import Line

# The kinds of lines: those of F(4, 3), then those of F(4, 2) and F(3, 2).
INPUT, OUTPUT, GRADIENT, WEIGHT, WEIGHT_GRADIENT = range(5)
INPUT4, INPUT3, OUTPUT4, OUTPUT3, GRADIENT4, GRADIENT3, WEIGHT2, WEIGHT_GRADIENT2 = range(5, 13)

# What computes a kind, from how many entries, and how many it gives.
LINES: list[tuple[Callable[[Vectors, Line], Line], int, int]] = [
    (lines.input_4_3, 6, 6),
    (lines.output_4_3, 6, 4),
    (lines.gradient_4_3, 4, 6),
    (lines.weight_4_3, 3, 6),
    (lines.weight_gradient_4_3, 6, 3),
    (lines.input_4_2, 5, 5),
    (lines.input_3_2, 4, 4),
    (lines.output_4_2, 5, 4),
    (lines.output_3_2, 4, 3),
    (lines.gradient_4_2, 4, 5),
    (lines.gradient_3_2, 3, 4),
    (lines.weight_2, 2, 5),
    (lines.weight_gradient_2, 5, 2),
]
_OUTPUTS = (OUTPUT, OUTPUT4, OUTPUT3)


def all_channels(down: int, across: int, itemsize: int) -> Any:
    """`transform` over all channels of a tile, for a worker; the last vector overlaps the one before if it must."""
    width = lanes(itemsize)

    @register_jitable
    def transform_all(source, source_row, source_column, target, target_row, target_column, C, bias, mode, slope):
        for c in range(0, C, width):
            at = min(c, C - width) * itemsize
            transform(
                down, across, itemsize, source + at, source_row, source_column, target + at, target_row,
                target_column, bias + at if bias != 0 else 0, mode, slope,
            )  # fmt: skip

    return transform_all


@kernel(types.void(*[types.int64] * 9, types.float64))
def tile(down: int, across: int, itemsize: int) -> Any:
    """`all_channels` as a function of its own, to be called by address: a worker then serves tiles of any kinds."""
    return all_channels(down, across, itemsize)


@kernel(types.void(*[types.int64] * 9, types.float64))
def streamed_tile(down: int, across: int, itemsize: int) -> Any:
    """`tile` into memory that is read much later, past the caches.

    Every entry of the target begins at a multiple of a vector's size, and channels are whole vectors.
    """
    width = lanes(itemsize)

    def transform_streamed(
        source, source_row, source_column, target, target_row, target_column, C, bias, mode, slope
    ):  # fmt: skip
        for at in range(0, C * itemsize, width * itemsize):
            stream_transform(
                down, across, itemsize, source + at, source_row, source_column, target + at, target_row, target_column
            )

    return transform_streamed


@intrinsic
def call_tile(
    typingctx, function, source, source_row, source_column, target, target_row, target_column, C, bias, mode, slope
):
    """Call a compiled `tile` by its address."""

    def codegen(context, builder, signature, args):
        words = [ir.IntType(64)] * 9
        callee = ir.FunctionType(ir.VoidType(), [*words, ir.DoubleType()]).as_pointer()
        builder.call(builder.inttoptr(args[0], callee), list(args[1:]))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 10, types.float64), codegen


@intrinsic(prefer_literal=True)
def transform(
    typingctx, down, across, itemsize, source, source_row, source_column, target, target_row, target_column, bias,
    mode, slope,
):  # fmt: skip
    """Transform one tile for one vector of channels.

    ``down`` and ``across`` are kinds of lines. ``source``, ``target`` and ``bias`` are addresses, and entry (i, j) of
    a tile lies ``i * row + j * column`` elements from its start. Outputs get the bias, where its address is not 0, and
    the activation in ``mode``.
    """
    if not all(isinstance(t, types.IntegerLiteral) for t in (down, across, itemsize)):
        return None

    def codegen(context, builder, signature, args):
        *places, bias, mode, slope = args[3:]
        e = Vectors(builder, itemsize.literal_value)
        if down.literal_value not in _OUTPUTS:
            _emit(e, down, across, places, e.store)
            return context.get_dummy_value()
        added, below = _bias(e, bias), _slope(e, slope)
        _emit(
            e, down, across, places,
            lambda value, address: e.store(e.activate(e.add(value, added), mode, below), address),
        )  # fmt: skip
        return context.get_dummy_value()

    return types.void(down, across, itemsize, *[types.int64] * 8, types.float64), codegen


@intrinsic(prefer_literal=True)
def stream_transform(
    typingctx, down, across, itemsize, source, source_row, source_column, target, target_row, target_column
):
    """`transform` of one vector of channels, stored past the caches: see `streamed_tile`."""
    if not all(isinstance(t, types.IntegerLiteral) for t in (down, across, itemsize)):
        return None

    def codegen(context, builder, signature, args):
        e = Vectors(builder, itemsize.literal_value)
        _emit(e, down, across, args[3:], e.stream)
        return context.get_dummy_value()

    return types.void(down, across, itemsize, *[types.int64] * 6), codegen


def _emit(
    e: Vectors, down: types.IntegerLiteral, across: types.IntegerLiteral, places: Sequence[ir.Value],
    store: Callable[[ir.Value, ir.Value], None],
) -> None:  # fmt: skip
    """Both passes over one tile for one vector of channels."""
    line_down, rows, rows_out = LINES[down.literal_value]
    line_across, columns, _ = LINES[across.literal_value]
    source, target = e.pointer(places[0]), e.pointer(places[3])
    source_row, source_column, target_row, target_column = *places[1:3], *places[4:6]

    def entry(base: ir.Value, i: int, j: int, row: ir.Value, column: ir.Value) -> ir.Value:
        return e.at(base, e.b.add(e.times(row, i), e.times(column, j)))

    through = [
        line_down(e, [e.load(entry(source, i, j, source_row, source_column)) for i in range(rows)])
        for j in range(columns)
    ]
    for i in range(rows_out):
        for j, value in enumerate(line_across(e, [column[i] for column in through])):
            store(value, entry(target, i, j, target_row, target_column))


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
