"""Variant "rows": down the columns into a line of scratch, then along it.

    smaller   five rows of the image make one line; of that, five numbers make each pixel:

                  line     l0 l1 l2 l3 l4 l5 l6 ...        q0 = l0 + 4 l1 + 6 l2 + 4 l3 + l4
                                                           q1 =           l2 + 4 l3 + 6 l4 + 4 l5 + l6

    larger    zeros are not added. Of five weights 1, 6, 1 are left where a pixel was, and 4, 4 between two, along
              each axis: a row of the image and its neighbours make two lines, and each of those one row of the result

Down the columns whole vectors are added, whatever lies in a pixel. Along the line of one channel of bytes, neighbours
that belong to different pixels of the result are read, or written, as one number of twice their width: a mask and a
shift take it apart in a vector, which shuffles would otherwise do. The line has the border's pixels on both sides.

Integers stay integers: sums of bytes fit 16 bits. Every number is read three to five times, from the first or second
cache after the first time, which is what bounds it, and written once.
"""

import sys
from ctypes import addressof
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..correlation.reference import border
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.streams import read, write
from ..machine.taps import weighted_sums
from ..machine.threads import launch, num_threads
from ..operation import Run

if TYPE_CHECKING:
    from . import Pyramid

_CONSTANT = (1, 3, 4)  # numbers of channels that a worker knows when it is compiled
_LINE = 64  # bytes: scratch of different threads shares no cache line
_NS_PER_NUMBER = 0.15


def _finish(number: Any, shift: int) -> Any:
    """The function that divides a sum by a power of two, rounded halves up for integers."""
    if isinstance(number, types.Float):
        factor = number(2.0**-shift)

        @register_jitable
        def scaled(value):
            return number(value * factor)

        return scaled
    half = np.int32(1 << (shift - 1))

    @register_jitable
    def rounded(value):
        return number(np.int32(value + half) >> np.int32(shift))

    return rounded


@register_jitable
def _pad(line, width, count, channels, places):
    """The ``count`` pixels on each side of a line, which stands behind the first of them: those at ``places``."""
    for k in range(count):
        for c in range(channels):
            line[k * channels + c] = line[(count + places[k]) * channels + c]
            behind = count + width + k
            line[behind * channels + c] = line[(count + places[count + k]) * channels + c]


@kernel()
def _down(dtype: str, total: str, channels: int) -> Any:
    number, sum_type = getattr(types, dtype), getattr(types, total)
    size, sum_size = number.bitwidth // 8, sum_type.bitwidth // 8
    sums, finish = weighted_sums(number, sum_type), _finish(number, 8)
    wide = types.int32 if isinstance(number, types.Integer) else number
    paired = channels == 1 and dtype == "uint8" and sys.byteorder == "little"
    four, six = wide(4), wide(6)

    def work(begin, end, slot, block):
        rows, places, weights = pointer(block[3], types.int64), pointer(block[4], types.int64), block[5]
        H, W, P, Q, pitch = block[6], block[7], block[8], block[9], block[10]
        C = channels if channels > 0 else block[11]
        scratch = (block[2] + _LINE - 1) // _LINE * _LINE + slot * pitch
        table, line = pointer(scratch, types.int64), pointer(scratch + _LINE, sum_type)
        for task in range(begin, end):
            image, p = block[0] + task // P * H * W * C * size, task % P
            for s in range(5):
                table[s] = image + rows[5 * p + s] * W * C * size
            sums(scratch, weights, 5, 0, scratch + _LINE + 2 * C * sum_size, 0, W * C)
            _pad(line, W, 2, C, places)
            y = pointer(block[1] + task * Q * C * size, number)
            if paired:
                pairs = pointer(scratch + _LINE, types.uint32)
                low, high = np.int32(0xFFFF), np.int32(16)
                for q in range(Q):
                    left, right = np.int32(read(pairs, q)), np.int32(read(pairs, q + 1))
                    near = np.int32(np.int32(left >> high) + np.int32(right >> high))
                    far = np.int32(np.int32(left & low) + np.int32(np.int32(read(pairs, q + 2)) & low))
                    middle = np.int32(six * np.int32(right & low))
                    write(y, q, finish(np.int32(np.int32(far + middle) + np.int32(four * near))))
            else:
                for q in range(Q):
                    for c in range(C):
                        k = 2 * q * C + c
                        far = wide(wide(read(line, k)) + wide(read(line, k + 4 * C)))
                        near = wide(wide(read(line, k + C)) + wide(read(line, k + 3 * C)))
                        middle = wide(six * wide(read(line, k + 2 * C)))
                        write(y, q * C + c, finish(wide(wide(far + middle) + wide(four * near))))

    return work


@kernel()
def _up(dtype: str, total: str, channels: int) -> Any:
    number, sum_type = getattr(types, dtype), getattr(types, total)
    size, sum_size = number.bitwidth // 8, sum_type.bitwidth // 8
    sums, finish = weighted_sums(number, sum_type), _finish(number, 6)
    wide = types.int32 if isinstance(number, types.Integer) else number
    paired = channels == 1 and dtype == "uint8" and sys.byteorder == "little"
    four, six = wide(4), wide(6)

    def work(begin, end, slot, block):
        rows, places, weights = pointer(block[3], types.int64), pointer(block[4], types.int64), block[5]
        H, W, pitch = block[6], block[7], block[10]
        C = channels if channels > 0 else block[11]
        scratch = (block[2] + _LINE - 1) // _LINE * _LINE + slot * pitch
        table, line = pointer(scratch, types.int64), pointer(scratch + _LINE, sum_type)
        for task in range(begin, end):
            image, h = block[0] + task // H * H * W * C * size, task % H
            for s in range(3):
                table[s] = image + rows[3 * h + s] * W * C * size
            for odd in range(2):
                # Of the rows above, at and below 1, 6, 1; of the rows at and below 4, 4.
                sums(
                    scratch + 8 * odd,
                    weights + 3 * odd * sum_size,
                    3 - odd,
                    0,
                    scratch + _LINE + C * sum_size,
                    0,
                    W * C,
                )
                _pad(line, W, 1, C, places)
                target = block[1] + (2 * task + odd) * 2 * W * C * size
                if paired:
                    y = pointer(target, types.uint16)
                    for w in range(W):
                        here, behind = np.int32(read(line, w + 1)), np.int32(read(line, w + 2))
                        at = np.int32(np.int32(np.int32(read(line, w)) + behind) + np.int32(six * here))
                        between = np.int32(four * np.int32(here + behind))
                        write(
                            y, w, np.uint16(np.int32(finish(at)) | np.int32(np.int32(finish(between)) << np.int32(8)))
                        )
                else:
                    z = pointer(target, number)
                    for w in range(W):
                        for c in range(C):
                            k = w * C + c
                            here, behind = wide(read(line, k + C)), wide(read(line, k + 2 * C))
                            at = wide(wide(wide(read(line, k)) + behind) + wide(six * here))
                            write(z, 2 * w * C + c, finish(at))
                            write(z, (2 * w + 1) * C + c, finish(wide(four * wide(here + behind))))

    return work


def _build(g: "Pyramid", worker: Any, weights: list[int], pixels: int, rows: np.ndarray, places: np.ndarray) -> Run:
    from . import SUMS

    total = np.dtype(SUMS[g.dtype.name])
    line = (g.w + 2 * pixels + 2) * g.c  # two more: what is read in pairs may go beyond the last pixel
    pitch = (_LINE + line * total.itemsize + 2 * _LINE - 1) // _LINE * _LINE
    (_, p, q, _), _ = g.outputs[0]
    tables = {3: rows.astype(np.int64), 4: places.astype(np.int64), 5: np.array(weights, total)}
    template = Template(3, (0, 0, 0, g.h, g.w, p, q, pitch, g.c), tables)
    address = worker.address(g.dtype.name, total.name, g.c if g.c in _CONSTANT else 0)
    tasks = g.n * min(p, g.h)
    numbers = max(g.h * g.w, p * q) * g.n * g.c

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if numbers:
            scratch = empty((num_threads() * pitch + _LINE,), np.dtype(np.uint8))
            block = template.filled(arrays[0], outputs[0], scratch)
            launch(address, tasks, addressof(block), _NS_PER_NUMBER * numbers)

    return run


def _places(positions: Any, n: int, mode: int) -> np.ndarray:
    return np.array([border(int(i), n, mode) for i in positions] if n else [], np.int64)


def build(g: "Pyramid") -> Run:
    """One task for each row of the smaller image."""
    rows = _places((2 * np.arange((g.h + 1) // 2)[:, None] + np.arange(-2, 3)).ravel(), g.h, g.border)
    return _build(g, _down, [1, 4, 6, 4, 1], 2, rows, _places((-2, -1, g.w, g.w + 1), g.w, g.border))


def build_up(g: "Pyramid") -> Run:
    """One task for each row of the image: two rows of the larger one."""
    # Pixels are the even positions of an image twice as large, which is mirrored.
    rows = _places((2 * np.arange(g.h)[:, None] + np.arange(-2, 3, 2)).ravel(), 2 * g.h, g.border) // 2
    return _build(g, _up, [1, 6, 1, 4, 4], 1, rows, _places((-2, 2 * g.w), 2 * g.w, g.border) // 2)
