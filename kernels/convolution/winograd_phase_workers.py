"""The workers of cpu_winograd_phases.py: weights and blocks of tiles on their way through the transforms."""

from typing import Any

from numba import float32
from numba.extending import register_jitable

from ..machine.compile import kernel
from ..machine.microkernel import ACCUMULATE, PACKED, block_columns, call_panel
from ..machine.pointers import pointer
from ..machine.processor import lanes
from . import winograd_phase_tiles as words
from .cpu_winograd import SIZE
from .winograd_phase_tiles import finish_tile, phase_of, weight_transform, window
from .winograd_tiling import ALL_POINTS, POINTS, active
from .winograd_transforms import call_tile

RUN = 8
"""Tiles that one task of `inputs` transforms."""


def _part_of_weights() -> Any:
    """For a worker: one part of U of a written phase; `_weight_parts` says how many there are."""
    widest, lane = block_columns(SIZE), lanes(SIZE)
    transform_weights = weight_transform()

    @register_jitable
    def part_of_weights(block, at, part, u, stage):
        C, K, sources, chunks = block[words.C], block[words.K], block[words.SOURCES] ** 2, block[words.CHUNKS]
        chunk, source, first = part % chunks, part // chunks % sources, part // (chunks * sources) * widest
        columns = min(K - first, widest)
        padded = (columns + lane - 1) // lane * lane
        channel, last = C * chunk // chunks, C * (chunk + 1) // chunks
        row = first * sources * C + (source * C + channel) * padded
        transform_weights(
            block, at, source, channel, last - channel, first, columns, u + row * SIZE, block[words.U_POINT], stage
        )

    return part_of_weights


@register_jitable
def _weight_parts(block, widest):
    """Parts of U of a written phase: one block of columns, one phase of the source, one chunk of its channels."""
    return (block[words.K] + widest - 1) // widest * block[words.SOURCES] ** 2 * block[words.CHUNKS]


@kernel()
def all_weights() -> Any:
    """Task: one part of U of one written phase, for all threads."""
    widest, part_of_weights = block_columns(SIZE), _part_of_weights()

    def all_weights(begin, end, slot, block):
        parts, stage = _weight_parts(block, widest), block[words.SCRATCH] + slot * block[words.THREAD] * SIZE
        for task in range(begin, end):
            phase, part = task // parts, task % parts
            u = block[words.KEPT] + phase * ALL_POINTS * block[words.U_POINT] * SIZE
            part_of_weights(block, words.PHASES + phase * words.PHASE_WORDS, part, u, stage)

    return all_weights


@kernel()
def blocks_of_tiles() -> Any:
    """Task: one block of tiles of one written phase, from the source to the result.

    Where each thread has a U of its own, it makes it anew when the phase is another one than before.
    """
    widest, part_of_weights = block_columns(SIZE), _part_of_weights()

    def blocks_of_tiles(begin, end, slot, block):
        C, K, stride, sources = block[words.C], block[words.K], block[words.STRIDE], block[words.SOURCES]
        v_pitch, v_point, u_point = block[words.V_PITCH], block[words.V_POINT], block[words.U_POINT]
        m_pitch, m_point = block[words.M_PITCH], block[words.M_POINT]
        v = block[words.SCRATCH] + slot * block[words.THREAD] * SIZE
        m = v + ALL_POINTS * v_point * SIZE
        patch = m + ALL_POINTS * m_point * SIZE
        rows = sources * sources * C
        own = v + block[words.OWN] * SIZE
        held = pointer(own - words.MARK * SIZE, float32)
        for task in range(begin, end):
            at, phase = phase_of(task, block)
            u = block[words.KEPT] + phase * ALL_POINTS * u_point * SIZE
            if block[words.OWN] != 0:
                u = own
                if held[0] != phase:
                    held[0] = phase
                    for part in range(_weight_parts(block, widest)):
                        part_of_weights(block, at, part, u, v)
            first = (task - block[at + words.BLOCKS]) * block[words.TILES]
            last = min(first + block[words.TILES], block[at + words.TILED + 4])
            for number in range(first, last):
                kind, source, row = window(block, at, number, patch)
                for i in range(sources * sources):
                    call_tile(
                        block[words.INPUT_TILES + kind], source + (i // 2 * row + i % 2 * C) * SIZE, stride * row,
                        stride * C, v + ((number - first) * v_pitch + i * C) * SIZE, POINTS * v_point, v_point, C,
                        0, 0, 0.0,
                    )  # fmt: skip
            for point in range(ALL_POINTS):
                low, high = active(point, block, at + words.TILED)
                low, high = max(low, first), min(high, last)
                call_panel(
                    block[words.PANEL], m + (point * m_point + (low - first) * m_pitch) * SIZE,
                    v + (point * v_point + (low - first) * v_pitch) * SIZE, u + point * u_point * SIZE, 0,
                    high - low, K, 1, rows, 0, 1, v_pitch, 0, 0, rows, m_pitch, PACKED, 0,
                )  # fmt: skip
            for number in range(first, last):
                finish_tile(block, at, number, m + (number - first) * m_pitch * SIZE, 0, K, patch)

    return blocks_of_tiles


@kernel()
def inputs() -> Any:
    """Task: a few tiles of one block, from the source to V, chunk by chunk of the reduction."""

    def inputs(begin, end, slot, block):
        C, stride, sources, chunks = block[words.C], block[words.STRIDE], block[words.SOURCES], block[words.CHUNKS]
        tiles, v_pitch, v_point = block[words.TILES], block[words.V_PITCH], block[words.V_POINT]
        patch = block[words.SCRATCH] + slot * block[words.THREAD] * SIZE
        runs, chunk_size = (tiles + RUN - 1) // RUN, ALL_POINTS * v_point
        for task in range(begin, end):
            here = task // runs
            at, _ = phase_of(block[words.FIRST_BLOCK] + here, block)
            block_first = (block[words.FIRST_BLOCK] + here - block[at + words.BLOCKS]) * tiles
            first = block_first + task % runs * RUN
            last = min(first + RUN, block_first + tiles, block[at + words.TILED + 4])
            for number in range(first, last):
                kind, source, row = window(block, at, number, patch)
                for i in range(sources * sources):
                    for chunk in range(chunks):
                        channel, channel_end = C * chunk // chunks, C * (chunk + 1) // chunks
                        v = ((here * sources * sources + i) * chunks + chunk) * chunk_size
                        call_tile(
                            block[words.INPUT_TILES + kind],
                            source + (i // 2 * row + i % 2 * C + channel) * SIZE, stride * row, stride * C,
                            block[words.KEPT] + (v + (number - block_first) * v_pitch) * SIZE, POINTS * v_point,
                            v_point, channel_end - channel, 0, 0, 0.0,
                        )  # fmt: skip

    return inputs


@kernel()
def products() -> Any:
    """Task: one block of tiles by one block of columns, from V and the weight to the result."""
    widest, lane = block_columns(SIZE), lanes(SIZE)
    transform_weights = weight_transform()

    def products(begin, end, slot, block):
        C, K, sources, chunks = block[words.C], block[words.K], block[words.SOURCES], block[words.CHUNKS]
        tiles, v_pitch, v_point = block[words.TILES], block[words.V_PITCH], block[words.V_POINT]
        m_pitch, m_point, u_point = block[words.M_PITCH], block[words.M_POINT], block[words.U_POINT]
        u = block[words.SCRATCH] + slot * block[words.THREAD] * SIZE
        m = u + ALL_POINTS * u_point * SIZE
        stage = m + ALL_POINTS * m_point * SIZE  # for squares of weights, and then for tiles that hang over
        blocks, vectors = block[words.COLUMN_BLOCKS], (K + lane - 1) // lane
        for task in range(begin, end):
            here, number = task // blocks, task % blocks
            column, columns = vectors * number // blocks * lane, vectors * (number + 1) // blocks * lane
            columns = min(columns, K) - column
            at, _ = phase_of(block[words.FIRST_BLOCK] + here, block)
            first = (block[words.FIRST_BLOCK] + here - block[at + words.BLOCKS]) * tiles
            last = min(first + tiles, block[at + words.TILED + 4])
            v = block[words.KEPT] + here * sources * sources * chunks * ALL_POINTS * v_point * SIZE
            for step in range(sources * sources * chunks):
                channel, rows = C * (step % chunks) // chunks, C * (step % chunks + 1) // chunks
                rows -= channel
                for part in range(0, columns, widest):
                    transform_weights(
                        block, at, step // chunks, channel, rows, column + part, min(widest, columns - part),
                        u + part * rows * SIZE, u_point, stage,
                    )  # fmt: skip
                for point in range(ALL_POINTS):
                    low, high = active(point, block, at + words.TILED)
                    low, high = max(low, first), min(high, last)
                    call_panel(
                        block[words.PANEL], m + (point * m_point + (low - first) * m_pitch) * SIZE,
                        v + (point * v_point + (low - first) * v_pitch) * SIZE, u + point * u_point * SIZE, 0,
                        high - low, columns, 1, rows, 0, 1, v_pitch, 0, 0, rows, m_pitch,
                        PACKED | (ACCUMULATE if step > 0 else 0), 0,
                    )  # fmt: skip
                v += ALL_POINTS * v_point * SIZE
            for tile_number in range(first, last):
                products_at = m + (tile_number - first) * m_pitch * SIZE
                finish_tile(block, at, tile_number, products_at, column, columns, stage)

    return products
