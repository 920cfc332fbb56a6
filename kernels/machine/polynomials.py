"""exp, log, tanh, the logistic sigmoid and powers of two as branch-free arithmetic that LLVM turns into vector code.

The mathematics library works on one number at a time, and pip's Numba has no vector library; a loop that calls
``math.tanh`` runs at a fortieth of the speed of memory. The functions here hold no branch, no call and no table, so
a loop around them is vectorised whole. They take and return one type: ``exp32(float32) -> float32``, ``exp64`` and so
on. Call them in compiled code only.

* **Reduction.** ``x = k * log 2 + r`` with an integer k and ``|r| <= log(2) / 2``; k log 2 is subtracted in two pieces
  by fma, so r is as good as exact. ``x / log 2`` is rounded to k by adding a number so large that no bits are left for
  a fraction; the sum's lowest bits are then k and a bias, which moved up are the power of two, without a conversion.
* **Series.** On so short an interval the Taylor series are within a few per cent of the best polynomials of their
  degree, and anyone can check the coefficients: exp to ``r**7`` (float32, truncation 5e-9) or ``r**13`` (float64,
  4e-18), the power of two that is a weight to ``r**6`` (1.7e-7) or ``r**13``; log by the odd series of
  ``log((1 + s) / (1 - s))``, ``|s| <= 0.172``, to ``s**9`` or ``s**21``.
* **Errors**, measured against a wider type over the whole range: exp and log within 1.6 units in the last place,
  tanh and sigmoid within 3 (tests/kernels/machine/test_polynomials.py).
* **Edges.** NaN gives NaN (whatever the power of two is then, it multiplies a NaN); infinities give the limits; results
  that are denormal numbers come out as such; -0.0 keeps its sign under tanh.

Every product that feeds a sum is an explicit fma and every other step is a single rounding, so that a loop compiled
with the ``reassoc`` flag (the epilogue of a convolution) cannot rearrange the reduction.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable


@intrinsic
def fma(typingctx, a, b, c):
    """``a * b + c``, rounded once."""

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return a(a, a, a), codegen


@intrinsic
def select(typingctx, condition, yes, no):
    """``yes if condition else no`` without a branch: both are computed."""

    def codegen(context, builder, signature, args):
        return builder.select(*args)

    return yes(types.boolean, yes, yes), codegen


def _llvm(name: str, builder: ir.IRBuilder, *args: ir.Value) -> ir.Value:
    kind = ir.FunctionType(args[0].type, [a.type for a in args])
    suffix = "f32" if args[0].type == ir.FloatType() else "f64"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.{suffix}"), args)


@intrinsic
def nearest(typingctx, x):
    """The nearest integer, halves to even, as a float."""

    def codegen(context, builder, signature, args):
        return _llvm("rint", builder, args[0])

    return x(x), codegen


@intrinsic
def with_sign(typingctx, magnitude, sign):
    """``magnitude`` with the sign bit of ``sign``."""

    def codegen(context, builder, signature, args):
        return _llvm("copysign", builder, *args)

    return magnitude(magnitude, magnitude), codegen


@intrinsic
def magnitude(typingctx, x):
    """``x`` without its sign bit."""

    def codegen(context, builder, signature, args):
        return _llvm("fabs", builder, args[0])

    return x(x), codegen


class _Bits:
    """The fields of a floating-point type."""

    def __init__(self, dtype: types.Float) -> None:
        self.width = dtype.bitwidth
        self.fraction = 23 if self.width == 32 else 52
        self.bias = 127 if self.width == 32 else 1023
        self.integer = ir.IntType(self.width)
        # The bits of sqrt(1/2), and of 1.0.
        self.root_half = 0x3F3504F3 if self.width == 32 else 0x3FE6A09E667F3BCD
        self.one = self.bias << self.fraction


@intrinsic
def power_of_low_bits(typingctx, t):
    """``2**(n - bias)``, where t is 1.5 * 2**fraction + n, so that its lowest bits are those of the integer n > 0."""
    f = _Bits(t)

    def codegen(context, builder, signature, args):
        bits = builder.bitcast(args[0], f.integer)
        return builder.bitcast(builder.shl(bits, f.integer(f.fraction)), args[0].type)

    return t(t), codegen


@intrinsic
def powers_of_low_bits(typingctx, t):
    """Two powers of two, nearly equal, whose product is ``2**(n - 2 * bias)``; t as in `power_of_low_bits`."""
    f = _Bits(t)

    def codegen(context, builder, signature, args):
        bits = builder.bitcast(args[0], f.integer)
        half = builder.lshr(bits, f.integer(1))
        fields = [builder.shl(part, f.integer(f.fraction)) for part in (half, builder.sub(bits, half))]
        return context.make_tuple(builder, signature.return_type, [builder.bitcast(x, args[0].type) for x in fields])

    return types.UniTuple(t, 2)(t), codegen


@intrinsic
def exponent_of(typingctx, x):
    """The integer k (a float) for which ``sqrt(1/2) <= x / 2**k < sqrt(2)``, of a positive normal x."""
    f = _Bits(x)

    def codegen(context, builder, signature, args):
        moved = builder.add(builder.bitcast(args[0], f.integer), f.integer(f.one - f.root_half))
        field = builder.sub(builder.ashr(moved, f.integer(f.fraction)), f.integer(f.bias))
        return builder.sitofp(field, args[0].type)

    return x(x), codegen


@intrinsic
def mantissa_of(typingctx, x):
    """``x / 2**exponent_of(x)``."""
    f = _Bits(x)

    def codegen(context, builder, signature, args):
        moved = builder.add(builder.bitcast(args[0], f.integer), f.integer(f.one - f.root_half))
        low = builder.and_(moved, f.integer((1 << f.fraction) - 1))
        return builder.bitcast(builder.add(low, f.integer(f.root_half)), args[0].type)

    return x(x), codegen


def _series(coefficients: list[float]) -> Callable[..., Any]:
    """A polynomial with these ascending coefficients, by Horner's rule, one fma each."""

    @intrinsic
    def evaluate(typingctx, x):
        real = np.float32 if x == types.float32 else np.float64

        def codegen(context, builder, signature, args):
            constants = [ir.Constant(args[0].type, float(real(c))) for c in coefficients]
            total = constants[-1]
            for constant in reversed(constants[:-1]):
                total = builder.fma(total, args[0], constant)
            return total

        return x(x), codegen

    return evaluate


def _exponentials(real: Any) -> tuple[Callable[..., Any], ...]:
    """exp, tanh and sigmoid of one type."""
    single = real is np.float32
    # exp(r) = 1 + r + r**2 * tail(r)
    tail = _series([1 / math.factorial(n) for n in range(2, 8 if single else 14)])
    per_log2 = real(1 / math.log(2))
    # log 2 in two pieces, the first with so few bits that k times it is exact.
    minus_high, minus_low = (
        (real(-0.693359375), real(2.12194440e-4))
        if single
        else (real(-6.93145751953125e-1), real(-1.42860682030941723212e-6))
    )
    # A sum with this has no bits for a fraction: it is rounded to an integer, which its lowest bits hold.
    magic, bias = (1.5 * 2.0**23, 127) if single else (1.5 * 2.0**52, 1023)
    with_two_biases, with_bias = real(magic + 2 * bias), real(magic + bias)
    # Beyond these exp is 0 and infinity.
    lowest, highest = (real(-104), real(89)) if single else (real(-746), real(710))
    saturated = real(10) if single else real(20)  # tanh rounds to 1 beyond
    # sigmoid: both sides of its fraction are scaled, so that exp(-x) is a normal number wherever it counts.
    shift, least, most = (32, real(-104), real(60)) if single else (64, real(-746), real(100))
    scaled_one, with_shift = real(2.0**-shift), real(magic + bias - shift)
    one, two = real(1), real(2)

    @register_jitable(forceinline=True)
    def expm1_of_rest(x, k):
        """``exp(x - k log 2) - 1``."""
        r = fma(k, minus_low, fma(k, minus_high, x))
        return fma(tail(r), r * r, r)

    @register_jitable(forceinline=True)
    def exp(x):
        inside = select(x < lowest, lowest, select(x > highest, highest, x))
        t = fma(inside, per_log2, with_two_biases)
        rest = expm1_of_rest(inside, t - with_two_biases)
        first, second = powers_of_low_bits(t)  # 2**k itself may be no normal number
        return fma(rest, first, first) * second

    @register_jitable(forceinline=True)
    def tanh(x):
        # With e = exp(2|x|) - 1, computed without cancellation: tanh |x| = e / (e + 2).
        size = magnitude(x)
        doubled = select(size > saturated, saturated, size) * two
        t = fma(doubled, per_log2, with_bias)
        scale = power_of_low_bits(t)
        e = fma(scale, expm1_of_rest(doubled, t - with_bias), scale - one)
        return with_sign(e / (e + two), x)

    @register_jitable(forceinline=True)
    def sigmoid(x):
        inside = select(x < least, least, select(x > most, most, x))
        t = fma(inside, -per_log2, with_shift)
        scale = power_of_low_bits(t)
        return scaled_one / (fma(scale, expm1_of_rest(-inside, t - with_shift), scale) + scaled_one)

    return exp, tanh, sigmoid


EXP2_TAYLOR = tuple(math.log(2) ** n / math.factorial(n) for n in range(14))
"""``2**r`` of ``|r| <= 1/2``: up to ``r**6`` for float32, all of them for float64."""


def _weights(real: Any, degree: int) -> Callable[..., Any]:
    """``2**x`` of one type for x <= 0, the weight of a distance; below the least normal number, about that number.

    The caller's kernel is compiled without ``reassoc``, which would undo the rounding to an integer.
    """
    single = real is np.float32
    series = _series(list(EXP2_TAYLOR[: degree + 1]))
    magic, bias, least = (1.5 * 2.0**23, 127, real(-125)) if single else (1.5 * 2.0**52, 1023, real(-1021))
    with_bias = real(magic + bias)

    @register_jitable(forceinline=True)
    def exp2_weight(x):
        inside = select(x < least, least, x)
        t = inside + with_bias
        return series(inside - (t - with_bias)) * power_of_low_bits(t)

    return exp2_weight


def _logarithms(real: Any) -> tuple[Callable[..., Any], ...]:
    """log of one type, and log_one_plus."""
    single = real is np.float32
    # log((1 + s) / (1 - s)) = 2 s + s * odd(s**2), with s = f / (2 + f) for log(1 + f).
    odd = _series([0.0] + [2 / n for n in range(3, 11 if single else 23, 2)])
    high, low = (
        (real(0.693359375), real(-2.12194440e-4))
        if single
        else (real(6.93145751953125e-1), real(1.42860682030941723212e-6))
    )
    smallest, lift, lifted = real(np.finfo(real).tiny), real(2.0**60), real(60)
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    infinity, undefined, middle = real(np.inf), real(np.nan), real(math.sqrt(2) - 1)

    @register_jitable(forceinline=True)
    def series(f, k):
        s = f / (two + f)
        square = half * f * f
        # log(1 + f) = f - (f**2 / 2 - s * (f**2 / 2 + odd)): f is exact, and what is added to it is small.
        rest = fma(s, square + odd(s * s), k * low) - square
        return fma(k, high, rest + f)

    @register_jitable(forceinline=True)
    def log(x):
        tiny = x < smallest
        normal = select(tiny, x * lift, x)
        k = exponent_of(normal) - select(tiny, lifted, zero)
        f = mantissa_of(normal) - one
        y = series(f, k)
        y = select(x < infinity, y, x)  # NaN and infinity themselves
        return select(x > zero, y, select(x == zero, -infinity, select(x == x, undefined, x)))

    @register_jitable(forceinline=True)
    def log_one_plus(x):
        # log(1 + x) of 0 <= x <= 1, without forming 1 + x: beyond the middle as log 2 + log(1 + (x - 1) / 2).
        upper = x > middle
        return series(select(upper, (x - one) * half, x), select(upper, one, zero))

    return log, log_one_plus


exp32, tanh32, sigmoid32 = _exponentials(np.float32)
exp64, tanh64, sigmoid64 = _exponentials(np.float64)
exp2_weight32, exp2_weight64 = _weights(np.float32, 6), _weights(np.float64, 13)
exp2_weight8 = _weights(np.float32, 4)  # within 6e-5, for float32 sums that are rounded to bytes
log32, log_one_plus32 = _logarithms(np.float32)
log64, log_one_plus64 = _logarithms(np.float64)
