"""The definition of the last step of exemplar inpainting: how much of what the patches say is believed.

    detail      what the patches say, less the smooth surface through what is known: all that they add to it
    trust       the surface keeps its place, and detail is believed as far as the patches explain the rim. Where they
                leave a share of its variance unexplained, they lose that share again with every step into the hole
    texture     what is lost so is variance, and blur is seen. Where the image is random (its values about their local
                mean are normally distributed, not few and large as those of edges) any detail is as good as the true
                one: that of the patches is kept, up to the amplitude of the rim
    sharpness   the mean of many patches is smooth; where it is smoother than a random rim, its finest band is amplified

Source: the best linear estimate shrinks a prediction by the share of the variance that it explains (W. James and C.
Stein, "Estimation with quadratic loss", 1961).
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..inpainting.reference import inpaint_biharmonic
from .rules import AMPLIFICATION, FADING, LOUDNESS, NOISE, RANDOMNESS, TENSION


@register_jitable
def mean_near(values, where, i, j, down, across):
    """The mean of the marked pixels of ``(H, W)`` within so many rows and columns, and 0 where there is none."""
    h, w = where.shape
    total, count = 0.0, 0
    for y in range(max(0, i - down), min(h, i + down + 1)):
        for x in range(max(0, j - across), min(w, j + across + 1)):
            if where[y, x]:
                total += values[y, x]
                count += 1
    return total / count if count > 0 else 0.0


@register_jitable
def band(values, where, down, across):
    """What each marked pixel of ``(H, W, C)`` has beside the mean of those around it."""
    h, w, c = values.shape
    result = np.zeros((h, w, c))
    for i in range(h):
        for j in range(w):
            for k in range(c):
                if where[i, j]:
                    result[i, j, k] = values[i, j, k] - mean_near(values[:, :, k], where, i, j, down, across)
    return result


@register_jitable
def fit(u, guess, hole, numbers, covered, depth, extent, r, s):
    """Fill the hole of u ``(H, W, C)``, in place, with what is believed of a guess that covers the rim too."""
    h, w, c = u.shape
    both = np.zeros((1, h, w, 2 * c))
    both[0, :, :, :c], both[0, :, :, c:] = u, u - guess
    smooth = np.zeros((1, h, w, 2 * c))
    inpaint_biharmonic(both, np.where(numbers, 0, 1).reshape((1, h, w)), smooth, 1, 1, h, w, 2 * c, TENSION)
    rim, inside, floor = covered & numbers, numbers | hole, NOISE * extent**2
    coarse, fine = band(u, numbers, r // 2, s // 2), band(u, numbers, 1, 1)
    unexplained, power, detail = np.zeros((h, w)), np.zeros((h, w)), np.zeros((h, w, c))
    beside = rim.copy()  # further out few patches vote, and if those found nothing, that says nothing of the hole
    for i in range(h):
        for j in range(w):
            unexplained[i, j] = ((u[i, j] - guess[i, j]) ** 2).sum()
            power[i, j] = (coarse[i, j] ** 2).sum()
            top, left = max(0, i - r // 2), max(0, j - s // 2)
            beside[i, j] = rim[i, j] and hole[top : i + r // 2 + 1, left : j + s // 2 + 1].any()
            if hole[i, j]:
                detail[i, j] = guess[i, j] + smooth[0, i, j, c:] - smooth[0, i, j, :c]
    wanted, missing, amplitude = band(detail, inside, r // 2, s // 2), np.zeros((h, w)), np.zeros(c)
    for i in range(h):
        for j in range(w):
            if not hole[i, j]:
                continue
            down, across = depth[i, j] + r // 2, depth[i, j] + s // 2
            lost = mean_near(unexplained, beside, i, j, down, across)
            all_of_it = mean_near(power, beside, i, j, down, across) + floor
            share = min(lost / all_of_it, 1.0) if all_of_it > 0 else 0.0
            trust = (1 - share) ** (FADING * depth[i, j])
            down, across = depth[i, j] + 2 * r, depth[i, j] + 2 * s
            for k in range(c):
                amplitude[k] = mean_near(np.abs(coarse[:, :, k]), rim, i, j, down, across)
            scale = c * mean_near(power, rim, i, j, down, across) + floor
            random = min(math.pi / 2 * amplitude.sum() ** 2 / scale, 1.0) ** RANDOMNESS if scale > 0 else 0.0
            for k in range(c):
                extra = max(random - trust, 0.0) * wanted[i, j, k]
                extra = min(max(extra, -LOUDNESS * amplitude[k]), LOUDNESS * amplitude[k])
                u[i, j, k] = smooth[0, i, j, k] + trust * detail[i, j, k] + extra
            missing[i, j] = random * (1 - trust**2)
    ours = band(u, inside, 1, 1)
    for i in range(h):
        for j in range(w):
            if not hole[i, j]:
                continue
            down, across = depth[i, j] + 2 * r, depth[i, j] + 2 * s
            for k in range(c):
                theirs = mean_near(np.abs(fine[:, :, k]), rim, i, j, down, across)
                have = mean_near(np.abs(ours[:, :, k]), hole, i, j, down, across)
                gain = min(max(theirs / have, 1.0), AMPLIFICATION) if have > 0 else 1.0
                u[i, j, k] += missing[i, j] * (gain - 1) * ours[i, j, k]
