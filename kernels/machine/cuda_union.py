"""The host side of cuda_union.cuh: tiles and seams of images whose pixels are joined.

Takes images of one or two axes, of less than 2^31 pixels where lines count as multiples of 64, in less than 2^31 tiles.
"""

from typing import Any

import numpy as np

from . import cuda

THREADS, TALL, WIDE = 256, 32, 64
SHARED_BYTES = TALL * WIDE * 4
UNION = np.dtype(
    [(name, cuda.DIVISOR) for name in ("across", "down", "pieces", "chunks", "columns", "rows")]
    + [("pixels", np.int64)]
    + [(name, np.int32) for name in ("height", "width", "connectivity", "unused")]
)
"""As struct Union in cuda_union.cuh."""

Grid = tuple[int, int, int]


def reason_against(n: int, h: int, w: int) -> str | None:
    """Why images are too large, or None."""
    across, down = _tiles(h, w)
    if h * across * WIDE >= 1 << 31:
        return f"takes less than 2^31 pixels, in lines of multiples of {WIDE}, but got {h} lines of {w}"
    if n * across * down >= 1 << 31:
        return f"takes less than 2^31 tiles of {TALL} x {WIDE} but got {n} images of {h} x {w}"
    return None


def union(h: int, w: int, connectivity: int) -> tuple[Any, ...]:
    """Images of (h, w) pixels, at least one; as `UNION`."""
    across, down = _tiles(h, w)
    numbers = (across, down, max(1, _pieces(h, w)), _chunks(h, w), w, h)
    return (*map(cuda.divisor, numbers), h * w, h, w, connectivity, 0)


def tiles(n: int, h: int, w: int) -> Grid:
    """A block for each tile."""
    across, down = _tiles(h, w)
    return n * across * down, 1, 1


def seams(n: int, h: int, w: int) -> Grid:
    """A thread for each pixel behind a seam; no block where an image is one tile."""
    return n * _pieces(h, w), 1, 1


def chunks(n: int, h: int, w: int) -> Grid:
    """Blocks that go over all pixels, each over as many as a tile has."""
    return n * _chunks(h, w), 1, 1


def _tiles(h: int, w: int) -> tuple[int, int]:
    """Tiles of a line, and of a column."""
    return -(-w // WIDE), -(-h // TALL)


def _pieces(h: int, w: int) -> int:
    across, down = _tiles(h, w)
    return -(-((down - 1) * w + (across - 1) * h) // THREADS)


def _chunks(h: int, w: int) -> int:
    return -(-h * w // (TALL * WIDE))
