"""What JPEG leaves of an image: the definition in loops.

A baseline encoder and decoder keep every bit of the quantised coefficients, so what is lost is lost in these steps:

    colour       RGB to Y, Cb, Cr of 8 bits
    subsampling  Cb and Cr averaged over 2 x 1 or 2 x 2 pixels
    blocks       8 x 8 pixels, less 128, to frequencies; each divided by its entry of a table and rounded
    and back     frequencies times the table's entries, to pixels, to a full resolution, to RGB

Numbers in [0, 1] become levels of 8 bits before, and the levels numbers again behind. All else is integer arithmetic:
constants of 13 or 16 bits behind the binary point, and shifts that round. The transforms are Loeffler, Ligtenberg and
Moschytz's (Practical Fast 1-D DCT Algorithms with 11 Multiplications, ICASSP 1989), as libjpeg's default, "islow",
computes them, whose bits the whole has.

Beyond the right and the lower edge the last column and row go on. Planes are (rows, columns), of whole blocks.
"""

import numpy as np
from numba.extending import register_jitable

BITS = 13  # of the transforms' constants
EXTRA = 2  # bits that lie between a transform's two passes
HALF = 1 << 15  # one half, of constants of 16 bits


@register_jitable
def clamp(value):
    return min(max(value, 0), 255)


@register_jitable
def rounded(value, shift):
    """``value / 2**shift`` to the nearest, halves upwards."""
    return (value + (1 << (shift - 1))) >> shift


@register_jitable
def level(number, scale):
    """The level, 0 to 255, of a number of which ``scale`` levels are one: NaN is 0, halves go to the even level."""
    scaled = number * scale
    return np.int64(round(min(scaled, 255)) if scaled > 0 else 0)


# --- colour ---


@register_jitable
def luma(r, g, b):
    return (19595 * r + 38470 * g + 7471 * b + HALF) >> 16


@register_jitable
def blueness(r, g, b):
    return (-11059 * r - 21709 * g + 32768 * b + (128 << 16) + HALF - 1) >> 16


@register_jitable
def redness(r, g, b):
    return (32768 * r - 27439 * g - 5329 * b + (128 << 16) + HALF - 1) >> 16


@register_jitable
def red(y, cr):
    return clamp(y + ((91881 * (cr - 128) + HALF) >> 16))


@register_jitable
def green(y, cb, cr):
    return clamp(y + ((-22554 * (cb - 128) - 46802 * (cr - 128) + HALF) >> 16))


@register_jitable
def blue(y, cb):
    return clamp(y + ((116130 * (cb - 128) + HALF) >> 16))


# --- transforms of 8 numbers ---


@register_jitable
def _odd_part(a, b, c, d):
    """The rotations that both transforms share, of the numbers 7, 5, 3, 1."""
    z5 = (a + c + b + d) * 9633
    z3, z4 = z5 - (a + c) * 16069, z5 - (b + d) * 3196
    z1, z2 = (a + d) * -7373, (b + c) * -20995
    return a * 2446 + z1 + z3, b * 16819 + z2 + z4, c * 25172 + z2 + z3, d * 12299 + z1 + z4


@register_jitable
def forward8(x0, x1, x2, x3, x4, x5, x6, x7, even_shift, shift):
    """Frequencies 0 .. 7 of eight numbers, times sqrt(8); 0 and 4 are shifted by ``even_shift`` (left if negative)."""
    sum0, sum1, sum2, sum3 = x0 + x7, x1 + x6, x2 + x5, x3 + x4
    y7, y5, y3, y1 = _odd_part(x3 - x4, x2 - x5, x1 - x6, x0 - x7)
    s, d = sum0 + sum3, sum0 - sum3
    t, e = sum1 + sum2, sum1 - sum2
    z = (e + d) * 4433
    if even_shift < 0:
        y0, y4 = (s + t) << -even_shift, (s - t) << -even_shift
    else:
        y0, y4 = rounded(s + t, even_shift), rounded(s - t, even_shift)
    return (
        y0, rounded(y1, shift), rounded(z + d * 6270, shift), rounded(y3, shift),
        y4, rounded(y5, shift), rounded(z - e * 15137, shift), rounded(y7, shift),
    )  # fmt: skip


@register_jitable
def backward8(y0, y1, y2, y3, y4, y5, y6, y7, shift):
    """Eight numbers of their frequencies 0 .. 7, divided by ``2**(shift - BITS)``."""
    z = (y2 + y6) * 4433
    e, d = z - y6 * 15137, z + y2 * 6270
    s, t = (y0 + y4) << BITS, (y0 - y4) << BITS
    a, b, c, f = _odd_part(y7, y5, y3, y1)
    return (
        rounded(s + d + f, shift), rounded(t + e + c, shift), rounded(t - e + b, shift), rounded(s - d + a, shift),
        rounded(s - d - a, shift), rounded(t - e - b, shift), rounded(t + e - c, shift), rounded(s + d - f, shift),
    )  # fmt: skip


# --- the definition ---


def jpeg(x, y, tables, shape, across, down, scale):
    """x and y are ``shape = (N, H, W, C)``; ``tables`` (2, 8, 8) divides luma, and chroma.

    ``across`` and ``down`` are 2 where chroma is subsampled in that direction, and 1 where not. ``scale`` levels are
    one: 255, or 1 where x and y are levels.
    """
    N, H, W, C = shape
    source, target = x.reshape(shape), y.reshape(shape)
    height, width = -(-H // (8 * down)) * 8 * down, -(-W // (8 * across)) * 8 * across
    for n in range(N):
        planes = np.empty((C, height, width), np.int64)
        for p in range(height):
            for q in range(width):
                i, j = min(p, H - 1), min(q, W - 1)
                if C == 1:
                    planes[0, p, q] = level(source[n, i, j, 0], scale)
                else:
                    r, g = level(source[n, i, j, 0], scale), level(source[n, i, j, 1], scale)
                    b = level(source[n, i, j, 2], scale)
                    planes[0, p, q] = luma(r, g, b)
                    planes[1, p, q] = blueness(r, g, b)
                    planes[2, p, q] = redness(r, g, b)
        rows, columns = -(-H // down), -(-W // across)
        for c in range(C):
            if c == 0:
                _through_blocks(planes[0], height, width, tables[0])
                continue
            _subsample(planes[c], height, width, across, down, rows)
            _through_blocks(planes[c], height // down, width // across, tables[1])
        for p in range(H):
            for q in range(W):
                luminance = planes[0, p, q]
                if C == 1:
                    target[n, p, q, 0] = luminance / scale
                else:
                    cb = upsampled(planes[1], p, q, rows, columns, across, down)
                    cr = upsampled(planes[2], p, q, rows, columns, across, down)
                    target[n, p, q, 0] = red(luminance, cr) / scale
                    target[n, p, q, 1] = green(luminance, cb, cr) / scale
                    target[n, p, q, 2] = blue(luminance, cb) / scale


@register_jitable
def _subsample(plane, height, width, across, down, rows):
    """Means over ``down`` x ``across`` pixels, written over the plane's first rows and columns.

    Halves are rounded down and up by turns along a row. Rows below the last mean of pixels of the image repeat it.
    """
    if across == 1:
        return
    for p in range(height // down):
        for q in range(width // across):
            if p >= rows:
                plane[p, q] = plane[rows - 1, q]
            elif down == 1:
                plane[p, q] = (plane[p, 2 * q] + plane[p, 2 * q + 1] + q % 2) >> 1
            else:
                total = plane[2 * p, 2 * q] + plane[2 * p, 2 * q + 1]
                total += plane[2 * p + 1, 2 * q] + plane[2 * p + 1, 2 * q + 1]
                plane[p, q] = (total + 1 + q % 2) >> 2


@register_jitable
def _through_blocks(plane, height, width, table):
    """Each block of a plane to frequencies, divided by the table, rounded, multiplied, and back."""
    block = np.empty((8, 8), np.int64)
    for top in range(0, height, 8):
        for left in range(0, width, 8):
            block[:] = plane[top : top + 8, left : left + 8]
            block -= 128
            for i in range(8):
                _forward(block[i], -EXTRA, BITS - EXTRA)
            for j in range(8):
                _forward(block[:, j], EXTRA, BITS + EXTRA)
            for i in range(8):
                for j in range(8):
                    block[i, j] = quantised(block[i, j], table[i, j])
            for j in range(8):
                _backward(block[:, j], BITS - EXTRA)
            for i in range(8):
                _backward(block[i], BITS + EXTRA + 3)
                for j in range(8):
                    plane[top + i, left + j] = clamp(block[i, j] + 128)


@register_jitable
def _forward(x, even_shift, shift):
    y = forward8(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], even_shift, shift)
    for k in range(8):
        x[k] = y[k]


@register_jitable
def _backward(y, shift):
    x = backward8(y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7], shift)
    for k in range(8):
        y[k] = x[k]


@register_jitable
def quantised(frequency, divisor):
    """A frequency, which the transform has made 8 times as large, to the nearest multiple of the table's entry."""
    size = (abs(frequency) + 4 * divisor) // (8 * divisor) * divisor
    return size if frequency >= 0 else -size


@register_jitable
def upsampled(plane, p, q, rows, columns, across, down):
    """The sample at pixel (p, q): 3/4 of the nearest and 1/4 of the next, in each direction that was subsampled."""
    if across == 1:
        return plane[p, q]
    j = q // 2
    if columns <= 2:
        return plane[p // down, j]
    beside = min(max(j + (1 if q % 2 else -1), 0), columns - 1)
    if down == 1:
        return (3 * plane[p, j] + plane[p, beside] + 1 + q % 2) >> 2
    i = p // 2
    below = min(max(i + (1 if p % 2 else -1), 0), rows - 1)
    here, there = 3 * plane[i, j] + plane[below, j], 3 * plane[i, beside] + plane[below, beside]
    return (3 * here + there + 8 - q % 2) >> 4
