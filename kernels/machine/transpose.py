"""A square of numbers transposed in vector registers, and vectors of numbers added in place.

The micro-kernel leaves its products with the columns of B side by side. What must be summed along the other axis is
turned first: ``lanes`` vectors are read, turned, and written. Step ``d`` of the turn exchanges, between each pair of
vectors ``i`` and ``i + d``, the lanes in which bit ``d`` is set in one and clear in the other; after the steps 1, 2, 4
and 8, lane ``j`` of vector ``i`` has become lane ``i`` of vector ``j``::

    a0 a1 | a2 a3        a0 b0 | a2 b2        a0 b0   c0 d0
    b0 b1 | b2 b3   1    a1 b1 | a3 b3   2    a1 b1   c1 d1         16 lanes: 64 shuffles for 256 numbers
    ------+------  -->   ------+------  -->
    c0 c1 | c2 c3        c0 d0 | c2 d2        a2 b2   c2 d2
    d0 d1 | d2 d3        c1 d1 | c3 d3        a3 b3   c3 d3
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .vectors import Vectors

_I32 = ir.IntType(32)


def _turned(v: Vectors, rows: list[ir.Value]) -> list[ir.Value]:
    """The transpose of a square of ``v.lanes`` vectors."""
    kind, lanes = ir.VectorType(_I32, v.lanes), range(v.lanes)
    distance = 1
    while distance < v.lanes:
        low = ir.Constant(kind, [j if not j & distance else v.lanes + j - distance for j in lanes])
        high = ir.Constant(kind, [j + distance if not j & distance else v.lanes + j for j in lanes])
        for i in lanes:
            if not i & distance:
                first, second = rows[i], rows[i + distance]
                rows[i] = v.b.shuffle_vector(first, second, low)
                rows[i + distance] = v.b.shuffle_vector(first, second, high)
        distance *= 2
    return rows


@intrinsic(prefer_literal=True)
def transpose_square(typingctx, itemsize, source, source_row, target, target_row):
    """Write the transpose of the square of ``lanes(itemsize)`` rows and columns at ``source`` to ``target``.

    ``itemsize`` is a constant; source and target are addresses, their rows so many elements apart.
    """
    if not isinstance(itemsize, types.IntegerLiteral):
        return None
    size = itemsize.literal_value

    def codegen(context, builder, signature, args):
        v = Vectors(builder, size)
        source, target = v.pointer(args[1]), v.pointer(args[3])
        rows = [v.load(v.at(source, v.times(args[2], i))) for i in range(v.lanes)]
        for i, row in enumerate(_turned(v, rows)):
            v.store(row, v.at(target, v.times(args[4], i)))
        return context.get_dummy_value()

    return types.void(itemsize, *[types.int64] * 4), codegen


@intrinsic(prefer_literal=True)
def add_vector(typingctx, itemsize, target, source):
    """Add the vector at address ``source`` to the one at ``target``."""
    if not isinstance(itemsize, types.IntegerLiteral):
        return None
    size = itemsize.literal_value

    def codegen(context, builder, signature, args):
        v = Vectors(builder, size)
        target = v.pointer(args[1])
        v.store(v.add(v.load(target), v.load(v.pointer(args[2]))), target)
        return context.get_dummy_value()

    return types.void(itemsize, types.int64, types.int64), codegen
