"""Convolutions and their gradients as products on CUDA: the host side of cuda_register.cu, which holds the idea.

"register" takes every stride, padding, dilation and number of groups, and all that has fewer than 2^31 pixels and
weights. "mma_gemm", "mma_gemm_bf16" and "mma_gemm_3xtf32" are the same on tensor cores, for float32. They fetch a pixel
for each tap, where "mma" fetches a halo once for all taps, and are there for the calls that "mma" does not take, such
as an image of one channel or three.
"""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..activation.epilogue import CODES
from ..arrays import new_like
from ..linear.cuda_sum_partials import adding, parts_of
from ..machine import cuda
from ..machine.cuda_product import PRECISIONS, Tile, tile_for
from ..operation import Run
from .geometry import ConvGeometry

_SOURCE = Path(__file__).with_suffix(".cu")
MODES = ("forward", "input_grad", "weight_grad")
_BLOCKS = 264  # of a weight gradient: two for each multiprocessor of a large GPU; more parts are more to read again
_LEAST_PIXELS = 512  # of a part
_MOST = 65535  # blocks along the second and third axis of a grid

_SIZES = ("N", "H", "W", "C", "K", "R", "S", "P", "Q", "groups")
_PLACES = ("stride_h", "stride_w", "top", "left_pad", "dilation_h", "dilation_w", "step_r", "step_s", "part")

# As struct Arguments in cuda_register.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("left", "right", "bias", "result")]
    + [("negative_slope", np.float64)]
    + [(name, np.int32) for name in ("activation", *_SIZES, *_PLACES)],
    align=True,
)


@functools.cache
def kernel_for(mode: str, tile: Tile, dtype: np.dtype) -> cuda.Kernel:
    """The kernel for one of the three passes, a tile and a type."""
    macros = (*tile.macros(dtype), ("MODE", MODES.index(mode)))
    name = f"conv2d_{mode}_{tile.label(dtype)}"
    return cuda.Kernel(_SOURCE, name, tile.threads, ARGUMENTS, macros, tile.least_architecture)


def _phase_pixels(g: ConvGeometry) -> int:
    """Pixels of the largest phase of the input gradient."""
    return g.n * -(-g.h // g.stride[0]) * -(-g.w // g.stride[1])


def _columns(g: ConvGeometry) -> int:
    """Weights of one output channel."""
    return g.r * g.s * (g.c // g.groups)


def rejects(g: ConvGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    most = max(g.n * g.p * g.q, g.n * g.h * g.w, g.r * g.s * max(g.c, g.k))
    if most >= 2**31:
        return f"takes fewer than 2^31 pixels and weights of a channel but got {most}"
    blocks = max(g.groups * g.stride[0] * g.stride[1], -(-max(_columns(g), g.c, g.k) // 8))
    return f"takes grids of at most {_MOST} blocks along an axis but needs {blocks}" if blocks > _MOST else None


def rejects_mma(g: ConvGeometry) -> str | None:
    """Why the variants on tensor cores cannot take a call, or None."""
    return rejects(g) if g.dtype == np.float32 else f"takes float32 but got {g.dtype}"


def _prepared(g: ConvGeometry, part: int = 0) -> np.ndarray:
    prepared = np.zeros(1, ARGUMENTS)
    prepared["activation"], prepared["negative_slope"] = CODES[g.activation], g.negative_slope
    sizes = (g.n, g.h, g.w, g.c, g.k, g.r, g.s, g.p, g.q, g.groups)
    steps = [stride // math.gcd(stride, dilation) for stride, dilation in zip(g.stride, g.dilation, strict=True)]
    places = (*g.stride, g.pads[0], g.pads[2], *g.dilation, *steps, part)
    for name, number in zip((*_SIZES, *_PLACES), (*sizes, *places), strict=True):
        prepared[name] = number
    return prepared


def _build(g: ConvGeometry, mode: str, precision: str, rows: int, columns: int, products: int) -> Run:
    """Prepare one launch that computes the result."""
    tile = tile_for(rows, columns, g.dtype, products, precision)
    grid = (-(-rows // tile.m), -(-columns // tile.n), products)
    stage = cuda.Stage(kernel_for(mode, tile, g.dtype), grid, tile.shared_bytes(g.dtype), _prepared(g))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if grid[0] * grid[1]:
            stage.run(arrays, outputs)

    return run


def build(g: ConvGeometry, precision: str = "float32") -> Run:
    """Prepare the launch of a convolution."""
    return _build(g, "forward", precision, g.n * g.p * g.q, g.k // g.groups, g.groups)


def build_input_grad(g: ConvGeometry, precision: str = "float32") -> Run:
    """Prepare the launch of an input gradient or a transposed convolution: a product for each phase and group."""
    return _build(g, "input_grad", precision, _phase_pixels(g), g.c // g.groups, g.groups * g.stride[0] * g.stride[1])


def build_weight_grad(g: ConvGeometry, precision: str = "float32") -> Run:
    """Prepare both launches of a weight gradient: sums over parts of the pixels, and their sum."""
    rows, columns, count = g.k // g.groups, _columns(g), g.k * _columns(g)
    tile = tile_for(rows, columns, g.dtype, g.groups, precision)
    grid = (-(-rows // tile.m), -(-columns // tile.n))
    wanted = min(max(1, _BLOCKS // (grid[0] * grid[1] * g.groups)), _MOST // g.groups)
    parts, each = parts_of(g.n * g.p * g.q, wanted, _LEAST_PIXELS)
    kernel = kernel_for("weight_grad", tile, g.dtype)
    multiplying = cuda.Stage(kernel, (*grid, parts * g.groups), tile.shared_bytes(g.dtype), _prepared(g, each))
    summing = adding(count, parts, g.dtype)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, x), (gw,) = arrays, outputs
        partials = gw if parts == 1 else new_like(gw, (parts, count), g.dtype)
        multiplying.run([gy, x, None], [partials])
        if parts > 1:
            summing.run([partials, None], outputs)

    return run


build_tf32, build_bf16, build_3xtf32 = (functools.partial(build, precision=name) for name in PRECISIONS[1:])
build_input_grad_tf32, build_input_grad_bf16, build_input_grad_3xtf32 = (
    functools.partial(build_input_grad, precision=name) for name in PRECISIONS[1:]
)
build_weight_grad_tf32, build_weight_grad_bf16, build_weight_grad_3xtf32 = (
    functools.partial(build_weight_grad, precision=name) for name in PRECISIONS[1:]
)
