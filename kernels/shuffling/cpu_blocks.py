"""The "blocks" variant: a pixel of many channels and a block of r x r pixels hold the same numbers in another order.

With r = 2 whole vectors are dealt out: four of one pixel's channels become one vector for each pixel of the block, or
the other way, by shuffles of registers. Other numbers go one by one.
"""

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import float32, float64, types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.streams import read, write
from ..machine.threads import launch
from ..machine.vectors import Vectors
from ..operation import Run

if TYPE_CHECKING:
    from . import Shuffling

_NS_PER_NUMBER = 0.15
_I64, _I32 = ir.IntType(64), ir.IntType(32)


def _joined(e: Vectors, parts: list[ir.Value]) -> ir.Value:
    """Two or four vectors as one."""
    while len(parts) > 1:
        width = parts[0].type.count
        order = ir.Constant(ir.VectorType(_I32, 2 * width), list(range(2 * width)))
        parts = [e.b.shuffle_vector(parts[i], parts[i + 1], order) for i in range(0, len(parts), 2)]
    return parts[0]


def _picked(e: Vectors, wide: ir.Value, lanes_wanted: list[int]) -> ir.Value:
    return e.b.shuffle_vector(wide, wide, ir.Constant(ir.VectorType(_I32, len(lanes_wanted)), lanes_wanted))


@intrinsic(prefer_literal=True)
def deal(typingctx, itemsize, gathers, many, a, b, c, d, vectors):
    """Deal every fourth number at ``many`` to ``a``, ``b``, ``c``, ``d`` in turn, or, with ``gathers``, back.

    ``itemsize`` and ``gathers`` are constants; ``vectors`` whole vectors come to each of the four addresses.
    """
    if not isinstance(itemsize, types.IntegerLiteral) or not isinstance(gathers, types.IntegerLiteral):
        return None
    size, back = itemsize.literal_value, bool(gathers.literal_value)

    def codegen(context, builder, signature, args):
        many, few, vectors = args[2], args[3:7], args[7]
        e = Vectors(builder, size)
        width = e.lanes

        def at(address: ir.Value, first: ir.Value, part: int) -> ir.Value:
            place = builder.add(first, _I64(part * width))
            return e.pointer(builder.add(address, builder.mul(place, _I64(size))))

        with cgutils.for_range(builder, vectors) as loop:
            first = builder.mul(loop.index, _I64(width))
            first_of_many = builder.mul(first, _I64(4))
            if back:
                wide = _joined(e, [e.load(at(address, first, 0)) for address in few])
                for part in range(4):
                    order = [(part * width + lane) % 4 * width + (part * width + lane) // 4 for lane in range(width)]
                    e.store(_picked(e, wide, order), at(many, first_of_many, part))
            else:
                wide = _joined(e, [e.load(at(many, first_of_many, part)) for part in range(4)])
                for part, address in enumerate(few):
                    order = [4 * lane + part for lane in range(width)]
                    e.store(_picked(e, wide, order), at(address, first, 0))
        return context.get_dummy_value()

    return types.void(itemsize, gathers, *[types.int64] * 6), codegen


@kernel()
def blocks(itemsize: int, gathers: int) -> Callable[..., Any]:
    """Task: one row of pixels of many channels. block = x, y, W, C of the block's pixels, r

    ``gathers`` makes pixels of many channels out of blocks; otherwise blocks are made.
    """
    real = float32 if itemsize == 4 else float64
    width = lanes(itemsize)

    def worker(begin, end, slot, block):
        W, C, r = block[2], block[3], block[4]
        line = W * r * C  # of pixels of a block
        whole = C // width if r == 2 else 0
        for task in range(begin, end):
            for w in range(W):
                many = (block[1] if gathers else block[0]) + (task * W + w) * C * r * r * itemsize
                few = (block[0] if gathers else block[1]) + (task * r * line + w * r * C) * itemsize
                if whole:
                    a, b = few, few + C * itemsize
                    c, d = a + line * itemsize, b + line * itemsize
                    deal(itemsize, gathers, many, a, b, c, d, whole)
                x, y = pointer(many, real), pointer(few, real)
                for i in range(r):
                    for j in range(r):
                        for channel in range(whole * width, C):
                            one, other = (channel * r + i) * r + j, i * line + j * C + channel
                            if gathers:
                                write(x, one, read(y, other))
                            else:
                                write(y, other, read(x, one))

    return worker


def _build(g: "Shuffling", gathers: int) -> Run:
    n, h, w, many = g.deep
    template = Template(2, [w, many // g.factor**2, g.factor])
    worker, tasks, ns = blocks.address(g.dtype.itemsize, gathers), n * h, g.flops * _NS_PER_NUMBER

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        block = template.filled(*arrays, *outputs)
        launch(worker, tasks, ctypes.addressof(block), ns)

    return run


def build(g: "Shuffling") -> Run:
    """What runs a planned `pixel_shuffle`."""
    return _build(g, 0)


def build_unshuffle(g: "Shuffling") -> Run:
    """What runs a planned `pixel_unshuffle`."""
    return _build(g, 1)
