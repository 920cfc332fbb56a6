"""The definition of Canny's edge detector on real numbers, up to its hysteresis, in loops that can be checked by hand.

    smoothing    down the columns and along the rows, by symmetric weights; then a division, where there is a divisor
    gradient     Sobel's derivatives, unscaled, the smoothed image mirrored about its edge
    norm         sqrt(down**2 + along**2)
    suppression  a pixel is a maximum where its norm is not less than the norms one step along the gradient, to both
                 sides, which are interpolated between the two pixels nearest to that place

Every step is rounded to the image's type and taken in the order that is written here, which is SciPy's: on symmetric
images maxima are ties, and which pixels are edges is then decided by the last bit.

Source: J. Canny, "A computational approach to edge detection", 1986; equals ``skimage.feature.canny`` up to labelling.
"""

import math

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import REFLECT, border
from ..hysteresis.reference import NOTHING, STRONG, WEAK
from ..machine.products import times

SMOOTHED, NORMS, CLASSES = 0, 1, 2
STAGES = {"smoothed": SMOOTHED, "norms": NORMS, "classes": CLASSES}


@register_jitable
def divisor_row(p, h, rows):
    """Which of the divisor's rows belongs to image row ``p``: the middle one stands for all that have none."""
    if p < rows // 2:
        return p
    return rows - h + p if p >= h - rows // 2 else rows // 2


@register_jitable
def class_of(down, along, norms, p, q, low, high):
    """The class of a pixel that has neighbours on all sides."""
    norm = norms[p, q]
    if not (norm >= low and norm > 0):
        return NOTHING
    y, x = abs(down), abs(along)
    step = 1 if (down > 0) == (along > 0) else -1  # the way along the row that goes with one row down
    if y > x or (y == x and step < 0):
        w = x / y
        near_a, far_a = norms[p + 1, q], norms[p + 1, q + step]
        near_b, far_b = norms[p - 1, q], norms[p - 1, q - step]
    else:
        w = y / x
        near_a, far_a = norms[p, q + step], norms[p + 1, q + step]
        near_b, far_b = norms[p, q - step], norms[p - 1, q - step]
    rest = 1.0 - np.float64(w)  # its products are in float64, those of w in the image's type
    on_one_side = times(far_a, w) + times(np.float64(near_a), rest)
    on_the_other = times(far_b, w) + times(np.float64(near_b), rest)
    if on_one_side <= norm and on_the_other <= norm:
        return STRONG if norm >= high else WEAK
    return NOTHING


@register_jitable
def sample(x, p, q, mode, cval, scale):
    """The number that position (p, q) of an image stands for, times ``scale``."""
    k, m = border(p, x.shape[0], mode), border(q, x.shape[1], mode)
    return cval if k < 0 or m < 0 else times(np.float64(x[k, m]), scale)


@register_jitable
def smoothed(x, p, q, down, along, weights, mode, cval, scale):
    """A pixel correlated with symmetric weights, down the column or along the row: one of both is 1, the other 0.

    The two samples of a weight are added first, from the outermost inwards.
    """
    radius = weights.size // 2
    total = times(sample(x, p, q, mode, cval, scale), weights[radius])
    for t in range(radius):
        i, j = down * (radius - t), along * (radius - t)
        pair = sample(x, p - i, q - j, mode, cval, scale) + sample(x, p + i, q + j, mode, cval, scale)
        total += times(pair, weights[t])
    return total


@register_jitable
def slope_of(smooth, p, q, down, along):
    """The unscaled difference of a pixel's neighbours down the column or along the row, in the image's type.

    That of the pixel itself has the weight 0, which lets a NaN through.
    """
    here = np.float64(smooth[p, q])
    before = np.float64(smooth[border(p - down, smooth.shape[0], REFLECT), border(q - along, smooth.shape[1], REFLECT)])
    behind = np.float64(smooth[border(p + down, smooth.shape[0], REFLECT), border(q + along, smooth.shape[1], REFLECT)])
    return smooth.dtype.type(here * 0.0 + (before - behind) * -1.0)


@register_jitable
def derivative(smooth, p, q, down, along):
    """Sobel's derivative down the column or along the row: slopes, smoothed across."""
    a, b = border(p - along, smooth.shape[0], REFLECT), border(p + along, smooth.shape[0], REFLECT)
    c, d = border(q - down, smooth.shape[1], REFLECT), border(q + down, smooth.shape[1], REFLECT)
    ends = np.float64(slope_of(smooth, a, c, down, along)) + np.float64(slope_of(smooth, b, d, down, along))
    return smooth.dtype.type(np.float64(slope_of(smooth, p, q, down, along)) * 2.0 + ends)


@register_jitable
def length(down, along):
    return math.sqrt(times(down, down) + times(along, along))


@register_jitable
def divisor_at(divisor, i, p, q, h):
    return divisor[min(i, divisor.shape[0] - 1), divisor_row(p, h, divisor.shape[1]), q]


@register_jitable
def is_inside(inside, i, p, q, h, w):
    """Whether a pixel has neighbours on all sides and lies in the mask, where there is one."""
    if not (0 < p < h - 1 and 0 < q < w - 1):
        return False
    return inside.shape[0] == 0 or inside[min(i, inside.shape[0] - 1), p, q]


def smoothed_edges(x, column, row, divisor, inside, thresholds, y, n, h, w, mode, cval, scale, stage):
    """x is ``(n, h, w)``; so is y, which gets the smoothed image, the norms or the classes."""
    kind = divisor.dtype
    middle, smooth = np.zeros((h, w), kind), np.zeros((h, w), kind)
    down, along, norms = np.zeros((h, w), kind), np.zeros((h, w), kind), np.zeros((h, w), kind)
    for i in range(n):
        for p in range(h):
            for q in range(w):
                middle[p, q] = smoothed(x[i], p, q, 1, 0, column, mode, cval, scale)
        for p in range(h):
            for q in range(w):
                smooth[p, q] = smoothed(middle, p, q, 0, 1, row, mode, cval, 1.0)
                if divisor.shape[1] > 0:
                    smooth[p, q] /= divisor_at(divisor, i, p, q, h)
        for p in range(h):
            for q in range(w):
                down[p, q] = derivative(smooth, p, q, 1, 0)
                along[p, q] = derivative(smooth, p, q, 0, 1)
                norms[p, q] = length(down[p, q], along[p, q])
        for p in range(h):
            for q in range(w):
                if stage == SMOOTHED:
                    y[i, p, q] = smooth[p, q]
                elif stage == NORMS:
                    y[i, p, q] = norms[p, q]
                elif is_inside(inside, i, p, q, h, w):
                    low, high = thresholds[i, 0], thresholds[i, 1]
                    y[i, p, q] = class_of(down[p, q], along[p, q], norms, p, q, low, high)
                else:
                    y[i, p, q] = NOTHING
