"""Tiles of cuda_product.cuh: how much of a product a block computes, how its threads share it, and what that takes."""

from typing import NamedTuple

import numpy as np

from . import cuda

PRECISIONS = ("float32", "tf32", "bfloat16", "3xtf32")
"""The places of names are the values of the macro TENSOR; float64 is computed as "float32" is."""


class Tile(NamedTuple):
    """Results of a block, and of each of its threads or, on tensor cores, of each of its warps."""

    m: int
    n: int
    part_m: int
    part_n: int
    precision: str = "float32"

    @property
    def threads(self) -> int:
        return self.m // self.part_m * (self.n // self.part_n) * (1 if self.precision == "float32" else 32)

    @property
    def least_architecture(self) -> int:
        return cuda.FIRST_ARCHITECTURE if self.precision == "float32" else cuda.TENSOR_CORES

    def shared_bytes(self, dtype: np.dtype) -> int:
        """Two buffers of both factors' numbers, with some of nothing behind each row."""
        padding, steps = (4 if self.precision == "float32" else 8), (16 if self.precision == "bfloat16" else 8)
        return 2 * steps * (self.m + self.n + 2 * padding) * dtype.itemsize

    def macros(self, dtype: np.dtype) -> tuple[tuple[str, int], ...]:
        sizes = zip(("TILE_M", "TILE_N", "PART_M", "PART_N"), self[:4], strict=True)
        return (*sizes, ("TENSOR", PRECISIONS.index(self.precision)), ("DOUBLE", int(dtype == np.float64)))

    def label(self, dtype: np.dtype) -> str:
        """For a kernel's name."""
        return f"{dtype.name if self.precision == 'float32' else self.precision}_{self.m}x{self.n}"


LARGE, MIDDLE, TALL, WIDE = TILES = Tile(128, 128, 8, 8), Tile(64, 64, 4, 4), Tile(256, 8, 4, 2), Tile(8, 256, 2, 4)
TENSOR_TILES = Tile(128, 128, 32, 64), Tile(64, 64, 16, 32), Tile(128, 8, 16, 8), Tile(16, 128, 16, 16)
_ENOUGH_BLOCKS = 132  # one for each multiprocessor of a large GPU


def tile_for(m: int, n: int, dtype: np.dtype, products: int = 1, precision: str = "float32") -> Tile:
    """The tile for so many products (groups, say) of m x n results: narrow where they are, large where many are.

    Float64 takes twice as many registers for a result, and no large tile.
    """
    large, middle, tall, wide = [tile._replace(precision=precision) for tile in tiles_of(precision)]
    if n <= tall.n < m:
        return tall
    if m <= wide.m < n:
        return wide
    blocks = products * -(-m // large.m) * -(-n // large.n)
    return large if dtype == np.float32 and min(m, n) > middle.n and blocks >= _ENOUGH_BLOCKS else middle


def tiles_of(precision: str) -> tuple[Tile, ...]:
    """The tiles of a precision: large, middle, tall and wide."""
    return TILES if precision == "float32" else TENSOR_TILES
