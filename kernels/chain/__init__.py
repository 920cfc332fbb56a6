"""Gradients of a convolution that reads another block's result through its normalisation and activation.

A block leaves z, the result of its convolution, and what normalises it: mean and affine. The block behind it reads
``activate((z - mean) * affine[0] + affine[1])`` and writes that nowhere; nor do its gradients.

input_grad_geometry.py   checked calls of the gradients by z
input_grad_reference.py  their definitions
input_grad_apart.py      "apart": the gradient by the convolution's input, then that of the normalisation
cuda_mma.py              "mma" on CUDA: the convolution multiplies by the activation's derivative what it has in
                         registers, and adds up what the normalisation's gradient needs
weight_grad.py           the gradient by the weight, its _geometry, _reference and _apart as above
cuda_mma_weight_grad.py  "mma" on CUDA: tensor cores, with the numbers normalised in shared memory

`on_tensor_cores` says beforehand whether a block and its gradients are taken by "mma".
"""

import functools
from typing import Any

import numpy as np

from ..activation.epilogue import CODES
from ..convolution import CONV2D, CONV_TRANSPOSE2D
from ..machine import cuda
from ..operation import Operation, Spec, Variant
from . import input_grad_reference
from .input_grad_geometry import InputGradient, conv2d_input_gradient, conv_transpose2d_input_gradient
from .weight_grad import normalized_conv2d_weight_grad

__all__ = [
    "normalized_conv2d_input_grad",
    "normalized_conv2d_weight_grad",
    "normalized_conv_transpose2d_input_grad",
]


def on_tensor_cores(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], dtype: np.dtype, *, transposed: bool, **place: Any
) -> bool:
    """Whether "mma" on CUDA takes a convolution, plain or transposed, and both its gradients.

    The blocks that it is part of and the gradients through their normalisations are taken where it is. ``place`` has
    hashable values of what `conv2d` or `conv_transpose2d` take by these names.
    """
    has_tensor_cores = cuda.gpu().architecture >= cuda.TENSOR_CORES
    return has_tensor_cores and _fits_tensor_cores(x_shape, w_shape, dtype, transposed=transposed, **place)


@functools.lru_cache(maxsize=1024)
def _fits_tensor_cores(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], dtype: np.dtype, *, transposed: bool, **place: Any
) -> bool:
    from ..convolution import cuda_mma, cuda_mma_weight_grad  # as variants, imported where they are asked for

    operation = CONV_TRANSPOSE2D if transposed else CONV2D
    names = ["stride", "padding", *["output_padding"] * transposed, "dilation", "groups"]
    x, w = (Spec(shape, dtype, ()) for shape in (x_shape, w_shape))
    geometry = operation.geometry(x, w, None, *[place[name] for name in names], None, 0.0)
    preconditions = (cuda_mma.rejects, cuda_mma.rejects_input_grad, cuda_mma_weight_grad.rejects)
    return all(rejects(geometry) is None for rejects in preconditions)


def _input_grad_constants(g: InputGradient) -> tuple[Any, ...]:
    c, n = g.convolution, g.normalization
    return (c.stride, c.pads, c.dilation, c.groups), CODES[n.activation], n.negative_slope


_INPUT_GRAD_VARIANTS = (
    Variant("apart", "input_grad_apart", composed=True),
    Variant("mma_bf16", "cuda_mma", device="cuda", build="build_bf16", precision="bfloat16"),
    Variant("mma", "cuda_mma", device="cuda", rejects="rejects_tf32", precision="tf32"),
    Variant("apart", "input_grad_apart", device="cuda", composed=True),
)

NORMALIZED_CONV2D_INPUT_GRAD = Operation(
    "normalized_conv2d_input_grad",
    package=__name__,
    geometry=conv2d_input_gradient,
    variants=_INPUT_GRAD_VARIANTS,
    reference=input_grad_reference.normalized_conv2d_input_grad,
    reference_args=_input_grad_constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 5, 6, 2), (2, 3, 3, 3), (2, 5, 6, 3), (3,), (3,)], "padding": 1},
        {"shapes": [(1, 4, 4, 8), (8, 4, 4, 4), (1, 9, 8, 4), (4,), (4,), (4,), (2, 4)], "stride": 2, "padding": 1,
         "activation": "leaky_relu"},
        {"shapes": [(2, 9, 5, 8), (8, 3, 3, 8), (2, 9, 5, 8), (8,), (8,), (8,), (2, 8)], "padding": 1,
         "activation": "relu"},
        {"shapes": [(4, 30, 30, 32), (32, 3, 3, 32), (4, 30, 30, 32), (32,), (32,), (32,), (2, 32)], "padding": 1,
         "activation": "relu"},
    ),
)  # fmt: skip

NORMALIZED_CONV_TRANSPOSE2D_INPUT_GRAD = Operation(
    "normalized_conv_transpose2d_input_grad",
    package=__name__,
    geometry=conv_transpose2d_input_gradient,
    variants=_INPUT_GRAD_VARIANTS,
    reference=input_grad_reference.normalized_conv_transpose2d_input_grad,
    reference_args=_input_grad_constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 5, 6, 3), (3, 3, 3, 3), (2, 5, 6, 3), (3,), (3,)], "padding": 1},
        {"shapes": [(1, 9, 7, 8), (2, 3, 3, 8), (1, 9, 7, 2), (2,), (2,), (2,), (2, 2)], "padding": 1,
         "activation": "tanh"},
        {"shapes": [(1, 11, 12, 4), (8, 4, 4, 4), (1, 5, 6, 8), (8,), (8,), (8,), (2, 8)], "stride": 2, "padding": 1,
         "activation": "relu"},
        {"shapes": [(4, 28, 28, 16), (32, 4, 4, 16), (4, 14, 14, 32), (32,), (32,), (32,), (2, 32)], "stride": 2,
         "padding": 1, "activation": "relu"},
    ),
)  # fmt: skip


def normalized_conv2d_input_grad(
    gy: np.ndarray,
    w: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    weight: np.ndarray | None = None,
    affine: np.ndarray | None = None,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradient of ``conv2d(batch_norm_train(x), w)`` by x and by the normalisation's weight and bias.

    Parameters
    ----------
    gy : (N, P, Q, C_out) array, float32 or float64
        Gradient by the convolution's result.
    w : (C_out, KH, KW, C // groups) array of the same dtype
    x : (N, H, W, C) array of the same dtype, or, beside float32, of bfloat16 in uint16 as blocks store it
        What was normalised.
    mean, inverse_std : (C,) arrays
        What `batch_norm_train` returned.
    weight : (C,) array, optional
        Of the normalisation.
    affine : (2, C) array
        What `batch_norm_train` returned, needed where there is an activation.
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
        What the normalised numbers went through before they were convolved.
    negative_slope : float
        Not negative.
    stride, padding, dilation, groups
        As in `conv2d`.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    gx : array of the shape of ``x`` and of the dtype of gy
    gweight, gbias : (C,) arrays
        Whether or not there was a weight or a bias.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges, dtypes or devices do not fit; nothing is computed.

    Notes
    -----
    Equals ``batch_norm_grad(conv2d_input_grad(gy, w, x.shape), x, mean, inverse_std, weight, affine)``.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, -1.0, 1.0, -1.0]).reshape(1, 2, 2, 1)
    >>> zero, one, affine = np.zeros(1), np.ones(1), np.array([[1.0], [0.0]])
    >>> gy, w = np.arange(4.0).reshape(x.shape), np.full((1, 1, 1, 1), 2.0)
    >>> gx, gweight, gbias = normalized_conv2d_input_grad(gy, w, x, zero, one, one, affine, activation="relu")
    >>> gx.ravel(), gweight, gbias
    (array([-2.,  0.,  2.,  0.]), array([4.]), array([4.]))
    """
    arrays = (gy, w, x, mean, inverse_std, weight, affine)
    args = (stride, padding, dilation, groups, activation, negative_slope)
    return NORMALIZED_CONV2D_INPUT_GRAD.run(arrays, args, None, variant)


def normalized_conv_transpose2d_input_grad(
    gy: np.ndarray,
    w: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    weight: np.ndarray | None = None,
    affine: np.ndarray | None = None,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`normalized_conv2d_input_grad` of a transposed convolution, whose ``w`` is ``(C_in, KH, KW, C_out // groups)``.

    Parameters
    ----------
    gy : (N, P, Q, C_out) array, float32 or float64
        Gradient by the transposed convolution's result. The shapes say what ``output_padding`` was.
    w, stride, padding, dilation, groups
        As in `conv_transpose2d`.
    x, mean, inverse_std, weight, affine, activation, negative_slope, variant
        As in `normalized_conv2d_input_grad`, with C_in channels.

    Returns
    -------
    gx, gweight, gbias
        As of `normalized_conv2d_input_grad`.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges, dtypes or devices do not fit; nothing is computed.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, -1.0, 1.0, -1.0]).reshape(1, 2, 2, 1)
    >>> gy, w = np.ones((1, 4, 4, 3)), np.ones((1, 2, 2, 3))
    >>> gx, gweight, gbias = normalized_conv_transpose2d_input_grad(gy, w, x, np.zeros(1), np.ones(1), stride=2)
    >>> gx.ravel(), gweight, gbias
    (array([0., 0., 0., 0.]), array([0.]), array([48.]))
    """
    arrays = (gy, w, x, mean, inverse_std, weight, affine)
    args = (stride, padding, dilation, groups, activation, negative_slope)
    return NORMALIZED_CONV_TRANSPOSE2D_INPUT_GRAD.run(arrays, args, None, variant)
