"""Matrix products "register", "mma" and its kin on CUDA: the host side of cuda_register.cu.

The idea, in registers and on tensor cores, is in machine/cuda_product.cuh. All take results of up to 524280 columns, as
many as a grid of the narrowest tiles; those on tensor cores take float32.

A product of few results and a long inner axis, such as a layer for a small batch, has fewer tiles than a GPU has
multiprocessors. Its inner axis is cut into parts, as shapes alone decide, and cuda_sum_partials.cu adds them.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..activation.epilogue import CODES
from ..arrays import new_like
from ..machine import cuda
from ..machine.cuda_product import PRECISIONS, Tile, tile_for
from ..operation import Run
from .cuda_sum_partials import adding, parts_of

_SOURCE = Path(__file__).with_suffix(".cu")
_SIZES = ("M", "N", "K", "a_outer", "a_inner", "b_outer", "b_inner", "part")
_BLOCKS = 264  # two for each multiprocessor of a large GPU
_LEAST_INNER = 128  # of a part: 16 steps

# As struct Arguments in cuda_register.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("a", "b", "bias", "y")]
    + [(name, np.int64) for name in _SIZES]
    + [("negative_slope", np.float64), ("activation", np.int32), ("unused", np.int32)]
)


@functools.cache
def kernel_for(tile: Tile, dtype: np.dtype, transpose_a: bool, transpose_b: bool) -> cuda.Kernel:
    """The kernel for one tile, type, and order of the factors in memory."""
    macros = (
        *tile.macros(dtype),
        ("LEFT_INNER_FIRST", int(not transpose_a)),
        ("RIGHT_INNER_FIRST", int(transpose_b)),
    )
    name = f"matmul_{'t' if transpose_a else 'n'}{'t' if transpose_b else 'n'}_{tile.label(dtype)}"
    return cuda.Kernel(_SOURCE, name, tile.threads, ARGUMENTS, macros, tile.least_architecture)


def build(g: Any, precision: str = "float32") -> Run:
    """Prepare the launch: a block for each tile of the output, and each part of the inner axis."""
    tile = tile_for(g.m, g.n, g.dtype, 1, precision)
    kernel = kernel_for(tile, g.dtype, g.transpose_a, g.transpose_b)
    grid = (-(-g.m // tile.m), -(-g.n // tile.n))
    parts, each = parts_of(g.k, _BLOCKS // max(1, grid[0] * grid[1]), _LEAST_INNER)
    prepared = np.zeros(1, ARGUMENTS)
    steps = (1, g.m) if g.transpose_a else (g.k, 1), (g.k, 1) if g.transpose_b else (1, g.n)
    for name, size in zip(_SIZES, (g.m, g.n, g.k, *steps[0], *steps[1], each), strict=True):
        prepared[name] = size
    end = {"activation": g.activation, "negative_slope": g.negative_slope}
    if parts == 1:
        prepared["activation"], prepared["negative_slope"] = CODES[g.activation], g.negative_slope
    multiplying = cuda.Stage(kernel, (*grid, parts), tile.shared_bytes(g.dtype), prepared)
    summing = adding(g.m * g.n, parts, g.dtype, columns=g.n, **end)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (a, b, bias), (y,) = (*arrays, None)[:3], outputs
        if not y.size:
            return
        if parts == 1:
            multiplying.run([a, b, bias], [y])
            return
        partials = new_like(y, (parts, *y.shape), y.dtype)
        multiplying.run([a, b, None], [partials])
        summing.run([partials, bias], [y])

    return run


build_tf32, build_bf16, build_3xtf32 = (functools.partial(build, precision=name) for name in PRECISIONS[1:])


def rejects_mma(g: Any) -> str | None:
    """Why the variants on tensor cores cannot take a call, or None."""
    return rejects(g) if g.dtype == np.float32 else f"takes float32 but got {g.dtype}"


def rejects(g: Any) -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.n > 65535 * 8:
        return f"takes at most {65535 * 8} columns but got {g.n}"
    return None
