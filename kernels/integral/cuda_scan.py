"""integral "scan" on CUDA: the host side of cuda_scan.cu, which holds the idea.

Takes everything but images of more than 2^31 strips of lines or columns.
"""

import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run

if TYPE_CHECKING:
    from . import Integral

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, ITEMS = 256, 8
TYPES = ("uint8", "int32", "float32", "float64")
_MOST_TEAMS = (1 << 31) - THREADS
_PIECES = 4  # of a line that one warp takes by itself

# As struct Arguments in cuda_scan.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "y")]
    + [(name, cuda.DIVISOR) for name in ("strips", "lines")]
    + [("n", np.int64), ("inner", np.int64), ("teams", np.uint32), ("across", np.int32)]
)


@functools.cache
def kernel_for(number: str, working: str, result: str, *, lead: bool, team: bool) -> cuda.Kernel:
    """The kernel of the types that it reads, adds and writes."""
    macros = (
        ("THREADS", THREADS), ("ITEMS", ITEMS), ("NUMBER", TYPES.index(number)), ("SUM", TYPES.index(working)),
        ("RESULT", TYPES.index(result)), ("LEAD", int(lead)), ("TEAM", int(team)),
    )  # fmt: skip
    name = f"integral_{'across' if lead else 'down'}_{number}_{result}{'_team' if team else ''}"
    return cuda.Kernel(_SOURCE, name, THREADS, ARGUMENTS, macros)


def _across(inner: int) -> int:
    """The lanes of a warp that stand side by side along inner."""
    return min(32, 1 << max(0, inner - 1).bit_length())


def _teams(outer: int, inner: int) -> int:
    return outer * -(-inner // _across(inner))


def _stage(types: tuple[str, str, str], outer: int, n: int, inner: int, lines: int, *, lead: bool) -> cuda.Stage:
    """The launch of one axis."""
    across, teams = _across(inner), _teams(outer, inner)
    team = n > _PIECES * ITEMS * 32 // across
    prepared = np.zeros(1, ARGUMENTS)
    prepared["strips"], prepared["lines"] = cuda.divisor(-(-inner // across)), cuda.divisor(lines)
    prepared[["n", "inner", "teams", "across"]] = (n, inner, teams, across)
    warps = THREADS // 32
    blocks = teams if team else -(-teams // warps)
    shared_bytes = 2 * warps * across * np.dtype(types[1]).itemsize if team else 0
    return cuda.Stage(kernel_for(*types, lead=lead, team=team), (blocks, 1, 1), shared_bytes, prepared)


def rejects(g: "Integral") -> str | None:
    """Why this variant cannot take a call, or None."""
    teams = max(_teams(g.n * (g.h + 1), g.c), _teams(g.n, g.w * g.c))
    if teams > _MOST_TEAMS:
        return f"takes less than 2^31 strips of lines and columns but got {teams}"
    return None


def build(g: "Integral") -> Run:
    """Prepare both launches."""
    shape, result = g.outputs[0]
    if not math.prod(shape):
        return lambda arrays, outputs: None
    working = g.working.name
    across = _stage((working, working, result.name), g.n * (g.h + 1), g.w + 1, g.c, g.h + 1, lead=True)
    down = None
    if g.numbers:
        down = _stage((g.dtype.name, working, working), g.n, g.h, g.w * g.c, 1, lead=False)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        sums = new_like(arrays[0], (g.n, g.h, g.w, g.c), g.working)
        if down is not None:
            down.run(arrays, [sums])
        across.run([sums], outputs)

    return run
