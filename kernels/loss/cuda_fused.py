"""Losses "fused" on CUDA: the host side of cuda_fused.cu, which holds the idea; cuda_total.cu adds what blocks leave.

Takes everything. Whether threads load 16 bytes at a time is decided at each call, by where its arrays begin.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .cuda_total import SHARED_BYTES, total
from .declare import Loss

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256
_BLOCKS = 1056  # eight for each multiprocessor of a large GPU

LOSSES = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "charbonnier_loss", "bce_with_logits")
"""As enum Loss in cuda_fused.cu."""

# As struct Arguments in cuda_fused.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "target", "weight", "positive", "losses", "gx", "size", "part")]
    + [(name, np.float64) for name in ("number", "scale", "parameter")]
)


@functools.cache
def kernel_for(loss: str, dtype: str, vector: int, *, summed: bool, with_grad: bool) -> cuda.Kernel:
    """The kernel of one loss, for so many numbers in a load."""
    macros = (
        ("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector), ("LOSS", LOSSES.index(loss)),
        ("SUMMED", int(summed)), ("GRAD", int(with_grad)),
    )  # fmt: skip
    name = f"{loss}{'_and_grad' if with_grad else ''}_{'sum' if summed else 'each'}_{dtype}_x{vector}"
    return cuda.Kernel(_SOURCE, name, _THREADS, ARGUMENTS, macros)


def part_of(size: int) -> int:
    """How many numbers a block takes: whole rounds of all its threads, whichever way they load."""
    each = 4 * _THREADS
    return each * max(1, -(-size // (_BLOCKS * each)))


def build(g: Loss) -> Run:
    """Prepare the launches."""
    wide, part = 16 // g.dtype.itemsize, part_of(g.size)
    blocks = max(1, -(-g.size // part))
    prepared = np.zeros(1, ARGUMENTS)
    prepared["size"], prepared["part"], prepared["number"] = g.size, part, g.number or 0.0
    prepared["scale"], prepared["parameter"] = g.scale, g.parameter
    stages = {
        vector: cuda.Stage(
            kernel_for(g.loss, g.dtype.name, vector, summed=g.summed, with_grad=g.with_grad),
            (blocks, 1, 1),
            SHARED_BYTES if g.summed else 0,
            prepared,
        )
        for vector in (1, wide)
    }

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        y, *gx = outputs
        losses = new_like(y, (blocks,), np.float64) if g.summed else y
        aligned = not any(cuda.address(array) % 16 for array in (*arrays, losses, *gx))
        stages[wide if aligned else 1].run(arrays, [losses, *gx])
        if g.summed:
            total(losses, y, g.scale)

    return run
