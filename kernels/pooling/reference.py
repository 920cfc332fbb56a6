"""The definitions of pooling, and of the gradients: what each window sees, number by number.

A window (p, q) begins at ``p * stride - padding``; what it sees outside of the image is no number of it. An adaptive
one, marked by kernel (0, 0), covers ``floor(p * H / P) .. ceil((p + 1) * H / P) - 1``.
"""

import math

import numpy as np
from numba.extending import register_jitable


@register_jitable
def bounds(i, size, count, kernel, stride, padding, dilation):
    """First index, end and step of window i; the first may be negative and the end beyond the image."""
    if kernel == 0:
        return i * size // count, -(-(i + 1) * size // count), 1
    first = i * stride - padding
    return first, first + dilation * (kernel - 1) + 1, dilation


@register_jitable
def divided_by(i, size, count, kernel, stride, padding, include_pad):
    """By how many numbers the sum over window i is divided along one axis."""
    first, end, _ = bounds(i, size, count, kernel, stride, padding, 1)
    if kernel > 0 and include_pad:
        return min(end, size + padding) - first
    return min(end, size) - max(first, 0)


@register_jitable
def greatest_of(x, n, p, q, c, count, kernel, stride, padding, dilation):
    """The greatest number of window (p, q), of which there are ``count``; NaN is greater than all."""
    _, H, W, _ = x.shape
    top, bottom, down = bounds(p, H, count[0], kernel[0], stride[0], padding[0], dilation[0])
    left, right, along = bounds(q, W, count[1], kernel[1], stride[1], padding[1], dilation[1])
    greatest = -math.inf
    for h in range(top, bottom, down):
        for w in range(left, right, along):
            if 0 <= h < H and 0 <= w < W and not x[n, h, w, c] <= greatest and greatest == greatest:
                greatest = x[n, h, w, c]
    return greatest


@register_jitable
def greatest_and_place(x, n, p, q, c, count, kernel, stride, padding, dilation):
    """`greatest_of`, and where it was: ``h * W + w`` of the first that is the greatest, or of the last NaN."""
    _, H, W, _ = x.shape
    top, bottom, down = bounds(p, H, count[0], kernel[0], stride[0], padding[0], dilation[0])
    left, right, along = bounds(q, W, count[1], kernel[1], stride[1], padding[1], dilation[1])
    greatest, place = -math.inf, -1
    for h in range(top, bottom, down):
        for w in range(left, right, along):
            if 0 <= h < H and 0 <= w < W:
                number = x[n, h, w, c]
                if place < 0 or number > greatest or number != number:
                    greatest, place = number, h * W + w
    return greatest, place


def max_pool(x, y, kernel, stride, padding, dilation):
    """The greatest number of each window; NaN is greater than all."""
    count = y.shape[1:3]
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = greatest_of(x, n, p, q, c, count, kernel, stride, padding, dilation)


def max_pool_places(x, y, places, kernel, stride, padding, dilation):
    """`max_pool`, and where it was: ``h * W + w`` of the first that is the greatest, or of the last NaN."""
    count = y.shape[1:3]
    for n, p, q, c in np.ndindex(y.shape):
        greatest, place = greatest_and_place(x, n, p, q, c, count, kernel, stride, padding, dilation)
        y[n, p, q, c], places[n, p, q, c] = greatest, place


def max_pool_grad(gy, places, gx, kernel, stride, padding, dilation):
    """Every number of ``gy`` is added where its window's greatest was; places outside of the window get nothing."""
    _, H, W, _ = gx.shape
    _, P, Q, _ = gy.shape
    gx[...] = 0
    for n, p, q, c in np.ndindex(gy.shape):
        top, bottom, down = bounds(p, H, P, kernel[0], stride[0], padding[0], dilation[0])
        left, right, along = bounds(q, W, Q, kernel[1], stride[1], padding[1], dilation[1])
        for h in range(top, bottom, down):
            for w in range(left, right, along):
                if 0 <= h < H and 0 <= w < W and places[n, p, q, c] == h * W + w:
                    gx[n, h, w, c] += gy[n, p, q, c]


def take_pixels(x, places, y):
    """``y[n, p, q, c] = x[n, h, w, c]`` with ``places[n, p, q, c] = h * W + w``."""
    W = x.shape[2]
    for n, p, q, c in np.ndindex(y.shape):
        place = places[n, p, q, c]
        y[n, p, q, c] = x[n, place // W, place % W, c]


@register_jitable
def divisor_of(p, q, size, count, kernel, stride, padding, include_pad, divisor):
    """By what the sum over window (p, q) is divided: the divisor or, where that is 0, how many numbers it has."""
    if divisor != 0:
        return divisor
    rows = divided_by(p, size[0], count[0], kernel[0], stride[0], padding[0], include_pad)
    return rows * divided_by(q, size[1], count[1], kernel[1], stride[1], padding[1], include_pad)


@register_jitable
def average_of(x, n, p, q, c, count, kernel, stride, padding, include_pad, divisor):
    """The sum over window (p, q), divided."""
    _, H, W, _ = x.shape
    top, bottom, _ = bounds(p, H, count[0], kernel[0], stride[0], padding[0], 1)
    left, right, _ = bounds(q, W, count[1], kernel[1], stride[1], padding[1], 1)
    total = 0.0
    for h in range(max(top, 0), min(bottom, H)):
        for w in range(max(left, 0), min(right, W)):
            total += x[n, h, w, c]
    return total / divisor_of(p, q, (H, W), count, kernel, stride, padding, include_pad, divisor)


def avg_pool(x, y, kernel, stride, padding, include_pad, divisor):
    """The sum over each window, divided by the divisor or, where that is 0, by how many numbers the window has."""
    count = y.shape[1:3]
    for n, p, q, c in np.ndindex(y.shape):
        y[n, p, q, c] = average_of(x, n, p, q, c, count, kernel, stride, padding, include_pad, divisor)


def avg_pool_grad(gy, gx, kernel, stride, padding, include_pad, divisor):
    """Every number of ``gy``, divided likewise, is added to all numbers of its window."""
    _, H, W, _ = gx.shape
    _, P, Q, _ = gy.shape
    gx[...] = 0
    for n, p, q, c in np.ndindex(gy.shape):
        top, bottom, _ = bounds(p, H, P, kernel[0], stride[0], padding[0], 1)
        left, right, _ = bounds(q, W, Q, kernel[1], stride[1], padding[1], 1)
        count = divisor_of(p, q, (H, W), (P, Q), kernel, stride, padding, include_pad, divisor)
        for h in range(max(top, 0), min(bottom, H)):
            for w in range(max(left, 0), min(right, W)):
                gx[n, h, w, c] += gy[n, p, q, c] / count
