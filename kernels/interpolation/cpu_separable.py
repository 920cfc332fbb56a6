"""The "separable" variant: a few taps along columns, then along rows."""

from typing import TYPE_CHECKING

from ..machine.memory import empty
from ..machine.separable import Separable
from ..operation import Run
from .taps import taps_of

if TYPE_CHECKING:
    from . import Interpolation


def build(g: "Interpolation") -> Run:
    """What runs a planned `interpolate`."""
    empty(*g.outputs[0])  # what memory cannot hold is refused before tables of its size are made
    rows, columns = taps_of(g)
    return Separable(g.image[0], g.image[3], rows, columns, g.dtype)


def build_grad(g: "Interpolation") -> Run:
    """What runs a planned `interpolate_grad`."""
    rows, columns = taps_of(g)
    return Separable(g.image[0], g.image[3], rows.transposed(), columns.transposed(), g.dtype)
