"""Checked calls of a weight gradient through a normalisation: the convolution's and the normalisation's."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..bfloat16 import wide_spec
from ..convolution import CONV2D_WEIGHT_GRAD
from ..convolution.geometry import ConvGeometry
from ..normalization import BATCH_NORM_APPLY
from ..normalization.geometry import Normalization
from ..operation import Spec

NAME = "normalized_conv2d_weight_grad"


@dataclass(frozen=True)
class WeightGradient:
    """The geometries of both operations, which array is normalised, and what the convolution takes but for arrays."""

    convolution: ConvGeometry
    normalization: Normalization
    normalized: str
    place: tuple[Any, ...]

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        """Of gw."""
        return self.convolution.outputs

    @property
    def stored(self) -> bool:
        """Whether what is normalised is of bfloat16."""
        return self.normalization.stored

    @property
    def flops(self) -> float:
        """Of both."""
        return self.convolution.flops + self.normalization.flops

    @property
    def bytes_moved(self) -> float:
        """Of the convolution: what is normalised is read as it lies, and not written."""
        n = self.normalization
        return self.convolution.bytes_moved - n.stored * n.rows * n.channels * n.dtype.itemsize / 2


def weight_gradient(
    gy: Spec, x: Spec, mean: Spec, affine: Spec, weight_shape: Any, normalized: Any, activation: Any, slope: Any,
    *index: Any,
) -> WeightGradient:  # fmt: skip
    """Check a call of `normalized_conv2d_weight_grad`; ``index`` is stride, padding, dilation and groups."""
    if normalized not in ("x", "gy"):
        raise ValueError(f'{NAME}: normalized expects "x" or "gy" but got {normalized!r}')
    place = (weight_shape, *index)
    wide = [wide_spec(spec)[0] if name == normalized else spec for name, spec in (("gy", gy), ("x", x))]
    convolution = CONV2D_WEIGHT_GRAD.geometry(*wide, *place)
    normalization = BATCH_NORM_APPLY.geometry(gy if normalized == "gy" else x, mean, affine, activation, slope)
    return WeightGradient(convolution, normalization, normalized, place)
