"""Criminisi's priority of a pixel on the front of the hole."""

import math

from numba.extending import register_jitable

from ..machine.products import times


@register_jitable(forceinline=True)
def pixel_priority(level, unknown, trust, h, w, r, s, p, q, floor):
    """Confidence times data term of the open pixel ``(p, q)``; -1 where it is not on the front.

    ``level`` is the mean of the channels, ``unknown`` 1 in what is open, 2 where a pixel is known but not a number, and
    0 elsewhere, ``trust`` the confidence of pixels, 0 where they are unknown; all of them are flat
    arrays of ``(h, w)``.

        confidence    the mean of ``trust`` over the patch
        data          how much the strongest edge of the patch runs into the front: the isophote, which is the gradient
                      turned by a quarter, times the normal of the front, which is the gradient of the hole
    """
    front = (
        (p > 0 and unknown[(p - 1) * w + q] != 1)
        or (p + 1 < h and unknown[(p + 1) * w + q] != 1)
        or (q > 0 and unknown[p * w + q - 1] != 1)
        or (q + 1 < w and unknown[p * w + q + 1] != 1)
    )
    if not front:
        return -1.0
    ty, tx = min(max(p - r // 2, 0), h - r), min(max(q - s // 2, 0), w - s)
    confidence, steepest, along, across = 0.0, 0.0, 0.0, 0.0
    for i in range(ty, ty + r):
        for j in range(tx, tx + s):
            at = i * w + j
            if unknown[at] != 0:
                continue
            confidence += trust[at]
            if i == 0 or j == 0 or i == h - 1 or j == w - 1:
                continue
            if unknown[at - w] + unknown[at + w] + unknown[at - 1] + unknown[at + 1] != 0:
                continue
            down, right = (level[at + w] - level[at - w]) * 0.5, (level[at + 1] - level[at - 1]) * 0.5
            square = times(down, down) + times(right, right)
            if square > steepest:
                steepest, along, across = square, down, right
    normal_y, normal_x = 0.0, 0.0
    for i in range(-1, 2):
        for j in range(-1, 2):
            if unknown[min(max(p + i, 0), h - 1) * w + min(max(q + j, 0), w - 1)] == 1:
                normal_y += i * (2 - abs(j))
                normal_x += j * (2 - abs(i))
    length = math.sqrt(normal_y * normal_y + normal_x * normal_x)
    data = abs(times(along, normal_x) - times(across, normal_y)) / length if length > 0 else 0.0
    return confidence / (r * s) * (data + floor)
