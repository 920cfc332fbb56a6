"""Numbers in another type: integers are rounded to the nearest, halves to even, and kept inside their range."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable


@intrinsic
def to_nearest(typingctx, value):
    """The nearest whole number, of two the even one; LLVM makes vectors of it."""
    suffix = "f32" if value == types.float32 else "f64"

    def codegen(context, builder, signature, args):
        kind = args[0].type
        function = cgutils.get_or_insert_function(
            builder.module, cgutils.ir.FunctionType(kind, [kind]), f"llvm.rint.{suffix}"
        )
        return builder.call(function, args)

    return value(value), codegen


def saturating(total: Any, target: Any) -> Callable[..., Any]:
    """The function that turns a number of type ``total`` (float32 or float64) into one of type ``target``.

    Integers (of at most 16 bits, whose range float32 holds) saturate; NaN becomes the least of them.
    """
    if isinstance(target, types.Float):

        @register_jitable
        def converted(value):
            return target(value)

        return converted
    info = np.iinfo(target.name)
    low, high = total(info.min), total(info.max)

    @register_jitable
    def saturated(value):
        value = value if value > low else low
        value = value if value < high else high
        return target(to_nearest(value))

    return saturated
