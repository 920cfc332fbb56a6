"""Sums, means and changes of shape. Axes are named as PyTorch names them: ``dim``, ``keepdim``."""

import math
from typing import Any

import numpy as np

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor

Dim = int | tuple[int, ...] | None


@primitive()
def sum(x: Array, dim: Dim = None, keepdim: bool = False, *, out: Array = None) -> Array:
    """Sum over some axes, or all.

    >>> from tilegrad import nn
    >>> nn.functional.sum(nn.Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    Tensor([4., 6.], dtype=float32)
    """
    return kernels.sum(x, axis=dim, keepdims=keepdim, out=out)


@primitive()
def mean(x: Array, dim: Dim = None, keepdim: bool = False, *, out: Array = None) -> Array:
    """Mean over some axes, or all."""
    return kernels.mean(x, axis=dim, keepdims=keepdim, out=out)


@primitive(views=True)
def reshape(x: Array, shape: tuple[int, ...]) -> Array:
    """The same elements in another shape; a view where the memory allows it. One extent may be -1."""
    return x.reshape(shape)


@primitive(views=True)
def permute(x: Array, dims: tuple[int, ...]) -> Array:
    """The axes in another order, as a view.

    >>> from tilegrad import nn
    >>> nn.functional.permute(nn.Tensor([[1.0, 2.0, 3.0]]), (1, 0)).shape
    (3, 1)
    """
    return x.transpose(dims)


@primitive()
def to_device(x: Array, device: str) -> Array:
    """``x`` copied to the other device."""
    return kernels.to_device(x, device)


@primitive(views=True)
def broadcast_to(x: Array, shape: tuple[int, ...]) -> Array:
    """``x`` repeated along new axes and axes of length 1, as a read-only view."""
    return np.broadcast_to(x, shape)


@primitive(views=True)
def getitem(x: Array, key: Any) -> Array:
    """``x[key]`` for integers, slices, ``...`` and None, as a view.

    >>> from tilegrad import nn
    >>> nn.Tensor([[1.0, 2.0], [3.0, 4.0]])[:, -1]
    Tensor([2., 4.], dtype=float32)
    """
    keys = key if isinstance(key, tuple) else (key,)
    basic = (k is None or k is Ellipsis or isinstance(k, int | np.integer | slice) for k in keys)
    if not all(basic) or any(isinstance(k, bool) for k in keys):
        raise TypeError(f"getitem: the key expects integers, slices, ... and None but got {key!r}")
    view = x[key]
    return view if view.ndim else x[(*keys, None)].reshape(())


@primitive()
def getitem_grad(gy: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with ``gy`` at ``key``."""
    gx = np.zeros_like(gy, shape=shape)
    gx[key] = gy
    return gx


def over(shape: tuple[int, ...], dim: Dim) -> tuple[int, ...]:
    """The axes that ``dim`` names, counted from the front."""
    dims = range(len(shape)) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    return tuple(d % len(shape) for d in dims)


def spread(gy: Tensor, shape: tuple[int, ...], dim: Dim) -> Tensor:
    """Back from the shape of a sum over ``dim``, with or without ``keepdim``, to ``shape``."""
    axes = over(shape, dim)
    return broadcast_to(reshape(gy, tuple(1 if i in axes else n for i, n in enumerate(shape))), shape)


def count(shape: tuple[int, ...], dim: Dim) -> int:
    """How many elements go into each sum over ``dim``."""
    return math.prod(shape[i] for i in over(shape, dim))


sum.gradients(x=lambda gy, x_shape, dim: spread(gy, x_shape, dim))
mean.gradients(x=lambda gy, x_shape, dim: spread(gy * (1.0 / max(1, count(x_shape, dim))), x_shape, dim))
to_device.gradients(x=lambda gy, device: to_device(gy, "cpu" if device == "cuda" else "cuda"))
reshape.gradients(x=lambda gy, x_shape: reshape(gy, x_shape))
permute.gradients(x=lambda gy, dims: permute(gy, tuple(int(i) for i in np.argsort([d % len(dims) for d in dims]))))
getitem.gradients(x=lambda gy, x_shape, key: getitem_grad(gy, key, x_shape))
getitem_grad.gradients(gy=lambda g, key: getitem(g, key))
broadcast_to.gradients(x=lambda gy, x_shape: gy.sum_to_size(x_shape))
