"""Padding that repeats what is in the image. (Convolutions pad with zeros by themselves.)

Padding copies rows and columns, so its gradient adds the copies back to where they came from; both are linear, and each
is the other's derivative.
"""

from typing import Any

import numpy as np

from ..primitive import Array, primitive

MODES = {"replicate": "edge", "reflect": "reflect"}


def _sources(size: int, before: int, after: int, mode: str) -> np.ndarray:
    """The index along an axis that each padded position copies."""
    if mode == "reflect" and max(before, after) >= size:
        raise ValueError(f"pad2d: reflect expects padding less than the size {size} but got ({before}, {after})")
    return np.pad(np.arange(size), (before, after), mode=MODES[mode])  # type: ignore[call-overload]


def _check(padding: Any, mode: str) -> None:
    if mode not in MODES:
        raise ValueError(f"pad2d: mode expects one of {sorted(MODES)} but got {mode!r}")
    if np.shape(padding) != (2, 2) or np.min(padding) < 0:
        raise ValueError(f"pad2d: padding expects ((top, bottom), (left, right)) of at least 0 but got {padding!r}")


@primitive()
def pad2d(x: Array, padding: tuple[tuple[int, int], tuple[int, int]], mode: str = "replicate") -> Array:
    """Pad NHWC images by repeating their border ("replicate") or mirroring them about it ("reflect").

    Parameters
    ----------
    x : (N, H, W, C)
    padding : ((top, bottom), (left, right))

    Returns
    -------
    (N, top + H + bottom, left + W + right, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[1.0, 2.0, 3.0]]).reshape(1, 1, 3, 1)
    >>> nn.functional.pad2d(x, ((0, 0), (2, 1)), "reflect").reshape(-1)
    Tensor([3., 2., 1., 2., 3., 2.], dtype=float32)
    """
    _check(padding, mode)
    if x.ndim != 4:
        raise ValueError(f"pad2d: input expects (N, H, W, C) but got shape {x.shape}")
    rows, columns = (_sources(x.shape[axis + 1], *padding[axis], mode) for axis in (0, 1))
    return x.take(rows, axis=1).take(columns, axis=2)


@primitive()
def pad2d_grad(gy: Array, padding: tuple[tuple[int, int], tuple[int, int]], mode: str = "replicate") -> Array:
    """The gradient of `pad2d`: what was copied, added back to where it came from."""
    for axis in (1, 2):
        before, after = padding[axis - 1]
        gy = gy.swapaxes(0, axis)
        size = len(gy) - before - after
        gx = gy[before : before + size].copy()
        sources = _sources(size, before, after, mode)
        for position in (*range(before), *range(before + size, len(gy))):
            gx[sources[position]] += gy[position]
        gy = gx.swapaxes(0, axis)
    return np.ascontiguousarray(gy)


pad2d.gradients(x=lambda gy, padding, mode: pad2d_grad(gy, padding, mode))
pad2d_grad.gradients(gy=lambda g, padding, mode: pad2d(g, padding, mode))
