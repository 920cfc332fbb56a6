"""The near search's inner loop in vector registers.

    best[t] = min over steps s of  heights[t - s] + s * s,  heights[t + s] + s * s

for a block of pixels of one row, step by step, until no farther column can lower the largest of them. The block's
minima stay in registers from the first step to the last, which LLVM's vectorisers would not find.
"""

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..machine.processor import lanes

_VECTORS = 4
_I64, _I32 = ir.IntType(64), ir.IntType(32)


def block_size() -> int:
    """Pixels of a block."""
    return _VECTORS * lanes(4)


def nearest_of_block(steps: int) -> Callable[[int, int], int]:
    """``f(heights, target)``: at the address of a block's first height, which has ``steps`` more on both sides.

    Heights are int32. The block's minima over at most that many steps are stored at the address ``target``; the
    largest of them is returned. They are final where it is at most ``(steps + 1) ** 2``.
    """
    width = lanes(4)
    vector = ir.VectorType(_I32, width)

    @intrinsic
    def nearest(typingctx, heights, target):
        def codegen(context, builder, signature, args):
            heights, target = args
            smaller = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 2), f"llvm.smin.v{width}i32"
            )
            larger = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 2), f"llvm.smax.v{width}i32"
            )
            reduced = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(_I32, [vector]), f"llvm.vector.reduce.smax.v{width}i32"
            )

            def at(base, pixels):
                return builder.inttoptr(builder.add(base, builder.mul(pixels, _I64(4))), vector.as_pointer())

            def load(base, pixels):
                loaded = builder.load(at(base, pixels))
                loaded.align = 4
                return loaded

            def largest(values):
                while len(values) > 1:
                    values = [builder.call(larger, values[:2]), *values[2:]]
                return builder.call(reduced, values)

            start = [load(heights, _I64(v * width)) for v in range(_VECTORS)]
            best = [cgutils.alloca_once_value(builder, value) for value in start]  # promoted to registers by LLVM
            for place, value in zip(best, start, strict=True):
                builder.store(value, place)
            far = cgutils.alloca_once(builder, _I32)
            builder.store(largest(start), far)
            with cgutils.for_range(builder, _I64(steps + 1), start=_I64(1)) as loop:
                square = builder.trunc(builder.mul(loop.index, loop.index), _I32)
                with builder.if_then(builder.icmp_signed(">=", square, builder.load(far))):
                    loop.do_break()
                undefined = ir.Constant(vector, ir.Undefined)
                one = builder.insert_element(undefined, square, _I32(0))
                squares = builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_I32, width), [0] * width))
                now = []
                for v, place in enumerate(best):
                    left = load(heights, builder.sub(_I64(v * width), loop.index))
                    right = load(heights, builder.add(_I64(v * width), loop.index))
                    lower = builder.add(builder.call(smaller, [left, right]), squares)
                    now.append(builder.call(smaller, [builder.load(place), lower]))
                    builder.store(now[-1], place)
                builder.store(largest(now), far)
            for v, place in enumerate(best):
                builder.store(builder.load(place), at(target, _I64(v * width))).align = 4
            return builder.sext(builder.load(far), _I64)

        return types.int64(types.int64, types.int64), codegen

    return nearest
