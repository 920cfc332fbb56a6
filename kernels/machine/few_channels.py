"""The separable map y = A x B' where a pixel has fewer channels than a vector register has lanes.

With many channels a pixel is a row of numbers, and combining pixels is combining rows (separable.py). With one or
three, vectors must hold several pixels of the result, whose taps lie anywhere in the line:

    vertical     the input rows that A names are summed into a line of scratch, in vectors, all taps in registers
    horizontal   for each *number* of the result, tables say which numbers of the line it takes: out of a window of two
                 registers (windows.py), or, where they lie too far apart for that, by a gather

Tables have the same count of taps everywhere. Where a pixel has fewer, its first tap is cut into parts: x * w is
x * w/2 + x * w/2 to the last bit, for infinities too, while a tap of weight 0 would make a NaN of them.

Where the pixels of the result take the same weights from every second pixel of one channel, as in an image halved, no
table is needed: two vectors of the line part into even and odd numbers.

Integers become float32 on their way into the line of scratch, and results are rounded as they are stored: between image
and result nothing of their size is written.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import float32, float64, int32, int64, types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from .compile import kernel
from .pointers import pointer
from .processor import lanes
from .rounding import saturating
from .streams import read, write
from .taps import weighted_sums
from .vectors import Vectors
from .windows import windowed_sums

if TYPE_CHECKING:
    from .separable import Taps

_I64, _I32 = ir.IntType(64), ir.IntType(32)
MOST_HALVED = 8
"""Taps along a row for which halving is unrolled."""


@intrinsic(prefer_literal=True)
def halve_row(typingctx, itemsize, taps, target, source, weights, count):
    """``target[j] = sum over t of weights[t] * source[2 j + t]`` for j below ``count``, at least a vector of them.

    ``itemsize`` and ``taps``, an even number, are constants. Only what has a weight is read.
    """
    if not all(isinstance(kind, types.IntegerLiteral) for kind in (itemsize, taps)):
        return None
    size, many = itemsize.literal_value, taps.literal_value

    def codegen(context, builder, signature, args):
        target, source, weights, count = args[2:]
        e = Vectors(builder, size)
        width, b = e.lanes, builder
        factors = [e.broadcast(e.pointer(b.add(weights, _I64(t * size)))) for t in range(many)]
        picks = [ir.Constant(ir.VectorType(_I32, width), [2 * i + odd for i in range(width)]) for odd in (0, 1)]

        def at(first: ir.Value) -> None:
            total = None
            for t in range(0, many, 2):
                place = b.add(source, b.mul(b.add(b.mul(first, _I64(2)), _I64(t)), _I64(size)))
                low, high = e.load(e.pointer(place)), e.load(e.pointer(b.add(place, _I64(width * size))))
                for factor, pick in zip(factors[t : t + 2], picks, strict=True):
                    part = b.shuffle_vector(low, high, pick)
                    total = b.fmul(factor, part) if total is None else e.fma(factor, part, total)
            e.store(total, e.pointer(b.add(target, b.mul(first, _I64(size)))))

        with cgutils.for_range(b, b.udiv(count, _I64(width))) as loop:
            at(b.mul(loop.index, _I64(width)))
        at(b.sub(count, _I64(width)))  # the last vector overlaps the one before it
        return context.get_dummy_value()

    return types.void(itemsize, taps, *[types.int64] * 4), codegen


def _across(real: Any) -> Callable[..., None]:
    """Numbers ``first .. last - 1`` of a row of the result by gathers, two taps at a time."""

    @register_jitable
    def across(line, y, index, weights, first, last, count, taps):
        if taps == 1:
            for j in range(first, last):
                write(y, j, read(weights, j) * read(line, np.int64(read(index, j))))
        for t in range(0, taps - 1, 2):
            a, b = t * count, (t + 1) * count
            for j in range(first, last):
                left = read(weights, a + j) * read(line, np.int64(read(index, a + j)))
                right = read(weights, b + j) * read(line, np.int64(read(index, b + j)))
                write(y, j, left + right if t == 0 else read(y, j) + (left + right))

    return across


@kernel()
def few_channels(dtype: str, halved: int) -> Callable[..., Any]:
    """Task: one row of one output image; ``halved`` taps where columns are halved, or 0."""
    number = getattr(types, dtype)
    real = float64 if dtype == "float64" else float32
    whole, size, itemsize = isinstance(number, types.Integer), number.bitwidth // 8, real.bitwidth // 8
    sums, across, windowed = weighted_sums(number, real), _across(real), windowed_sums(real, number)
    converted = saturating(real, number)
    some = halved if halved else 2

    def worker(begin, end, slot, block):
        a_starts, a_index, a_weights = pointer(block[3], int64), pointer(block[4], int64), pointer(block[5], real)
        index, weights = pointer(block[6], int32), pointer(block[7], real)
        H, W, P, Q, taps, same, first_halved, last_halved, origin = (
            block[9], block[10], block[11], block[12], block[13], block[14], block[15], block[16], block[17],
        )  # fmt: skip
        scratch = block[2] + slot * block[18]
        table = pointer(scratch, int64)
        windows = block[20]
        for task in range(begin, end):
            n, p = task // P, task % P
            target, image = block[1] + task * Q * size, block[0] + n * H * W * size
            first, stop = a_starts[p], a_starts[p + 1]
            source = image + a_index[first] * W * size
            if whole or same != 0 or stop - first > 1 or a_weights[first] != real(1):
                for t in range(first, stop):
                    table[t - first] = image + a_index[t] * W * size
                source = scratch + block[19] if whole or same == 0 else target
                sums(scratch, block[5] + first * itemsize, stop - first, 0, source, 0, W)
            if same != 0 and not whole:
                continue
            if windows > 0:
                windowed(source, target, block[21], block[22], block[23], windows, taps, Q)
                continue
            line = pointer(source, real)
            if whole:
                y, z = pointer(scratch + block[24], real), pointer(target, number)
                across(line, y, index, weights, 0, Q, Q, taps)
                for j in range(Q):
                    write(z, j, converted(read(y, j)))
                continue
            y = pointer(target, real)
            if halved > 0:
                halve_row(
                    itemsize, some, target + first_halved * itemsize, source + origin * itemsize, block[8],
                    last_halved - first_halved,
                )  # fmt: skip
            across(line, y, index, weights, 0, first_halved, Q, taps)
            across(line, y, index, weights, last_halved, Q, Q, taps)

    return worker


class Halved(NamedTuple):
    """Outputs ``first .. last - 1`` take ``weights`` from the inputs ``origin + 2 * (output - first)`` onwards."""

    first: int
    last: int
    origin: int
    weights: np.ndarray


def halved(columns: "Taps", itemsize: int) -> Halved | None:
    """Where the outputs of one channel halve their line, if that is a vector of them at least."""
    middle = columns.outputs // 2
    first, stop = columns.starts[middle : middle + 2]
    taps, weights = stop - first, columns.weights[first:stop]
    if taps % 2 or not 2 <= taps <= MOST_HALVED:
        return None
    alike = np.diff(columns.starts) == taps
    starts = np.where(alike, columns.starts[:-1], first)[:, None] + np.arange(taps)
    shift = columns.indices[first] - 2 * middle
    wanted = shift + 2 * np.arange(columns.outputs)[:, None] + np.arange(taps)
    alike &= np.all(columns.indices[starts] == wanted, axis=1) & np.all(columns.weights[starts] == weights, axis=1)
    others = np.flatnonzero(~alike)
    begin = int(others[others <= middle].max(initial=-1)) + 1
    end = int(others[others >= middle].min(initial=columns.outputs))
    if end - begin < lanes(itemsize):
        return None
    return Halved(begin, end, int(shift) + 2 * begin, weights)


def of_equal_count(columns: "Taps", channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and weights (taps, numbers of a row) of every number, all with as many taps: one, or an even count."""
    counts = np.diff(columns.starts)
    taps = int(counts.max())
    taps += taps % 2 if taps > 1 else 0
    place = np.arange(taps)[:, None]
    missing = place >= counts
    indices = columns.indices[columns.starts[:-1] + np.where(missing, 0, place)]
    weights = columns.weights[columns.starts[:-1] + np.where(missing, 0, place)]
    # w = w/2 + w/4 + ... + w/2^k + w/2^k: powers of two do not round.
    parts = taps - counts
    weights[0] = np.ldexp(weights[0], -np.minimum(parts, 1))
    halvings = np.minimum(place - counts + 2, parts)
    weights = np.where(missing, np.ldexp(columns.weights[columns.starts[:-1]], -halvings), weights)
    channel = np.arange(channels)
    numbers = (indices[:, :, None] * channels + channel).reshape(taps, -1)
    return numbers.astype(np.int32), np.repeat(weights, channels, axis=1)
