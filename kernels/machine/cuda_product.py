"""Tiles of cuda_product.cuh: how much of a product a block and a thread compute, and what that takes."""

from typing import NamedTuple

import numpy as np

TILE_K = 8


class Tile(NamedTuple):
    """Results of a block, and of each of its threads; the fields are the macros of cuda_product.cuh."""

    m: int
    n: int
    thread_m: int
    thread_n: int

    @property
    def threads(self) -> int:
        return self.m // self.thread_m * self.n // self.thread_n

    def shared_bytes(self, dtype: np.dtype) -> int:
        """Two buffers of both factors' numbers, with 4 of nothing behind each row."""
        return 2 * TILE_K * (self.m + self.n + 8) * dtype.itemsize

    def macros(self, dtype: np.dtype) -> tuple[tuple[str, int], ...]:
        names = ("TILE_M", "TILE_N", "THREAD_M", "THREAD_N")
        return (*zip(names, self, strict=True), ("DOUBLE", int(dtype == np.float64)))

    def label(self, dtype: np.dtype) -> str:
        """For a kernel's name."""
        return f"{dtype.name}_{self.m}x{self.n}"


LARGE, MIDDLE, TALL, WIDE = TILES = Tile(128, 128, 8, 8), Tile(64, 64, 4, 4), Tile(256, 8, 4, 2), Tile(8, 256, 2, 4)
_ENOUGH_BLOCKS = 132  # one for each multiprocessor of a large GPU


def tile_for(m: int, n: int, dtype: np.dtype, products: int = 1) -> Tile:
    """The tile for so many products (groups, say) of m x n results: narrow where they are, large where many are.

    Float64 takes twice as many registers for a result, and no large tile.
    """
    if n <= TALL.n < m:
        return TALL
    if m <= WIDE.m < n:
        return WIDE
    blocks = products * -(-m // LARGE.m) * -(-n // LARGE.n)
    return LARGE if dtype == np.float32 and min(m, n) > MIDDLE.n and blocks >= _ENOUGH_BLOCKS else MIDDLE
