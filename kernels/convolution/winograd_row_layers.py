"""The geometry that "winograd_rows" shares with its weight gradient, and a band of rows turned into points.

A layer is thin where one side has few channels and the other many. All three passes see it from the thin side: the
many channels of a pixel, in y or gx or gy, belong to the thin side's pixels around it.
"""

from typing import NamedTuple

import numpy as np
from numba import float32
from numba.extending import register_jitable

from ..machine.pointers import pointer
from ..machine.processor import lanes
from .geometry import ConvGeometry
from .winograd_row_tiles import QUAD, SIZE, line_points, points_of

_MOST_CHANNELS = 15  # with more, two-dimensional tiles save more
_MOST_PRODUCTS = 0.7  # of the direct path's: with 0.75 the two are equally fast


class Layer(NamedTuple):
    """A convolution from few channels (source) to many (target): row p sees rows ``p * stride + r * dilation - top``.

    A stride along the row is taken away by a view: ``across`` neighbouring pixels of the padded row are one pixel of
    ``across`` times as many channels, which the taps read one pixel at a time. ``weight`` is where tap (0, 0) begins in
    the weight, then its strides by (many, r, s, few), negative where a gradient turns the taps round.
    """

    n: int
    source: tuple[int, int, int]
    target: tuple[int, int, int]
    taps: tuple[int, int]
    stride: int
    dilation: int
    before: tuple[int, int]
    weight: tuple[int, int, int, int, int]
    across: int = 1

    @property
    def channels(self) -> int:
        """Channels of a pixel that the quads step over."""
        return self.source[2] * self.across

    @property
    def group(self) -> int:
        """Taps of a group."""
        return group_of(self.taps[1], self.across)

    @property
    def groups(self) -> int:
        """Groups in a tap row."""
        return -(-self.taps[1] // (self.across * self.group))

    @property
    def points(self) -> int:
        """Points of a quad."""
        return points_of(self.group)

    @property
    def positions(self) -> int:
        """Pixels of a row whose points are read: by the last group, whole quads."""
        return -(-self.target[1] // QUAD) * QUAD - QUAD + self.group * (self.groups - 1) + 1

    @property
    def line(self) -> int:
        """Numbers of a row with zeros beside it, as far as whole vectors of points read."""
        width = lanes(SIZE)
        return -(-self.positions * self.channels // width) * width + (self.points - 1) * self.channels + width

    @property
    def row(self) -> int:
        """Numbers of a row's points."""
        width = lanes(SIZE)
        return (-(-self.positions * self.channels // width) * width) * self.points + 2 * width

    def rows(self, outputs: int) -> int:
        """Source rows that ``outputs`` neighbouring rows read."""
        return (outputs - 1) * self.stride + (self.taps[0] - 1) * self.dilation + 1


def _products(taps: int, stride: int, group: int) -> int:
    """Products of a quad with a tap row, in groups of so many taps, at a stride along the row."""
    return -(-taps // (stride * group)) * points_of(group) * stride


def group_of(taps: int, stride: int) -> int:
    """Whether groups of 2 or of 3 taps take fewer products.

    >>> group_of(3, 1), group_of(4, 1), group_of(4, 2), group_of(9, 1)
    (3, 2, 2, 3)
    """
    return min((3, 2), key=lambda group: _products(taps, stride, group))


def reason_against(g: ConvGeometry, few: int, many: int, stride: int) -> str | None:
    """Why a layer from ``few`` channels to ``many`` gains nothing here; ``stride`` is that along the row."""
    if g.dilation[1] != 1 or g.groups != 1:
        return f"needs no dilation along the row and one group (got {g.dilation[1]}, groups = {g.groups})"
    if g.dtype != np.float32:
        return f"needs float32 (got {g.dtype})"
    least = lanes(SIZE)
    if few > _MOST_CHANNELS or many < least:
        return f"needs at most {_MOST_CHANNELS} channels on one side and {least} on the other (got {few} and {many})"
    if _products(g.s, stride, group_of(g.s, stride)) > _MOST_PRODUCTS * QUAD * g.s:
        return f"needs rows of taps that groups of 2 or 3 save products of (got {g.s} taps at stride {stride})"
    return None


def forward_layer(g: ConvGeometry) -> Layer:
    """The convolution, few channels in."""
    strides = (0, g.r * g.s * g.c, g.s * g.c, g.c, 1)
    source, target, before = (g.h, g.w, g.c), (g.p, g.q, g.k), (g.pads[0], g.pads[2])
    return Layer(g.n, source, target, (g.r, g.s), g.stride[0], g.dilation[0], before, strides, g.stride[1])


def turned_layer(g: ConvGeometry) -> Layer:
    """The input gradient at stride 1, few channels in gy: a convolution of gy with the taps turned round."""
    before = (g.r - 1) * g.dilation[0] - g.pads[0], g.s - 1 - g.pads[2]
    strides = (((g.r - 1) * g.s + g.s - 1) * g.c, 1, -g.s * g.c, -g.c, g.r * g.s * g.c)
    return Layer(g.n, (g.p, g.q, g.k), (g.h, g.w, g.c), (g.r, g.s), 1, g.dilation[0], before, strides)


@register_jitable
def band_points(taps, points, line_at, x, n, H, W, C, first_row, left, across, high, row_size, line_size, width):
    """The points of ``high`` rows of image n from ``first_row`` on, with zeros beside the image and above and below."""
    line = pointer(line_at, float32)
    begin = min(max(0, left), line_size // C)  # pixels of zeros, then the image's
    end = max(begin, min(line_size // C, W + left))
    for r in range(high):
        target = points + r * row_size * SIZE
        row = first_row + r
        if row < 0 or row >= H:
            zeros = pointer(target, float32)
            for i in range(row_size):
                zeros[i] = 0
            continue
        source = pointer(x + ((n * H + row) * W - left) * C * SIZE, float32)
        for i in range(begin * C):
            line[i] = 0
        for i in range(begin * C, end * C):
            line[i] = source[i]
        for i in range(end * C, line_size):
            line[i] = 0
        for i in range(0, line_size - (QUAD + taps - 2) * across * C - width, width):
            line_points(taps, line_at + i * SIZE, across * C, target + i * (QUAD + taps - 1) * SIZE)


def step_offsets(layer: Layer) -> np.ndarray:
    """Where each step of the reduction reads, from a quad's first tap row on: tap rows, groups, channels."""
    return np.array(
        [
            r * layer.dilation * layer.row + (group * layer.group * layer.channels + c) * layer.points
            for r in range(layer.taps[0])
            for group in range(layer.groups)
            for c in range(layer.channels)
        ],
        np.int64,
    )
