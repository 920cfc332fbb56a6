"""Two-dimensional convolution, its gradients, and transposed convolution, on NHWC images.

The ladder, from the definition to the fastest on each device (`tilegrad.kernels.explain` says which a call takes):

    reference.py     the loops, interpreted in float64; compiled as they stand they are "naive"
    cpu_im2col.py    "im2col": every receptive field copied out, then one matrix product
    cpu_direct.py    "direct": the register-blocked micro-kernel reads rows of the image in place
    cpu_winograd.py  "winograd": 3 x 3 with a quarter of the multiplications
    cpu_winograd_phases.py  "winograd_phases": 4 x 4 of stride 2 with two fifths of them (its weight gradient:
                     cpu_winograd_phases_weight_grad.py)
    cpu_winograd_rows.py "winograd_rows": few channels to many, half the multiplications along each row
    cpu_taps.py      "taps": many channels to few, all taps of a pixel in one product, then shifted additions
    cpu_depthwise.py "depthwise": one channel to one channel, vectorised over channels, several pixels for
                     each weight that is loaded
    cuda_naive.py    "naive": one thread, one output (the gradients: cuda_naive_grads.py)
    cuda_tiled.py    "tiled": a tile of the image and of the weight in shared memory
    cuda_mma.cu      "mma": tensor cores, in CUDA C++, with tf32 products; "mma_bf16": with bfloat16 ones; "mma_3xtf32":
                     with three of tf32 for one of, nearly, float32 (their weight gradient: cuda_mma_weight_grad.cu, and
                     cuda_sum_partials.cu of kernels/linear)
    cuda_register.cu "register": blocks of results in registers, for any call; "mma_gemm", "mma_gemm_bf16" and
                     "mma_gemm_3xtf32": the same on tensor cores, for the calls that "mma" does not take

The convolution and its two gradients close under differentiation: each is linear in two arrays, and its derivative by
either one is one of the other two. A transposed convolution is the input gradient of the convolution that it
transposes.
"""

from typing import Any

import numpy as np

from ..activation.epilogue import CODES
from ..operation import Operation, Variant
from . import reference
from .geometry import (
    ConvGeometry,
    conv2d_geometry,
    convolution_geometry,
    input_grad_geometry,
    transpose_geometry,
    weight_grad_geometry,
)

__all__ = ["conv2d", "conv2d_input_grad", "conv2d_weight_grad", "conv_transpose2d"]


def _index_args(g: ConvGeometry) -> tuple[Any, ...]:
    return g.stride, g.pads, g.dilation, g.groups


def _epilogue_args(g: ConvGeometry) -> tuple[Any, ...]:
    return CODES[g.activation], g.negative_slope


_CASES: tuple[dict[str, Any], ...] = (
    {"shapes": [(1, 1, 1, 1), (1, 1, 1, 1)]},
    {"shapes": [(2, 9, 7, 3), (5, 3, 3, 3)], "padding": 1},
    {"shapes": [(1, 13, 11, 17), (70, 3, 3, 17), (70,)], "padding": ((1, 0), (0, 2)), "activation": "relu"},
    {"shapes": [(2, 8, 8, 8), (16, 4, 4, 8)], "stride": 2, "padding": 1, "activation": "leaky_relu"},
    {"shapes": [(1, 12, 10, 6), (4, 3, 2, 3)], "groups": 2, "dilation": (2, 3), "padding": 2},
    {"shapes": [(1, 10, 9, 12), (12, 3, 3, 1)], "groups": 12, "padding": 1, "activation": "tanh"},
    {"shapes": [(2, 14, 11, 64), (66, 4, 4, 64), (66,)], "stride": 2, "padding": 1, "activation": "relu"},
    {"shapes": [(32, 14, 15, 16), (32, 4, 4, 16)], "stride": 2, "padding": 1},
    {"shapes": [(1, 9, 8, 40), (1, 3, 3, 40), (1,)], "padding": 1},
    {"shapes": [(1, 9, 13, 1), (64, 3, 3, 1), (64,)], "padding": 1},
)


def _gradient_cases(first: str, second: str, result: str) -> tuple[dict[str, Any], ...]:
    """The same convolutions as calls that take ``first`` and ``second`` of x, w and gy, and the shape of ``result``."""
    cases = []
    for case in _CASES:
        index: dict[str, Any] = {
            name: case[name] for name in ("stride", "padding", "dilation", "groups") if name in case
        }
        x, w = case["shapes"][:2]
        words: dict[str, Any] = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, **index}
        g = convolution_geometry("conv2d", x, w, np.dtype(np.float32), **words)
        shapes = {"x": x, "w": w, "gy": (g["n"], g["p"], g["q"], g["k"])}
        named: str = {"x": "input_shape", "w": "weight_shape"}[result]
        cases.append({"shapes": [shapes[first], shapes[second]], named: shapes[result], **index})
    return tuple(cases)


def _gemm(name: str, build: str, precision: str) -> Variant:
    return Variant(name, "cuda_register", device="cuda", build=build, rejects="rejects_mma", precision=precision)


def _mma_input_grad(name: str, build: str, precision: str) -> Variant:
    return Variant(name, "cuda_mma", device="cuda", build=build, rejects="rejects_input_grad", precision=precision)


CONV2D = Operation(
    "conv2d",
    package=__name__,
    geometry=conv2d_geometry,
    variants=(
        Variant("depthwise", "cpu_depthwise"),
        Variant("winograd", "cpu_winograd"),
        Variant("winograd_phases", "cpu_winograd_phases"),
        Variant("taps", "cpu_taps"),
        Variant("winograd_rows", "cpu_winograd_rows"),
        Variant("direct", "cpu_direct"),
        Variant("im2col", "cpu_im2col", teaching=True),
        Variant("mma_bf16", "cuda_mma", device="cuda", build="build_bf16", precision="bfloat16"),
        _gemm("mma_gemm_bf16", "build_bf16", "bfloat16"),
        Variant("mma", "cuda_mma", device="cuda", precision="tf32"),
        _gemm("mma_gemm", "build_tf32", "tf32"),
        Variant("mma_3xtf32", "cuda_mma", device="cuda", build="build_3xtf32", precision="3xtf32"),
        _gemm("mma_gemm_3xtf32", "build_3xtf32", "3xtf32"),
        Variant("register", "cuda_register", device="cuda"),
        Variant("tiled", "cuda_tiled", device="cuda", teaching=True),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.conv2d,
    reference_args=lambda g: (*_index_args(g), *_epilogue_args(g)),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=_CASES,
)

_INPUT_GRAD_VARIANTS = (
    Variant("depthwise", "cpu_depthwise", build="build_input_grad"),
    Variant("winograd", "cpu_winograd", build="build_input_grad"),
    Variant("winograd_phases", "cpu_winograd_phases", build="build_input_grad"),
    Variant("taps", "cpu_taps", build="build_input_grad", rejects="rejects_input_grad"),
    Variant("winograd_rows", "cpu_winograd_rows", build="build_input_grad", rejects="rejects_input_grad"),
    Variant("direct", "cpu_direct", build="build_input_grad"),
    Variant("im2col", "cpu_im2col", build="build_input_grad", teaching=True),
    _mma_input_grad("mma_bf16", "build_input_grad_bf16", "bfloat16"),
    _gemm("mma_gemm_bf16", "build_input_grad_bf16", "bfloat16"),
    _mma_input_grad("mma", "build_input_grad", "tf32"),
    _gemm("mma_gemm", "build_input_grad_tf32", "tf32"),
    _mma_input_grad("mma_3xtf32", "build_input_grad_3xtf32", "3xtf32"),
    _gemm("mma_gemm_3xtf32", "build_input_grad_3xtf32", "3xtf32"),
    Variant("register", "cuda_register", device="cuda", build="build_input_grad"),
    Variant("naive", "cuda_naive_grads", device="cuda", build="build_input_grad"),
)

CONV2D_INPUT_GRAD = Operation(
    "conv2d_input_grad",
    package=__name__,
    geometry=input_grad_geometry,
    variants=_INPUT_GRAD_VARIANTS,
    reference=reference.conv2d_input_grad,
    reference_args=lambda g: (*_index_args(g), *_epilogue_args(g)),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=_gradient_cases("gy", "w", "x"),
)

CONV_TRANSPOSE2D = Operation(
    "conv_transpose2d",
    package=__name__,
    geometry=transpose_geometry,
    variants=_INPUT_GRAD_VARIANTS,
    reference=reference.conv2d_input_grad,
    reference_args=lambda g: (*_index_args(g), *_epilogue_args(g)),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 7, 7, 16), (16, 4, 4, 8), (8,)], "stride": 2, "padding": 1, "activation": "relu"},
        {"shapes": [(1, 4, 5, 6), (6, 3, 3, 2)], "stride": (3, 2), "groups": 2, "output_padding": (2, 1)},
        {"shapes": [(1, 13, 11, 33), (33, 3, 3, 17)], "padding": 1},
        {"shapes": [(1, 10, 9, 12), (12, 3, 3, 1)], "groups": 12, "padding": 1},
        {"shapes": [(2, 7, 5, 66), (66, 4, 4, 64), (64,)], "stride": 2, "padding": 1},
        {"shapes": [(32, 7, 7, 32), (32, 4, 4, 16)], "stride": 2, "padding": 1},
        {"shapes": [(1, 9, 13, 1), (1, 3, 3, 64)], "padding": 1},
    ),
)

CONV2D_WEIGHT_GRAD = Operation(
    "conv2d_weight_grad",
    package=__name__,
    geometry=weight_grad_geometry,
    variants=(
        Variant("depthwise", "cpu_depthwise", build="build_weight_grad"),
        Variant("winograd", "cpu_winograd_weight_grad"),
        Variant("winograd_rows", "cpu_winograd_rows_weight_grad"),
        Variant("winograd_phases", "cpu_winograd_phases_weight_grad"),
        Variant("direct", "cpu_direct_weight_grad"),
        Variant("im2col", "cpu_im2col", build="build_weight_grad", teaching=True),
        Variant("mma_bf16", "cuda_mma_weight_grad", device="cuda", build="build_bf16", precision="bfloat16"),
        _gemm("mma_gemm_bf16", "build_weight_grad_bf16", "bfloat16"),
        Variant("mma", "cuda_mma_weight_grad", device="cuda", precision="tf32"),
        _gemm("mma_gemm", "build_weight_grad_tf32", "tf32"),
        Variant("mma_3xtf32", "cuda_mma_weight_grad", device="cuda", build="build_3xtf32", precision="3xtf32"),
        _gemm("mma_gemm_3xtf32", "build_weight_grad_3xtf32", "3xtf32"),
        Variant("register", "cuda_register", device="cuda", build="build_weight_grad"),
        Variant("naive", "cuda_naive_grads", device="cuda", build="build_weight_grad"),
    ),
    reference=reference.conv2d_weight_grad,
    reference_args=_index_args,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=_gradient_cases("gy", "x", "w"),
)


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    activation: str | None = None,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Convolve NHWC images with OHWI kernels (as neural networks do: the kernel is not flipped).

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
        Images. An array that is not C-contiguous is copied first.
    w : (C_out, KH, KW, C // groups) array of the same dtype
        Kernels.
    bias : (C_out,) array, optional
    stride, dilation : int or (height, width)
    padding : int, (height, width) or ((top, bottom), (left, right))
        Zeros around each image.
    groups : int
        Output channels of group i see the input channels of group i only; divides C and C_out.
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
        Applied to the result before it is stored.
    negative_slope : float
        Slope of "leaky_relu" below zero.
    out : (N, P, Q, C_out) array, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, P, Q, C_out) array, ``P = (H + top + bottom - dilation * (KH - 1) - 1) // stride + 1`` and Q likewise.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges, dtypes or devices do not fit; nothing is computed.

    Notes
    -----
    Equals ``torch.nn.functional.conv2d`` up to layout. Sums are accumulated in the working type. NaN and infinity
    propagate; a weight that is not finite, where it meets the zeros around the image, gives NaN or nothing.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    >>> blur = np.full((1, 3, 3, 1), 1 / 9, np.float32)
    >>> conv2d(x, blur, padding=1)[0, 1, 1]
    array([4.], dtype=float32)
    """
    args = (stride, padding, dilation, groups, activation, negative_slope)
    return CONV2D.run((x, w, bias), args, out, variant)


def conv2d_input_grad(
    gy: np.ndarray,
    w: np.ndarray,
    input_shape: tuple[int, ...],
    *,
    bias: np.ndarray | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    activation: str | None = None,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `conv2d` by its input: the adjoint of ``x -> conv2d(x, w)`` applied to ``gy``.

    Parameters
    ----------
    gy : (N, P, Q, C_out) array, float32 or float64
        Gradient by the output.
    w : (C_out, KH, KW, C // groups) array of the same dtype
    input_shape : (N, H, W, C)
        Shape of the convolution's input, which ``gy`` alone does not determine where a stride is over 1.
    bias, activation, negative_slope
        Epilogue, per channel of the result, so that `conv_transpose2d` is this function.
    stride, padding, dilation, groups, out, variant
        As in `conv2d`.

    Returns
    -------
    (N, H, W, C) array

    Examples
    --------
    >>> import numpy as np
    >>> gy = np.ones((1, 2, 2, 1), np.float32)
    >>> w = np.ones((1, 2, 2, 1), np.float32)
    >>> conv2d_input_grad(gy, w, (1, 3, 3, 1))[0, :, :, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]], dtype=float32)
    """
    args = (input_shape, stride, padding, dilation, groups, activation, negative_slope)
    return CONV2D_INPUT_GRAD.run((gy, w, bias), args, out, variant)


def conv2d_weight_grad(
    gy: np.ndarray,
    x: np.ndarray,
    weight_shape: tuple[int, ...],
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `conv2d` by its weight: the adjoint of ``w -> conv2d(x, w)`` applied to ``gy``.

    Parameters
    ----------
    gy : (N, P, Q, C_out) array, float32 or float64
        Gradient by the output.
    x : (N, H, W, C) array of the same dtype
        The convolution's input.
    weight_shape : (C_out, KH, KW, C // groups)
    stride, padding, dilation, groups, out, variant
        As in `conv2d`.

    Returns
    -------
    (C_out, KH, KW, C // groups) array. The order of summation depends on the shapes alone, not on the threads.

    Examples
    --------
    >>> import numpy as np
    >>> gy = np.ones((1, 2, 2, 1), np.float32)
    >>> x = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    >>> conv2d_weight_grad(gy, x, (1, 2, 2, 1))[0, :, :, 0]
    array([[ 8., 12.],
           [20., 24.]], dtype=float32)
    """
    args = (weight_shape, stride, padding, dilation, groups)
    return CONV2D_WEIGHT_GRAD.run((gy, x), args, out, variant)


def conv_transpose2d(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    output_padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    activation: str | None = None,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Transposed convolution: the input gradient of the convolution whose weight is ``w``.

    Parameters
    ----------
    x : (N, H, W, C_in) array, float32 or float64
    w : (C_in, KH, KW, C_out // groups) array of the same dtype
        The weight of the convolution that is transposed, which maps C_out channels to C_in.
    bias : (C_out,) array, optional
    output_padding : int or (height, width)
        Rows and columns added to the bottom and right of the result's size; less than the stride.
    stride, padding, dilation, groups, activation, negative_slope, out, variant
        Of the transposed convolution; see `conv2d`.

    Returns
    -------
    (N, (H - 1) * stride - top - bottom + dilation * (KH - 1) + output_padding + 1, ..., C_out) array

    Notes
    -----
    Equals ``torch.nn.functional.conv_transpose2d`` up to layout, which also takes an ``output_padding`` between the
    stride and the dilation.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones((1, 2, 2, 1), np.float32)
    >>> conv_transpose2d(x, np.ones((1, 2, 2, 3), np.float32), stride=2).shape
    (1, 4, 4, 3)
    """
    args = (stride, padding, output_padding, dilation, groups, activation, negative_slope)
    return CONV_TRANSPOSE2D.run((x, w, bias), args, out, variant)
