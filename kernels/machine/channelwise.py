"""Vector code for operations that keep channels apart: each output pixel is made of a few pixels around its place.

A *piece* is up to 3 x 3 taps, whose vectors of channels stay in registers while outputs pass: the weights of a
convolution, or the sums of its weight gradient. So an output costs one load and one multiply-add for each tap. Larger
kernels take several pieces, one after the other.

LLVM would vectorise the loop over channels, and load every weight again for every output; hence the emission.
"""

from collections.abc import Callable, Sequence

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .microkernel import block_vectors
from .processor import lanes
from .vectors import Vectors

PIECE = 3
"""Taps of a piece along each axis, at most."""

_I64, _I32, _I1 = ir.IntType(64), ir.IntType(32), ir.IntType(1)
_Step = tuple[ir.Value, ir.Value]


def strip_vectors() -> int:
    """Vectors of channels side by side: two pieces of weights fit 32 registers, one fits 16."""
    return block_vectors() // 2


def strip_channels(itemsize: int) -> int:
    """Channels in a strip of `strip_vectors`."""
    return strip_vectors() * lanes(itemsize)


class _Channels(Vectors):
    """Some vectors of channels side by side; with ``many``, one vector of which only so many lanes exist."""

    def __init__(self, builder: ir.IRBuilder, itemsize: int, many: ir.Value | None) -> None:
        super().__init__(builder, itemsize)
        self.count = strip_vectors() if many is None else 1
        self.mask: ir.Value | None = None
        if many is not None:
            kind = ir.VectorType(_I64, self.lanes)
            undefined, zeros = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_I32, self.lanes), None)
            splat = builder.shuffle_vector(builder.insert_element(undefined, many, _I32(0)), undefined, zeros)
            self.mask = builder.icmp_signed("<", ir.Constant(kind, list(range(self.lanes))), splat)

    def taps(self, place: ir.Value, high: int, wide: int, steps: _Step) -> list[ir.Value]:
        lines = [self.at(place, self.times(steps[0], i)) for i in range(high)]
        return [self.at(line, self.times(steps[1], j)) for line in lines for j in range(wide)]

    def read(self, place: ir.Value) -> list[ir.Value]:
        if self.mask is None:
            return [self.load(self.at(place, _I64(v * self.lanes))) for v in range(self.count)]
        place = self.b.bitcast(place, self.vector.as_pointer())
        name, kinds = f"llvm.masked.load.{self.suffix}.p0", (place.type, _I32, self.mask.type, self.vector)
        function = self.intrinsic(name, self.vector, *kinds)
        return [self.b.call(function, [place, _I32(self.align), self.mask, self.constant(0.0)])]

    def write(self, values: Sequence[ir.Value], place: ir.Value) -> None:
        if self.mask is None:
            for v, value in enumerate(values):
                self.store(value, self.at(place, _I64(v * self.lanes)))
            return
        place = self.b.bitcast(place, self.vector.as_pointer())
        name, kinds = f"llvm.masked.store.{self.suffix}.p0", (self.vector, place.type, _I32, self.mask.type)
        function = self.intrinsic(name, ir.VoidType(), *kinds)
        self.b.call(function, [values[0], place, _I32(self.align), self.mask])


def _over_outputs(
    e: _Channels, rows: ir.Value, columns: ir.Value, places: Sequence[ir.Value], steps: Sequence[_Step],
    body: Callable[[list[ir.Value]], None],
) -> None:  # fmt: skip
    """``body`` for every output, with each place moved there; there is at least one.

    Along a row the places are pointers that advance: were they made from an index, LLVM would keep every sum of
    theirs with a step of taps, and run out of registers.
    """
    b = e.b
    with cgutils.for_range(b, rows) as down:
        starts = [e.at(place, b.mul(down.index, step[0])) for place, step in zip(places, steps, strict=True)]
        before, head, end = b.block, b.append_basic_block("along"), b.append_basic_block("row_end")
        b.branch(head)
        b.position_at_end(head)
        left, here = b.phi(_I64), [b.phi(start.type) for start in starts]
        body(here)
        ahead = [e.at(place, step[1]) for place, step in zip(here, steps, strict=True)]
        remain = b.sub(left, _I64(1))
        for phi, first, following in zip([left, *here], [columns, *starts], [remain, *ahead], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed(">", remain, _I64(0)), head, end)
        b.position_at_end(end)


def _by_taps(b: ir.IRBuilder, high: ir.Value, wide: ir.Value, emit: Callable[[int, int], None]) -> None:
    """Code for every size of piece, and the choice between them."""
    end = b.append_basic_block("end")
    switch = b.switch(b.add(b.mul(high, _I64(PIECE + 1)), wide), end)
    for i, j in [(0, 0), *((i, j) for i in range(1, PIECE + 1) for j in range(1, PIECE + 1))]:
        block = b.append_basic_block(f"taps_{i}_{j}")
        switch.add_case(_I64(i * (PIECE + 1) + j), block)
        b.position_at_end(block)
        emit(i, j)
        b.branch(end)
    b.position_at_end(end)


def _emit_convolution(e: _Channels, args: Sequence[ir.Value]) -> None:
    x, w, y, start, high, wide, rows, columns, *words, mode, slope = args
    x, w, y, start = (e.pointer(address) for address in (x, w, y, start))
    x_steps, y_steps, start_steps, x_taps, w_taps = zip(words[::2], words[1::2], strict=True)
    factor = e.splat(e.b.fptrunc(slope, e.scalar) if e.align == 4 else slope)

    def emit(high: int, wide: int) -> None:
        weights = [e.read(tap) for tap in e.taps(w, high, wide, w_taps)]
        lines = [e.at(x, e.times(x_taps[0], i)) for i in range(high)]

        def over(activate: Callable[[ir.Value], ir.Value]) -> None:
            def body(places: list[ir.Value]) -> None:
                to, since, *here = places
                sums = e.read(since)
                taps = [e.at(line, e.times(x_taps[1], j)) for line in here for j in range(wide)]
                for tap, weight in zip(taps, weights, strict=True):
                    sums = [e.fma(*terms) for terms in zip(e.read(tap), weight, sums, strict=True)]
                e.write([activate(value) for value in sums], to)

            _over_outputs(e, rows, columns, [y, start, *lines], [y_steps, start_steps, *[x_steps] * high], body)

        with e.b.if_else(e.b.icmp_signed("==", mode, _I64(0))) as (plain, activated):
            with plain:
                over(lambda value: value)
            with activated:
                over(lambda value: e.activate(value, mode, factor))

    _by_taps(e.b, high, wide, emit)


def _emit_correlation(e: _Channels, args: Sequence[ir.Value]) -> None:
    x, w, y, _, high, wide, rows, columns, *words, _, _ = args
    x, w, y = (e.pointer(address) for address in (x, w, y))
    x_steps, y_steps, _, x_taps, w_taps = zip(words[::2], words[1::2], strict=True)

    def emit(high: int, wide: int) -> None:
        lines = [e.at(x, e.times(x_taps[0], i)) for i in range(high)]
        totals = e.taps(w, high, wide, w_taps)
        sums = [[cgutils.alloca_once_value(e.b, value) for value in e.read(total)] for total in totals]

        def body(places: list[ir.Value]) -> None:
            at, *here = places
            gradient = e.read(at)
            taps = [e.at(line, e.times(x_taps[1], j)) for line in here for j in range(wide)]
            for tap, held in zip(taps, sums, strict=True):
                for number, factor, total in zip(e.read(tap), gradient, held, strict=True):
                    e.b.store(e.fma(number, factor, e.b.load(total)), total)

        _over_outputs(e, rows, columns, [y, *lines], [y_steps, *[x_steps] * high], body)
        for total, held in zip(totals, sums, strict=True):
            e.write([e.b.load(value) for value in held], total)

    _by_taps(e.b, high, wide, emit)


@intrinsic(prefer_literal=True)
def piece(
    typingctx, itemsize, whole, correlates, many, x, w, y, start, high, wide, rows, columns, x_row, x_step, y_row,
    y_step, start_row, start_step, x_tap_row, x_tap, w_tap_row, w_tap, mode, slope,
):  # fmt: skip
    """``y = start +`` the sum over a piece of taps of ``x * w``, for ``rows`` x ``columns`` outputs.

    Where ``correlates`` is not 0, ``w +=`` the sum over the outputs of ``x * y``: y is the gradient, and ``start``,
    ``mode`` and ``slope`` are not used. ``itemsize``, ``whole`` and ``correlates`` are constants; a strip of channels
    is computed, or ``many`` of one vector where ``whole`` is 0. ``high`` and ``wide`` are at most `PIECE`, or both 0.
    ``x, w, y, start`` are addresses, of the first tap and output. Steps, in numbers, go from one output to the next in
    x, y and start, and from one tap to the next in x and w, each down and along.
    """
    if not all(isinstance(kind, types.IntegerLiteral) for kind in (itemsize, whole, correlates)):
        return None

    def codegen(context, builder, signature, args):
        many = None if whole.literal_value else args[3]
        emit = _emit_correlation if correlates.literal_value else _emit_convolution
        emit(_Channels(builder, itemsize.literal_value, many), args[4:])
        return context.get_dummy_value()

    return types.void(itemsize, whole, correlates, *[types.int64] * 20, types.float64), codegen
