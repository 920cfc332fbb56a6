"""Weights rounded to bfloat16 for tensor cores: the host side of cuda_round_bf16.cu."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256
_PIECE = 8  # numbers in 16 bytes

# As struct Arguments in cuda_round_bf16.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("from", "to", "pieces")] + [("width", np.int32), ("row_pieces", np.int32)]
)


@functools.cache
def rounding_kernel() -> cuda.Kernel:
    """The kernel of cuda_round_bf16.cu."""
    return cuda.Kernel(_SOURCE, "round_bf16", _THREADS, ARGUMENTS, (("THREADS", _THREADS),), cuda.TENSOR_CORES)


def padded(width: int) -> int:
    """The length that rows of so many numbers are padded to."""
    return -(-width // _PIECE) * _PIECE


class Rounding:
    """The launch that rounds an array of ``rows`` rows, each of ``width`` numbers, a multiple of 4."""

    def __init__(self, rows: int, width: int) -> None:
        self.shape = (rows, padded(width))
        pieces = rows * self.shape[1] // _PIECE
        prepared = np.zeros(1, ARGUMENTS)
        prepared["pieces"], prepared["width"], prepared["row_pieces"] = pieces, width, self.shape[1] // _PIECE
        self.stage = cuda.Stage(rounding_kernel(), (-(-pieces // _THREADS), 1, 1), 0, prepared)

    def run(self, numbers: Any) -> Any:
        """The bits of the rounded numbers, uint16."""
        rounded = new_like(numbers, self.shape, np.dtype(np.uint16))
        self.stage.run([numbers], [rounded])
        return rounded
