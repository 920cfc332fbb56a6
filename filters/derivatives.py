"""Derivatives of images along their axes: what the edge filters are made of."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.correlation.geometry import check_border
from .images import as_float, axis_of_channels, check_image, check_out, leading_axes
from .masks import check_mask, eroded
from .separable import LEAST_SIGMA, correlate_axes, gaussian_taps

Axis = int | Sequence[int] | None
Mode = str | Sequence[str]

SLOPE = np.array([-1.0, 0.0, 1.0])


class EdgeImage:
    """A checked image: its axes, its mask, and where its result goes."""

    def __init__(
        self, name: str, image: Any, mask: Any, channel_axis: Any, batch_axes: Any, out: Any, axes: int | None = None
    ) -> None:
        check_image(name, "image", image)
        batch = leading_axes(name, batch_axes, image.ndim)
        channels = axis_of_channels(name, channel_axis, image.ndim, batch)
        self.name = name
        self.axes = [axis for axis in range(batch, image.ndim) if axis != channels]
        if not self.axes:
            raise ValueError(
                f"{name}: image expects an axis beside those of the batch and of the channels but has none "
                f"(image {image.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
            )
        if axes is not None and len(self.axes) != axes:
            raise ValueError(
                f"{name}: image expects {axes} axes beside those of the batch and of the channels but has "
                f"{len(self.axes)} (image {image.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
            )
        self.mask = check_mask(name, mask, image, self.axes)
        self.source = as_float(image, preserve_range=False)
        if out is not None:
            check_out(name, out, image, image.shape, self.source.dtype)
        self.out = out

    @property
    def target(self) -> np.ndarray | None:
        """``out`` where a kernel may write into it."""
        direct = self.out is not None and self.out.flags.c_contiguous and not np.may_share_memory(self.out, self.source)
        return self.out if direct else None

    def finished(self, result: np.ndarray) -> np.ndarray:
        """The result inside the mask, 0 outside and where a neighbour is outside; in ``out``, if there is one."""
        if self.mask is not None:
            result = np.where(eroded(self.mask, self.axes), result, result.dtype.type(0))
        if self.out is None or result is self.out:
            return result
        self.out[...] = result
        return self.out


def _modes(image: EdgeImage, mode: Any) -> dict[int, str]:
    """The border's mode of each axis."""
    modes = [mode] * len(image.axes) if isinstance(mode, str) or not isinstance(mode, Sequence) else list(mode)
    if len(modes) != len(image.axes):
        raise ValueError(
            f"{image.name}: mode expects a string or one for each of {len(image.axes)} axes but got {mode!r}"
        )
    return {axis: check_border(image.name, m, 0.0)[0] for axis, m in zip(image.axes, modes, strict=True)}


def _along(image: EdgeImage, axis: Any) -> list[int]:
    """The axes along which there are derivatives."""
    if axis is None:
        return image.axes
    chosen = []
    for value in [axis] if isinstance(axis, int | np.integer) else list(axis):
        index = axis_of_channels(image.name, value, image.source.ndim, 0)
        if isinstance(value, bool) or index not in image.axes:
            raise ValueError(f"{image.name}: axis expects axes of the image, {image.axes}, but got {axis!r}")
        chosen.append(index)
    if not chosen:
        raise ValueError(f"{image.name}: axis expects an axis at least but got {axis!r}")
    return chosen


def _derivative(
    image: EdgeImage, edge: int, modes: dict[int, str], cval: float, smooth: np.ndarray, slope: np.ndarray
) -> np.ndarray:
    weights = {axis: slope if axis == edge else smooth for axis in image.axes}
    if len(set(modes.values())) == 1 and modes[edge] != "constant":
        return correlate_axes(image.source, weights, mode=modes[edge])
    # The slope last: a constant that goes on outside is smoothed to itself, and its slope is 0.
    result = image.source
    for axis in [*(a for a in image.axes if a != edge), edge]:
        result = kernels.correlate1d(result, weights[axis], axis=axis, mode=modes[axis], cval=cval)
    return result


def _checked_sigma(name: str, sigma: Any) -> float:
    if isinstance(sigma, bool) or not isinstance(sigma, int | float | np.number):
        raise TypeError(f"{name}: sigma expects a number but got {sigma!r}")
    if not 0 <= sigma < math.inf:
        raise ValueError(f"{name}: sigma expects a finite number of at least 0 but got {sigma!r}")
    return float(sigma)


def edges_of(
    image: EdgeImage, axis: Axis, mode: Mode, cval: float, smooth: np.ndarray, slope: np.ndarray = SLOPE,
    sigma: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """The derivative along one axis, or the root of the mean square of those along several, of a blurred image."""
    modes, along = _modes(image, mode), _along(image, axis)
    check_border(image.name, modes[along[0]], cval)
    blur = gaussian_taps(sigma, 4.0) if _checked_sigma(image.name, sigma) > LEAST_SIGMA else None
    first, one_mode = image.axes[0], len(set(modes.values())) == 1
    if along == image.axes == [first, first + 1] and one_mode:
        result = kernels.gradient_magnitude2d(
            image.source, smooth, slope, blur, axis=first, mode=modes[first], cval=cval, out=image.target
        )
        return image.finished(result)
    if blur is not None and one_mode:
        image.source = correlate_axes(image.source, dict.fromkeys(image.axes, blur), mode=modes[first], cval=cval)
    elif blur is not None:
        for each in image.axes:
            image.source = kernels.correlate1d(image.source, blur, axis=each, mode=modes[each], cval=cval)
    if len(along) == 1:
        return image.finished(_derivative(image, along[0], modes, cval, smooth, slope))
    squares = sum(np.square(_derivative(image, edge, modes, cval, smooth, slope)) for edge in along)
    return image.finished(np.sqrt(squares) / np.sqrt(len(image.axes), dtype=image.source.dtype))
