"""What exemplar inpainting knows of its images before it begins: which pixels are open, which patches may be copied.

It follows from masks alone, but for the planes of the CPU's variant.
"""

from typing import NamedTuple

import numpy as np

from .geometry import ExemplarGeometry
from .rules import DECAY, RELIANCE

KNOWN, OPEN, NO_NUMBER = 0, 1, 2
"""What a pixel is while a hole is being filled."""


class Prepared(NamedTuple):
    """The images as planes, and what is known of their pixels."""

    planes: np.ndarray  # (N, C, H, pitch) of the working type; what is not known is 0; a block of room lies behind it
    hole: np.ndarray  # (N, H, W) bool
    numbers: np.ndarray  # (N, H, W) bool: known pixels that are finite in all channels
    whole: np.ndarray  # (N, H, W) uint8: whether the patch that begins at each pixel may be copied
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
    whole = copyable(g, hole, numbers & (source != 0))
    pitch = -(-g.w // block) * block
    room = np.zeros(g.n * g.c * g.h * pitch + 2 * block, g.work)
    planes = room[: -2 * block].reshape(g.n, g.c, g.h, pitch)
    planes[..., : g.w] = np.where(numbers[..., None], x, 0).transpose(0, 3, 1, 2)
    known = planes[..., : g.w].transpose(0, 2, 3, 1)
    low = np.where(numbers[..., None], known, np.inf).min(axis=(1, 2))
    high = np.where(numbers[..., None], known, -np.inf).max(axis=(1, 2))
    longest = (high.astype(np.float64) - low).max(axis=1)
    return Prepared(planes, hole, numbers, whole, low, high, longest, np.flatnonzero(hole))


def box_sums(g: ExemplarGeometry, values: np.ndarray) -> np.ndarray:
    """The sum over the patch that begins at each pixel, and 0 where none does; (N, H, W)."""
    sums = np.pad(values.cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    result = np.zeros(values.shape, sums.dtype)
    result[:, : g.h - g.r + 1, : g.w - g.s + 1] = (
        sums[:, g.r :, g.s :] - sums[:, : -g.r, g.s :] - sums[:, g.r :, : -g.s] + sums[:, : -g.r, : -g.s]
    )
    return result


def copyable(g: ExemplarGeometry, hole: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Whether the patch that begins at each pixel may be copied, (N, H, W) uint8; of an image with a hole one must."""
    whole = box_sums(g, usable.astype(np.int64)) == g.r * g.s
    lost = hole.any(axis=(1, 2)) & ~whole.any(axis=(1, 2))
    if lost.any():
        i = int(lost.argmax())
        raise ValueError(
            f"inpaint_exemplar: image {i} has no patch of {g.r} x {g.s} pixels that may be copied "
            f"({int(hole[i].sum())} of its {g.h} x {g.w} pixels are to be filled, {int(usable[i].sum())} may be copied)"
        )
    return whole.astype(np.uint8)


def states_of(hole: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """What each pixel is before anything is filled; (N, H, W) uint8."""
    return np.where(hole, np.uint8(OPEN), np.where(numbers, np.uint8(KNOWN), np.uint8(NO_NUMBER)))


def depths(hole: np.ndarray) -> np.ndarray:
    """How many steps each pixel lies inside a hole, 1 beside what is not; (N, H, W) int64."""
    depth = np.zeros(hole.shape, np.int64)
    inside = hole
    while inside.any():
        depth += inside
        around = np.pad(inside, ((0, 0), (1, 1), (1, 1)), constant_values=True)
        inside = inside & around[:, :-2, 1:-1] & around[:, 2:, 1:-1] & around[:, 1:-1, :-2] & around[:, 1:-1, 2:]
    return depth


class Targets(NamedTuple):
    """The patches that meet a hole, which the rounds improve, and what their pixels count."""

    places: np.ndarray  # of all of them in (N, H, W), in raster order
    numbering: np.ndarray  # (N, H, W) int64: the number in that list of the patch that begins at each pixel, or -1
    covered: np.ndarray  # (N, H, W) bool: their pixels, as far as those are open or numbers
    depth: np.ndarray  # (N, H, W) int64
    weights: np.ndarray  # (N, H, W) of the working type: less the deeper inside a hole, 0 for what is no number
    reliance: np.ndarray  # of each target, of the working type


def targets_of(g: ExemplarGeometry, hole: np.ndarray, numbers: np.ndarray) -> Targets:
    meets = box_sums(g, hole.astype(np.int64)) > 0
    places = np.flatnonzero(meets)
    numbering = np.full(meets.shape, -1, np.int64)
    numbering.reshape(-1)[places] = np.arange(places.size)
    covered = np.zeros_like(meets)
    for i in range(g.r):
        for j in range(g.s):
            covered[:, i : g.h, j : g.w] |= meets[:, : g.h - i, : g.w - j]
    depth = depths(hole)
    weights = np.where(numbers | hole, DECAY ** -depth.astype(np.float64), 0).astype(g.work)
    means = box_sums(g, weights.astype(np.float64)).reshape(-1)[places] / (g.r * g.s)
    return Targets(places, numbering, covered & (numbers | hole), depth, weights, (means**RELIANCE).astype(g.work))
