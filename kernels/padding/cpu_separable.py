"""The "separable" variant: each row and each column copies one of the image, or none."""

from typing import TYPE_CHECKING

from ..machine.memory import empty
from ..machine.separable import Separable, Taps
from ..operation import Run
from .reference import source

if TYPE_CHECKING:
    from . import Padding


def _taps(g: "Padding") -> tuple[Taps, Taps]:
    (_, h, w, _), (top, bottom, left, right) = g.image, g.pads
    axes = []
    for size, before, after in ((h, top, bottom), (w, left, right)):
        sources = [source(position - before, size, g.mode) for position in range(size + before + after)]
        axes.append(Taps.of([[] if s < 0 else [(s, 1.0)] for s in sources], size))
    return axes[0], axes[1]


def build(g: "Padding") -> Run:
    """What runs a planned `pad2d`."""
    empty(*g.outputs[0])  # what memory cannot hold is refused before tables of its size are made
    rows, columns = _taps(g)
    return Separable(g.image[0], g.image[3], rows, columns, g.dtype, g.value)


def build_grad(g: "Padding") -> Run:
    """What runs a planned `pad2d_grad`."""
    rows, columns = _taps(g)
    return Separable(g.image[0], g.image[3], rows.transposed(), columns.transposed(), g.dtype)
