"""The last step, in NumPy: how much of what the patches say is believed (the idea stands in fit_reference.py).

Everything it asks for is a mean over a rectangle, whose sides differ from pixel to pixel of a hole. Sums over all
rectangles that begin in the corner of the image are made once; the sum over any other is then that of four of them.
"""

import math

import numpy as np

from ..inpainting import inpaint_biharmonic
from .geometry import ExemplarGeometry
from .prepare import Prepared
from .rules import AMPLIFICATION, FADING, LOUDNESS, NOISE, RANDOMNESS, TENSION


def _means_near(
    values: np.ndarray, where: np.ndarray, places: tuple[np.ndarray, ...], down: np.ndarray, across: np.ndarray
) -> np.ndarray:
    """Of values (H, W, C) the mean of the marked pixels within so many rows and columns of each place: (places, C)."""
    h, w, c = values.shape
    marked = np.zeros((h + 1, w + 1, c + 1))
    marked[1:, 1:, :c], marked[1:, 1:, c] = np.where(where[..., None], values, 0), where
    sums = marked.cumsum(0).cumsum(1)
    i, j = places
    top, bottom = np.maximum(i - down, 0), np.minimum(i + down + 1, h)
    left, right = np.maximum(j - across, 0), np.minimum(j + across + 1, w)
    near = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return near[:, :c] / np.maximum(near[:, c:], 1)


def _sums_around(values: np.ndarray, reach: int, axis: int) -> np.ndarray:
    """The sum over as many neighbours on both sides along an axis, as far as they are inside."""
    pad = [(0, 0)] * values.ndim
    pad[axis] = (reach, reach)
    padded = np.moveaxis(np.pad(values, pad), axis, 0)
    n = values.shape[axis]
    return np.moveaxis(sum(padded[k : k + n] for k in range(1, 2 * reach + 1)) + padded[:n], 0, axis)


def _band(values: np.ndarray, where: np.ndarray, down: int, across: int) -> np.ndarray:
    """What each marked pixel of (H, W, C) has beside the mean of those around it."""
    marked = np.concatenate([np.where(where[..., None], values, 0), where[..., None]], axis=-1)
    sums = _sums_around(_sums_around(marked, down, 0), across, 1)
    return np.where(where[..., None], values - sums[..., :-1] / np.maximum(sums[..., -1:], 1), 0)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """0 where there is nothing to compare with."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def fit(g: ExemplarGeometry, state: Prepared, guess: np.ndarray, covered: np.ndarray, depth: np.ndarray) -> None:
    """Put into the holes of the planes what is believed of the guess, which covers their rims too."""
    for image in np.flatnonzero(state.hole.any(axis=(1, 2))):
        ours, theirs = (planes[image, :, :, : g.w] for planes in (state.planes, guess))
        hole = state.hole[image]
        ours[:, hole] = _fitted(
            g,
            ours.transpose(1, 2, 0).astype(np.float64),
            theirs.transpose(1, 2, 0).astype(np.float64),
            hole,
            state.numbers[image],
            covered[image],
            depth[image],
            NOISE * state.range[image] ** 2,
        ).T


def _fitted(
    g: ExemplarGeometry,
    u: np.ndarray,
    guess: np.ndarray,
    hole: np.ndarray,
    numbers: np.ndarray,
    covered: np.ndarray,
    depth: np.ndarray,
    floor: float,
) -> np.ndarray:
    """The values of the hole of one image ``(H, W, C)``: (places, C)."""
    rim, inside, places = covered & numbers, numbers | hole, np.nonzero(hole)
    steps = depth[places]
    near = steps + g.r // 2, steps + g.s // 2
    far = steps + 2 * g.r, steps + 2 * g.s

    both = np.concatenate([u, u - guess], axis=-1)[None]
    smooth = inpaint_biharmonic(both, (~numbers).view(np.uint8)[None], tension=TENSION)[0]
    surface, spread = smooth[..., : g.c], smooth[..., g.c :]
    detail = np.where(hole[..., None], guess + spread - surface, 0)

    coarse = _band(u, numbers, g.r // 2, g.s // 2)
    power = (coarse**2).sum(axis=-1, keepdims=True)
    unexplained = ((u - guess) ** 2).sum(axis=-1, keepdims=True)
    marks = _sums_around(_sums_around(hole.astype(np.int64), g.r // 2, 0), g.s // 2, 1)
    shares = _means_near(np.concatenate([unexplained, power], axis=-1), rim & (marks > 0), places, *near)
    share = np.clip(_ratio(shares[:, :1], shares[:, 1:] + floor), 0, 1)
    trust = (1 - share) ** (FADING * steps[:, None])

    means = _means_near(np.concatenate([abs(coarse), abs(_band(u, numbers, 1, 1)), power], axis=-1), rim, places, *far)
    amplitude, roughness = means[:, : g.c], means[:, g.c : -1]
    normal = _ratio(math.pi / 2 * amplitude.sum(axis=1, keepdims=True) ** 2, g.c * means[:, -1:] + floor)
    random = np.clip(normal, 0, 1) ** RANDOMNESS

    wanted = _band(detail, inside, g.r // 2, g.s // 2)[places]
    extra = np.clip(np.maximum(random - trust, 0) * wanted, -LOUDNESS * amplitude, LOUDNESS * amplitude)
    believed = surface[places] + trust * detail[places] + extra

    filled = u.copy()
    filled[places] = believed
    ours = _band(filled, inside, 1, 1)
    gain = np.clip(_ratio(roughness, _means_near(abs(ours), hole, places, *far)), 1, AMPLIFICATION)
    return np.asarray(believed + random * (1 - trust**2) * (gain - 1) * ours[places])
