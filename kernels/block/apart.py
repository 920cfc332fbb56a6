"""A block "apart": the convolution and the normalisation one after the other, on either device. Takes everything."""

from typing import Any

from ..convolution import CONV2D, CONV_TRANSPOSE2D
from ..normalization import BATCH_NORM_TRAIN
from ..operation import Run
from .geometry import BlockGeometry


def build(g: BlockGeometry) -> Run:
    """Prepare nothing: both operations choose their own variants."""
    convolution = CONV_TRANSPOSE2D if g.transposed else CONV2D

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, w, weight, bias), (y, z, *statistics) = arrays, outputs
        convolution.run((x, w, None), (*g.place, None, 0.0), z)
        BATCH_NORM_TRAIN.run((z, weight, bias), g.normalizing, (y, *statistics))

    return run
