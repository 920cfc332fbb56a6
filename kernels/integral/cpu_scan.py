"""Variant "scan": sums of bytes across a row in vectors, and the row above added to them.

    bytes    a b c d ...                         16 of them become integers of 32 bits
    scan     a, a+b, a+b+c, ...                  four steps: every number gets the one 1, 2, 4, 8 places before it
    carry    the last sum goes on to the next 16
    y        scan + carry + the row above

Running sums one after the other wait for each addition; here only the carry does, once for 16 numbers. Sums are
integers and exact, so that the order does not matter.

Every number is read once, and every sum written once and read once more, from the cache, by the row below: memory
bounds it. A task is some columns of one image, which adds the bytes left of them for itself.
"""

from ctypes import addressof
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.integers import I64, Integers
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.streams import read, write
from ..machine.threads import launch, num_threads
from ..operation import Run

if TYPE_CHECKING:
    from . import Integral

_COLUMNS = 256  # of a task, at least
_NS_PER_NUMBER = 0.25
_I32 = ir.IntType(32)


@intrinsic
def _scan(typingctx, x, above, y, carry):
    """Sums up to each byte of a vector, added to ``carry`` and to the row above; the result is the carry behind."""
    width = lanes(4)

    def codegen(context, builder, signature, args):
        x, above, y, carry = args
        e = Integers(builder, width)
        zero = e.constant(0, 32)
        sums = e.unsigned(e.load(x, I64(0), 8), 32)
        step = 1
        while step < width:  # zeros come in from the left
            places = ir.Constant(e.kind(32), [width - step + i for i in range(width)])
            sums = builder.add(sums, builder.shuffle_vector(zero, sums, places))
            step *= 2
        sums = builder.add(sums, e.splat(carry, 32))
        e.store(builder.add(sums, e.load(above, I64(0), 32)), y, I64(0))
        return builder.extract_element(sums, _I32(width - 1))

    return types.int32(types.int64, types.int64, types.int64, types.int32), codegen


@kernel()
def _integral() -> Any:
    width = lanes(4)

    def work(begin, end, slot, block):
        H, W, parts = block[2], block[3], block[4]
        for task in range(begin, end):
            image, part = task // parts, task % parts
            first, last = W * part // parts, W * (part + 1) // parts
            x, y = block[0] + image * H * W, block[1] + image * (H + 1) * (W + 1) * 4
            zeros = pointer(y, types.int32)
            for j in range(first if part == 0 else first + 1, last + 1):
                zeros[j] = types.int32(0)
            for i in range(H):
                row, above = x + i * W, y + (i * (W + 1) + 1) * 4
                below = above + (W + 1) * 4
                bytes_of, sums_above, sums = (
                    pointer(row, types.uint8),
                    pointer(above, types.int32),
                    pointer(below, types.int32),
                )
                if part == 0:
                    sums[-1] = types.int32(0)
                carry = types.int32(0)
                for j in range(first):
                    carry = types.int32(carry + types.int32(read(bytes_of, j)))
                j = first
                while j + width <= last:
                    carry = _scan(row + j, above + 4 * j, below + 4 * j, carry)
                    j += width
                while j < last:
                    carry = types.int32(carry + types.int32(bytes_of[j]))
                    write(sums, j, types.int32(carry + sums_above[j]))
                    j += 1

    return work


def rejects(g: "Integral") -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.dtype.name != "uint8" or g.outputs[0][1].name != "int32" or g.c != 1:
        return "takes bytes of one channel, for sums of int32"
    return None


def build(g: "Integral") -> Run:
    """One task for each image, or for some columns of it where there are fewer images than threads."""
    worker = _integral.address()

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        parts = max(1, min(num_threads() // max(1, g.n), g.w // _COLUMNS))
        block = Template(2, (g.h, g.w, parts)).filled(arrays[0], outputs[0])
        launch(worker, g.n * parts, addressof(block), _NS_PER_NUMBER * g.numbers)

    return run
