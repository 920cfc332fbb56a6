"""Variant "patches": Criminisi's filling with a search by vectors (cpu_fill), then rounds of PatchMatch and voting
(cpu_refine), then the fit (cpu_fit)."""

from typing import Any

import numpy as np

from ..operation import Run
from . import cpu_fill, cpu_refine
from .differences import block_of
from .geometry import ExemplarGeometry
from .prepare import prepare


def build(g: ExemplarGeometry) -> Run:
    """The workers of one geometry; the rest depends on the mask."""
    if g.n * g.h * g.w * g.c == 0:
        return lambda arrays, outputs: None
    fillers = cpu_fill.workers(g)
    refiners = cpu_refine.workers(g) if g.refinements else (0, 0)
    block = block_of(g.work.itemsize)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mask, source = arrays
        np.copyto(outputs[0], x)
        state = prepare(g, x, mask, source, block)
        if state.places.size == 0:
            return
        origin = cpu_fill.fill(g, state, fillers)
        if g.refinements:
            cpu_refine.refine(g, state, origin, refiners)
        image = state.places // (g.h * g.w)
        values = np.clip(state.at_holes(state.planes), state.low[image], state.high[image])
        outputs[0].reshape(-1, g.c)[state.places] = np.rint(values) if g.levels else values

    return run
