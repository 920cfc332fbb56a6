"""Variant "patches": Criminisi's filling with a search by vectors, then rounds of PatchMatch and voting."""

from ctypes import addressof
from typing import Any

import numpy as np

from ..machine.blocks import Template
from ..machine.memory import empty
from ..machine.pointers import word_of
from ..machine.threads import launch, num_threads
from ..operation import Run
from . import cpu_fill, cpu_refine, rules
from .differences import block_of
from .geometry import ExemplarGeometry
from .prepare import Prepared, prepare
from .rules import CANDIDATES, LEAST_DATA, RELIANCE

_LINE = 64
_STEP_NS = 20_000.0  # what choosing the next target takes


def build(g: ExemplarGeometry) -> Run:
    if g.n * g.h * g.w * g.c == 0:
        return lambda arrays, outputs: None
    size = g.work.itemsize
    width = block_of(size)
    pitch = -(-g.w // width) * width
    workers = [family.address(size) for family in (cpu_fill.choose, cpu_fill.search, cpu_refine.improve, cpu_refine.vote)]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mask, source = arrays
        state = prepare(g, x, mask, source, pitch, width)
        y = outputs[0]
        if y is not x:
            np.copyto(y, x)
        if state.holes.size == 0:
            return
        _fill(g, state, workers[0], workers[1], pitch)
        if g.refinements:
            _refine(g, state, workers[2], workers[3], pitch)
        values = state.planes[state.image, :, state.row, state.column]
        if g.levels:
            values = np.rint(np.clip(values, 0, g.levels))
        y[state.image, state.row, state.column] = values

    return run


def _fill(g: ExemplarGeometry, state: Prepared, choose: int, search: int, pitch: int) -> None:
    size, width = g.work.itemsize, block_of(g.work.itemsize)
    tasks = -(-(g.h - g.r + 1) // cpu_fill.ROWS)
    found, best = empty((g.n * tasks,), np.int64), empty((g.n * tasks,), g.work)
    offsets, values = empty((g.n, g.c * g.r * g.s), np.int64), empty((g.n, g.c * g.r * g.s), g.work)
    sums = empty((num_threads() * width + _LINE,), g.work)
    ranks = np.full((g.n, g.h, g.w), -1.0)
    block = Template(10, (g.h, g.w, g.c, g.r, g.s, pitch, tasks, word_of(LEAST_DATA), 0, 0, 0, 0, 0)).filled(
        state.words, found, best, state.planes, state.level, state.unknown, state.trust, ranks, state.open, state.origin
    )
    for place, array in ((18, state.range), (19, offsets), (20, values), (21, state.whole), (22, sums)):
        block[place] = array.ctypes.data
    ns = 0.05 * g.n * g.h * g.w * g.c * g.r * g.s / 4
    while True:
        launch(choose, g.n, addressof(block), g.n * _STEP_NS)
        if not state.words[:, cpu_fill.OPEN].any():
            return
        launch(search, g.n * tasks, addressof(block), ns)


def _refine(g: ExemplarGeometry, state: Prepared, improve: int, vote: int, pitch: int) -> None:
    size = g.work.itemsize
    targets, index, first = state.targets(g)
    tables = [first, np.full_like(first, -1)]
    distances = np.full(first.shape, np.inf, g.work)
    shifts = np.zeros((*first.shape, g.c), g.work)
    weights = state.weights(g)
    means = state.box_sums(weights.astype(np.float64), g) / (g.r * g.s)
    reliance = (means.reshape(-1)[targets] ** rules.RELIANCE).astype(g.work)
    scratch = -(-g.c * size // _LINE) * _LINE
    buffer = empty((num_threads() * scratch + _LINE,), np.uint8)
    levels = max(g.h, g.w).bit_length()
    common = (g.h, g.w, g.c, g.r, g.s, pitch)
    for sweep in range(g.refinements):
        old, new = tables
        step = max(1, min(g.r, g.s) // 2)
        block = Template(10, (*common, step, sweep, levels, 0, scratch, word_of(rules.SHIFT_PENALTY))).filled(
            state.planes, targets, None, old, new, distances, shifts, weights, index, state.whole
        )
        block[2], block[19] = targets.size, buffer.ctypes.data
        launch(improve, -(-targets.size // cpu_refine.TARGETS), addressof(block), 2000.0 * targets.size)
        block = Template(10, (*common, word_of(rules.BANDWIDTH), word_of(rules.POWER), 0, 0, scratch)).filled(
            state.planes, state.holes, None, new, reliance, distances, shifts, weights, index, state.planes
        )
        block[2], block[19] = state.holes.size, buffer.ctypes.data
        launch(vote, -(-state.holes.size // cpu_refine.PIXELS), addressof(block), 2000.0 * state.holes.size)
        tables = [new, old]
    if rules.ORDER:
        touched = np.zeros((g.n, g.h, g.w), bool)
        im, rest = np.divmod(targets, g.h * g.w); row, col = np.divmod(rest, g.w)
        for i in range(g.r):
            for j in range(g.s): touched[im, row + i, col + j] = True
        touched &= state.unknown < 2
        places = np.flatnonzero(touched)
        guess = state.planes.copy()
        block = Template(10, (*common, word_of(rules.BANDWIDTH), word_of(rules.POWER), 0, 0, scratch)).filled(
            state.planes, places, None, tables[0], reliance, distances, shifts, weights, index, guess)
        block[2], block[19] = places.size, buffer.ctypes.data
        launch(vote, -(-places.size // cpu_refine.PIXELS), addressof(block), 2000.0 * state.holes.size)
        rules.EXTRA = (guess, state)
