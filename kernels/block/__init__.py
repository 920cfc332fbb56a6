"""A convolution, batch normalisation by the statistics of its result, and an activation, as one operation: training.

reference.py   the definitions: the operations' own, one after the other
apart.py       "apart": the operations, one after the other
cuda_mma.py    "mma" on CUDA: the convolution adds up what normalises its result while it has it in registers

In a chain of blocks a normalised image is read by the next convolution alone. So a block may leave it out (apply=False)
and leave z and its statistics, through which the next one reads z (x_mean and x_affine).

A network in evaluation needs none of this: there the statistics are numbers, which go into the convolution's weights.
"""

from typing import Any

import numpy as np

from ..activation.epilogue import CODES
from ..normalization.running import check_running, move_running
from ..operation import Operation, Variant
from . import reference
from .geometry import BlockGeometry, conv2d_block, conv_transpose2d_block

__all__ = ["conv2d_batch_norm_train", "conv_transpose2d_batch_norm_train"]


def _constants(g: BlockGeometry) -> tuple[Any, ...]:
    c, n, r = g.convolution, g.normalization, g.reading
    place = (c.stride, c.pads, c.dilation, c.groups)
    reading = (CODES[r.activation], r.negative_slope) if r else (0, 0.0)
    return place, (n.eps, CODES[n.activation], n.negative_slope), reading


def _variants(end: str) -> tuple[Variant, ...]:
    rejects, rejects_tf32 = f"rejects{end}", f"rejects_tf32{end}"
    return (
        Variant("apart", "apart", composed=True),
        Variant("mma_bf16", "cuda_mma", device="cuda", build="build_bf16", rejects=rejects, precision="bfloat16"),
        Variant("mma", "cuda_mma", device="cuda", rejects=rejects_tf32, precision="tf32"),
        Variant("apart", "apart", device="cuda", composed=True),
    )


CONV2D_BATCH_NORM_TRAIN = Operation(
    "conv2d_batch_norm_train",
    package=__name__,
    geometry=conv2d_block,
    variants=_variants(""),
    reference=reference.conv2d_batch_norm_train,
    reference_args=_constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 5, 6, 3), (2, 3, 3, 3)], "padding": 1},
        {"shapes": [(2, 9, 7, 8), (6, 3, 3, 8), (6,), (6,)], "padding": 1, "activation": "relu"},
        {"shapes": [(1, 10, 12, 4), (8, 4, 4, 4), (8,), (8,)], "stride": 2, "activation": "leaky_relu"},
        {"shapes": [(1, 5, 9, 4), (6, 3, 3, 4), (6,), (6,), (4,), (2, 4)], "padding": 1, "x_activation": "relu"},
        {
            "shapes": [(2, 7, 6, 8), (4, 3, 3, 8), (4,), (4,), (8,), (2, 8)],
            "stride": 2,
            "padding": 1,
            "x_activation": "leaky_relu",
        },
        {"shapes": [(4, 40, 40, 32), (32, 3, 3, 32), (32,), (32,)], "padding": 1, "activation": "relu"},
    ),
)

CONV_TRANSPOSE2D_BATCH_NORM_TRAIN = Operation(
    "conv_transpose2d_batch_norm_train",
    package=__name__,
    geometry=conv_transpose2d_block,
    variants=_variants("_transposed"),
    reference=reference.conv_transpose2d_batch_norm_train,
    reference_args=_constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 4, 3, 3), (3, 3, 3, 2)], "padding": 1},
        {"shapes": [(1, 5, 4, 8), (8, 4, 4, 4), (4,), (4,)], "stride": 2, "padding": 1, "activation": "relu"},
        {"shapes": [(2, 5, 4, 8), (8, 3, 4, 4), (4,), (4,), (8,), (2, 8)], "stride": 2, "x_activation": "relu"},
        {"shapes": [(4, 14, 14, 32), (32, 4, 4, 16), (16,), (16,)], "stride": 2, "padding": 1, "activation": "relu"},
    ),
)


def conv2d_batch_norm_train(
    x: np.ndarray,
    w: np.ndarray,
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    x_mean: np.ndarray | None = None,
    x_affine: np.ndarray | None = None,
    *,
    x_activation: str | None = None,
    x_negative_slope: float = 0.01,
    apply: bool = True,
    stored: bool = False,
    running_mean: np.ndarray | None = None,
    running_var: np.ndarray | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    momentum: float = 0.1,
    eps: float = 1e-5,
    activation: str | None = None,
    negative_slope: float = 0.01,
    variant: str | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Convolve, normalise each channel by its own mean and variance, and activate.

    Parameters
    ----------
    x : (N, H, W, C) array, float32 or float64
        Images. An array that is not C-contiguous is copied first.
    w : (C_out, KH, KW, C // groups) array of the same dtype
        Kernels; there is no bias, which normalising would take away.
    weight, bias, running_mean, running_var : (C_out,) arrays of the same dtype, optional
        Of the normalisation, as in `batch_norm_train`, which also says what is changed in place.
    x_mean, x_affine : (C,) and (2, C) arrays of the same dtype, optional
        What another block left beside its z, which is the x of this one: the convolution reads
        ``activate((x - x_mean) * x_affine[0] + x_affine[1])`` in place of x. Zeros around the image stay zeros.
    x_activation, x_negative_slope
        The activation of that, as in `batch_norm_apply`.
    apply : bool
        Whether y is computed.
    stored : bool
        Whether z is rounded to bfloat16 and stored so, in an array of uint16, which holds the upper halves of float32
        numbers; the statistics are those of the rounded numbers. Without ``apply``, and for float32 alone. A block
        that reads such a z, as x with x_mean and x_affine, and the gradients in `kernels.chain` take it as it is.
    stride, padding, dilation, groups
        As in `conv2d`.
    momentum, eps, activation, negative_slope
        As in `batch_norm_train`.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    y : (N, P, Q, C_out) array, or None without ``apply``
    z : (N, P, Q, C_out) array
        The convolution's result, which the gradient needs; of uint16 where it is ``stored``.
    mean, inverse_std, affine : arrays
        Of z, as `batch_norm_train` returns them.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges, dtypes or devices do not fit; nothing is computed.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> y, z, mean, inverse_std, affine = conv2d_batch_norm_train(x, np.full((1, 1, 1, 1), 2.0), eps=0.0)
    >>> z.ravel(), mean, float(y.mean())
    (array([0., 2., 4., 6.]), array([3.]), 0.0)

    Two blocks in a row, of which the second reads the first one's z:

    >>> no_y, z, mean, inverse_std, affine = conv2d_batch_norm_train(x, np.full((1, 1, 1, 1), 2.0), apply=False)
    >>> following = conv2d_batch_norm_train(z, np.ones((1, 1, 1, 1)), None, None, mean, affine, x_activation="relu")
    >>> following[1].ravel().round(2)
    array([0.  , 0.  , 0.45, 1.34])
    """
    end = (eps, activation, negative_slope, x_activation, x_negative_slope, apply, stored)
    args = (stride, padding, dilation, groups, *end)
    arrays, running = (x, w, weight, bias, x_mean, x_affine), (running_mean, running_var)
    return _run(CONV2D_BATCH_NORM_TRAIN, arrays, args, running, momentum, variant)


def conv_transpose2d_batch_norm_train(
    x: np.ndarray,
    w: np.ndarray,
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    x_mean: np.ndarray | None = None,
    x_affine: np.ndarray | None = None,
    *,
    x_activation: str | None = None,
    x_negative_slope: float = 0.01,
    apply: bool = True,
    stored: bool = False,
    running_mean: np.ndarray | None = None,
    running_var: np.ndarray | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = 0,
    output_padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    momentum: float = 0.1,
    eps: float = 1e-5,
    activation: str | None = None,
    negative_slope: float = 0.01,
    variant: str | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`conv2d_batch_norm_train` with a transposed convolution, whose ``w`` is ``(C, KH, KW, C_out // groups)``.

    Parameters
    ----------
    x, w, stride, padding, output_padding, dilation, groups
        As in `conv_transpose2d`.
    weight, bias, x_mean, x_affine, x_activation, x_negative_slope, apply, stored
        As in `conv2d_batch_norm_train`.
    running_mean, running_var, momentum, eps, activation, negative_slope, variant
        As in `conv2d_batch_norm_train`.

    Returns
    -------
    y, z, mean, inverse_std, affine
        As of `conv2d_batch_norm_train`.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges, dtypes or devices do not fit; nothing is computed.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> y, z, *_ = conv_transpose2d_batch_norm_train(x, np.ones((1, 2, 2, 3)), stride=2)
    >>> y.shape
    (1, 4, 4, 3)
    """
    end = (eps, activation, negative_slope, x_activation, x_negative_slope, apply, stored)
    args = (stride, padding, output_padding, dilation, groups, *end)
    arrays, running = (x, w, weight, bias, x_mean, x_affine), (running_mean, running_var)
    return _run(CONV_TRANSPOSE2D_BATCH_NORM_TRAIN, arrays, args, running, momentum, variant)


def _run(
    operation: Operation, arrays: Any, args: tuple[Any, ...], running: Any, momentum: float, variant: str | None
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    g = operation.plan(arrays, args, variant).geometry
    check_running(operation.name, running, arrays[1], g.normalization.channels, momentum)
    y, z, mean, inverse_std, affine, unbiased = operation.run(arrays, args, None, variant)
    move_running(running, (mean, unbiased), momentum)
    return y if g.apply else None, z, mean, inverse_std, affine
