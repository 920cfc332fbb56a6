"""Weights rearranged for the micro-kernel: the operand B, in blocks of columns.

The micro-kernel reads B as a stream, so weights are copied once per call into blocks as wide as its widest tile::

    packed[block][tap][channel][0 : width]        (rows of a block: every tap's channels, in the order they are read)

The last block is narrower, rounded up to whole vectors, its extra columns zero. Taps follow a table, so that the
flipped and strided taps of input gradients need no other code; which of the weight's two channel axes becomes the
columns is a matter of strides.
"""

from collections.abc import Sequence
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32, float64
from numba.extending import register_jitable

from .blocks import Template, address_of
from .compile import kernel
from .memory import empty
from .microkernel import block_columns
from .pointers import pointer
from .processor import lanes
from .threads import launch
from .transpose import transpose_square


def padded_columns(columns: int, itemsize: int) -> int:
    """``columns`` rounded up to whole vectors."""
    width = lanes(itemsize)
    return -(-columns // width) * width


def transpose_all(itemsize: int) -> Any:
    """A matrix ``(columns, channels)`` turned into rows of whole vectors, for a worker: ``target[channel][column]``.

    The last columns of a row are zeros. There must be a vector of channels or more.
    """
    width, dtype = lanes(itemsize), float32 if itemsize == 4 else float64

    @register_jitable
    def transpose_all(source, column_stride, channels, columns, target, target_row):
        whole = columns // width * width
        for k in range(0, whole, width):
            for c in range(0, channels, width):
                at = min(c, channels - width)
                transpose_square(
                    itemsize, source + (k * column_stride + at) * itemsize, column_stride,
                    target + (at * target_row + k) * itemsize, target_row,
                )  # fmt: skip
        if whole < columns:
            numbers, turned = pointer(source, dtype), pointer(target, dtype)
            for k in range(whole, columns):
                for c in range(channels):
                    turned[c * target_row + k] = numbers[k * column_stride + c]
            for c in range(channels):
                for k in range(columns, whole + width):
                    turned[c * target_row + k] = 0

    return transpose_all


@kernel()
def pack(itemsize: int) -> Any:
    """Task: one tap of one block of columns of one group.

    block = packed, w, address of the taps' offsets, taps, channels, columns, channel stride, column stride,
    blocks a group, group stride in w, group stride in packed
    """
    dtype = float32 if itemsize == 4 else float64
    widest, width = block_columns(itemsize), lanes(itemsize)
    transpose_tap = transpose_all(itemsize)

    def pack(begin, end, slot, block):
        packed, w, offsets = pointer(block[0], dtype), pointer(block[1], dtype), block[2]
        taps, channels, columns, channel_stride, column_stride = block[3], block[4], block[5], block[6], block[7]
        blocks, w_group, packed_group = block[8], block[9], block[10]
        for task in range(begin, end):
            tap = task % taps
            first = task // taps % blocks * widest
            group = task // (taps * blocks)
            here = min(columns - first, widest)
            padded = (here + width - 1) // width * width
            source = group * w_group + pointer(offsets, np.int64)[tap] + first * column_stride
            target = group * packed_group + first * taps * channels + tap * channels * padded
            if column_stride == 1:
                for c in range(channels):
                    for k in range(here):
                        packed[target + c * padded + k] = w[source + c * channel_stride + k]
            elif channel_stride == 1 and channels >= width:
                transpose_tap(
                    block[1] + source * itemsize, column_stride, channels, here, block[0] + target * itemsize, padded
                )
            else:
                # Squares of numbers are turned in registers; what they leave over goes one number at a time.
                square_k, square_c = 0, 0
                if channel_stride == 1:
                    square_k, square_c = here // width * width, channels // width * width
                for k in range(0, square_k, width):
                    for c in range(0, square_c, width):
                        transpose_square(
                            itemsize, block[1] + (source + c + k * column_stride) * itemsize, column_stride,
                            block[0] + (target + c * padded + k) * itemsize, padded,
                        )  # fmt: skip
                for k in range(here):
                    for c in range(square_c if k < square_k else 0, channels):
                        packed[target + c * padded + k] = w[source + c * channel_stride + k * column_stride]
            for c in range(channels):
                for k in range(here, padded):
                    packed[target + c * padded + k] = 0

    return pack


class Packing:
    """How one weight array is packed: the taps in reading order and the roles of its channel axes.

    Parameters
    ----------
    itemsize
        Of the weight's numbers.
    offsets
        Elements from the weight's start to each tap, in the order in which taps are read.
    channels, columns, channel_stride, column_stride
        The rows of each tap and the columns of B, and how far apart they lie in the weight.
    groups, group_stride
        Groups and how far apart they lie in the weight.
    """

    def __init__(
        self,
        itemsize: int,
        offsets: Sequence[int],
        channels: int,
        columns: int,
        channel_stride: int,
        column_stride: int,
        groups: int = 1,
        group_stride: int = 0,
    ) -> None:
        self.itemsize, self.groups = itemsize, groups
        self.offsets = np.array(offsets, np.int64)
        taps, blocks = len(offsets), -(-columns // block_columns(itemsize))
        self.group_size = taps * channels * padded_columns(columns, itemsize)
        self.tasks = taps * blocks * groups
        sizes = [taps, channels, columns, channel_stride, column_stride, blocks, group_stride, self.group_size]
        self.template = Template(2, [self.offsets.ctypes.data, *sizes])
        self.worker = pack.address(itemsize)

    @property
    def size(self) -> int:
        """Elements of the packed weight."""
        return self.groups * self.group_size

    def run(self, w: np.ndarray, packed: np.ndarray, at: int) -> None:
        """Pack ``w`` into ``packed[at:]``."""
        block = self.template.filled(None, w)
        block[0] = address_of(packed) + at * self.itemsize
        launch(self.worker, self.tasks, addressof(block), self.size * 1.0)


def pack_all(packings: Sequence[Packing], w: np.ndarray) -> np.ndarray:
    """Pack ``w`` in each way, one after the other, into one new array."""
    packed = empty((sum(packing.size for packing in packings),), w.dtype)
    at = 0
    for packing in packings:
        packing.run(w, packed, at)
        at += packing.size
    return packed
