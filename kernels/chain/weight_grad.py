"""The weight gradient of a convolution that reads images through a normalisation and an activation."""

from typing import Any

import numpy as np

from ..activation.epilogue import CODES
from ..operation import Operation, Variant
from . import weight_grad_reference as reference
from .weight_grad_geometry import WeightGradient, weight_gradient


def _constants(g: WeightGradient) -> tuple[Any, ...]:
    c, n = g.convolution, g.normalization
    return g.normalized == "gy", (c.stride, c.pads, c.dilation, c.groups), (CODES[n.activation], n.negative_slope)


NORMALIZED_CONV2D_WEIGHT_GRAD = Operation(
    "normalized_conv2d_weight_grad",
    package=__package__,
    geometry=weight_gradient,
    variants=(
        Variant("apart", "weight_grad_apart", composed=True),
        Variant("mma_bf16", "cuda_mma_weight_grad", device="cuda", build="build_bf16", precision="bfloat16"),
        Variant("mma", "cuda_mma_weight_grad", device="cuda", rejects="rejects_tf32", precision="tf32"),
        Variant("apart", "weight_grad_apart", device="cuda", composed=True),
    ),
    reference=reference.normalized_conv2d_weight_grad,
    reference_args=_constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 4, 4, 3), (2, 4, 4, 5), (5,), (2, 5)], "weight_shape": (3, 3, 3, 5), "padding": 1},
        {"shapes": [(1, 9, 7, 8), (1, 9, 7, 4), (4,), (2, 4)], "weight_shape": (8, 3, 3, 4), "padding": 1,
         "activation": "relu"},
        {"shapes": [(1, 5, 4, 8), (1, 10, 8, 4), (8,), (2, 8)], "weight_shape": (8, 4, 4, 4), "normalized": "gy",
         "activation": "leaky_relu", "stride": 2, "padding": 1},
        {"shapes": [(4, 40, 40, 32), (4, 40, 40, 32), (32,), (2, 32)], "weight_shape": (32, 3, 3, 32), "padding": 1,
         "activation": "relu"},
    ),
)  # fmt: skip


def normalized_conv2d_weight_grad(
    gy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    affine: np.ndarray,
    weight_shape: tuple[int, ...],
    *,
    normalized: str = "x",
    activation: str | None = None,
    negative_slope: float = 0.01,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """`conv2d_weight_grad`, with one of the images read through a normalisation and an activation.

    Parameters
    ----------
    gy : (N, P, Q, C_out) array, float32 or float64
        Gradient by the output. An array that is not C-contiguous is copied first.
    x : (N, H, W, C) array of the same dtype
        The convolution's input.
    mean : vector of the same dtype
        As long as the normalised array has channels.
    affine : (2, ...) array
        Scale and offset of each of these channels, as `batch_norm_train` returns them beside the mean.
    weight_shape : (C_out, KH, KW, C // groups)
    normalized : {"x", "gy"}
        Which array is read as ``activate((array - mean) * affine[0] + affine[1])``: the convolution's input or, of a
        transposed convolution, whose input takes the place of the gradient, "gy". Pixels outside stay zero. Beside
        float32 it may be of bfloat16 in uint16, as blocks store it.
    activation, negative_slope
        As in `batch_norm_apply`.
    stride, padding, dilation, groups, out, variant
        As in `conv2d`.

    Returns
    -------
    (C_out, KH, KW, C // groups) array. The order of summation depends on the shapes alone, not on the threads.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges, dtypes or devices do not fit; nothing is computed.

    Examples
    --------
    >>> import numpy as np
    >>> gy, x = np.ones((1, 2, 2, 1)), np.arange(9.0).reshape(1, 3, 3, 1)
    >>> mean, affine = np.array([4.0]), np.array([[2.0], [1.0]])
    >>> normalized_conv2d_weight_grad(gy, x, mean, affine, (1, 2, 2, 1), activation="relu")[0, :, :, 0]
    array([[ 1.,  4.],
           [13., 20.]])
    """
    args = (weight_shape, normalized, activation, negative_slope, stride, padding, dilation, groups)
    return NORMALIZED_CONV2D_WEIGHT_GRAD.run((gy, x, mean, affine), args, out, variant)
