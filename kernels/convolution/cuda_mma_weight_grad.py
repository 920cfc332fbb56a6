"""conv2d_weight_grad, "mma" and its kin on CUDA: the host side of cuda_mma_weight_grad.cu, which holds the idea.

Two launches: blocks sum over parts of the pixels, then cuda_sum_partials.cu adds the parts in their order. Into how
many parts is decided by shapes alone, so that results depend on nothing else.
"""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..activation.epilogue import CODES
from ..arrays import new_like
from ..linear.cuda_sum_partials import adding, parts_of
from ..machine import cuda
from ..operation import Run
from .geometry import ConvGeometry

_SOURCE = Path(__file__).with_suffix(".cu")
_STRIP = (4, 8)  # pixels of gy that are multiplied between two barriers
_LARGEST_KERNEL = 5  # accumulators for a row of taps must fit a thread's registers
_BLOCKS = 264  # two for each multiprocessor of a large GPU; more parts are more partial sums to read again
_LEAST_STRIPS = 8  # of a part: 256 pixels

# As struct Arguments in cuda_mma_weight_grad.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("gy", "x", "mean", "affine", "partials")]
    + [(name, np.int32) for name in ("N", "H", "W", "C", "K", "R", "P", "Q", "top", "left", "strips")]
    + [("negative_slope", np.float32)],
    align=True,
)


class Tile(NamedTuple):
    """Output and input channels of one block's piece of the gradient, and of the piece that one warp computes."""

    out: int
    into: int
    warp_out: int
    warp_into: int

    @property
    def threads(self) -> int:
        return 32 * (self.out // self.warp_out) * (self.into // self.warp_into)

    def shared_bytes(self, taps: int, stride: int) -> int:
        """Two strips of gy and x: one in use, the other on its way."""
        rows, columns = _STRIP
        gy = rows * columns * (self.out + 8)
        x = rows * ((columns - 1) * stride + taps) * (self.into + 8 // stride)
        return 2 * 4 * (gy + x)


WIDE = Tile(64, 64, 32, 32)
NARROW = Tile(64, 32, 32, 16)  # 32 input channels or fewer, or more than three taps in a row
TILES = (WIDE, NARROW)


def tile_for(g: ConvGeometry) -> Tile:
    """The tile that wastes least of these channels and has registers for a row of taps."""
    return NARROW if g.c <= NARROW.into or g.s > 3 else WIDE


class Reading(NamedTuple):
    """How x and gy are read: one of them, or None, through a normalisation and the activation behind it."""

    normalized: str | None = None
    activation: str | None = None
    negative_slope: float = 0.0
    stored: bool = False  # as bfloat16


_AS_THEY_LIE = Reading()


@functools.cache
def kernel_for(
    tile: Tile,
    taps: int,
    stride: int,
    *,
    bf16: bool = False,
    split: bool = False,
    normalized: str | None = None,
    stored: bool = False,
    activation: str | None = None,
) -> cuda.Kernel:
    """The kernel of cuda_mma_weight_grad.cu for one tile, a row of taps, a stride, a type of products and a reading."""
    names = ("TILE_OUT", "TILE_IN", "WARP_OUT", "WARP_IN", "TAPS", "STRIDE", "BF16", "SPLIT")
    reading = (
        ("NORMALIZED", (None, "x", "gy").index(normalized)),
        ("STORED", int(stored)),
        ("ACTIVATION", CODES[activation]),
    )
    macros = (*zip(names, (*tile, taps, stride, int(bf16), int(split)), strict=True), *reading)
    operation = "conv2d_weight_grad"
    if normalized:
        operation += f"_{normalized}_normalized_{activation or 'linear'}{'_stored' if stored else ''}"
    products = "bf16" if bf16 else "3xtf32" if split else "tf32"
    name = f"{operation}_mma_{products}_{tile.out}x{tile.into}_taps{taps}_stride{stride}"
    return cuda.Kernel(_SOURCE, name, tile.threads, ARGUMENTS, macros, cuda.TENSOR_CORES)


def rejects(geometry: ConvGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    g = geometry
    if g.dtype != np.float32:
        return f"takes float32 but got {g.dtype}"
    if g.stride not in ((1, 1), (2, 2)) or g.dilation != (1, 1) or g.groups != 1:
        got = f"stride {g.stride}, dilation {g.dilation}, groups {g.groups}"
        return f"takes stride 1 or 2, dilation 1 and groups 1 but got {got}"
    if g.s > _LARGEST_KERNEL:
        return f"takes kernels up to {_LARGEST_KERNEL} wide but got {g.r} x {g.s}"
    if g.c % 4 or g.k % 4:
        got = f"got C_in = {g.c}, C_out = {g.k}"
        return f"takes C_in and C_out that are multiples of 4 (16-byte copies) but {got}"
    return None


def build(geometry: ConvGeometry) -> Run:
    """Prepare both launches: everything but the addresses."""
    return prepare(geometry)


def build_bf16(geometry: ConvGeometry) -> Run:
    """As `build`, with bfloat16 products."""
    return prepare(geometry, bf16=True)


def build_3xtf32(geometry: ConvGeometry) -> Run:
    """As `build`, with float32 products."""
    return prepare(geometry, split=True)


def prepare(g: ConvGeometry, *, bf16: bool = False, split: bool = False, reading: Reading = _AS_THEY_LIE) -> Run:
    """Prepare both launches for gy and x and, where one is normalised, mean and affine."""
    tile, stride = tile_for(g), g.stride[0]
    through = {"normalized": reading.normalized, "activation": reading.activation}
    kernel = kernel_for(tile, g.s, stride, bf16=bf16, split=split, stored=reading.stored, **through)
    shared_bytes = tile.shared_bytes(g.s, stride)
    pieces = -(-g.k // tile.out) * -(-g.c // tile.into)
    strips = g.n * -(-g.p // _STRIP[0]) * -(-g.q // _STRIP[1])
    parts, each = parts_of(strips, _BLOCKS // (pieces * g.r), _LEAST_STRIPS)
    prepared = np.zeros(1, ARGUMENTS)
    names = ["N", "H", "W", "C", "K", "R", "P", "Q", "top", "left", "strips"]
    prepared[names] = (g.n, g.h, g.w, g.c, g.k, g.r, g.p, g.q, g.pads[0], g.pads[2], each)
    prepared["negative_slope"] = reading.negative_slope
    count = g.k * g.r * g.s * g.c
    multiplying = cuda.Stage(kernel, (parts, pieces, g.r), shared_bytes, prepared)
    summing = adding(count, parts, g.dtype)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gw,), (gy, x, mean, affine) = outputs, arrays if reading.normalized else (*arrays, None, None)
        partials = gw if parts == 1 else new_like(gw, (parts, count), np.float32)
        multiplying.run([gy, x, mean, affine], [partials])
        if parts > 1:
            summing.run([partials, None], outputs)

    return cuda.aligning(run)
