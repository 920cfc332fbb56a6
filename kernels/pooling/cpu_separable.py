"""The "separable" variant of average pooling: sums along columns, then along rows, scaled at the end."""

from ..machine.memory import empty
from ..machine.separable import Separable, Taps
from ..operation import Run
from .geometry import Pooling


def _taps(g: Pooling) -> tuple[Taps, Taps]:
    axes = []
    for axis in (0, 1):
        # A divisor for the whole window divides once.
        counts = ([g.divisor, 1][axis] for _ in g.windows(axis)) if g.divisor else g.counts(axis)
        lists = [[(i, 1.0 / count) for i in window] for window, count in zip(g.windows(axis), counts, strict=True)]
        axes.append(Taps.of(lists, g.image[1 + axis]))
    return axes[0], axes[1]


def build(g: Pooling) -> Run:
    """What runs a planned average pooling."""
    empty(*g.outputs[0])  # what memory cannot hold is refused before tables of its size are made
    rows, columns = _taps(g)
    return Separable(g.image[0], g.image[3], rows, columns, g.dtype)


def build_grad(g: Pooling) -> Run:
    """What runs a planned gradient of average pooling."""
    rows, columns = _taps(g)
    return Separable(g.image[0], g.image[3], rows.transposed(), columns.transposed(), g.dtype)
