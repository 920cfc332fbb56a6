"""What exemplar inpainting knows of its images before it begins: which pixels are open, which patches may be copied."""

from typing import NamedTuple

import numpy as np

from .geometry import ExemplarGeometry
from .rules import DECAY


class Prepared(NamedTuple):
    """The images as planes, and what is known of their pixels."""

    planes: np.ndarray  # (N, C, H, pitch) of the working type; what is not known is 0; a block of room lies behind it
    hole: np.ndarray  # (N, H, W) bool
    numbers: np.ndarray  # (N, H, W) bool: known pixels that are finite in all channels
    usable: np.ndarray  # (N, H, W) bool: those that may be copied
    low: np.ndarray  # (N, C): the least known value
    high: np.ndarray  # (N, C): the largest
    range: np.ndarray  # (N) float64: the longest of their distances
    places: np.ndarray  # of all open pixels in (N, H, W), in raster order

    def at_holes(self, planes: np.ndarray) -> np.ndarray:
        """The values of planes at the open pixels: (places, C)."""
        h = planes.shape[2]
        w = self.hole.shape[2]
        image, rest = np.divmod(self.places, h * w)
        return planes[image, :, rest // w, rest % w]


def prepare(g: ExemplarGeometry, x: np.ndarray, mask: np.ndarray, source: np.ndarray, block: int) -> Prepared:
    """``block`` is the number of candidates that are compared side by side: rows are padded to whole blocks."""
    hole = mask != 0
    numbers = ~hole if g.levels else ~hole & np.isfinite(x).all(axis=-1)
    usable = numbers & (source != 0)
    lost = hole.any(axis=(1, 2)) & ~whole_patches(g, usable).any(axis=(1, 2))
    if lost.any():
        i = int(lost.argmax())
        raise ValueError(
            f"inpaint_exemplar: image {i} has no patch of {g.r} x {g.s} pixels that may be copied "
            f"({int(hole[i].sum())} of its {g.h} x {g.w} pixels are to be filled, {int(usable[i].sum())} may be copied)"
        )
    pitch = -(-g.w // block) * block
    room = np.zeros(g.n * g.c * g.h * pitch + 2 * block, g.work)
    planes = room[: -2 * block].reshape(g.n, g.c, g.h, pitch)
    planes[..., : g.w] = np.where(numbers[..., None], x, 0).transpose(0, 3, 1, 2)
    known = planes[..., : g.w].transpose(0, 2, 3, 1)
    low = np.where(numbers[..., None], known, np.inf).min(axis=(1, 2))
    high = np.where(numbers[..., None], known, -np.inf).max(axis=(1, 2))
    longest = (high.astype(np.float64) - low).max(axis=1)
    return Prepared(planes, hole, numbers, usable, low, high, longest, np.flatnonzero(hole))


def box_sums(g: ExemplarGeometry, values: np.ndarray) -> np.ndarray:
    """The sum over the patch that begins at each pixel, and 0 where none does; (N, H, W)."""
    sums = np.pad(values.cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    result = np.zeros(values.shape, sums.dtype)
    result[:, : g.h - g.r + 1, : g.w - g.s + 1] = (
        sums[:, g.r :, g.s :] - sums[:, : -g.r, g.s :] - sums[:, g.r :, : -g.s] + sums[:, : -g.r, : -g.s]
    )
    return result


def whole_patches(g: ExemplarGeometry, usable: np.ndarray) -> np.ndarray:
    """Whether the patch that begins at each pixel may be copied; (N, H, W) uint8."""
    return (box_sums(g, usable.astype(np.int64)) == g.r * g.s).astype(np.uint8)


def depths(hole: np.ndarray) -> np.ndarray:
    """How many steps each pixel lies inside a hole, 1 beside what is not; (N, H, W) int64."""
    depth = np.zeros(hole.shape, np.int64)
    inside = hole
    while inside.any():
        depth += inside
        around = np.pad(inside, ((0, 0), (1, 1), (1, 1)), constant_values=True)
        inside = inside & around[:, :-2, 1:-1] & around[:, 2:, 1:-1] & around[:, 1:-1, :-2] & around[:, 1:-1, 2:]
    return depth


def weights_of(g: ExemplarGeometry, state: Prepared, depth: np.ndarray) -> np.ndarray:
    """1 for known pixels, less for those in a hole the more steps they are inside, 0 for those that are no numbers."""
    return np.where(state.numbers | state.hole, DECAY ** -depth.astype(np.float64), 0).astype(g.work)
