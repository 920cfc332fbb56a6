"""The checked geometry of a passage through JPEG."""

from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec

SUBSAMPLING = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}
"""How many pixels, across and down, share a sample of chroma."""

# ITU-T T.81, annex K, tables K.1 and K.2: what luma and chroma are divided by at quality 50, row by row.
LUMA = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
CHROMA = """
17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99
"""


class JPEGGeometry(NamedTuple):
    """Images (N, H, W, C) of a type, the tables that frequencies are divided by, and chroma's subsampling."""

    n: int
    h: int
    w: int
    c: int
    dtype: np.dtype
    quality: int
    across: int
    down: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in whole blocks."""
        side, front = 8 * self.down, 8 * self.across
        return -(-self.h // side) * side, -(-self.w // front) * front

    @property
    def pixels(self) -> int:
        return self.n * self.h * self.w

    @property
    def samples(self) -> float:
        """Of all planes."""
        return self.pixels * (1 + (self.c - 1) / (self.across * self.down))

    @property
    def flops(self) -> float:
        """Four passes of a transform take some 200 operations for 8 samples; colours, there and back, 30 a pixel."""
        return 25.0 * self.samples + (30.0 * self.pixels if self.c > 1 else 0)

    @property
    def bytes_moved(self) -> float:
        """Bytes of x and y, each once."""
        return 2.0 * self.pixels * self.c * self.dtype.itemsize

    @property
    def tables(self) -> np.ndarray:
        """(2, 8, 8) int64, for luma and for chroma, as libjpeg scales them."""
        scale = 5000 // self.quality if self.quality < 50 else 200 - 2 * self.quality
        found = np.array([[int(entry) for entry in table.split()] for table in (LUMA, CHROMA)])
        return np.clip((found * scale + 50) // 100, 1, 255).reshape(2, 8, 8)

    @property
    def scale(self) -> Any:
        """How many levels are one: a number of the type to compute in."""
        return np.float32(1) if self.dtype == np.uint8 else self.dtype.type(255)

    @property
    def constants(self) -> tuple[Any, ...]:
        return self.tables, (self.n, self.h, self.w, self.c), self.across, self.down, self.scale


def jpeg_geometry(x: Spec, quality: Any, subsampling: Any) -> JPEGGeometry:
    """The geometry of ``jpeg``."""
    if x.dtype not in (np.uint8, np.float32, np.float64):
        raise TypeError(f"jpeg: x expects uint8, float32 or float64 but got {x.dtype}")
    if len(x.shape) != 4 or x.shape[3] not in (1, 3):
        raise ValueError(f"jpeg: x expects (N, H, W, C) with C = 1 or 3 but got shape {x.shape}")
    if isinstance(quality, bool) or not isinstance(quality, int | np.integer):
        raise TypeError(f"jpeg: quality expects an integer but got {quality!r}")
    if not 1 <= quality <= 100:
        raise ValueError(f"jpeg: quality expects 1 to 100 but got {quality}")
    if not isinstance(subsampling, str) or subsampling not in SUBSAMPLING:
        raise ValueError(f"jpeg: subsampling expects one of {', '.join(SUBSAMPLING)} but got {subsampling!r}")
    n, h, w, c = x.shape
    across, down = SUBSAMPLING[subsampling] if c > 1 else (1, 1)
    return JPEGGeometry(n, h, w, c, x.dtype, int(quality), across, down, ((x.shape, x.dtype),))
