"""Dropout "blocks" on CUDA: a mode of random/cuda_blocks.cu. A thread has the four numbers of a block of words.

Takes everything.
"""

from typing import Any

from ..operation import Run
from ..random.cuda_blocks import launch_of
from . import Dropout


def build(g: Dropout) -> Run:
    """Prepare the launch."""
    launching = launch_of("dropout", g.dtype, g.size, threshold=g.threshold, scale=g.scale)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, place = arrays
        launching((place, x), outputs)

    return run
