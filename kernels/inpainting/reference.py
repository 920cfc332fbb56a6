"""The definition of biharmonic inpainting, in loops that can be checked by hand."""

import numpy as np
from numba.extending import register_jitable


@register_jitable
def laplacian(x):
    """The sum of the differences between each pixel of a volume and its neighbours inside it: the border reflects."""
    d, h, w = x.shape
    y = np.zeros((d, h, w))
    for i in range(d):
        for j in range(h):
            for k in range(w):
                if i > 0:
                    y[i, j, k] += x[i, j, k] - x[i - 1, j, k]
                if i < d - 1:
                    y[i, j, k] += x[i, j, k] - x[i + 1, j, k]
                if j > 0:
                    y[i, j, k] += x[i, j, k] - x[i, j - 1, k]
                if j < h - 1:
                    y[i, j, k] += x[i, j, k] - x[i, j + 1, k]
                if k > 0:
                    y[i, j, k] += x[i, j, k] - x[i, j, k - 1]
                if k < w - 1:
                    y[i, j, k] += x[i, j, k] - x[i, j, k + 1]
    return y


@register_jitable
def eliminate(a, b):
    """Solve ``a u = b`` for a symmetric positive definite matrix by Gauss; u takes the place of b."""
    n = b.size
    for k in range(n):
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            for j in range(k, n):
                a[i, j] -= factor * a[k, j]
            b[i] -= factor * b[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            b[k] -= a[k, j] * b[j]
        b[k] /= a[k, k]


@register_jitable
def inpaint_biharmonic(x, mask, y, n, d, h, w, c, tension):
    """The equation of a hole pixel is its row of L L + tension L: what comes of an image of that pixel alone."""
    source, target = x.reshape((n, d, h, w, c)), y.reshape((n, d, h, w, c))
    masks = mask.reshape((n, d * h * w))
    for image in range(n):
        holes = [p for p in range(d * h * w) if masks[image, p] != 0]
        target[image] = source[image]
        if len(holes) == 0:
            continue
        if len(holes) == d * h * w:
            raise ValueError("inpaint_biharmonic: mask leaves no pixel known")
        matrix, right = np.zeros((len(holes), len(holes))), np.zeros((c, len(holes)))
        for k in range(len(holes)):
            lone = np.zeros((d, h, w))
            lone[holes[k] // (h * w), holes[k] // w % h, holes[k] % w] = 1
            once = laplacian(lone)
            row = laplacian(once) + tension * once
            flat = row.reshape(d * h * w)
            for m in range(len(holes)):
                matrix[k, m] = flat[holes[m]]
            for p in range(d * h * w):
                if masks[image, p] == 0 and flat[p] != 0:
                    for channel in range(c):
                        right[channel, k] -= flat[p] * source[image, p // (h * w), p // w % h, p % w, channel]
        for channel in range(c):
            solution = right[channel].copy()
            eliminate(matrix.copy(), solution)
            for k in range(len(holes)):
                target[image, holes[k] // (h * w), holes[k] // w % h, holes[k] % w, channel] = solution[k]
