"""Masks that say which pixels of an image count."""

from typing import Any

import numpy as np

from .images import check_beside


def check_mask(name: str, mask: Any, image: np.ndarray, axes: list[int]) -> np.ndarray | None:
    """The mask as booleans that broadcast with the image: it has the image's shape or that of its ``axes`` alone."""
    if mask is None:
        return None
    check_beside(name, "mask", mask, image)
    if mask.dtype.kind not in "fiub":
        raise TypeError(f"{name}: mask expects booleans or numbers but got {mask.dtype}")
    alone = tuple(image.shape[axis] for axis in axes)
    if mask.shape not in (image.shape, alone):
        raise ValueError(f"{name}: mask expects shape {image.shape} or {alone} but got {mask.shape}")
    if mask.shape != image.shape:
        mask = mask.reshape([image.shape[axis] if axis in axes else 1 for axis in range(image.ndim)])
    return mask.astype(bool, copy=False)


def eroded(mask: np.ndarray, axes: list[int]) -> np.ndarray:
    """The pixels all of whose neighbours, diagonal ones included, exist and are in the mask.

    >>> eroded(np.ones((3, 4), bool), [0, 1]).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    for axis in axes:
        lines = np.moveaxis(mask, axis, 0)
        kept = np.zeros_like(lines)
        if len(lines) > 2:
            kept[1:-1] = lines[:-2] & lines[1:-1] & lines[2:]
        mask = np.moveaxis(kept, 0, axis)
    return mask
