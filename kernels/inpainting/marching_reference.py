"""The definition of inpainting by fast marching: Telea's weighted mean, and OpenCV's after Navier and Stokes.

The front moves into the hole at unit speed. A pixel is filled when the front reaches it, from the known pixels and
those already filled within ``radius``; then it is known too. Arrival times are float32 and of equal ones the first that
was found goes first, since the order in which pixels are filled decides what they are filled from.

    arrival     of a pixel: for each pair of a vertical and a horizontal neighbour that are reached, the solution of
                (t - a)^2 + (t - b)^2 = 1, or min(a, b) + 1 where there is none; the least of the four
    Telea       neighbours weigh by direction (along the gradient of the arrival time), distance and arrival time; their
                mean, moved half a level up, and one level along the summed gradients of the image
    NS          neighbours weigh by distance and by how well the direction of their isophote points at the pixel
"""

import math

import numpy as np
from numba.extending import register_jitable

_FAR = np.float32(1e6)
_SMALL = 1e-20


@register_jitable
def arrival(t, reached, i, j):
    """When the front comes to pixel ``(i, j)`` of the padded image."""
    least = np.float32(np.inf)
    for di in (-1, 1):
        for dj in (-1, 1):
            a, b = np.float64(t[i + di, j]), np.float64(t[i, j + dj])
            if reached[i + di, j] and reached[i, j + dj] and abs(a - b) < 1:
                time = (a + b + math.sqrt(2 - (a - b) ** 2)) / 2
            elif reached[i + di, j] and not reached[i, j + dj]:
                time = 1 + a
            elif reached[i, j + dj] and not reached[i + di, j]:
                time = 1 + b
            else:
                time = 1 + min(a, b)
            least = min(least, np.float32(time))
    return least


@register_jitable
def sides(k, n):
    """The samples that OpenCV takes beside the ``k``-th of n, counted from 1: one before, itself, itself, one after.

    At the first the former two lie one further on, at the last the latter two one further back.
    """
    first, last = 1 if k == 1 else 0, 1 if k == n else 0
    places = (k - 2 + first, k - 1 + first, k - 1 - last, k - last)
    return (
        max(min(places[0], n - 1), 0),
        max(min(places[1], n - 1), 0),
        max(min(places[2], n - 1), 0),
        max(min(places[3], n - 1), 0),
    )


@register_jitable
def derivative(before, here, after, known_before, known_after):
    """By central differences, or from the side that is known; 0 where neither is."""
    if known_before and known_after:
        return (after - before) / 2
    if known_after:
        return after - here
    return here - before if known_before else 0.0 * here


@register_jitable
def telea(y, t, reached, i, j, channel, radius):
    h, w = y.shape[0], y.shape[1]
    along_y = derivative(t[i - 1, j], t[i, j], t[i + 1, j], reached[i - 1, j], reached[i + 1, j])
    along_x = derivative(t[i, j - 1], t[i, j], t[i, j + 1], reached[i, j - 1], reached[i, j + 1])
    value, jy, jx, total = 0.0, 0.0, 0.0, _SMALL
    for k in range(max(1, i - radius), min(h, i + radius) + 1):
        for m in range(max(1, j - radius), min(w, j + radius) + 1):
            ry, rx = float(i - k), float(j - m)
            square = ry * ry + rx * rx
            if square > radius * radius or not reached[k, m]:
                continue
            rows, columns = sides(k, h), sides(m, w)
            direction = rx * along_x + ry * along_y
            if abs(direction) <= 0.01:
                direction = 1e-6
            weight = abs(direction / (square * math.sqrt(square)) / (1 + abs(t[k, m] - t[i, j])))
            # Twice the derivative where both sides are known, as in OpenCV: it only shows in a direction, so it is
            # ours.
            gx, gy = 0.0, 0.0
            if reached[k, m + 1] and reached[k, m - 1]:
                gx = 2 * (float(y[rows[1], columns[3], channel]) - y[rows[1], columns[0], channel])
            elif reached[k, m + 1]:
                gx = float(y[rows[1], columns[3], channel]) - y[rows[1], columns[1], channel]
            elif reached[k, m - 1]:
                gx = float(y[rows[1], columns[2], channel]) - y[rows[1], columns[0], channel]
            if reached[k + 1, m] and reached[k - 1, m]:
                gy = 2 * (float(y[rows[3], columns[1], channel]) - y[rows[0], columns[1], channel])
            elif reached[k + 1, m]:
                gy = float(y[rows[3], columns[1], channel]) - y[rows[1], columns[1], channel]
            elif reached[k - 1, m]:
                gy = float(y[rows[2], columns[1], channel]) - y[rows[0], columns[1], channel]
            value += weight * y[k - 1, m - 1, channel]
            jx -= weight * gx * rx
            jy -= weight * gy * ry
            total += weight
    return value / total + (jx + jy) / (math.sqrt(jx * jx + jy * jy) + _SMALL)


@register_jitable
def navier_stokes(y, reached, i, j, channel, radius):
    h, w = y.shape[0], y.shape[1]
    value, total = 0.0, _SMALL
    for k in range(max(1, i - radius), min(h, i + radius) + 1):
        for m in range(max(1, j - radius), min(w, j + radius) + 1):
            ry, rx = float(i - k), float(j - m)
            square = ry * ry + rx * rx
            if square > radius * radius or not reached[k, m]:
                continue
            rows, columns = sides(k, h), sides(m, w)
            here, base = float(y[rows[1], columns[1], channel]), float(y[rows[2], columns[1], channel])
            up, down = abs(base - y[rows[0], columns[1], channel]), abs(y[rows[3], columns[1], channel] - base)
            left, right = abs(here - y[rows[1], columns[0], channel]), abs(y[rows[1], columns[3], channel] - here)
            gy = (up if reached[k - 1, m] else down) + (down if reached[k + 1, m] else up)
            if not reached[k - 1, m] and not reached[k + 1, m]:
                gy = 0.0
            gx = (left if reached[k, m - 1] else right) + (right if reached[k, m + 1] else left)
            if not reached[k, m - 1] and not reached[k, m + 1]:
                gx = 0.0
            # The isophote is the gradient turned by a quarter.
            along = ry * gx - rx * gy
            direction = 1e-6
            if abs(along) > 0.01:
                direction = abs(along / math.sqrt(square * (gx * gx + gy * gy)))
            weight = direction / (square * square + 1)
            value += weight * y[k - 1, m - 1, channel]
            total += weight
    return value / total


@register_jitable
def next_of(waiting, entered, t):
    """The place in the list of the entry that the front reaches first; of equals, the one that entered first."""
    best = 0
    for k in range(1, entered.size):
        if waiting[k]:
            a, b = entered[k], entered[best]
            if not waiting[best] or t[a] < t[b]:
                best = k
    return best


def inpaint_marching(x, mask, y, radius, by_telea, levels):
    """x and y are ``(N, H, W, C)``; integer results are rounded to one of ``levels + 1`` values, halves to even."""
    n, h, w, c = x.shape
    pitch = w + 2
    for image in range(n):
        y[image] = x[image]
        inside = np.zeros((h + 2, w + 2), np.bool_)
        inside[1 : h + 1, 1 : w + 1] = mask[image] != 0
        near = np.zeros((h + 2, w + 2), np.bool_)
        front = np.zeros((h + 2, w + 2), np.bool_)
        for i in range(1, h + 1):
            for j in range(1, w + 1):
                if not inside[i, j]:
                    front[i, j] = inside[i - 1, j] or inside[i + 1, j] or inside[i, j - 1] or inside[i, j + 1]
                    low, high = max(0, i - radius), min(h + 1, i + radius)
                    near[i, j] = inside[low : high + 1, max(0, j - radius) : j + radius + 1].any()
        t = np.full((h + 2, w + 2), _FAR, np.float32)
        # Telea measures times around the hole too, as negative numbers.
        for inwards in (False, True):
            if not inwards and not by_telea:
                continue
            reached = ~inside if inwards else ~(near & ~front)
            entered = np.zeros(h * w, np.int64)
            waiting = np.zeros(h * w, np.bool_)
            count = 0
            for at in range((h + 2) * pitch):
                if front[at // pitch, at % pitch]:
                    t[at // pitch, at % pitch] = 0
                    entered[count], waiting[count] = at, True
                    count += 1
            done = 0
            while done < count:
                first = next_of(waiting[:count], entered[:count], t.reshape((h + 2) * pitch))
                waiting[first] = False
                done += 1
                at = entered[first]
                for there in (at - pitch, at - 1, at + pitch, at + 1):
                    i, j = there // pitch, there % pitch
                    if reached[i, j]:
                        continue
                    t[i, j] = arrival(t, reached, i, j)
                    if inwards:
                        for channel in range(c):
                            if by_telea:
                                value = telea(y[image], t, reached, i, j, channel, radius)
                                value += 0.5 if levels > 0 else 0.0
                            else:
                                value = navier_stokes(y[image], reached, i, j, channel, radius)
                            if levels > 0:
                                value = min(max(np.rint(value), 0.0), float(levels))
                            y[image, i - 1, j - 1, channel] = value
                    reached[i, j] = True
                    entered[count], waiting[count] = there, True
                    count += 1
            if not inwards:
                for k in range(count):
                    i, j = entered[k] // pitch, entered[k] % pitch
                    t[i, j] = -t[i, j]
