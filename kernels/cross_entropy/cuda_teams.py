"""Cross-entropy "teams" on CUDA: the host side of cuda_teams.cu, which holds the idea.

A mean takes four launches: the weights of the targets and their sum, the losses and their sum; without it the first two
are left out, and losses that are not summed take one. Takes everything.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..loss.cuda_total import total
from ..machine import cuda
from ..operation import Run
from ..softmax.cuda_teams import THREADS, team_for
from . import CrossEntropy

_SOURCE = Path(__file__).with_suffix(".cu")
_BLOCKS = 1056  # eight for each multiprocessor of a large GPU
_SHARED_BYTES = 5 * THREADS // 32 * 8  # a float64 for each warp and fold

# As struct Arguments in cuda_teams.cu.
_NAMES = ("x", "target", "weight", "divisor", "losses", "gx", "rows", "part", "C")
ARGUMENTS = np.dtype([(name, np.uint64) for name in _NAMES] + [("ignored", np.int64), ("smoothing", np.float64)])


@functools.cache
def kernel_for(dtype: str, team: int, *, summed: bool, with_grad: bool, weights: bool = False) -> cuda.Kernel:
    """The kernel for so many threads in a team; with ``weights`` the one that adds those of the targets."""
    macros = (
        ("THREADS", THREADS), ("DOUBLE", int(dtype == "float64")), ("TEAM", team), ("WEIGHTS", int(weights)),
        ("SUMMED", int(summed)), ("GRAD", int(with_grad)),
    )  # fmt: skip
    name = f"cross_entropy{'_and_grad' if with_grad else ''}_{'sum' if summed else 'each'}_{dtype}_team{team}"
    return cuda.Kernel(_SOURCE, f"target_weights_{dtype}" if weights else name, THREADS, ARGUMENTS, macros)


def _stage(g: CrossEntropy, kernel: cuda.Kernel, at_once: int) -> cuda.Stage:
    """A launch whose blocks take so many rows at once."""
    part = at_once * max(1, -(-g.rows // (_BLOCKS * at_once)))
    prepared = np.zeros(1, ARGUMENTS)
    prepared["rows"], prepared["part"], prepared["C"] = g.rows, part, g.classes
    prepared["ignored"], prepared["smoothing"] = g.ignored, g.smoothing
    return cuda.Stage(kernel, (max(1, -(-g.rows // part)), 1, 1), _SHARED_BYTES, prepared)


def build(g: CrossEntropy) -> Run:
    """Prepare the launches."""
    dtype, team = g.dtype.name, team_for(g.classes, 1)
    adding = _stage(g, kernel_for(dtype, 1, summed=True, with_grad=False, weights=True), THREADS)
    main = _stage(g, kernel_for(dtype, team, summed=g.summed, with_grad=g.with_grad), THREADS // team)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, target, weight = arrays
        y, *gx = outputs
        divisor = None
        if g.mean:
            divisor, weights = new_like(x, (1,), np.float64), new_like(x, adding.grid[:1], np.float64)
            adding.run([x, target, weight, None], [weights])
            total(weights, divisor)
        losses = new_like(x, main.grid[:1], np.float64) if g.summed else y
        main.run([x, target, weight, divisor], [losses, *gx])
        if g.summed:
            total(losses, y, divisor=divisor)

    return run
