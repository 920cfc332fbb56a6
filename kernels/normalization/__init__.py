"""Batch normalisation over all axes but the last, with a fused activation, and its gradient.

reference.py          the definitions
running.py            statistics that follow those of the batches
cpu_blocked.py        "blocked": float64 sums of shifted numbers, then one pass
cpu_blocked_grad.py   "blocked": two sums for each channel, then one pass; the activation's gradient on the way
cuda_naive.py         "naive" on CUDA: one thread, one number, and sums in between
cuda_fused.cu         "fused" on CUDA: neighbouring channels side by side; one pass adds, one writes
cuda_fused_finish.cu  what lies between the two: sums of sums, and what follows from them for each channel
cuda_fused.py         their launches
"""

import numpy as np

from ..activation.epilogue import CODES
from ..arrays import new_like
from ..operation import Operation, Variant
from . import reference
from .geometry import (
    batch_norm_apply_geometry,
    batch_norm_geometry,
    batch_norm_grad_geometry,
    batch_norm_train_geometry,
)
from .running import check_running, move_running

__all__ = ["batch_norm", "batch_norm_apply", "batch_norm_grad", "batch_norm_train"]

BATCH_NORM = Operation(
    "batch_norm",
    package=__name__,
    geometry=batch_norm_geometry,
    variants=(
        Variant("blocked", "cpu_blocked"),
        Variant("fused", "cuda_fused", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda", teaching=True),
    ),
    reference=reference.batch_norm,
    reference_args=lambda g: (g.eps, CODES[g.activation], g.negative_slope),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 3), (3,), (3,)]},
        {"shapes": [(2, 9, 7, 5), (5,), (5,), (5,), (5,)], "activation": "relu"},
        {"shapes": [(4, 40, 40, 64), (64,), (64,), (64,), (64,)], "activation": "leaky_relu"},
    ),
)

BATCH_NORM_TRAIN = Operation(
    "batch_norm_train",
    package=__name__,
    geometry=batch_norm_train_geometry,
    variants=(
        Variant("blocked", "cpu_blocked", build="build_train"),
        Variant("fused", "cuda_fused", device="cuda", build="build_train"),
        Variant("naive", "cuda_naive", device="cuda", build="build_train", teaching=True),
    ),
    reference=reference.batch_norm_train,
    reference_args=lambda g: (g.eps, CODES[g.activation], g.negative_slope),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 3)]},
        {"shapes": [(2, 9, 7, 5), (5,), (5,)], "activation": "relu"},
        {"shapes": [(4, 40, 40, 64), (64,), (64,)], "activation": "leaky_relu"},
    ),
)

BATCH_NORM_APPLY = Operation(
    "batch_norm_apply",
    package=__name__,
    geometry=batch_norm_apply_geometry,
    variants=(
        Variant("blocked", "cpu_blocked", build="build_apply"),
        Variant("fused", "cuda_fused", device="cuda", build="build_apply"),
        Variant("naive", "cuda_naive", device="cuda", build="build_apply", teaching=True),
    ),
    reference=reference.batch_norm_apply,
    reference_args=lambda g: (CODES[g.activation], g.negative_slope),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 3), (3,), (2, 3)]},
        {"shapes": [(2, 9, 7, 5), (5,), (2, 5)], "activation": "relu"},
        {"shapes": [(4, 40, 40, 64), (64,), (2, 64)], "activation": "leaky_relu"},
    ),
)

BATCH_NORM_GRAD = Operation(
    "batch_norm_grad",
    package=__name__,
    geometry=batch_norm_grad_geometry,
    variants=(
        Variant("blocked", "cpu_blocked_grad"),
        Variant("fused", "cuda_fused", device="cuda", build="build_grad"),
        Variant("naive", "cuda_naive", device="cuda", build="build_grad", teaching=True),
    ),
    reference=reference.batch_norm_grad,
    reference_args=lambda g: (CODES[g.activation], g.negative_slope),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 3), (2, 3), (3,), (3,)]},
        {"shapes": [(2, 9, 7, 5), (2, 9, 7, 5), (5,), (5,), (5,)]},
        {"shapes": [(4, 40, 40, 64), (4, 40, 40, 64), (64,), (64,), (64,), (2, 64)], "activation": "leaky_relu"},
    ),
)


def batch_norm(
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    *,
    eps: float = 1e-5,
    activation: str | None = None,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Normalise each channel by given statistics: ``activate((x - mean) / sqrt(var + eps) * weight + bias)``.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
        Images or features, channels last. An array that is not C-contiguous is copied first.
    mean, var : (C,) arrays of the same dtype
    weight, bias : (C,) arrays, optional
        1 and 0 where they are left out.
    eps : float
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
        Applied to the result before it is stored.
    negative_slope : float
        Slope of "leaky_relu" below zero.
    out : (..., C) array, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape of ``x``

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes or ranges do not fit; nothing is computed.

    Notes
    -----
    Equals ``torch.nn.functional.batch_norm(..., training=False)`` up to layout.

    Examples
    --------
    >>> import numpy as np
    >>> batch_norm(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([4.0]), eps=0.0)
    array([[-0.5],
           [ 0.5]])
    """
    return BATCH_NORM.run((x, mean, var, weight, bias), (eps, activation, negative_slope), out, variant)


def batch_norm_train(
    x: np.ndarray,
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    *,
    running_mean: np.ndarray | None = None,
    running_var: np.ndarray | None = None,
    momentum: float = 0.1,
    eps: float = 1e-5,
    activation: str | None = None,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Normalise each channel by its own mean and variance, and move running statistics towards them.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
        At least two values for each channel. An array that is not C-contiguous is copied first.
    weight, bias : (C,) arrays of the same dtype, optional
    running_mean, running_var : (C,) arrays, optional
        Changed in place: ``(1 - momentum) * running + momentum * statistic``, with the unbiased variance. On a GPU they
        are C-contiguous, and `average_step` moves them in one launch.
    momentum : float, 0 to 1
    eps, activation, negative_slope, out, variant
        As in `batch_norm`.

    Returns
    -------
    y : array of the shape of ``x``
    mean : (C,) array
    inverse_std : (C,) array
        ``1 / sqrt(variance + eps)``, of the biased variance.
    affine : (2, C) array
        Scale and offset: ``y = activate((x - mean) * affine[0] + affine[1])``.

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes or ranges do not fit; nothing is computed, and running statistics stay as they are.

    Notes
    -----
    Sums are in float64, of numbers relative to one of them, in an order that depends on the shape alone: a large common
    offset does not harm the variance, and the result does not depend on the number of threads. Equals
    ``torch.nn.functional.batch_norm(..., training=True)`` up to layout.

    Examples
    --------
    >>> import numpy as np
    >>> y, mean, inverse_std, affine = batch_norm_train(np.array([[1.0], [5.0]]), eps=0.0)
    >>> y.ravel(), mean, inverse_std
    (array([-1.,  1.]), array([3.]), array([0.5]))
    """
    arrays = (x, weight, bias)
    running = (running_mean, running_var)
    check_running("batch_norm_train", running, x, getattr(x, "shape", (0,))[-1], momentum)
    outputs = None
    if out is not None:
        vector = getattr(x, "shape", (0,))[-1:]
        shapes = (vector, vector, (2, *vector), vector)
        outputs = (out, *[new_like(x, shape, getattr(x, "dtype", None)) for shape in shapes])
    results = BATCH_NORM_TRAIN.run(arrays, (eps, activation, negative_slope), outputs, variant)
    y, mean, inverse_std, affine, unbiased = results
    move_running(running, (mean, unbiased), momentum)
    return y, mean, inverse_std, affine


def batch_norm_apply(
    x: np.ndarray,
    mean: np.ndarray,
    affine: np.ndarray,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Normalise by what `batch_norm_train` found: ``activate((x - mean) * affine[0] + affine[1])``.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
        An array that is not C-contiguous is copied first.
    mean : (C,) array of the same dtype
    affine : (2, C) array of the same dtype
        Scale and offset of each channel.
    activation, negative_slope, out, variant
        As in `batch_norm`.

    Returns
    -------
    array of the shape of ``x``

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes or ranges do not fit; nothing is computed.

    Notes
    -----
    The last pass of `batch_norm_train`: of its ``x``, ``mean`` and ``affine`` this is its ``y``, to the bit, except in
    "naive" on CUDA, which in training goes on with factors that are not rounded to the type of ``affine``.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0], [5.0]])
    >>> y, mean, inverse_std, affine = batch_norm_train(x, eps=0.0)
    >>> batch_norm_apply(x, mean, affine).ravel()
    array([-1.,  1.])
    """
    return BATCH_NORM_APPLY.run((x, mean, affine), (activation, negative_slope), out, variant)


def batch_norm_grad(
    gy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    weight: np.ndarray | None = None,
    affine: np.ndarray | None = None,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradient of `batch_norm_train` by its input, weight and bias.

    Parameters
    ----------
    gy : (..., C) array, float32 or float64
        Gradient by the output.
    x : (..., C) array of the same dtype
        The input.
    mean, inverse_std : (C,) arrays
        What `batch_norm_train` returned.
    weight : (C,) array, optional
    affine : (2, C) array
        What `batch_norm_train` returned, needed where there is an activation: its output is computed again.
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
    negative_slope : float
        Not negative.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    gx : array of the shape of ``x``
    gweight, gbias : (C,) arrays
        Whether or not there was a weight or a bias.

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes or ranges do not fit, or affine is given without an activation or the other way round.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0], [5.0], [3.0]])
    >>> y, mean, inverse_std, affine = batch_norm_train(x)
    >>> gx, gweight, gbias = batch_norm_grad(np.ones((3, 1)), x, mean, inverse_std)
    >>> gx.ravel(), gweight, gbias
    (array([0., 0., 0.]), array([0.]), array([3.]))
    """
    arrays = (gy, x, mean, inverse_std, weight, affine)
    return BATCH_NORM_GRAD.run(arrays, (activation, negative_slope), None, variant)
