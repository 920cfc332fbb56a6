"""Weights rearranged for the micro-kernel: the operand B, in blocks of columns.

The micro-kernel reads B as a stream, so weights are copied once per call into blocks as wide as its widest tile::

    packed[block][tap][channel][0 : width]        (rows of a block: every tap's channels, in the order they are read)

The last block is narrower, rounded up to whole vectors, its extra columns zero. Taps follow a table, so that the
flipped and strided taps of input gradients need no other code; which of the weight's two channel axes becomes the
columns is a matter of strides.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import float32, float64

from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import block_columns
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import block_of, launch_at


def padded_columns(columns: int, itemsize: int) -> int:
    """``columns`` rounded up to whole vectors."""
    width = lanes(itemsize)
    return -(-columns // width) * width


@kernel()
def pack(itemsize: int) -> Any:
    """Task: one tap of one block of columns of one group.

    block = packed, w, taps' offsets (address of int64), taps, channels, columns, channel stride, column stride,
    blocks a group, group stride in w, group stride in packed
    """
    dtype = float32 if itemsize == 4 else float64
    widest, width = block_columns(itemsize), lanes(itemsize)

    def pack(begin, end, slot, block):  # type: ignore[no-untyped-def]
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
            else:
                for k in range(here):
                    for c in range(channels):
                        packed[target + c * padded + k] = w[source + c * channel_stride + k * column_stride]
            for c in range(channels):
                for k in range(here, padded):
                    packed[target + c * padded + k] = 0

    return pack


class Packing(NamedTuple):
    """How one weight array is packed: the taps in reading order and the roles of its channel axes."""

    itemsize: int
    offsets: np.ndarray  # elements from the weight's start to each tap, int64
    channels: int
    columns: int
    channel_stride: int
    column_stride: int
    groups: int
    group_stride: int

    @property
    def rows(self) -> int:
        return len(self.offsets) * self.channels

    @property
    def group_size(self) -> int:
        """Elements of one packed group."""
        return self.rows * padded_columns(self.columns, self.itemsize)

    def run(self, w: np.ndarray, packed: np.ndarray, at: int = 0) -> None:
        """Pack ``w`` into ``packed[at:]``."""
        if not self.rows:
            return
        blocks = -(-self.columns // block_columns(self.itemsize))
        words = block_of(
            (
                packed.ctypes.data + at * self.itemsize, w.ctypes.data, self.offsets.ctypes.data, len(self.offsets),
                self.channels, self.columns, self.channel_stride, self.column_stride, blocks, self.group_stride,
                self.group_size,
            )
        )  # fmt: skip
        tasks = len(self.offsets) * blocks * self.groups
        launch_at(pack.address(self.itemsize), tasks, words.ctypes.data, self.groups * self.group_size * 1.0)


def pack_all(packings: "list[Packing]", w: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Pack ``w`` in each way into one new array; also where each starts."""
    starts, size = [], 0
    for packing in packings:
        starts.append(size)
        size += packing.groups * packing.group_size
    packed = empty((size,), w.dtype)
    for packing, start in zip(packings, starts, strict=True):
        packing.run(w, packed, start)
    return packed, starts
