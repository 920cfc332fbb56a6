"""A block "apart": the convolution and the normalisations one after the other, on either device. Takes everything."""

from typing import Any

from ..arrays import new_like
from ..bfloat16 import to_bfloat16, widened
from ..convolution import CONV2D, CONV_TRANSPOSE2D
from ..normalization import BATCH_NORM_APPLY, BATCH_NORM_TRAIN
from ..operation import Run
from .geometry import BlockGeometry


def build(g: BlockGeometry) -> Run:
    """Prepare nothing: the operations choose their own variants."""
    convolution = CONV_TRANSPOSE2D if g.transposed else CONV2D

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, w, weight, bias, x_mean, x_affine), (y, z, *statistics) = arrays, outputs
        if g.reading:
            x = widened(x)
            x = BATCH_NORM_APPLY.run((x, x_mean, x_affine), (g.reading.activation, g.reading.negative_slope))
        if g.z_stored:
            z[...] = to_bfloat16(convolution.run((x, w, None), (*g.place, None, 0.0)))
            z = widened(z)
        else:
            convolution.run((x, w, None), (*g.place, None, 0.0), z)
        if not g.apply:  # it is written all the same: the operation gives it beside its statistics
            y = new_like(z, z.shape, z.dtype)
        BATCH_NORM_TRAIN.run((z, weight, bias), g.normalizing, (y, *statistics))

    return run
