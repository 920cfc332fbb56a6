"""An input gradient through a normalisation "apart": the two operations one after the other, on either device.

Takes everything.
"""

from typing import Any

from ..bfloat16 import widened
from ..convolution import CONV2D, CONV2D_INPUT_GRAD
from ..normalization import BATCH_NORM_GRAD
from ..operation import Run
from .input_grad_geometry import InputGradient


def build(g: InputGradient) -> Run:
    """Prepare nothing: both operations choose their own variants."""
    n = g.normalization

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, w, x, mean, inverse_std, weight, affine = arrays
        x = widened(x)
        if g.transposed:
            arriving = CONV2D.run((gy, w, None), (*g.place, None, 0.0))
        else:
            arriving = CONV2D_INPUT_GRAD.run((gy, w, None), (x.shape, *g.place, None, 0.0))
        vectors = (mean, inverse_std, weight, affine if n.activation else None)
        BATCH_NORM_GRAD.run((arriving, x, *vectors), (n.activation, n.negative_slope), outputs)

    return run
