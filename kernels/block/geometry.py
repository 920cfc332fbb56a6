"""Checked calls of a block: a convolution, perhaps of an image that is normalised on the way, and the normalisation of
its result.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..bfloat16 import STORED, wide_spec
from ..convolution import CONV2D, CONV_TRANSPOSE2D
from ..convolution.geometry import ConvGeometry
from ..normalization import BATCH_NORM_APPLY, BATCH_NORM_TRAIN
from ..normalization.geometry import Normalization
from ..operation import Spec


@dataclass(frozen=True)
class BlockGeometry:
    """The geometries of the operations, and the arguments that they take behind their arrays.

    ``place`` is what a convolution takes before its activation; ``normalizing`` is what `batch_norm_train` takes.
    ``reading`` is the normalisation through which x is read, or None; without ``apply`` there is no y. Where
    ``z_stored``, z is of bfloat16.
    """

    convolution: ConvGeometry
    normalization: Normalization
    reading: Normalization | None
    transposed: bool
    apply: bool
    z_stored: bool
    place: tuple[Any, ...]
    normalizing: tuple[Any, ...]

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        """Of y, z and the statistics; a y that is not wanted has no images."""
        (shape, dtype), *statistics = self.normalization.outputs
        y = shape if self.apply else (0, *shape[1:])
        return ((y, dtype), (shape, STORED if self.z_stored else dtype), *statistics)

    @property
    def stored(self) -> bool:
        """Whether an array is of bfloat16."""
        return self.z_stored or self._reads_stored

    @property
    def _reads_stored(self) -> bool:
        return self.reading is not None and self.reading.stored

    @property
    def flops(self) -> float:
        """Of all."""
        reading = self.reading.flops if self.reading else 0.0
        return reading + self.convolution.flops + self.normalization.flops

    @property
    def bytes_moved(self) -> float:
        """Of the convolution, and z read and y written: its statistics are known when it is."""
        applying = self.apply * self.normalization.bytes_moved * 2 / 3
        stored = [g for g, is_so in ((self.reading, self._reads_stored), (self.normalization, self.z_stored)) if is_so]
        saved = sum(g.rows * g.channels * g.dtype.itemsize / 2 for g in stored if g is not None)
        return self.convolution.bytes_moved - saved + applying


def _reading(name: str, x: Spec, mean: Any, affine: Any, activation: Any, slope: Any) -> Normalization | None:
    if (mean is None) != (affine is None):
        raise ValueError(f"{name}: expects x_mean and x_affine together")
    if mean is not None:
        return BATCH_NORM_APPLY.geometry(x, mean, affine, activation, slope)
    if activation is not None:
        raise ValueError(f"{name}: x_activation expects x_mean and x_affine beside it but got {activation!r} alone")
    return None


def _block(
    name: str, operation: Any, arrays: tuple[Any, ...], place: Any, normalizing: Any, rest: Any
) -> BlockGeometry:
    (x, w, weight, bias, x_mean, x_affine), (x_activation, x_slope, apply, stored) = arrays, rest
    # Only what is read through a normalisation may be of bfloat16.
    convolution = operation.geometry(x if x_mean is None else wide_spec(x)[0], w, None, *place, None, 0.0)
    shape, dtype = convolution.outputs[0]
    z = Spec(shape, dtype, ())
    normalization = BATCH_NORM_TRAIN.geometry(z, weight, bias, *normalizing)
    reading = _reading(name, x, x_mean, x_affine, x_activation, x_slope)
    for argument, value in (("apply", apply), ("stored", stored)):
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name}: {argument} expects True or False but got {value!r}")
    if stored and (apply or dtype != np.float32):
        raise ValueError(f"{name}: stored expects float32 and apply=False but got {dtype}, apply={apply!r}")
    transposed = operation is CONV_TRANSPOSE2D
    return BlockGeometry(
        convolution, replace(normalization, stored=bool(stored)), reading, transposed, bool(apply), bool(stored), place,
        normalizing,
    )  # fmt: skip


def conv2d_block(x: Any, w: Any, weight: Any, bias: Any, x_mean: Any, x_affine: Any, *arguments: Any) -> BlockGeometry:
    """Check a call of `conv2d_batch_norm_train`: stride, padding, dilation, groups; eps, activation, slope; the
    activation and slope of x, apply, and stored.
    """
    arrays, parts = (x, w, weight, bias, x_mean, x_affine), (arguments[:4], arguments[4:7], arguments[7:])
    return _block("conv2d_batch_norm_train", CONV2D, arrays, *parts)


def conv_transpose2d_block(
    x: Any, w: Any, weight: Any, bias: Any, x_mean: Any, x_affine: Any, *arguments: Any
) -> BlockGeometry:
    """Check a call of `conv_transpose2d_batch_norm_train`, which has output_padding behind padding."""
    arrays, parts = (x, w, weight, bias, x_mean, x_affine), (arguments[:5], arguments[5:8], arguments[8:])
    return _block("conv_transpose2d_batch_norm_train", CONV_TRANSPOSE2D, arrays, *parts)
