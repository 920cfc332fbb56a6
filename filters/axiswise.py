"""Resizing axis by axis, two neighbouring ones in one pass, so that images may have any number of axes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def output_sizes(
    name: str, image: np.ndarray, output_shape: Any, batch: int, channels: int | None
) -> tuple[np.ndarray, tuple[int, ...]]:
    """The image with the axes that the result has, and the size of each of them."""
    try:
        wanted = list(output_shape)
    except TypeError:
        raise TypeError(f"{name}: output_shape expects a sequence of integers but got {output_shape!r}") from None
    for size in wanted:
        if isinstance(size, bool) or not isinstance(size, int | float | np.number) or float(size) % 1 != 0:
            raise TypeError(f"{name}: output_shape expects a sequence of integers but got {output_shape!r}")
    sizes = [int(size) for size in wanted]
    axes = image.ndim - batch
    if channels is not None and len(sizes) == axes - 1:
        sizes.insert(channels - batch, image.shape[channels])
    elif len(sizes) == axes - 1:
        sizes.append(image.shape[-1])
    if len(sizes) < axes or (channels is not None and len(sizes) != axes):
        raise ValueError(
            f"{name}: output_shape expects {axes} sizes, or {axes - 1} without the channels, but got {output_shape!r} "
            f"(image {image.shape}, batch_axes = {batch})"
        )
    if channels is not None and sizes[channels - batch] != image.shape[channels]:
        raise ValueError(
            f"{name}: output_shape expects {image.shape[channels]} channels as in the image but got {output_shape!r}"
        )
    image = image.reshape(*image.shape, *[1] * (len(sizes) - axes))
    if 0 in image.shape[batch:]:
        raise ValueError(f"{name}: image expects at least one pixel but got shape {image.shape}")
    if min(sizes, default=1) < 1:
        raise ValueError(f"{name}: output_shape expects sizes of at least 1 but got {output_shape!r}")
    return image, (*image.shape[:batch], *sizes)


def by_pairs(x: np.ndarray, sizes: dict[int, int], function: Callable[..., np.ndarray]) -> np.ndarray:
    """Resize each axis that has a size, two neighbours at a time; ``x`` itself where none has.

    ``function(images, (rows, columns))`` resizes (N, H, W, C).
    """
    axes = sorted(sizes)
    while axes:
        axis = axes.pop(0)
        together = bool(axes) and axes[0] == axis + 1
        behind = axes.pop(0) + 1 if together else axis + 1
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[behind:])
        if together:
            shape, size = (outer, *x.shape[axis:behind], inner), (sizes[axis], sizes[axis + 1])
        elif inner == 1:
            shape, size = (outer, 1, x.shape[axis], 1), (1, sizes[axis])
        else:
            shape, size = (outer, x.shape[axis], 1, inner), (sizes[axis], 1)
        shape_after = (*x.shape[:axis], *(size if together else (sizes[axis],)), *x.shape[behind:])
        x = function(x.reshape(shape), size).reshape(shape_after)
    return x


def written(result: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """The result, in ``out`` where there is one."""
    if out is None:
        return result
    out[...] = result
    return out
