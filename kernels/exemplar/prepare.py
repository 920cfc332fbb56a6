"""What exemplar inpainting knows of its images before it begins: which pixels are open, which patches may be copied."""

from typing import NamedTuple

import numpy as np

from .geometry import ExemplarGeometry
from . import rules
from .rules import CANDIDATES


class Prepared(NamedTuple):
    """The images as planes and what is known of their pixels."""

    planes: np.ndarray  # (N, C, H, pitch), and a block of room behind
    level: np.ndarray  # (N, H, W) float64: the mean of the channels
    unknown: np.ndarray  # (N, H, W) uint8: 1 open, 2 not a number, 0 known
    hole: np.ndarray  # (N, H, W) bool: what was open in the beginning
    trust: np.ndarray  # (N, H, W) float64
    range: np.ndarray  # (N) float64: largest less smallest known value
    whole: np.ndarray  # (N, H, pitch) uint8: whether the patch that begins here may be copied
    open: np.ndarray  # (N, H * W) int64: places of the open pixels, in raster order
    origin: np.ndarray  # (N, H, W) int64: where an open pixel was copied from
    words: np.ndarray  # (N, PER_IMAGE) int64
    holes: np.ndarray  # places of all open pixels in (N, H, W)
    image: np.ndarray
    row: np.ndarray
    column: np.ndarray

    def box_sums(self, values: np.ndarray, g: ExemplarGeometry) -> np.ndarray:
        return box_sums(values, g)

    def weights(self, g: ExemplarGeometry) -> np.ndarray:
        """1 for known pixels, less the farther a hole pixel is from them, 0 for those that are no numbers."""
        steps = np.zeros(self.hole.shape)
        inside, depth = self.hole.copy(), 0
        while inside.any():
            depth += 1
            steps[inside] = depth
            padded = np.pad(inside, ((0, 0), (1, 1), (1, 1)), constant_values=True)
            inside = (
                inside & padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
            )
        weights = rules.DECAY**-steps
        weights[self.unknown == 2] = 0
        return weights.astype(g.work)

    def targets(self, g: ExemplarGeometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        touched = box_sums(self.hole.astype(np.int64), g) > 0
        targets = np.flatnonzero(touched)
        index = np.full(touched.shape, -1, np.int64)
        index.reshape(-1)[targets] = np.arange(targets.size)
        table = np.full((targets.size, CANDIDATES), -1, np.int64)
        image, rest = np.divmod(targets, g.h * g.w)
        row, column = np.divmod(rest, g.w)
        kept = np.zeros(targets.size, np.int64)
        # Begin with what the pixels of the patch were copied from.
        for i in range(g.r):
            for j in range(g.s):
                y, x = row + i, column + j
                inside = self.hole[image, y, x]
                at = self.origin[image, y, x]
                sy, sx = at // g.w - i, at % g.w - j
                fits = inside & (sy >= 0) & (sx >= 0) & (sy <= g.h - g.r) & (sx <= g.w - g.s) & (kept < CANDIDATES)
                fits[fits] = self.whole[image[fits], sy[fits], sx[fits]] != 0
                place = sy * g.w + sx
                fits &= ~(table == place[:, None]).any(axis=1)
                table[fits, kept[fits]] = place[fits]
                kept[fits] += 1
        return targets, index, table


def box_sums(values: np.ndarray, g: ExemplarGeometry) -> np.ndarray:
    """The sum over the patch that begins at each pixel, 0 where none does; (N, H, W)."""
    sums = np.pad(values.cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    result = np.zeros_like(values)
    inner = sums[:, g.r :, g.s :] - sums[:, : -g.r, g.s :] - sums[:, g.r :, : -g.s] + sums[:, : -g.r, : -g.s]
    result[:, : g.h - g.r + 1, : g.w - g.s + 1] = inner
    return result


def prepare(
    g: ExemplarGeometry, x: np.ndarray, mask: np.ndarray, source: np.ndarray, pitch: int, width: int
) -> Prepared:
    from .cpu_fill import OPEN, PER_IMAGE, TARGET_ROW

    hole = mask != 0
    finite = np.isfinite(x).all(axis=-1) if g.dtype.kind == "f" else np.ones(hole.shape, bool)
    unknown = np.where(hole, np.uint8(1), np.where(finite, np.uint8(0), np.uint8(2)))
    usable = (unknown == 0) & (source != 0)
    whole = np.zeros((g.n, g.h, pitch + width), np.uint8)[:, :, :pitch]
    whole = np.zeros((g.n, g.h, pitch), np.uint8)
    whole[:, :, : g.w] = box_sums(usable.astype(np.int64), g) == g.r * g.s
    for i in range(g.n):
        if hole[i].any() and not whole[i].any():
            raise ValueError(
                f"inpaint_exemplar: image {i} has no patch of {g.r} x {g.s} known pixels to copy from "
                f"({int(hole[i].sum())} of {g.h} x {g.w} pixels are to be filled); a smaller patch_size may fit"
            )
    room = np.zeros(g.n * g.c * g.h * pitch + 2 * width, g.work)
    planes = room[: g.n * g.c * g.h * pitch].reshape(g.n, g.c, g.h, pitch)
    planes[..., : g.w] = np.where(hole[..., None], 0, x).transpose(0, 3, 1, 2)
    level = planes[..., : g.w].mean(axis=1, dtype=np.float64)
    ranges = np.zeros(g.n)
    for i in range(g.n):
        known = x[i][unknown[i] == 0]
        ranges[i] = float(known.max()) - float(known.min()) if known.size else 0.0
    holes = np.flatnonzero(hole)
    image, rest = np.divmod(holes, g.h * g.w)
    row, column = np.divmod(rest, g.w)
    open_ = np.zeros((g.n, g.h * g.w), np.int64)
    words = np.zeros((g.n, PER_IMAGE), np.int64)
    words[:, TARGET_ROW] = -1
    for i in range(g.n):
        places = np.flatnonzero(hole[i])
        open_[i, : places.size] = places
        words[i, OPEN] = places.size
    return Prepared(
        planes, level, unknown, hole, (unknown == 0).astype(np.float64), ranges, whole, open_,
        np.zeros(hole.shape, np.int64), words, holes, image, row, column,
    )  # fmt: skip
