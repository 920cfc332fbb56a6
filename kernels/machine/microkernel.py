"""The register-blocked micro-kernel under every matrix-like operation on the CPU.

It computes a small tile of a product, ``rows`` by ``vectors * lanes``, that lives in vector registers from the first
multiplication to the last::

    C[m, :] = start + sum over o < ko, i < ki of  A[o*ao + i*ai + m*am] * B[o*bo + i*bi + :]

Two loops over the reduction instead of one are what makes it universal: in a padded NHWC row the taps (s, c) of a
convolution are contiguous, so a whole receptive field is ``ki = S*C`` steps of one element, repeated ``ko = R`` times
one image row apart, and nothing is copied. The same form covers both gradients (strides play other roles),
transposed convolution, matrix products and linear layers.

Why it is fast. Each step loads ``vectors`` vectors of B once and uses them ``rows`` times; each number of A is loaded
once, broadcast to all lanes and used ``vectors`` times: 24 multiply-adds for 10 loads in the 6 x 4 tile. The tile's
sums are independent, so the adders' latency (4 cycles) is hidden as soon as there are 4 to 8 of them. With AVX-512
and NEON there are 32 registers: 24 sums, 4 vectors of B, one broadcast. With AVX2 there are 16: 12 sums, 2 vectors,
one.

            B: vectors -->   b0    b1    b2    b3          (one row of B, loaded once a step)
    A: rows   a0 broadcast   s00   s01   s02   s03
      |       a1 broadcast   s10   s11   s12   s13         (sums stay in registers for ko * ki steps)
      v       ...
              a5 broadcast   s50   s51   s52   s53

LLVM's vectorisers do not find this shape in a loop nest (plain loops reach a fifth of the peak), so it is emitted as
LLVM IR: straight-line code in two loops. `tile` is that emission, and `panel` covers any number of rows and columns
with tiles. Strides are run-time values, so one compiled panel serves all shapes.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from .compile import kernel
from .pointers import float_bits
from .processor import lanes, vector_registers
from .vectors import LEAKY_RELU, RELU, Vectors

# Bits of `mode`.
ACCUMULATE = 1  # start from C
BIAS = 2  # start from the bias
# 4 and 8 are RELU and LEAKY_RELU, of vectors.py
PACKED = 16  # B is cut into blocks of columns (see `panel`)

MACS_PER_NS = 20.0
"""Estimated multiply-adds a nanosecond of one thread: only to tell small work, which takes no threads, from large."""

_UNROLL = 4
_STEPS = 64  # rows of a wide B, of which a narrow tile reads a line each, that the first-level cache keeps
_I64, _I32, _I1 = ir.IntType(64), ir.IntType(32), ir.IntType(1)


def block_vectors() -> int:
    """Vectors in the widest tile: 4 where there are 32 vector registers, 2 where there are 16."""
    return 4 if vector_registers() == 32 else 2


def block_columns(itemsize: int) -> int:
    """Columns in the widest tile, which is how wide the blocks of a packed B are."""
    return block_vectors() * lanes(itemsize)


class _Tile(Vectors):
    """Emits one tile of one width at one place; the order of the methods is the order of the instructions."""

    def __init__(self, builder: ir.IRBuilder, rows: int, vectors: int, itemsize: int) -> None:
        super().__init__(builder, itemsize)
        self.rows, self.vectors = rows, vectors

    def each(self) -> list[tuple[int, int]]:
        return [(m, v) for m in range(self.rows) for v in range(self.vectors)]

    def mask(self, columns: ir.Value, v: int) -> ir.Value:
        """Which lanes of vector ``v`` lie below ``columns``."""
        undefined = ir.Constant(ir.VectorType(_I64, self.lanes), ir.Undefined)
        zeros = ir.Constant(ir.VectorType(_I32, self.lanes), [0] * self.lanes)
        many = self.b.shuffle_vector(self.b.insert_element(undefined, columns, _I32(0)), undefined, zeros)
        numbers = ir.Constant(ir.VectorType(_I64, self.lanes), [v * self.lanes + lane for lane in range(self.lanes)])
        return self.b.icmp_signed("<", numbers, many)

    def load_masked(self, address: ir.Value, columns: ir.Value, v: int) -> ir.Value:
        bits = ir.VectorType(_I1, self.lanes)
        place = self.b.bitcast(address, self.vector.as_pointer())
        function = self.intrinsic(
            f"llvm.masked.load.{self.suffix}.p0", self.vector, place.type, _I32, bits, self.vector
        )
        return self.b.call(function, [place, _I32(self.align), self.mask(columns, v), self.constant(0.0)])

    def store_masked(self, value: ir.Value, address: ir.Value, columns: ir.Value, v: int) -> None:
        bits = ir.VectorType(_I1, self.lanes)
        place = self.b.bitcast(address, self.vector.as_pointer())
        function = self.intrinsic(
            f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), self.vector, place.type, _I32, bits
        )
        self.b.call(function, [value, place, _I32(self.align), self.mask(columns, v)])

    def starts(self, mode: ir.Value, c: ir.Value, cm: ir.Value, bias: ir.Value, columns: ir.Value) -> list[ir.Value]:
        """The first value of each sum: the old C, the bias, or zero."""
        b = self.b
        blocks = {name: b.append_basic_block(name) for name in ("from_c", "not_c", "from_bias", "from_zero", "begin")}

        def on(bit: int) -> ir.Value:
            return b.icmp_signed("!=", b.and_(mode, _I64(bit)), _I64(0))

        b.cbranch(on(ACCUMULATE), blocks["from_c"], blocks["not_c"])
        b.position_at_end(blocks["not_c"])
        b.cbranch(on(BIAS), blocks["from_bias"], blocks["from_zero"])
        b.position_at_end(blocks["from_c"])
        old = [self.load_masked(self.at(c, self.c_offset(cm, m, v)), columns, v) for m, v in self.each()]
        b.branch(blocks["begin"])
        b.position_at_end(blocks["from_bias"])
        biases = [self.load_masked(self.at(bias, _I64(v * self.lanes)), columns, v) for v in range(self.vectors)]
        b.branch(blocks["begin"])
        b.position_at_end(blocks["from_zero"])
        b.branch(blocks["begin"])
        b.position_at_end(blocks["begin"])
        sums = []
        for index, (_, v) in enumerate(self.each()):
            phi = b.phi(self.vector)
            phi.add_incoming(old[index], blocks["from_c"])
            phi.add_incoming(biases[v], blocks["from_bias"])
            phi.add_incoming(self.constant(0.0), blocks["from_zero"])
            sums.append(phi)
        return sums

    def c_offset(self, cm: ir.Value, m: int, v: int) -> ir.Value:
        return self.b.add(self.times(cm, m), _I64(v * self.lanes))

    def step(self, sums: list[ir.Value], a: ir.Value, b_row: ir.Value, am: ir.Value) -> list[ir.Value]:
        """One step of the reduction: every sum takes one product."""
        row = [self.load(self.at(b_row, _I64(v * self.lanes))) for v in range(self.vectors)]
        out = []
        for m in range(self.rows):
            number = self.broadcast(self.at(a, self.times(am, m)))
            out += [self.fma(number, row[v], sums[m * self.vectors + v]) for v in range(self.vectors)]
        return out

    def loop(
        self, name: str, count: ir.Value, unroll: int, sums: list[ir.Value], starts: list[ir.Value],
        advances: list[ir.Value], body: Any,
    ) -> tuple[list[ir.Value], list[ir.Value]]:  # fmt: skip
        """``count`` rounds of ``body(sums, pointers)``; pointers advance by ``advances`` elements a round.

        Nothing is done where ``count`` is not positive. Returns the sums and the pointers after the last round.
        """
        b = self.b
        entry, head, end = b.block, b.append_basic_block(name), b.append_basic_block(name + "_end")
        b.cbranch(b.icmp_signed(">", count, _I64(0)), head, end)
        b.position_at_end(head)
        index = b.phi(_I64)
        index.add_incoming(_I64(0), entry)
        pointers = [b.phi(start.type) for start in starts]
        carried = [b.phi(self.vector) for _ in sums]
        for phi, value in zip(pointers + carried, starts + sums, strict=True):
            phi.add_incoming(value, entry)
        results = body(carried, pointers)
        nexts = [self.at(p, advance) for p, advance in zip(pointers, advances, strict=True)]
        following = b.add(index, _I64(unroll))
        latch = b.block
        index.add_incoming(following, latch)
        for phi, value in zip(pointers + carried, nexts + results, strict=True):
            phi.add_incoming(value, latch)
        b.cbranch(b.icmp_signed("<", following, count), head, end)
        b.position_at_end(end)
        finals = []
        for before, after in zip(starts + sums, nexts + results, strict=True):
            phi = b.phi(before.type)
            phi.add_incoming(before, entry)
            phi.add_incoming(after, latch)
            finals.append(phi)
        return finals[len(starts) :], finals[: len(starts)]

    def finish(
        self, sums: list[ir.Value], mode: ir.Value, slope: ir.Value, c: ir.Value, cm: ir.Value, columns: ir.Value
    ) -> None:
        b = self.b
        results = [self.activate(value, mode, slope) for value in sums]
        whole, partial, end = (b.append_basic_block(name) for name in ("whole", "partial", "stored"))
        b.cbranch(b.icmp_signed(">=", columns, _I64(self.vectors * self.lanes)), whole, partial)
        b.position_at_end(whole)
        for value, (m, v) in zip(results, self.each(), strict=True):
            self.store(value, self.at(c, self.c_offset(cm, m, v)))
        b.branch(end)
        b.position_at_end(partial)
        for value, (m, v) in zip(results, self.each(), strict=True):
            self.store_masked(value, self.at(c, self.c_offset(cm, m, v)), columns, v)
        b.branch(end)
        b.position_at_end(end)


@intrinsic(prefer_literal=True)
def tile(typingctx, rows, vectors, itemsize, c, a, b, bias, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope):
    """Compute one tile; see the head of this file.

    ``rows``, ``vectors`` and ``itemsize`` are constants. ``c, a, b, bias`` are addresses, strides are in elements.
    ``columns`` may be less than the tile's width: B is read whole, C and the bias are touched in that many columns.
    """
    if not all(isinstance(t, types.IntegerLiteral) for t in (rows, vectors, itemsize)):
        return None
    constants = (rows.literal_value, vectors.literal_value, itemsize.literal_value)
    signature = types.void(rows, vectors, itemsize, *[types.int64] * 14, types.float64)

    def codegen(context, builder, signature, args):
        c, a, b, bias, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope = args[3:]
        t = _Tile(builder, *constants)
        c, a, b, bias = map(t.pointer, (c, a, b, bias))
        if t.scalar == ir.FloatType():
            slope = builder.fptrunc(slope, t.scalar)
        sums = t.starts(mode, c, cm, bias, columns)
        whole = builder.and_(ki, _I64(~(_UNROLL - 1)))
        rest = builder.sub(ki, whole)

        def steps(count: int) -> Any:
            def body(sums, pointers):
                for u in range(count):
                    at_a, at_b = t.at(pointers[0], t.times(ai, u)), t.at(pointers[1], t.times(bi, u))
                    sums = t.step(sums, at_a, at_b, am)
                return sums

            return body

        def outer(sums, pointers):
            advances = [t.times(ai, _UNROLL), t.times(bi, _UNROLL)]
            sums, inner = t.loop("inner", whole, _UNROLL, sums, pointers, advances, steps(_UNROLL))
            sums, _ = t.loop("rest", rest, 1, sums, inner, [ai, bi], steps(1))
            return sums

        sums, _ = t.loop("outer", ko, 1, sums, [a, b], [ao, bo], outer)
        t.finish(sums, mode, t.splat(slope), c, cm, columns)
        return context.get_dummy_value()

    return signature, codegen


def _strip(rows: int, vectors: int, itemsize: int) -> Any:
    """A strip of columns, ``vectors`` vectors wide: tiles of ``rows`` rows, and of 4, 3, 2 or 1 for what remains.

    One row over would use a quarter of the adders, so 7 rows are cut into 4 + 3 rather than 6 + 1.
    """

    @register_jitable
    def strip(c, a, b, bias, height, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope):
        while height > 0:
            if height >= rows and height != rows + 1:
                done = rows
                tile(rows, vectors, itemsize, c, a, b, bias, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope)
            elif height >= 4 and height != 5:
                done = 4
                tile(4, vectors, itemsize, c, a, b, bias, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope)
            elif height >= 3:
                done = 3
                tile(3, vectors, itemsize, c, a, b, bias, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope)
            elif height == 2:
                done = 2
                tile(2, vectors, itemsize, c, a, b, bias, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope)
            else:
                done = 1
                tile(1, vectors, itemsize, c, a, b, bias, columns, ko, ki, ao, ai, am, bo, bi, cm, mode, slope)
            height -= done
            c += done * cm * itemsize
            a += done * am * itemsize

    return strip


PANEL = types.void(*[types.int64] * 17)


@kernel(PANEL)
def panel(itemsize: int) -> Any:
    """``panel(c, a, b, bias, height, columns, ko, ki, ao, ai, am, bo, bi, bn, cm, mode, slope)``, any height and width.

    Columns are taken in blocks of `block_columns`. With ``PACKED`` in ``mode``, B is stored block after block, each a
    matrix whose rows are as wide as the block (the last one rounded up to whole vectors): then ``bn`` is the number of
    rows in a block, ``bi`` the row to begin at, and ``bo`` counts rows. Otherwise ``bo`` and ``bi`` are strides in
    elements and rows must be readable up to whole vectors; where tiles are narrow, steps are
    then taken in runs whose rows of B stay in the first-level cache for all blocks of columns, with the sums in C
    between runs (which changes no bit). ``slope`` is the bits of a float64.
    """
    width = lanes(itemsize)
    widest = block_vectors()
    narrow = widest == 2
    strip1, strip2 = _strip(8, 1, itemsize), _strip(8 if widest == 4 else 6, 2, itemsize)
    strip3, strip4 = (_strip(8, 3, itemsize), _strip(6, 4, itemsize)) if widest == 4 else (strip2, strip2)

    @register_jitable
    def blocks_of_columns(c, a, b, bias, height, columns, ko, ki, ao, ai, am, bo, bi, bn, cm, mode, slope):
        first = 0
        while first < columns:
            here = min(columns - first, widest * width)
            vectors = (here + width - 1) // width
            block_b, block_bo, block_bi = b + first * itemsize, bo, bi
            if mode & PACKED:
                block_bi = vectors * width
                block_bo = bo * block_bi
                block_b = b + (bn * first + bi * block_bi) * itemsize
            at_c, at_bias = c + first * itemsize, bias + first * itemsize
            if vectors == 4:
                strip4(at_c, a, block_b, at_bias, height, here, ko, ki, ao, ai, am, block_bo, block_bi, cm, mode, slope)
            elif vectors == 3:
                strip3(at_c, a, block_b, at_bias, height, here, ko, ki, ao, ai, am, block_bo, block_bi, cm, mode, slope)
            elif vectors == 2:
                strip2(at_c, a, block_b, at_bias, height, here, ko, ki, ao, ai, am, block_bo, block_bi, cm, mode, slope)
            else:
                strip1(at_c, a, block_b, at_bias, height, here, ko, ki, ao, ai, am, block_bo, block_bi, cm, mode, slope)
            first += widest * width

    def panel(c, a, b, bias, height, columns, ko, ki, ao, ai, am, bo, bi, bn, cm, mode, slope_bits):
        outer, inner = ko, ki
        if narrow and not mode & PACKED and ko * ki > _STEPS:
            outer, inner = max(1, _STEPS // ki), min(ki, _STEPS)
        slope, o = float_bits(slope_bits), 0
        while o < max(1, ko):
            i = 0
            while i < max(1, ki):
                step = mode
                if o + i > 0:
                    step = step & ~BIAS | ACCUMULATE
                if o + outer < ko or i + inner < ki:
                    step &= ~(RELU | LEAKY_RELU)
                blocks_of_columns(
                    c, a + (o * ao + i * ai) * itemsize, b + (o * bo + i * bi) * itemsize, bias, height, columns,
                    min(outer, ko - o), min(inner, ki - i), ao, ai, am, bo, bi, bn, cm, step, slope,
                )  # fmt: skip
                i += max(1, inner)
            o += max(1, outer)

    return panel


@intrinsic
def call_panel(typingctx, function, c, a, b, bias, height, columns, ko, ki, ao, ai, am, bo, bi, bn, cm, mode, slope):
    """Call a compiled `panel` by its address."""

    def codegen(context, builder, signature, args):
        callee = ir.FunctionType(ir.VoidType(), [_I64] * 17).as_pointer()
        builder.call(builder.inttoptr(args[0], callee), list(args[1:]))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 18), codegen
