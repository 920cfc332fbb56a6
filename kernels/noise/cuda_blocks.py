"""Noise "blocks" on CUDA: modes of ../random/cuda_blocks.cu. A thread has the numbers of a block of words.

Takes everything.
"""

from typing import Any

from ..operation import Run
from ..random.cuda_blocks import launch_of
from . import Noise


def build(g: Noise) -> Run:
    """Prepare the launch."""
    mean, std, high = g.constants
    if g.kind == "added":
        numbers: dict[str, Any] = {"offset": mean, "scale": std, "largest": high}
    else:
        numbers = dict(zip(("threshold", "salt"), g.thresholds, strict=True)) | {"largest": high}
    launching = launch_of(g.mode, g.dtype, g.size, g.source, each=g.each, unit=g.unit, **numbers)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, place, *rest = arrays
        spread, low = (None, *rest) if g.kind == "replaced" else rest
        launching((place, x, spread, low), outputs)

    return run
