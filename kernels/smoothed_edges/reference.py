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

import numpy as np
from numba.extending import register_jitable

from ..correlation.reference import REFLECT, border
from ..hysteresis.reference import NOTHING, STRONG, WEAK

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
    if far_a * w + near_a * rest <= norm and far_b * w + near_b * rest <= norm:
        return STRONG if norm >= high else WEAK
    return NOTHING


@register_jitable
def smooth_of(line, weights, mode, cval, result):
    """A line correlated with symmetric weights, the two samples of a weight added first, from the outermost inwards."""
    n, radius = line.size, weights.size // 2
    for i in range(n):
        total = line[i] * weights[radius]
        for t in range(radius):
            a, b = border(i + t - radius, n, mode), border(i + radius - t, n, mode)
            total += ((cval if a < 0 else line[a]) + (cval if b < 0 else line[b])) * weights[t]
        result[i] = total


def smoothed_edges(x, column, row, divisor, inside, thresholds, y, n, h, w, mode, cval, scale, stage):
    """x is ``(n, h, w)``; so is y, which gets the smoothed image, the norms or the classes."""
    kind = divisor.dtype
    wide, smooth, slope = np.zeros((h, w)), np.zeros((h, w), kind), np.zeros((h, w), kind)
    down, along, norms = np.zeros((h, w), kind), np.zeros((h, w), kind), np.zeros((h, w), kind)
    line = np.zeros(w)
    for i in range(n):
        for q in range(w):
            smooth_of(x[i, :, q] * scale, column, mode, cval, smooth[:, q])
        for p in range(h):
            for q in range(w):
                line[q] = smooth[p, q]
            smooth_of(line, row, mode, cval, smooth[p])
        if divisor.shape[1] > 0:
            for p in range(h):
                for q in range(w):
                    smooth[p, q] /= divisor[min(i, divisor.shape[0] - 1), divisor_row(p, h, divisor.shape[1]), q]
        wide[:] = smooth
        for p in range(h):
            for q in range(w):
                above, below = wide[border(p - 1, h, REFLECT), q], wide[border(p + 1, h, REFLECT), q]
                slope[p, q] = wide[p, q] * 0.0 + (above - below) * -1.0
        for p in range(h):
            for q in range(w):
                left, right = (
                    np.float64(slope[p, border(q - 1, w, REFLECT)]),
                    np.float64(slope[p, border(q + 1, w, REFLECT)]),
                )
                down[p, q] = np.float64(slope[p, q]) * 2.0 + (left + right)
        for p in range(h):
            for q in range(w):
                left, right = wide[p, border(q - 1, w, REFLECT)], wide[p, border(q + 1, w, REFLECT)]
                slope[p, q] = wide[p, q] * 0.0 + (left - right) * -1.0
        for p in range(h):
            for q in range(w):
                above, below = (
                    np.float64(slope[border(p - 1, h, REFLECT), q]),
                    np.float64(slope[border(p + 1, h, REFLECT), q]),
                )
                along[p, q] = np.float64(slope[p, q]) * 2.0 + (above + below)
        for p in range(h):
            for q in range(w):
                norms[p, q] = np.sqrt(down[p, q] * down[p, q] + along[p, q] * along[p, q])
        for p in range(h):
            for q in range(w):
                if stage == SMOOTHED:
                    y[i, p, q] = smooth[p, q]
                elif stage == NORMS:
                    y[i, p, q] = norms[p, q]
                else:
                    within = 0 < p < h - 1 and 0 < q < w - 1
                    if within and inside.shape[0] > 0:
                        within = inside[min(i, inside.shape[0] - 1), p, q]
                    y[i, p, q] = NOTHING
                    if within:
                        low, high = thresholds[i, 0], thresholds[i, 1]
                        y[i, p, q] = class_of(down[p, q], along[p, q], norms, p, q, low, high)
