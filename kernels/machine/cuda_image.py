"""The host side of cuda_image.cuh: kernels whose threads have 16 bytes of the channels of one pixel, or one channel."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..operation import Run
from . import cuda

THREADS = 256
LARGE = 1 << 31  # threads, whose numbers the kernel takes apart in 64 bits

IMAGE = np.dtype([(name, cuda.DIVISOR) for name in ("rows", "columns", "groups")] + [("count", np.uint64)])
"""As struct Image in cuda_image.cuh."""


def image(shape: tuple[int, ...], vector: int) -> tuple[Any, ...]:
    """An image of at least one number, for threads of so many channels; as `IMAGE`."""
    _, h, w, c = shape
    return cuda.divisor(h), cuda.divisor(w), cuda.divisor(c // vector), math.prod(shape) // vector


def is_large(shape: tuple[int, ...], vector: int) -> bool:
    """Whether the image has more threads than 32 bits can take apart."""
    return math.prod(shape) // vector >= LARGE


def grid(shape: tuple[int, ...], vector: int) -> tuple[int, int, int]:
    """The blocks of THREADS that have all channels of an image."""
    return -(-(math.prod(shape) // vector) // THREADS), 1, 1


def by_vectors(stage: Callable[[int], cuda.Stage], channels: int, itemsize: int) -> Run:
    """A launch of ``stage(numbers in a load)``: 16 bytes where they divide the channels and all arrays begin so."""
    wide = 16 // itemsize
    stages = {vector: stage(vector) for vector in {1, 1 if channels % wide else wide}}

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        aligned = not any(cuda.address(array) % 16 for array in (*arrays, *outputs))
        stages[max(stages) if aligned else 1].run(arrays, outputs)

    return run


def nothing(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    """What there is to do for results of no numbers."""
