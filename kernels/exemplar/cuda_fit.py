"""The last step on CUDA: how much of what the patches say is believed (the idea stands in fit_reference.py).

    both       each thread writes two numbers whose surfaces are wanted: the image, and what the patches miss on the rim
    band       each thread takes off one number the mean of those around it
    compare    each thread computes of one pixel how much the patches leave unexplained, and what they add in a hole
    believe    each thread computes one pixel of a hole
    sharpen    each thread amplifies one number of a hole

The idea: a mean over a window is a loop of one thread, as in the definition; cpu_fit.py has sums that begin in the
corner of the image, whose differences cancel and are made row after row. The surface is `inpaint_biharmonic`'s, which
has a CUDA variant.

Index arithmetic: threads are numbered as pixels or numbers lie in memory; of holes, as their places are listed.

Memory traffic: windows of (2 depth + 4 r)^2 pixels for each pixel of a hole, of which its neighbours read the same but
for a row. All is in float64, and in a fixed order. What bounds it is the surface, unless holes are small.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like, to_device
from ..inpainting import inpaint_biharmonic
from ..machine.cuda_numba import launch_each
from .geometry import ExemplarGeometry
from .rules import AMPLIFICATION, FADING, LOUDNESS, NOISE, RANDOMNESS, TENSION
from .scene import Scene


@cuda.jit
def exemplar_both(u, guess, both):
    index = cuda.grid(1)
    if index >= u.size:
        return
    _, pixels, channels = u.shape
    n, at, k = index // (channels * pixels), index // channels % pixels, index % channels
    both[n, at, k] = u[n, at, k]
    both[n, at, channels + k] = np.float64(u[n, at, k]) - guess[n, at, k]


@cuda.jit(device=True)
def mean_near(values, where, at, k, h, w, down, across, of_sizes):
    """The mean of channel k, or of its sizes, at the marked pixels within so many rows and columns; 0 of none."""
    total, count = 0.0, 0
    for y in range(max(0, at // w - down), min(h, at // w + down + 1)):
        for x in range(max(0, at % w - across), min(w, at % w + across + 1)):
            if where[y * w + x]:
                value = np.float64(values[y * w + x, k])
                total += abs(value) if of_sizes else value
                count += 1
    return total / count if count > 0 else 0.0


@cuda.jit
def exemplar_band(values, where, result, down, across, h, w):
    """What each marked pixel has beside the mean of those around it; 0 elsewhere."""
    index = cuda.grid(1)
    if index >= result.size:
        return
    _, pixels, channels = result.shape
    n, at, k = index // (channels * pixels), index // channels % pixels, index % channels
    result[n, at, k] = 0.0
    if where[n, at]:
        result[n, at, k] = values[n, at, k] - mean_near(values[n], where[n], at, k, h, w, down, across, False)


@cuda.jit
def exemplar_compare(guess, both, smooth, coarse, hole, rim, beside, powers, detail, shape):
    """``powers`` gets what is unexplained of a pixel, and what there was to explain; ``beside`` the rim near a hole."""
    index = cuda.grid(1)
    if index >= hole.size:
        return
    h, w, r, s = shape
    _, pixels, channels = detail.shape
    n, at = index // pixels, index % pixels
    near = False  # further out few patches vote, and if those found nothing, that says nothing of the hole
    for y in range(max(0, at // w - r // 2), min(h, at // w + r // 2 + 1)):
        for x in range(max(0, at % w - s // 2), min(w, at % w + s // 2 + 1)):
            near = near or hole[n, y * w + x]
    beside[n, at] = near and rim[n, at]
    unexplained, power = 0.0, 0.0
    for k in range(channels):
        unexplained += both[n, at, channels + k] ** 2
        power += coarse[n, at, k] ** 2
        detail[n, at, k] = 0.0
        if hole[n, at]:
            detail[n, at, k] = guess[n, at, k] + smooth[n, at, channels + k] - smooth[n, at, k]
    powers[n, at, 0], powers[n, at, 1] = unexplained, power


@cuda.jit
def exemplar_believe(
    u, smooth, detail, wanted, coarse, powers, rim, beside, places, depth, extent, amplitude, missing, shape
):
    """``missing`` gets the share of the roughness of the rim that a pixel of the hole has lost."""
    index = cuda.grid(1)
    if index >= places.size:
        return
    h, w, r, s = shape
    n, at = places[index] // (h * w), places[index] % (h * w)
    steps, floor = depth[n, at], NOISE * extent[n] ** 2
    down, across = steps + r // 2, steps + s // 2
    lost = mean_near(powers[n], beside[n], at, 0, h, w, down, across, False)
    all_of_it = mean_near(powers[n], beside[n], at, 1, h, w, down, across, False) + floor
    share = min(lost / all_of_it, 1.0) if all_of_it > 0 else 0.0
    trust = (1 - share) ** (FADING * steps)
    down, across = steps + 2 * r, steps + 2 * s
    scale = u.shape[2] * mean_near(powers[n], rim[n], at, 1, h, w, down, across, False) + floor
    loud = 0.0
    for k in range(u.shape[2]):
        amplitude[index, k] = mean_near(coarse[n], rim[n], at, k, h, w, down, across, True)
        loud += amplitude[index, k]
    random = min(math.pi / 2 * loud**2 / scale, 1.0) ** RANDOMNESS if scale > 0 else 0.0
    for k in range(u.shape[2]):
        most = LOUDNESS * amplitude[index, k]
        extra = min(max(max(random - trust, 0.0) * wanted[n, at, k], -most), most)
        u[n, at, k] = smooth[n, at, k] + trust * detail[n, at, k] + extra
    missing[index] = random * (1 - trust**2)


@cuda.jit
def exemplar_sharpen(u, fine, ours, hole, rim, places, depth, missing, shape):
    index = cuda.grid(1)
    channels = u.shape[2]
    if index >= places.size * channels:
        return
    h, w, r, s = shape
    place, k = index // channels, index % channels
    n, at = places[place] // (h * w), places[place] % (h * w)
    down, across = depth[n, at] + 2 * r, depth[n, at] + 2 * s
    theirs = mean_near(fine[n], rim[n], at, k, h, w, down, across, True)
    have = mean_near(ours[n], hole[n], at, k, h, w, down, across, True)
    gain = min(max(theirs / have, 1.0), AMPLIFICATION) if have > 0 else 1.0
    u[n, at, k] += missing[place] * (gain - 1) * ours[n, at, k]


def fit(g: ExemplarGeometry, scene: Scene, guess: Any, places: Any, covered: np.ndarray, depth: np.ndarray) -> None:
    """Put into the holes of the images, at ``places``, what is believed of the guess, which covers their rims too."""
    u, shape, flat = scene.u, (g.h, g.w, g.r, g.s), (g.n, g.h * g.w)
    masks = (scene.hole, scene.numbers, scene.numbers | scene.hole, covered & scene.numbers, depth)
    hole, numbers, inside, rim, depth = (to_device(mask.reshape(flat), scene.device) for mask in masks)
    both, powers = (new_like(u, (*flat, channels), np.float64) for channels in (2 * g.c, 2))
    launch_each(exemplar_both, u.size, u, guess, both)
    # Of images without a hole, which may have no number either, no surface is wanted.
    open_ = ~scene.numbers & scene.hole.any(axis=(1, 2), keepdims=True)
    marks = to_device(open_.view(np.uint8), scene.device)
    smooth = inpaint_biharmonic(both.reshape((g.n, g.h, g.w, 2 * g.c)), marks, tension=TENSION).reshape(both.shape)

    def band(values: Any, where: Any, down: int, across: int) -> Any:
        result = new_like(u, u.shape, np.float64)
        launch_each(exemplar_band, result.size, values, where, result, down, across, g.h, g.w)
        return result

    coarse, fine = band(u, numbers, g.r // 2, g.s // 2), band(u, numbers, 1, 1)
    beside, detail = new_like(u, flat, np.bool_), new_like(u, u.shape, np.float64)
    launch_each(
        exemplar_compare, hole.size, guess, both, smooth, coarse, hole, rim, beside, powers, detail, shape
    )  # fmt: skip
    wanted = band(detail, inside, g.r // 2, g.s // 2)
    amplitude, missing = (new_like(u, size, np.float64) for size in ((places.size, g.c), (places.size,)))
    launch_each(
        exemplar_believe, places.size,
        u, smooth, detail, wanted, coarse, powers, rim, beside, places, depth, scene.extent, amplitude, missing, shape,
    )  # fmt: skip
    ours = band(u, inside, 1, 1)
    launch_each(exemplar_sharpen, places.size * g.c, u, fine, ours, hole, rim, places, depth, missing, shape)
