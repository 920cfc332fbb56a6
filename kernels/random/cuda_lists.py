"""random_permutation "lists" on CUDA: the host side of cuda_lists.cu, which holds the idea.

Takes everything.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256

# As both structs Arguments in cuda_lists.cu.
ARGUMENTS = np.dtype([(f"array{i}", np.uint64) for i in range(4)] + [("n", np.int64)])


@functools.cache
def kernel_for(*, draw: bool) -> cuda.Kernel:
    """The kernel that draws places, or the one that finds what they hold."""
    name = f"permutation_{'draw' if draw else 'find'}"
    return cuda.Kernel(_SOURCE, name, _THREADS, ARGUMENTS, (("THREADS", _THREADS), ("DRAW", int(draw))))


def build(g: Any) -> Run:
    """Prepare both launches: a thread for each two steps, and one for each place."""
    if not g.n:
        return lambda arrays, outputs: None
    prepared = np.zeros(1, ARGUMENTS)
    prepared["n"] = g.n
    draw, pairs = kernel_for(draw=True), -(-g.n // (2 * _THREADS))
    find = cuda.Stage(kernel_for(draw=False), (-(-g.n // _THREADS), 1, 1), 0, prepared)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        last, draws, following = (new_like(outputs[0], (g.n,), np.int32) for _ in range(3))
        last[...] = -1
        arguments = prepared.copy()
        arguments.view(np.uint64)[:4] = [cuda.address(array) for array in (*arrays, last, draws, following)]
        cuda.launch(draw, (pairs, 1, 1), 0, arguments, (*arrays, last), (last, draws, following))
        find.run((last, draws, following), outputs)

    return run
