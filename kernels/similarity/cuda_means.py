"""The last launch of means over images on CUDA: the host side of cuda_means.cu, which holds the idea."""

import functools
from pathlib import Path

import numpy as np

from ..machine import cuda

_SOURCE = Path(__file__).with_suffix(".cu")
THREADS = 128


def _arguments(sums: int) -> np.dtype:
    """As struct Arguments in cuda_means.cu."""
    return np.dtype(
        [("parts", np.uint64), ("y", np.uint64, (sums,)), ("counts", np.float64, (sums,)), ("blocks", np.int64)]
    )


@functools.cache
def means_kernel(sums: int) -> cuda.Kernel:
    """The kernel that adds parts of so many sums."""
    return cuda.Kernel(_SOURCE, f"means_x{sums}", THREADS, _arguments(sums), (("THREADS", THREADS), ("SUMS", sums)))


def means_stage(n: int, blocks: int, *counts: int) -> cuda.Stage:
    """The launch that adds parts (n, blocks, sums), and divides each of the sums by its count."""
    sums = len(counts)
    prepared = np.zeros(1, _arguments(sums))
    prepared["counts"], prepared["blocks"] = counts, blocks
    return cuda.Stage(means_kernel(sums), (n, 1, 1), sums * THREADS // 32 * 8, prepared)
