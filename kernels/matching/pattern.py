"""What both variants of scores share: the centred template, the image's level, and a scale for every window."""

from ctypes import addressof
from typing import Any

import numpy as np
from numba import types

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch
from .cpu_windows import scales
from .geometry import CENTRES, MatchGeometry
from .reference import FLAT_TEMPLATE, LARGEST

_ROWS_READ = 256  # about so many rows of an image give its level


@kernel()
def _row_sums(dtype: str) -> Any:
    """Task: one row of one image; sums and counts of its finite numbers in every channel."""
    number = getattr(types, dtype)

    def work(begin, end, slot, block):
        x = pointer(block[0], number)
        sums, counts = pointer(block[1], types.float64), pointer(block[2], types.float64)
        h, w, c, step, rows = block[3], block[4], block[5], block[6], block[7]
        for task in range(begin, end):
            start = (task // rows * h + task % rows * step) * w * c
            for k in range(c):
                total, count = 0.0, 0.0
                for j in range(w):
                    value = types.float64(x[start + j * c + k])
                    finite = abs(value) <= LARGEST
                    total += value if finite else 0.0
                    count += 1.0 if finite else 0.0
                sums[task * c + k] = total
                counts[task * c + k] = count

    return work


def centred(template: np.ndarray, g: MatchGeometry) -> tuple[np.ndarray, float]:
    """The template less its mean, of uint8 times a count that makes it integers, and that count."""
    wide = template.astype(np.float64)
    axes = {CENTRES["none"]: None, CENTRES["channel"]: (0, 1), CENTRES["all"]: (0, 1, 2)}[g.centre]
    if axes is None:
        return wide, 1.0
    numbers = g.r * g.s * (g.c if len(axes) == 3 else 1)
    count = numbers if g.dtype == np.uint8 else 1
    wide *= count
    return wide - wide.sum(axis=axes, keepdims=True) / numbers, float(count)


class Pattern:
    """``pattern, scale, shifts = Pattern(g)(x, template)``.

    The pattern is the centred template, of length 1 (for uint8: times R * S, which makes it integers, or R * S * C
    where the mean is over all channels). ``scale`` (N, P, Q) makes scores of its products. ``shifts`` (N, C) is about
    the level of each image: it may be subtracted from the image since the pattern adds up to 0.
    """

    def __init__(self, g: MatchGeometry) -> None:
        self.g = g
        self.scales = scales(g)
        step = max(1, g.h // _ROWS_READ)
        self.rows = -(-g.h // step)
        self.template = Template(3, (g.h, g.w, g.c, step, self.rows))
        self.worker = _row_sums.address(g.dtype.name)

    def __call__(self, x: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        g = self.g
        pattern, length = self.measured(template)
        # Integers are exact as they are, and where nothing is centred nothing may be taken off.
        shifts = np.zeros((g.n, g.c)) if g.dtype == np.uint8 or g.centre == CENTRES["none"] else self.levels(x)
        scale = empty((g.n, g.p, g.q), g.outputs[0][1])
        self.scales(x, scale, shifts, length)
        return pattern, scale, shifts

    def measured(self, template: np.ndarray) -> tuple[np.ndarray, float]:
        """The pattern and its length; the length is infinite where there is no contrast, which makes every score 0."""
        g = self.g
        with np.errstate(invalid="ignore", over="ignore"):
            raw = float(np.square(template.astype(np.float64)).sum())
            wide, count = centred(template, g)
            raw *= count**2
            squared = float(np.square(wide).sum())
        if not squared <= LARGEST:
            return np.full_like(wide, np.nan), 1.0
        if squared <= FLAT_TEMPLATE * raw:
            return np.zeros_like(wide), np.inf
        length = float(np.sqrt(squared))
        return (wide, length) if g.dtype == np.uint8 else (wide / length, 1.0)

    def levels(self, x: np.ndarray) -> np.ndarray:
        """About the mean of the finite numbers of each image, channel by channel or of all; a number of its type."""
        g = self.g
        sums, counts = np.empty((2, g.n, self.rows, g.c))
        block = self.template.filled(x, sums, counts)
        launch(self.worker, g.n * self.rows, addressof(block), g.n * self.rows * g.w * g.c * 0.5)
        total, count = sums.sum(axis=1), counts.sum(axis=1)
        if g.centre == CENTRES["all"]:
            total, count = total.sum(axis=1, keepdims=True), count.sum(axis=1, keepdims=True)
        means = (total / np.maximum(count, 1)).astype(g.dtype).astype(np.float64)
        return np.broadcast_to(means, (g.n, g.c))
