"""Sixty-four comparisons at once, as the bits of one word, and the places of the bits.

What stands where in a line of an image (where it changes, where it is not background) is rare: a few places in
hundreds of pixels. Compared in vectors, 64 pixels become one word; most words are 0 and are passed over, and of the
others each place costs a few instructions, by counting the zeros below the lowest bit and taking that bit away.
"""

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WORD = 64
"""Comparisons in a word."""

_I64, _I32, _I1 = ir.IntType(64), ir.IntType(32), ir.IntType(1)


def _load(builder: ir.IRBuilder, address: ir.Value, vector: ir.VectorType) -> ir.Value:
    loaded = builder.load(builder.inttoptr(address, vector.as_pointer()))
    loaded.align = 1
    return loaded


def _splat(builder: ir.IRBuilder, value: ir.Value, count: int) -> ir.Value:
    undefined = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    first = builder.insert_element(undefined, value, _I32(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_I32, count), [0] * count))


def unequal(itemsize: int) -> Callable[[int, int], int]:
    """``f(a, b)``: bit t says whether the integers at ``a + t * itemsize`` and ``b + t * itemsize`` differ."""
    vector = ir.VectorType(ir.IntType(8 * itemsize), WORD)

    @intrinsic
    def compare(typingctx, a, b):
        def codegen(context, builder, signature, args):
            x, y = (_load(builder, address, vector) for address in args)
            return builder.bitcast(builder.icmp_unsigned("!=", x, y), _I64)

        return types.uint64(types.int64, types.int64), codegen

    return compare


def unequal_to(itemsize: int) -> Callable[[int, int], int]:
    """``f(a, value)``: bit t says whether the integer at ``a + t * itemsize`` is not ``value``, cut to its bits."""
    element = ir.IntType(8 * itemsize)
    vector = ir.VectorType(element, WORD)

    @intrinsic
    def compare(typingctx, a, value):
        def codegen(context, builder, signature, args):
            number = args[1] if itemsize == 8 else builder.trunc(args[1], element)
            differs = builder.icmp_unsigned("!=", _load(builder, args[0], vector), _splat(builder, number, WORD))
            return builder.bitcast(differs, _I64)

        return types.uint64(types.int64, types.int64), codegen

    return compare


@intrinsic
def lowest(typingctx, word):
    """The place of the lowest bit of a word that is not 0."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(_I64, [_I64, _I1])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.cttz.i64")
        return builder.call(function, [args[0], _I1(1)])

    return types.int64(types.uint64), codegen


def store_equal(itemsize: int, count: int) -> Callable[[int, int], None]:
    """``f(address, value)`` stores the low bits of ``value`` into ``count`` integers from an address on."""
    element = ir.IntType(8 * itemsize)

    @intrinsic
    def fill(typingctx, address, value):
        def codegen(context, builder, signature, args):
            number = args[1] if itemsize == 8 else builder.trunc(args[1], element)
            vector = _splat(builder, number, count)
            builder.store(vector, builder.inttoptr(args[0], vector.type.as_pointer())).align = itemsize
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return fill
