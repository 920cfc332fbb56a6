"""Softmax and its relatives "teams" on CUDA: the host side of cuda_teams.cu, which holds the idea.

Takes everything. Whether threads load 16 bytes at a time is decided at each call, by where its arrays begin.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..machine import cuda
from ..operation import Run
from . import Rows

_SOURCE = Path(__file__).with_suffix(".cu")
THREADS = 256
_LONG = 1024  # numbers of a row that a block takes

OPERATIONS = ("softmax", "log_softmax", "softmax_grad", "log_softmax_grad")
"""As enum Operation in cuda_teams.cu."""

# As struct Arguments in cuda_teams.cu.
ARGUMENTS = np.dtype([(name, np.uint64) for name in ("values", "y", "results", "rows", "C")])


@functools.cache
def kernel_for(operation: str, dtype: str, vector: int, team: int) -> cuda.Kernel:
    """The kernel of one operation, for so many numbers in a load and threads in a team."""
    macros = (
        ("THREADS", THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector), ("TEAM", team),
        ("OPERATION", OPERATIONS.index(operation)),
    )  # fmt: skip
    return cuda.Kernel(_SOURCE, f"{operation}_{dtype}_x{vector}_team{team}", THREADS, ARGUMENTS, macros)


def team_for(columns: int, vector: int) -> int:
    """Threads of a row: as many as it has groups, up to a warp; of a long one the block."""
    groups = -(-columns // vector)
    return THREADS if columns > _LONG else min(32, 1 << (groups - 1).bit_length())


def _stage(g: Rows, vector: int) -> cuda.Stage:
    team = team_for(g.columns, vector)
    prepared = np.zeros(1, ARGUMENTS)
    prepared["rows"], prepared["C"] = g.rows, g.columns
    shared_bytes = 2 * THREADS // 32 * 8 if team > 32 else 0
    blocks = -(-g.rows // (THREADS // team))
    return cuda.Stage(kernel_for(g.operation, g.dtype.name, vector, team), (blocks, 1, 1), shared_bytes, prepared)


def build(g: Rows) -> Run:
    """Prepare the launch."""
    wide = 1 if g.columns % (16 // g.dtype.itemsize) else 16 // g.dtype.itemsize
    stages = {vector: _stage(g, vector) for vector in {1, wide} if g.size}

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if g.size:
            aligned = not any(cuda.address(array) % 16 for array in (*arrays, *outputs))
            stages[wide if aligned else 1].run((*arrays, None)[:2], outputs)

    return run
