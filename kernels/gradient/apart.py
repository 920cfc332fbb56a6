"""Variant "apart" on CUDA: the blurred image is written to memory, and its gradient taken from there."""

from typing import Any

from ..correlation import correlate_separable2d
from ..operation import Run
from .geometry import GradientGeometry


def rejects(g: GradientGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    return None if g.blur else "is for images that are blurred before"


def build(g: GradientGeometry) -> Run:
    """Two operations, one after the other."""
    from . import gradient_magnitude2d  # which declares this variant

    shape = (g.outer, g.h, g.w, g.inner)
    border: dict[str, Any] = {"axis": 1, "mode": g.mode, "cval": g.cval}

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, smooth, slope, blur = arrays
        blurred = correlate_separable2d(x.reshape(shape), blur, blur, **border)
        gradient_magnitude2d(blurred, smooth, slope, out=outputs[0].reshape(shape), **border)

    return run
