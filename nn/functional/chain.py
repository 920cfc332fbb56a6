"""Blocks of convolution, batch normalisation and activation in a row, where each reads the one before unnormalised.

A block for itself writes z, its convolution's result, and then y, normalised and activated, which the next block reads.
In a row y need not exist: the next convolution reads z, and normalises and activates what it has read. Of each block
backward then keeps one image where it kept two; its weight gradient reads z in the same way, and its input gradient,
which ends in the gradient by the y that never was, goes on to that by z while it has the numbers at hand.

Where products round their factors to bfloat16, z is stored so: half the bytes to write, and to read in the next block
and three times backward. Gradients are of float32.

The activation and its derivative are computed once more than in a block for itself, so this pays where kernels do it
on the way, between a load and a product: on CUDA with tensor cores. `links` says whether they take a block, and
`nn.Sequential` asks it.
"""

from typing import Any, NamedTuple

import numpy as np

from ... import kernels
from ...kernels import bfloat16
from ...kernels.chain import on_tensor_cores
from ...kernels.contexts import arithmetic
from ..primitive import ZERO, Array, Primitive, primitive
from ..tensor import Tensor
from .convolution import Padding, Pair, conv2d, conv2d_input_grad, conv2d_weight_grad, conv_transpose2d, geometry
from .normalization import batch_norm_gradients, batch_normalized


class Statistics:
    """How a convolution's result z is normalised: ``act((z - mean) * affine[0] + affine[1])``.

    The arrays are there when z is: the convolution computes them. Gradients need 1 / its deviations, ``inverse_std``.
    """

    __slots__ = ("activation", "affine", "eps", "inverse_std", "mean", "negative_slope")

    mean: Array
    inverse_std: Array
    affine: Array

    def __init__(self, eps: float, activation: str | None, negative_slope: float) -> None:
        self.eps, self.activation, self.negative_slope = eps, activation, negative_slope

    @property
    def end(self) -> dict[str, Any]:
        """The activation, as operations take it."""
        return {"activation": self.activation, "negative_slope": self.negative_slope}


class Unapplied(NamedTuple):
    """The result of a block whose normalisation and activation have not been applied."""

    z: Tensor
    weight: Tensor | None
    bias: Tensor | None
    statistics: Statistics

    def applied(self) -> Tensor:
        """What the block computes."""
        return batch_norm_apply(self.z, self.weight, self.bias, statistics=self.statistics)


def links(convolve: Primitive, x: Tensor | Unapplied, w: Tensor, **place: Any) -> bool:
    """Whether tensor cores take the convolution of a block, and its gradients: then it may stand in a row.

    A block that they do not take reads what the one before it has normalised, and writes what it has itself.
    """
    z = x.z if isinstance(x, Unapplied) else x
    if z.device != "cuda" or arithmetic.get() not in ("tf32", "bfloat16"):
        return False
    return on_tensor_cores(z.shape, w.shape, w.dtype, transposed=convolve is conv_transpose2d_unapplied, **place)


def link(
    convolve: Primitive,
    x: Tensor | Unapplied,
    w: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    *,
    momentum: float,
    eps: float,
    activation: str | None,
    negative_slope: float,
    **place: Any,
) -> Unapplied:
    """A block in training, but for the end of it: ``convolve`` is `conv2d_unapplied` or its transpose.

    >>> from tilegrad import nn
    >>> block = nn.Conv2dBatchNorm(3, 8, 3, activation="relu")
    >>> norm, x = block.norm, nn.randn((2, 6, 6, 3))
    >>> how = {"momentum": 0.1, "eps": 1e-5, "activation": "relu", "negative_slope": 0.01}
    >>> found = link(conv2d_unapplied, x, block.conv.weight, None, None, norm.weight, norm.bias, **how)
    >>> float((found.applied() - block(x)).abs().sum())
    0.0
    """
    z, *affine, through = x if isinstance(x, Unapplied) else (x, None, None, None)
    leaves = Statistics(eps, activation, negative_slope)
    stored = arithmetic.get() == "bfloat16" and z.device == "cuda" and w.dtype == np.float32
    how = {"through": through, "leaves": leaves, "stored": stored, "momentum": momentum, **place}
    return Unapplied(convolve(z, w, weight, bias, running_mean, running_var, *affine, **how), weight, bias, leaves)


@primitive(writes=("running_mean", "running_var"))
def conv2d_unapplied(
    x: Array, w: Array, weight: Array, bias: Array, running_mean: Array = None, running_var: Array = None,
    x_weight: Array = None, x_bias: Array = None, *,
    through: Statistics | None, leaves: Statistics, stored: bool = False, momentum: float = 0.1,
    stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """The convolution of x, read as ``through`` says of it; ``leaves`` gets what normalises the result.

    Where it is ``stored``, the result is of bfloat16 (`kernels.bfloat16`).
    """
    place = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return _convolved(
        kernels.conv2d_batch_norm_train, (x, w, weight, bias), through, leaves, stored=stored,
        running_mean=running_mean, running_var=running_var, momentum=momentum, **place,
    )  # fmt: skip


@primitive(writes=("running_mean", "running_var"))
def conv_transpose2d_unapplied(
    x: Array, w: Array, weight: Array, bias: Array, running_mean: Array = None, running_var: Array = None,
    x_weight: Array = None, x_bias: Array = None, *,
    through: Statistics | None, leaves: Statistics, stored: bool = False, momentum: float = 0.1,
    stride: Pair = 1, padding: Padding = 0, output_padding: Pair = 0, dilation: Pair = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """The same with a transposed convolution."""
    place = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return _convolved(
        kernels.conv_transpose2d_batch_norm_train, (x, w, weight, bias), through, leaves, stored=stored,
        running_mean=running_mean, running_var=running_var, momentum=momentum, output_padding=output_padding, **place,
    )  # fmt: skip


@primitive()
def widened(x: Array) -> Array:
    """Numbers that are stored as bfloat16, and others, in a type that is computed in."""
    return bfloat16.widened(x)


@primitive()
def batch_norm_apply(x: Array, weight: Array, bias: Array, *, statistics: Statistics) -> Array:
    """The normalisation by the statistics of x itself, which are known, and the activation."""
    return kernels.batch_norm_apply(x, statistics.mean, statistics.affine, **statistics.end)


def _convolved(
    block: Any, arrays: tuple[Array, ...], through: Statistics | None, leaves: Statistics, **how: Any
) -> Array:
    if through is not None:
        arrays = (*arrays, through.mean, through.affine)
        how |= {"x_activation": through.activation, "x_negative_slope": through.negative_slope}
    _, z, leaves.mean, leaves.inverse_std, leaves.affine = block(
        *arrays, apply=False, eps=leaves.eps, **leaves.end, **how
    )
    return z


def _written(x: Tensor, weight: Any, bias: Any, through: Statistics | None) -> Tensor:
    """What is read through a normalisation, composed of primitives."""
    return (
        x
        if through is None
        else batch_normalized(widened(x), weight, bias, momentum=0.0, eps=through.eps, **through.end)
    )


def _unfused(x, w, weight, bias, x_weight, x_bias, *, through, leaves, stored, momentum, **place):
    return conv2d(_written(x, x_weight, x_bias, through), w, **place)


def _unfused_transposed(x, w, weight, bias, x_weight, x_bias, *, through, leaves, stored, momentum, **place):
    return conv_transpose2d(_written(x, x_weight, x_bias, through), w, **place)


def _unfused_apply(x, weight, bias, *, statistics):
    return _written(x, weight, bias, statistics)


def _gradients(transposed):
    """The hand-written gradients of a convolution that may read x through a normalisation."""
    by_input = kernels.normalized_conv_transpose2d_input_grad if transposed else kernels.normalized_conv2d_input_grad

    def together(gy, x, w, x_weight, through, settings, wants):
        place, found = geometry(settings), {}
        first, second = (x, gy) if transposed else (gy, x)
        if through is None:
            if "x" in wants:
                found["x"] = conv2d(gy, w, **place) if transposed else conv2d_input_grad(gy, w, x.shape, **place)
            if "w" in wants:
                found["w"] = conv2d_weight_grad(first, second, w.shape, **place)
            return found
        if "w" in wants:
            found["w"] = Tensor.wrap(
                kernels.normalized_conv2d_weight_grad(
                    first.data, second.data, through.mean, through.affine, w.shape,
                    normalized="gy" if transposed else "x", **through.end, **place,
                )
            )  # fmt: skip
        if wants - {"w"}:
            gradients = by_input(
                gy.data, w.data, x.data, through.mean, through.inverse_std, None if x_weight is None else x_weight.data,
                through.affine, **through.end, **place,
            )  # fmt: skip
            found |= zip(("x", "x_weight", "x_bias"), map(Tensor.wrap, gradients), strict=True)
        return found

    return together


def _together_apply(gy, x, weight, statistics):
    s = statistics
    affine = s.affine if s.activation else None
    return batch_norm_gradients(gy, x.data, weight, s.mean, s.inverse_std, affine, s.end)


widened.gradients(x=lambda gy: gy)
conv2d_unapplied.gradients(
    x=None, w=None, weight=ZERO, bias=ZERO, x_weight=None, x_bias=None,
    together=_gradients(transposed=False), unfused=_unfused, without=("running_mean", "running_var"),
)  # fmt: skip
conv_transpose2d_unapplied.gradients(
    x=None, w=None, weight=ZERO, bias=ZERO, x_weight=None, x_bias=None,
    together=_gradients(transposed=True), unfused=_unfused_transposed, without=("running_mean", "running_var"),
)  # fmt: skip
batch_norm_apply.gradients(x=None, weight=None, bias=None, together=_together_apply, unfused=_unfused_apply)
