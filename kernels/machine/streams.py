"""Loads and stores for workers whose arrays do not overlap, and small arrays on their stack.

A compiler that sees two addresses must fear that a store through one changes what the other reads; it guards a
vectorised loop by comparing all of them, gives up where there are many, and falls back to one number at a time where
an output is also an input. `read` and `write` say what a worker knows: within a loop, no `write` changes what a
`read` of *another* index finds. Reading and writing the same index of the same array, as ``add(a, b, out=a)`` does,
is allowed.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .processor import vector_bytes


def _inputs(module: ir.Module) -> ir.MDValue:
    """The alias scope of everything that is read."""
    domain = module.add_metadata(["tilegrad"])
    return module.add_metadata([module.add_metadata(["inputs", domain])])


@intrinsic
def read(typingctx, pointer, index):
    """``pointer[index]``, which no `write` to another index changes."""

    def codegen(context, builder, signature, args):
        value = builder.load(builder.gep(args[0], [args[1]]))
        value.set_metadata("alias.scope", _inputs(builder.module))
        return value

    return pointer.dtype(pointer, types.int64), codegen


@intrinsic
def write(typingctx, pointer, index, value):
    """``pointer[index] = value``."""

    def codegen(context, builder, signature, args):
        store = builder.store(args[2], builder.gep(args[0], [args[1]]))
        store.set_metadata("noalias", _inputs(builder.module))
        return context.get_dummy_value()

    return types.void(pointer, types.int64, pointer.dtype), codegen


@intrinsic(prefer_literal=True)
def copy(typingctx, target, begin, pointer, index, count):
    """``target[begin : begin + count] = pointer[index : index + count]``, of a constant count.

    A loop of copies stays one: LLVM does not gather what lies apart into one register, which some processors do slower.
    """
    if not isinstance(count, types.IntegerLiteral):
        return None

    def codegen(context, builder, signature, args):
        together = ir.VectorType(ir.IntType(pointer.dtype.bitwidth), count.literal_value).as_pointer()
        place, to = (builder.gep(args[i], [args[i + 1]]) for i in (2, 0))
        value = builder.load(builder.bitcast(place, together), align=1)
        value.set_metadata("alias.scope", _inputs(builder.module))
        store = builder.store(value, builder.bitcast(to, together), align=1)
        store.set_metadata("noalias", _inputs(builder.module))
        return context.get_dummy_value()

    return types.void(target, types.int64, pointer, types.int64, count), codegen


@intrinsic(prefer_literal=True)
def stack(typingctx, count, dtype):
    """Room for a constant number of numbers on the stack, undefined at first; nothing else can point into it."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    element = dtype.dtype if isinstance(dtype, types.DTypeSpec) else dtype.instance_type

    def codegen(context, builder, signature, args):
        room = cgutils.alloca_once(builder, context.get_value_type(element), size=count.literal_value)
        room.align = 64
        return room

    return types.CPointer(element)(count, dtype), codegen


@intrinsic
def whole_vectors(typingctx):
    """Have LLVM vectorise the loops of the function that calls this with registers of the processor's full width.

    For some processors that have 64-byte registers it chooses half of one, lest they lower their clock; where a loop
    computes much for each number, whole ones are faster.
    """

    def codegen(context, builder, signature, args):
        # llvmlite's own `add` takes names of a list alone, which has none with a value.
        set.add(builder.function.attributes, f'"prefer-vector-width"="{8 * vector_bytes()}"')
        return context.get_dummy_value()

    return types.void(), codegen
