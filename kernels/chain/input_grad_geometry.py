"""Checked calls of an input gradient through a normalisation: the convolution's and the normalisation's."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..bfloat16 import wide_spec
from ..convolution import CONV2D, CONV2D_INPUT_GRAD
from ..convolution.geometry import ConvGeometry, check_array
from ..normalization import BATCH_NORM_GRAD
from ..normalization.geometry import Normalization
from ..operation import Spec


@dataclass(frozen=True)
class InputGradient:
    """The geometries of both operations, and where the convolution lies: stride, padding, dilation and groups.

    ``convolution`` is of what is computed, the input gradient or, of a transposed convolution, the convolution; both
    geometries have the activation that the normalised numbers went through.
    """

    convolution: ConvGeometry
    normalization: Normalization
    transposed: bool
    place: tuple[Any, ...]

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        """Of gx, gweight and gbias."""
        return self.normalization.outputs

    @property
    def stored(self) -> bool:
        """Whether x is of bfloat16."""
        return self.normalization.stored

    @property
    def flops(self) -> float:
        """Of both."""
        return self.convolution.flops + self.normalization.flops

    @property
    def bytes_moved(self) -> float:
        """Of the convolution, which reads x where it writes; then that and x are read, and gx is written."""
        return self.convolution.bytes_moved + self.normalization.bytes_moved * 4 / 5


def _input_gradient(convolution: ConvGeometry, x: Spec, rest: tuple[Any, ...], *, transposed: bool) -> InputGradient:
    """Check the normalisation, whose result the convolution's has the shape of."""
    mean, inverse_std, weight, affine, *place, activation, slope = rest
    # Without an activation nothing is computed again, and the normalisation takes no affine map.
    arrays = (Spec(*convolution.outputs[0], ()), x, mean, inverse_std, weight, affine if activation else None)
    normalization = BATCH_NORM_GRAD.geometry(*arrays, activation, slope)
    return InputGradient(convolution, normalization, transposed, tuple(place))


def conv2d_input_gradient(gy: Spec, w: Spec, x: Spec, *rest: Any) -> InputGradient:
    """Check a call of `normalized_conv2d_input_grad`.

    Behind the arrays: mean, inverse_std, weight, affine; stride, padding, dilation, groups; activation, slope.
    """
    check_array("normalized_conv2d_input_grad", "x", wide_spec(x)[0], "N H W C")
    convolution = CONV2D_INPUT_GRAD.geometry(gy, w, None, x.shape, *rest[4:])
    return _input_gradient(convolution, x, rest, transposed=False)


def conv_transpose2d_input_gradient(gy: Spec, w: Spec, x: Spec, *rest: Any) -> InputGradient:
    """Check a call of `normalized_conv_transpose2d_input_grad`, which convolves."""
    name = "normalized_conv_transpose2d_input_grad"
    check_array(name, "x", wide_spec(x)[0], "N H W C_in")
    convolution = CONV2D.geometry(gy, w, None, *rest[4:])
    shape, _ = convolution.outputs[0]
    if x.shape != shape:
        raise ValueError(f"{name}: x expects shape {shape} but got {x.shape} (gy {gy.shape}, weight {w.shape})")
    return _input_gradient(convolution, x, rest, transposed=True)
