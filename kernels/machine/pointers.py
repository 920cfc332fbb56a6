"""Addresses inside CPU workers.

A worker gets one argument block of 64-bit words: addresses, sizes, strides in elements, and floating-point
parameters stored by their bits. These intrinsics read the block.

A raw pointer serves a kernel better than a Numba array does: an index is never negative, so the loop vectoriser sees
``p[i]`` plainly; read-only and strided arrays look the same; and a C program can fill the block as well as Python.
"""

import struct

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def pointer(typingctx, address, dtype):
    """``pointer(address, float32)`` is the address, an int64, as a pointer to numbers of that type."""
    element = dtype.dtype if isinstance(dtype, types.DTypeSpec) else dtype.instance_type
    signature = types.CPointer(element)(types.int64, dtype)

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return signature, codegen


@intrinsic
def float_bits(typingctx, word):
    """The float64 whose bits the 64-bit word holds: the inverse of `word_of`."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


def word_of(value: float) -> int:
    """The bits of a float64 as a signed 64-bit integer, to be put into an argument block.

    >>> word_of(0.0)
    0
    """
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


@intrinsic
def call_worker(typingctx, function, begin, end, slot, block):
    """Call a compiled worker by its address: ``function(begin, end, slot, block)``."""
    words = (types.int64,) * 5

    def codegen(context, builder, signature, args):
        i64 = ir.IntType(64)
        worker_type = ir.FunctionType(ir.VoidType(), [i64] * 4)
        callee = builder.inttoptr(args[0], worker_type.as_pointer())
        builder.call(callee, list(args[1:]))
        return context.get_dummy_value()

    return types.void(*words), codegen


@intrinsic
def fetch_add(typingctx, counter, increment):
    """Add to the int64 at an address, in one step for all threads; the value that it had."""

    def codegen(context, builder, signature, args):
        place = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", place, args[1], "monotonic")

    return types.int64(types.int64, types.int64), codegen
