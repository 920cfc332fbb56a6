"""A weight gradient "apart": the normalisation, then the convolution's own gradient, on either device.

Takes everything.
"""

from typing import Any

from ..bfloat16 import widened
from ..convolution import CONV2D_WEIGHT_GRAD
from ..normalization import BATCH_NORM_APPLY
from ..operation import Run
from .weight_grad_geometry import WeightGradient


def build(g: WeightGradient) -> Run:
    """Prepare nothing: both operations choose their own variants."""
    n, side = g.normalization, ("gy", "x").index(g.normalized)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        *pair, mean, affine = arrays
        pair[side] = BATCH_NORM_APPLY.run((widened(pair[side]), mean, affine), (n.activation, n.negative_slope))
        CONV2D_WEIGHT_GRAD.run(pair, g.place, outputs)

    return run
