"""Footprints of gray morphology: checked, and applied in turn."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..kernels.arrays import to_device
from ..kernels.correlation.geometry import check_border
from ..kernels.rank.geometry import Footprint, check_footprint
from .comparing import constant_of, number_under, over_images
from .images import axes_beside, check_image, check_out

_MODES = ("reflect", "constant", "nearest", "mirror", "wrap", "max", "min", "ignore")


class Element(NamedTuple):
    """A footprint, the origin of its middle as in `tilegrad.kernels.rank_filter2d`, how often it is applied."""

    footprint: Footprint
    origin: tuple[int, ...]
    times: int

    def mirrored(self) -> "Element":
        sides, chosen = self.footprint
        flipped = Footprint(sides, None if chosen is None else chosen[::-1])
        # The middle of an even number of rows lies on the other side then.
        origin = tuple([side % 2 - 1 - o for side, o in zip(sides, self.origin, strict=True)])
        return Element(flipped, origin, self.times)


class Morphology(NamedTuple):
    """A checked call: how the image is filtered."""

    name: str
    elements: tuple[Element, ...]
    mode: str
    cval: Any
    channel_axis: int | None
    batch_axes: int

    def filtered(
        self, image: np.ndarray, greatest: bool, mirrored: bool = False, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Eroded or dilated, by the footprints or by their mirror images."""
        outside, mode = self.cval, self.mode
        if mode == "ignore":
            mode = "min" if greatest else "max"
        if mode in ("max", "min"):
            outside, mode = (np.inf if mode == "max" else -np.inf), "constant"
            outside = outside if image.dtype != np.bool_ else float(outside > 0)
        rank = -1 if greatest else 0
        outside = constant_of(outside, image.dtype)
        steps = [element for element in self.elements for _ in range(element.times)]
        for number, element in enumerate(steps, 1):
            footprint, origin, _ = element.mirrored() if mirrored else element

            def kernel(x: np.ndarray, out: np.ndarray | None, window: Any = footprint, at: Any = origin) -> np.ndarray:
                return number_under(x, window, rank, mode, outside, at, out)

            image = over_images(
                self.name,
                image,
                kernel,
                channel_axis=self.channel_axis,
                batch_axes=self.batch_axes,
                out=out if number == len(steps) else None,
            )
        return image

    def opened(self, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Eroded, then dilated by the mirror images."""
        return self.filtered(self.filtered(image, greatest=False), greatest=True, mirrored=True, out=out)

    def closed(self, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Dilated, then eroded by the mirror images."""
        return self.filtered(self.filtered(image, greatest=True), greatest=False, mirrored=True, out=out)


def checked_call(
    name: str,
    image: Any,
    footprint: Any,
    out: Any,
    mode: Any,
    cval: Any,
    channel_axis: int | None,
    batch_axes: int,
) -> Morphology:
    """Check a call of gray morphology."""
    check_image(name, "image", image)
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"{name}: unsupported mode: expects one of {', '.join(map(repr, _MODES))} but got {mode!r}")
    check_border(name, "constant", cval)
    if out is not None:
        check_out(name, out, image, image.shape, image.dtype)
    axes = axes_beside(name, image, channel_axis, batch_axes)
    return Morphology(name, _elements(name, footprint, axes), mode, cval, channel_axis, batch_axes)


@functools.cache
def _cross(axes: int) -> np.ndarray:
    """The pixel in the middle and its neighbours along each axis."""
    return (np.abs(np.indices((3,) * axes) - 1).sum(axis=0) <= 1).astype(np.uint8)


def _elements(name: str, footprint: Any, axes: int) -> tuple[Element, ...]:
    """A footprint, or those of a sequence, in the order in which they are applied; that of a row is one line."""
    if footprint is None:
        footprint = _cross(axes)
    pairs = [(footprint, 1)]
    if isinstance(footprint, Sequence) and all(
        isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], np.ndarray) for pair in footprint
    ):
        pairs = list(footprint)
    elements = []
    for array, times in pairs:
        array = np.asarray(to_device(array, "cpu"))
        if array.ndim != axes:
            raise ValueError(f"{name}: footprint expects an array of {axes} axes but got shape {array.shape}")
        if isinstance(times, bool) or not isinstance(times, int | np.integer) or times < 1:
            raise ValueError(f"{name}: footprint expects how often it is applied, at least once, but got {times!r}")
        found = check_footprint(name, array if axes > 1 else array[None], max(axes, 2))
        elements.append(Element(found, tuple([side % 2 - 1 for side in found.sides]), int(times)))
    if not elements:
        raise ValueError(f"{name}: footprint expects at least one but got {footprint!r}")
    return tuple(elements)
