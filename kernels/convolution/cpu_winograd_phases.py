"""The "winograd_phases" convolution and input gradient on the CPU: 4 x 4, stride 2, with 2.4 times fewer
multiplications.

**Phases.** The even and the odd rows and columns of the input are four images of half the size, its *phases*. Output
o reads the input rows 2o .. 2o + 3 (of the padded image): two neighbours of the even phase and two of the odd one::

    row of the input       0   1   2   3   4   5   6   7           taps w0 w1 w2 w3 (rows; columns alike)
    phase                  a   b   a   b   a   b   a   b
    output 0               w0  w1  w2  w3                          y[o] = w0 a[o] + w2 a[o + 1]
    output 1                       w0  w1  w2  w3                       + w1 b[o] + w3 b[o + 1]

So the convolution is the sum of four convolutions of stride 1, of the four phases by the 2 x 2 kernels of every other
tap. Turned round: input row 2i gets w0 gy[i] + w2 gy[i - 1] and row 2i + 1 gets w1 gy[i] + w3 gy[i - 1], so the
gradient by the input (which is the transposed convolution) is four 2 x 2 convolutions of one image gy, each of which
writes one phase::

    conv2d            4 phases of x  --(4 kernels)-->  sum  -->  y                        reduction over 4 C
    conv2d_input_grad gy  --(4 kernels)-->  4 phases of gx                  four times    reduction over K

**Tiles.** Each 2 x 2 convolution goes through Winograd's F(4, 2) and F(3, 2) (winograd_lines.py), in tiles of 4 and 3
outputs (winograd_tiling.py); 7 = 4 + 3 and 14 = 4 + 4 + 3 + 3, so that networks whose images are 28 pixels wide waste
nothing. The sum over phases is taken between the transforms, where it only makes the reduction longer::

    V[point] (tiles, phases * C)  x  U[point] (phases * C, K)  =  M[point] (tiles, K)          25 products

**What stays where.** With small weights and many tiles, U (6.25 times the weight) is made once and lies in the
third-level cache (that of a single written phase is small enough for each thread to make its own); a task takes a block
of tiles, whose V and M stay in the second-level cache: `blocks_of_tiles`. Large weights would travel to memory and
back, and for few tiles they are too much to write. Then V is made first, for a number of blocks at once (`inputs`), and
a task multiplies one block of tiles by one block of columns, over one chunk of the reduction after the other
(`products`): it makes the part of U that it needs, 64 x 64 of each point, uses it at once and forgets it, while its
part of M collects the sums.

Errors are 5e-6 to 2e-5 of the largest output (float32), growing with the number of channels. float64 has no use for
that bargain and takes the direct path.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any, NamedTuple

import numpy as np

from ..activation.epilogue import IN_REGISTERS, second_pass
from ..machine.blocks import Template
from ..machine.memory import empty
from ..machine.microkernel import MACS_PER_NS, block_columns, panel
from ..machine.packing import padded_columns
from ..machine.pointers import word_of
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from . import winograd_phase_tiles as words
from .cpu_direct import gradient_axes
from .cpu_winograd import SIZE, SKEW
from .geometry import ConvGeometry
from .winograd_phase_workers import RUN, all_weights, blocks_of_tiles, inputs, products
from .winograd_tiling import ALL_POINTS, KINDS, Tiling
from .winograd_transforms import INPUT3, INPUT4, OUTPUT3, OUTPUT4, WEIGHT2, tile

_LEAST_CHANNELS, _LEAST_OUTPUTS = 16, 32
"""Below these, transforms cost more than they save: the weight's is 25 numbers for 4 taps, however few the tiles."""

_TASK_BYTES = 960 * 1024
"""V and M of a task of `blocks_of_tiles`: they should stay in a core's second-level cache."""

_U_BYTES, _U_TILES = 16 << 20, 128
"""Transformed weights up to here, for so many tiles or more, are made once; others chunk by chunk."""

_OWN_BYTES = 1 << 20
"""Transformed weights of one written phase, of several, that a thread makes for itself: a few blocks of tiles use them
before the next phase's take their place, so no other processor's cache has a line that they are written to."""

_CHUNK = 64
"""Of the reduction and of the columns, where the weights are large; and tiles in a block."""

_V_BYTES = 16 << 20
"""Transformed inputs kept at a time."""


def rejects(g: ConvGeometry) -> str | None:
    """Where the method does not apply, or does not pay."""
    if (g.r, g.s) != (4, 4) or g.stride != (2, 2) or g.dilation != (1, 1) or g.groups != 1:
        return (
            f"needs 4 x 4 taps, stride 2, no dilation and one group (got {g.r} x {g.s}, stride {g.stride}, "
            f"dilation {g.dilation}, groups = {g.groups})"
        )
    if g.dtype != np.float32:
        return f"needs float32 (got {g.dtype})"
    if min(g.c, g.k) < _LEAST_CHANNELS:
        return f"needs {_LEAST_CHANNELS} channels in and out (got C = {g.c}, C_out = {g.k})"
    if g.n * g.p * g.q < _LEAST_OUTPUTS:
        return f"needs {_LEAST_OUTPUTS} output pixels of the convolution (got {g.n} x {g.p} x {g.q})"
    return None


class Written(NamedTuple):
    """A written phase: its tiling, where it is written, its first source pixel and its first tap."""

    tiling: Tiling
    first: tuple[int, int]
    source: tuple[int, int]
    tap: tuple[int, int]


def written_phases(g: ConvGeometry, forward: bool) -> list[Written]:
    """The one phase of a convolution, or those of its input gradient."""
    if forward:
        return [Written(Tiling(g.n, g.p, g.q), (0, 0), (-g.pads[0], -g.pads[2]), (0, 0))]
    return [
        Written(Tiling(g.n, y.outputs, x.outputs), (y.first, x.first), (y.oy, x.oy), (y.taps[0], x.taps[0]))
        for y in gradient_axes(g.h, 4, 2, 1, g.pads[0])
        for x in gradient_axes(g.w, 4, 2, 1, g.pads[2])
    ]


class _Phases:
    """A planned convolution or input gradient."""

    def __init__(self, g: ConvGeometry, forward: bool) -> None:
        self.phases = written_phases(g, forward)
        self.sources = 2 if forward else 1
        source, target = ((g.h, g.w, g.c), (g.p, g.q, g.k)) if forward else ((g.p, g.q, g.k), (g.h, g.w, g.c))
        self.c, self.k = source[2], target[2]
        self.rows = self.sources**2 * self.c  # of the products' second factor
        down, across = 4 * g.c, g.c  # from one tap of the weight to the next
        taps = (
            [2 * down, 2 * across, down, across, 1, 4 * down]
            if forward
            else [-2 * down, -2 * across, 0, 0, 4 * down, 1]
        )
        mode, slope = IN_REGISTERS.get(g.activation, 0), word_of(g.negative_slope)
        words_here = [*source, *target, self.sources, 3 - self.sources, self.sources, mode, slope, *taps]
        self.header = [*words_here, panel.address(SIZE), tile.address(WEIGHT2, WEIGHT2, SIZE), *self.functions()]
        self.most_tiles = max(phase.tiling.tiles for phase in self.phases)
        self.ns = sum(phase.tiling.products for phase in self.phases) * self.rows * self.k / MACS_PER_NS
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)
        self.patch = max((4 * self.sources + self.sources) ** 2 * self.c, 16 * self.k)
        self.stage = 4 * lanes(SIZE) * block_columns(SIZE)

    def functions(self) -> list[int]:
        """Addresses of the transforms of each kind of tile, input and output; only those that occur are compiled."""
        kinds = {kind for phase in self.phases for kind in phase.tiling.kinds}
        lines = {4: (INPUT4, OUTPUT4), 3: (INPUT3, OUTPUT3)}
        return [
            tile.address(lines[high][way], lines[wide][way], SIZE) if (high, wide) in kinds else 0
            for way in (0, 1)
            for high, wide in KINDS
        ]

    def phase_words(self, tiles: int, across: int) -> list[int]:
        """The written phases' words, for blocks of so many tiles; ``across`` numbers from one tap to its neighbour."""
        found: list[int] = []
        self.blocks = 0
        for phase in self.phases:
            first_tap = (4 * phase.tap[0] + phase.tap[1]) * across
            blocks = -(-phase.tiling.tiles // tiles)
            found += [self.blocks, self.blocks + blocks, *phase.first, *phase.source, first_tap, *phase.tiling.words]
            self.blocks += blocks
        return found


class _SmallWeights(_Phases):
    """Transformed weights are made once, or by each thread; a task takes a block of tiles all the way."""

    def __init__(self, g: ConvGeometry, forward: bool) -> None:
        super().__init__(g, forward)
        v_pitch, m_pitch = self.rows + SKEW, self.k + SKEW
        most = max(12, _TASK_BYTES // (ALL_POINTS * (v_pitch + m_pitch) * SIZE) // 12 * 12)
        tiles = -(-self.most_tiles // -(-self.most_tiles // most)) if self.most_tiles else 1
        v_point, m_point = tiles * v_pitch + SKEW, tiles * m_pitch + SKEW
        u_point = self.rows * padded_columns(self.k, SIZE) + SKEW
        chunks = -(-self.c // _CHUNK)
        thread = max(ALL_POINTS * (v_point + m_point) + self.patch, self.stage)
        self.own = 0
        if not forward and ALL_POINTS * u_point * SIZE <= _OWN_BYTES:
            self.own = -(-(thread + words.MARK) // 64) * 64
            thread = self.own + ALL_POINTS * u_point
        self.thread = -(-thread // 64) * 64
        sizes = [tiles, chunks, v_pitch, v_point, m_pitch, m_point, u_point, self.thread, 0, 0, self.own]
        self.template = Template(6, [*self.header, *sizes, *self.phase_words(tiles, g.c)])
        self.u_size = len(self.phases) * ALL_POINTS * u_point
        self.weight_tasks = len(self.phases) * -(-self.k // block_columns(SIZE)) * self.sources**2 * chunks
        self.weight_worker, self.worker = all_weights.address(), blocks_of_tiles.address()

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        u = empty((self.u_size,), x.dtype) if not self.own else None
        scratch = empty((num_threads() * self.thread,), x.dtype)
        block = self.template.filled(x, y, w, bias, scratch, u)
        if self.own:
            scratch[self.own - words.MARK :: self.thread] = -1  # no phase yet
        else:
            launch(self.weight_worker, self.weight_tasks, addressof(block), self.u_size * 0.3)
        launch(self.worker, self.blocks, addressof(block), self.ns)
        self.finish(y)


class _LargeWeights(_Phases):
    """Transformed inputs are made first, for some blocks of tiles at a time; weights chunk by chunk where needed."""

    def __init__(self, g: ConvGeometry, forward: bool) -> None:
        super().__init__(g, forward)
        tiles = -(-self.most_tiles // -(-self.most_tiles // _CHUNK)) if self.most_tiles else 1
        chunks, column_blocks = -(-self.c // _CHUNK), -(-self.k // _CHUNK)
        v_pitch = -(-self.c // chunks)
        v_point, m_point, u_point = tiles * v_pitch + SKEW, tiles * _CHUNK + SKEW, v_pitch * _CHUNK + SKEW
        thread = max(ALL_POINTS * (m_point + u_point) + max(self.stage, 16 * _CHUNK), self.patch)
        self.thread = -(-thread // 64) * 64
        sizes = [tiles, chunks, v_pitch, v_point, _CHUNK, m_point, u_point, self.thread, 0, column_blocks, 0]
        self.template = Template(6, [*self.header, *sizes, *self.phase_words(tiles, g.c)])
        self.v_size = self.sources**2 * chunks * ALL_POINTS * v_point
        self.together = max(1, min(self.blocks, _V_BYTES // (self.v_size * SIZE)))
        self.runs, self.column_blocks = -(-tiles // RUN), column_blocks
        self.input_worker, self.worker = inputs.address(), products.address()

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        v = empty((self.together * self.v_size,), x.dtype)
        scratch = empty((num_threads() * self.thread,), x.dtype)
        block = self.template.filled(x, y, w, bias, scratch, v)
        for first in range(0, self.blocks, self.together):
            blocks = min(self.together, self.blocks - first)
            block[words.FIRST_BLOCK] = first
            launch(self.input_worker, blocks * self.runs, addressof(block), blocks * self.v_size * 0.2)
            launch(self.worker, blocks * self.column_blocks, addressof(block), self.ns * blocks / self.blocks)
        self.finish(y)


def _plan(g: ConvGeometry, forward: bool) -> Callable[..., None]:
    tiles = Tiling(g.n, g.p, g.q).tiles
    if tiles < _U_TILES or 4 * ALL_POINTS * g.c * g.k * SIZE > _U_BYTES:
        return _LargeWeights(g, forward)
    return _SmallWeights(g, forward)


def build(g: ConvGeometry) -> Callable[..., None]:
    """The convolution."""
    return _plan(g, forward=True)


def build_input_grad(g: ConvGeometry) -> Callable[..., None]:
    """The input gradient."""
    return _plan(g, forward=False)
