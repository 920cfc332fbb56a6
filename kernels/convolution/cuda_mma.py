"""conv2d and its input gradient, "mma" and its kin on CUDA: the host side of cuda_mma.cu, which holds the idea.

Factors are rounded to tf32 (10 bits of mantissa), about 1e-3 relative where float32 gives 1e-6, or to bfloat16 (7
bits), about 8e-3; "mma_3xtf32" takes each apart into two of tf32, which leaves 5e-7. So the variants run only when they
are named, or where `precision` allows their products.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..activation.epilogue import CODES
from ..machine import cuda
from ..normalization.geometry import Normalization
from ..operation import Run
from .cuda_round_bf16 import Rounding
from .geometry import ConvGeometry

_SOURCE = Path(__file__).with_suffix(".cu")
_CHUNK = 32  # channels of a pixel in shared memory
_LARGEST_KERNEL = 5  # of one phase: two halo tiles must leave room for the weights in sm_86's 99 KB


def _arguments(*pointers: str) -> np.dtype:
    """As struct Arguments in cuda_mma.cu."""
    integers = ("N", "H", "W", "C", "K", "R", "S", "P", "Q", "top", "left", "w_row", "activation")
    fields = [*((name, np.uint64) for name in pointers), *((name, np.int32) for name in integers)]
    return np.dtype([*fields, ("negative_slope", np.float32), ("x_negative_slope", np.float32)], align=True)


_READ = ("x", "w", "bias", "x_mean", "x_affine")
ARGUMENTS = _arguments(*_READ, "y", "moments")
SUMS_ARGUMENTS = _arguments(*_READ, "z", "mean", "inverse_std", "affine", "y", "parts")


class Tile(NamedTuple):
    """The output tile of one block, and the piece of it that one warp computes."""

    rows: int
    columns: int
    channels: int
    warp_pixels: int
    warp_channels: int

    @property
    def threads(self) -> int:
        return 32 * (self.rows * self.columns // self.warp_pixels) * (self.channels // self.warp_channels)

    def shared_bytes(
        self, r: int, s: int, stride: int = 1, *, input_gradient: bool = False, bf16: bool = False, stored: bool = False
    ) -> int:
        """Two halo tiles and two taps' weights, one of each in use; bfloat16 ones are half as large, but for the next.

        That one arrives in float32, or as bfloat16 where x is stored so.
        """
        halo = (self.rows + -(-r // stride) - 1) * (self.columns + -(-s // stride) - 1) * _CHUNK
        weights = (self.channels + (8 if input_gradient else 0)) * _CHUNK
        return 2 * 2 * (halo + weights) + (2 if stored else 4) * halo if bf16 else 2 * 4 * (halo + weights)


WIDE = Tile(8, 16, 64, 64, 32)
NARROW = Tile(8, 16, 32, 32, 32)  # 32 output channels or fewer
SMALL = Tile(8, 8, 64, 32, 32)  # images of 8 x 8 and less
TILES = (WIDE, NARROW, SMALL)


class _Call(NamedTuple):
    """What the kernel reads (H x W pixels of C channels) and writes (P x Q of K): x and y, or gy and the gradient."""

    n: int
    h: int
    w: int
    c: int
    k: int
    r: int
    s: int
    p: int
    q: int
    top: int
    left: int


def _call(g: ConvGeometry, *, input_gradient: bool) -> _Call:
    if input_gradient:
        return _Call(g.n, g.p, g.q, g.k, g.c, g.r, g.s, g.h, g.w, g.pads[0], g.pads[2])
    return _Call(g.n, g.h, g.w, g.c, g.k, g.r, g.s, g.p, g.q, g.pads[0], g.pads[2])


def tile_for(p: int, q: int, k: int) -> Tile:
    """The tile that wastes least of P x Q pixels of K channels."""
    if k <= NARROW.channels:
        return NARROW
    return SMALL if p * q <= SMALL.rows * SMALL.columns else WIDE


@functools.cache
def kernel_for(
    tile: Tile,
    stride: int = 1,
    *,
    input_gradient: bool = False,
    bf16: bool = False,
    split: bool = False,
    moments: bool = False,
    sums: bool = False,
    normalized: bool = False,
    x_stored: bool = False,
    z_stored: bool = False,
    activation: str | None = None,
) -> cuda.Kernel:
    """The kernel of cuda_mma.cu for one tile, stride, type of products, beginning and end.

    Factors are rounded to tf32, or to bfloat16, or ``split`` into two of tf32 each. What is read through a
    normalisation, x, and what will be, z, may be stored as bfloat16. The activation is that of the block before, of
    which ``normalized`` needs the values and ``sums`` the derivative; that of the result is told at the launch.
    """
    names = ("TILE_ROWS", "TILE_COLUMNS", "TILE_CHANNELS", "WARP_PIXELS", "WARP_CHANNELS")
    choices = (
        ("INPUT_GRADIENT", int(input_gradient)),
        ("BF16", int(bf16)),
        ("SPLIT", int(split)),
        ("STRIDE", stride),
        ("MOMENTS", int(moments)),
        ("SUMS", int(sums)),
        ("NORMALIZED", int(normalized)),
        ("X_STORED", int(x_stored)),
        ("Z_STORED", int(z_stored)),
        ("ACTIVATION", CODES[activation]),
    )
    ends = (
        ("_moments", moments), ("_of_normalized", normalized), ("_sums", sums),
        ("_x_stored", x_stored), ("_z_stored", z_stored),
    )  # fmt: skip
    parts = ["_input_grad" if input_gradient else "", *(end for end, wanted in ends if wanted)]
    operation = f"conv2d{''.join(parts)}" + (f"_{activation or 'linear'}" if normalized or sums else "")
    products = "bf16" if bf16 else "3xtf32" if split else "tf32"
    name = f"{operation}_mma_{products}_{tile.rows}x{tile.columns}x{tile.channels}_stride{stride}"
    arguments = SUMS_ARGUMENTS if sums else ARGUMENTS
    macros = (*zip(names, tile, strict=True), *choices)
    return cuda.Kernel(_SOURCE, name, tile.threads, arguments, macros, cuda.TENSOR_CORES)


def _rejects(g: ConvGeometry) -> str | None:
    if g.dtype != np.float32:
        return f"takes float32 but got {g.dtype}"
    if g.stride not in ((1, 1), (2, 2)) or g.dilation != (1, 1) or g.groups != 1:
        got = f"stride {g.stride}, dilation {g.dilation}, groups {g.groups}"
        return f"takes stride 1 or 2, dilation 1 and groups 1 but got {got}"
    largest = _LARGEST_KERNEL * g.stride[0]
    if max(g.r, g.s) > largest:
        return f"takes kernels up to {largest} x {largest} with stride {g.stride[0]} but got {g.r} x {g.s}"
    return None


def rejects(geometry: ConvGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    g = geometry
    if g.c % 4 or g.k % 2:
        channels = f"takes C_in a multiple of 4 (16-byte copies) and an even C_out but got C_in = {g.c}, C_out = {g.k}"
        return _rejects(g) or channels
    return _rejects(g)


def rejects_input_grad(geometry: ConvGeometry) -> str | None:
    """Why this variant cannot take an input gradient or a transposed convolution, or None."""
    g = geometry
    if g.c % 4 or g.k % 4:
        got = f"got C = {g.c}, C_out = {g.k}"
        return (
            _rejects(g) or f"takes channels of the input and of gy that are multiples of 4 (16-byte copies) but {got}"
        )
    return _rejects(g)


def build(geometry: ConvGeometry) -> Run:
    """Prepare a convolution's launch: everything but the four addresses."""
    return _build(geometry)


def build_bf16(geometry: ConvGeometry) -> Run:
    """As `build`, with bfloat16 products."""
    return _build(geometry, bf16=True)


def build_3xtf32(geometry: ConvGeometry) -> Run:
    """As `build`, with float32 products."""
    return _build(geometry, split=True)


def build_input_grad(geometry: ConvGeometry) -> Run:
    """Prepare an input gradient's launch: gy and gx take the places of x and y."""
    return _build(geometry, input_gradient=True)


def build_input_grad_bf16(geometry: ConvGeometry) -> Run:
    """As `build_input_grad`, with bfloat16 products."""
    return _build(geometry, input_gradient=True, bf16=True)


def build_input_grad_3xtf32(geometry: ConvGeometry) -> Run:
    """As `build_input_grad`, with float32 products."""
    return _build(geometry, input_gradient=True, split=True)


class Launches(NamedTuple):
    """The launch of a convolution, and the one before it that rounds its weights, or None."""

    stage: cuda.Stage
    rounding: Rounding | None

    def run(self, arrays: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Launch with the kernel's arrays, of which the second is w."""
        x, w, *rest = arrays
        self.stage.run([x, w if self.rounding is None else self.rounding.run(w), *rest], outputs)


def launches_for(
    g: ConvGeometry,
    *,
    input_gradient: bool = False,
    bf16: bool = False,
    split: bool = False,
    moments: bool = False,
    sums: bool = False,
    reading: Normalization | None = None,
    z_stored: bool = False,
) -> tuple[Launches, int]:
    """The launches for the arrays of `ARGUMENTS`, or of `SUMS_ARGUMENTS`, and into how many parts they cut the pixels.

    Of each part they leave moments or sums where these are wanted. ``x_mean`` and ``x_affine`` are those of the
    normalisation through which x is read, ``reading``, and None where it is read as it is; that says how x is stored,
    and ``z_stored`` how the result or, for sums, z is.
    """
    call, stride = _call(g, input_gradient=input_gradient), g.stride[0]
    phases = stride if input_gradient else 1  # of output pixels, along each axis
    p, q = -(-call.p // phases), -(-call.q // phases)
    tile = tile_for(p, q, call.k)
    before = reading.activation if reading else g.activation if sums else None
    kernel = kernel_for(
        tile, stride, input_gradient=input_gradient, bf16=bf16, split=split, moments=moments, sums=sums,
        normalized=reading is not None, x_stored=reading is not None and reading.stored, z_stored=z_stored,
        activation=before,
    )  # fmt: skip
    grid = (call.n * -(-p // tile.rows) * -(-q // tile.columns), -(-call.k // tile.channels), phases**2)
    stored = reading is not None and reading.stored
    shared_bytes = tile.shared_bytes(call.r, call.s, stride, input_gradient=input_gradient, bf16=bf16, stored=stored)
    w_rows, w_row = (call.c, call.k) if input_gradient else (call.k, call.c)
    rounding = Rounding(w_rows * call.r * call.s, w_row) if bf16 else None
    prepared = np.zeros(1, kernel.arguments)
    prepared[["N", "H", "W", "C", "K", "R", "S", "P", "Q", "top", "left"]] = call
    prepared["w_row"] = w_row if rounding is None else rounding.shape[1]
    prepared["activation"], prepared["negative_slope"] = CODES[g.activation], g.negative_slope
    if reading:
        prepared["x_negative_slope"] = reading.negative_slope
    parts = grid[0] * grid[2] * (tile.rows * tile.columns // tile.warp_pixels)
    return Launches(cuda.Stage(kernel, grid, shared_bytes, prepared), rounding), parts


def _build(g: ConvGeometry, *, input_gradient: bool = False, bf16: bool = False, split: bool = False) -> Run:
    launches, parts = launches_for(g, input_gradient=input_gradient, bf16=bf16, split=split)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if parts:
            launches.run([*arrays, None, None], outputs)

    return cuda.aligning(run)
