"""Two normal deviates from random words, to the bit alike on every machine.

Box and Muller: with u uniform in (0, 1] and an angle uniform on the circle, ``sqrt(-2 log u)`` times the cosine and
the sine of the angle are two independent normal deviates. No table, no rejection, no branch, and the tails are those
of the normal distribution out to 6.6 (float32) and 8.6 (float64) standard deviations, where u ends.

The mathematics library of one machine differs from that of another, and a compiler may fuse a product and a sum or
not. So logarithm, sine and cosine are polynomials here, every product that is added to something is an explicit fma,
and besides there are only square roots, conversions and integer operations: all correctly rounded, with nothing left
to contract. The polynomials interpolate at Chebyshev nodes; their relative errors are below 5e-9 (float32) and 1e-16
(float64), under the rounding of the arithmetic.

The argument of the logarithm is split as ``u = 2**e * (1 + f)`` with ``sqrt(1/2) <= 1 + f < sqrt(2)``; the angle's two
upper bits are its quadrant and the others a signed fraction t of a quarter turn, ``-1/2 < t < 1/2``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

# -2 log(1 + f) / f on [sqrt(1/2) - 1, sqrt(2) - 1], sin(pi t / 2) / t and cos(pi t / 2) in t^2 on [0, 1/4]; ascending.
LOG_32 = (-2.0, 0.99999976, -0.6666669, 0.5000316, -0.40001878, 0.3321674, -0.283993, 0.26532063, -0.25613222,
          0.14902373)  # fmt: skip
SIN_32 = (1.5707964, -0.6459635, 0.07968022, -0.004602149)
COS_32 = (1.0, -1.2337005, 0.2536692, -0.02086007, 0.00090362807)
LOG_64 = (-2.0, 0.9999999999999984, -0.6666666666665182, 0.5000000000006719, -0.4000000000411385, 0.3333333332698294,
          -0.28571428130396065, 0.24999999993627986, -0.2222224585709493, 0.20000025599607216, -0.18181117727130133,
          0.1666529942600772, -0.1539627811921916, 0.1431861552600504, -0.13233832207459678, 0.12089864497303753,
          -0.1200472524919362, 0.13586969850507072, -0.1249948865983042, 0.055158309770548856)  # fmt: skip
SIN_64 = (1.5707963267948966, -0.6459640975062443, 0.07969262624604301, -0.004681754132340976, 0.0001604411507421909,
          -3.59864335298231e-06, 5.633933781537854e-08)  # fmt: skip
COS_64 = (1.0, -1.2337005501361697, 0.2536695079010467, -0.02086348076331121, 0.0009192602741831558,
          -2.520203677046026e-05, 4.710609726757823e-07, -6.321256869628588e-09)  # fmt: skip
MINUS_2_LOG_2 = -1.3862943611198906


@intrinsic
def fma(typingctx, a, b, c):
    """``a * b + c`` of three floats of one type, rounded once."""
    if not (a == b == c and isinstance(a, types.Float)):
        return None

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return a(a, b, c), codegen


@intrinsic
def reinterpret(typingctx, value, dtype):
    """The bits of a number as another type of the same width."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(signature.return_type))

    return dtype.dtype(value, dtype), codegen


def _horner(coefficients: tuple[float, ...]) -> Callable[..., Any]:
    """A polynomial by Horner's rule, one fma a coefficient."""

    @intrinsic
    def evaluate(typingctx, x):
        def codegen(context, builder, signature, args):
            constants = [ir.Constant(args[0].type, c) for c in _rounded(coefficients, signature.return_type)]
            total = constants[-1]
            for constant in constants[-2::-1]:
                total = builder.fma(total, args[0], constant)
            return total

        return x(x), codegen

    return evaluate


def _rounded(values: tuple[float, ...], dtype: types.Float) -> list[float]:
    return [float(np.float32(v)) if dtype.bitwidth == 32 else v for v in values]


_log_32, _sin_32, _cos_32 = _horner(LOG_32), _horner(SIN_32), _horner(COS_32)
_log_64, _sin_64, _cos_64 = _horner(LOG_64), _horner(SIN_64), _horner(COS_64)


@njit(forceinline=True)
def _turned(radius, sine, cosine, quadrant):
    """``radius`` times cosine and sine of an angle moved on by so many quarter turns."""
    odd = (quadrant & 1) != 0
    x = sine if odd else cosine
    y = cosine if odd else sine
    x = -x if ((quadrant + 1) & 2) != 0 else x
    y = -y if (quadrant & 2) != 0 else y
    return radius * x, radius * y


@njit(forceinline=True)
def normal_pair_32(first, second):
    """Two float32 deviates from the lower halves of two uint64 words."""
    thirty_one = np.int32(first) >> np.int32(1) & np.int32(0x7FFFFFFF)
    u = fma(np.float32(thirty_one), np.float32(2.0**-31), np.float32(2.0**-32))
    bits = reinterpret(u, np.int32)
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)  # of u / sqrt(1/2)
    f = reinterpret(np.int32(bits - (exponent << np.int32(23))), np.float32) - np.float32(1.0)
    radius = np.sqrt(fma(np.float32(exponent), np.float32(MINUS_2_LOG_2), f * _log_32(f)))
    angle = np.int32(second)
    t = np.float32(np.int32(angle << np.int32(2) | np.int32(2))) * np.float32(2.0**-32)  # shifts widen int32
    return _turned(radius, t * _sin_32(t * t), _cos_32(t * t), (angle >> np.int32(30)) & np.int32(3))


@njit(forceinline=True)
def normal_pair_64(first, second):
    """Two float64 deviates from two uint64 words."""
    fifty_three = np.int64(first >> np.uint64(11))
    u = fma(np.float64(fifty_three), 2.0**-53, 2.0**-54)
    bits = reinterpret(u, np.int64)
    exponent = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    f = reinterpret(bits - (exponent << np.int64(52)), np.float64) - 1.0
    radius = np.sqrt(fma(np.float64(exponent), MINUS_2_LOG_2, f * _log_64(f)))
    angle = np.int64(second)
    t = np.float64((angle << np.int64(2)) | np.int64(2)) * 2.0**-64
    return _turned(radius, t * _sin_64(t * t), _cos_64(t * t), (angle >> np.int64(62)) & np.int64(3))
