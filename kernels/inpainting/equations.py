"""The equations of a hole: which pixels they join, and with which coefficients.

On a grid of pixels joined to their neighbours, L is the graph Laplacian: ``(L u)[p]`` is the sum of ``u[p] - u[q]``
over the neighbours q of p that lie in the image, so that the border reflects. Inside a hole

    (L L u)[p] + tension * (L u)[p] = 0

The first term alone is the biharmonic equation: the surface of least bending. The second is that of a membrane, which
never overshoots; with both, features smaller than ``1 / sqrt(tension)`` pixels are bent and larger ones stretched
(a spline under tension). The matrix is symmetric, and positive definite wherever any pixel is known.

Pixels are numbered through a volume ``(D, H, W)``; images have D = 1, lines H = 1 too.
"""

from numba.extending import register_jitable

REACH = 2
"""How many steps away the equation of a pixel reaches."""


@register_jitable(forceinline=True)
def neighbour(p, side, d, h, w):
    """The neighbour of pixel ``p`` on one of six sides, or -1 outside the image."""
    if side == 0:
        return p - 1 if p % w > 0 else -1
    if side == 1:
        return p + 1 if p % w < w - 1 else -1
    if side == 2:
        return p - w if p // w % h > 0 else -1
    if side == 3:
        return p + w if p // w % h < h - 1 else -1
    if side == 4:
        return p - h * w if p >= h * w else -1
    return p + h * w if p < (d - 1) * h * w else -1


@register_jitable(forceinline=True)
def neighbours(p, d, h, w):
    """How many neighbours a pixel has."""
    count = 0
    for side in range(6):
        if neighbour(p, side, d, h, w) >= 0:
            count += 1
    return count


@register_jitable(forceinline=True)
def terms(p, d, h, w, tension, pixels, factors):
    """List the pixels that the equation of ``p`` joins, and their coefficients; how many there are.

    The row of L L is the rows of L of the pixel and of its neighbours, weighted by L once more.
    """
    count = 0
    for first in range(-1, 6):
        middle = p if first < 0 else neighbour(p, first, d, h, w)
        if middle < 0:
            continue
        weight = float(neighbours(p, d, h, w)) + tension if first < 0 else -1.0
        for second in range(-1, 6):
            q = middle if second < 0 else neighbour(middle, second, d, h, w)
            if q < 0:
                continue
            factor = weight * (float(neighbours(middle, d, h, w)) if second < 0 else -1.0)
            k = 0
            while k < count and pixels[k] != q:
                k += 1
            if k == count:
                pixels[k], factors[k] = q, 0.0
                count += 1
            factors[k] += factor
    return count


MOST_TERMS = 25
"""Of an equation in a volume; in an image there are 13."""
