"""Checked calls of a block: a convolution and the normalisation of its result."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..convolution import CONV2D, CONV_TRANSPOSE2D
from ..convolution.geometry import ConvGeometry
from ..normalization import BATCH_NORM_TRAIN
from ..normalization.geometry import Normalization
from ..operation import Spec


@dataclass(frozen=True)
class BlockGeometry:
    """The geometries of both operations, and the arguments that they take behind their arrays.

    ``place`` is what a convolution takes before its activation; ``normalizing`` is what `batch_norm_train` takes.
    """

    convolution: ConvGeometry
    normalization: Normalization
    transposed: bool
    place: tuple[Any, ...]
    normalizing: tuple[Any, ...]

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        """Of y, z and the statistics."""
        y, *statistics = self.normalization.outputs
        return (y, y, *statistics)

    @property
    def flops(self) -> float:
        """Of both."""
        return self.convolution.flops + self.normalization.flops

    @property
    def bytes_moved(self) -> float:
        """Of the convolution, and z read and y written: its statistics are known when it is."""
        return self.convolution.bytes_moved + self.normalization.bytes_moved * 2 / 3


def _block(operation: Any, arrays: tuple[Any, ...], place: tuple[Any, ...], rest: tuple[Any, ...]) -> BlockGeometry:
    x, w, weight, bias = arrays
    convolution = operation.geometry(x, w, None, *place, None, 0.0)
    shape, dtype = convolution.outputs[0]
    z = Spec(shape, dtype, ())
    normalization = BATCH_NORM_TRAIN.geometry(z, weight, bias, *rest)
    return BlockGeometry(convolution, normalization, operation is CONV_TRANSPOSE2D, place, rest)


def conv2d_block(x: Any, w: Any, weight: Any, bias: Any, *arguments: Any) -> BlockGeometry:
    """Check a call of `conv2d_batch_norm_train`: stride, padding, dilation, groups; eps, activation, slope."""
    return _block(CONV2D, (x, w, weight, bias), arguments[:4], arguments[4:])


def conv_transpose2d_block(x: Any, w: Any, weight: Any, bias: Any, *arguments: Any) -> BlockGeometry:
    """Check a call of `conv_transpose2d_batch_norm_train`, which has output_padding behind padding."""
    return _block(CONV_TRANSPOSE2D, (x, w, weight, bias), arguments[:5], arguments[5:])
