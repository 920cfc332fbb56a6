"""The micro-kernel alone: every height, width, depth, stride and mode against the definition in NumPy."""

import ctypes
import itertools

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided
from tilegrad.kernels.machine.microkernel import ACCUMULATE, BIAS, PACKED, block_columns, panel
from tilegrad.kernels.machine.packing import padded_columns
from tilegrad.kernels.machine.pointers import word_of
from tilegrad.kernels.machine.vectors import LEAKY_RELU, RELU
from tolerances import EPS

CALL = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 17)
FLOATS = ("float32", "float64")
SLOPE = 0.25
MARK = 777.0
STARTS = (0, ACCUMULATE, BIAS, ACCUMULATE | BIAS)
ENDS = (0, RELU, LEAKY_RELU)
MODES = [start | end | packed for start, end, packed in itertools.product(STARTS, ENDS, (0, PACKED))]


def packed_blocks(b, columns):
    """B, ``(rows, columns)``, as `panel` wants it with PACKED: block after block, zeros up to whole vectors."""
    itemsize, blocks = b.itemsize, []
    for first in range(0, columns, block_columns(itemsize)):
        block = b[:, first : first + block_columns(itemsize)]
        wide = np.zeros((b.shape[0], padded_columns(block.shape[1], itemsize)), b.dtype)
        wide[:, : block.shape[1]] = block
        blocks.append(wide.ravel())
    return np.concatenate(blocks)


def expected(a, b, c, bias, mode):
    """The definition: A is (M, steps), B is (steps, N), in float64."""
    start = c if mode & ACCUMULATE else bias if mode & BIAS else np.zeros(1)
    y = start.astype(np.float64) + a.astype(np.float64) @ b.astype(np.float64)
    if mode & RELU:
        return np.where(y < 0, 0, y)
    return np.where(y < 0, SLOPE * y, y) if mode & LEAKY_RELU else y


def check(rows, columns, outer, inner, mode, dtype, *, whole=True, seed=0, gap=3, transposed=False, skip=0):
    """Run `panel` on ``outer * inner`` steps, with ``gap`` numbers between rows of C and beside all of it.

    ``skip`` rows of a packed B stand before the first that is read.
    """
    rng = np.random.default_rng(seed)
    draw = (
        (lambda s: rng.integers(-3, 4, s).astype(dtype)) if whole else (lambda s: rng.standard_normal(s).astype(dtype))
    )
    itemsize = np.dtype(dtype).itemsize
    steps = outer * inner
    # A: a row for each row of C; inner steps 2 apart, outer ones further. Transposed: rows are neighbours.
    ai, am = (rows + 1, 1) if transposed else (2, outer * inner * 2 + 5)
    ao = inner * ai + (0 if transposed else 1)
    memory_a = draw(max(1, (rows - 1) * am + outer * ao + inner * ai + 1))
    a = as_strided(memory_a, (rows, outer, inner), [s * itemsize for s in (am, ao, ai)]).reshape(rows, steps)
    b = draw((steps, columns))
    if mode & PACKED:
        before = np.full((skip, columns), np.nan, dtype)
        memory_b = packed_blocks(np.concatenate([before, b]), columns)
        bo, bi, bn = inner, skip, steps + skip
    else:
        bi, bn = columns + 7, 0
        bo = inner * bi
        memory_b = np.full(steps * bi + 4 * block_columns(itemsize), np.nan, dtype)  # lanes beyond the columns are read
        as_strided(memory_b, (steps, columns), (bi * itemsize, itemsize))[...] = b
    bias = np.concatenate([draw(columns), np.full(8, np.nan, dtype)])
    cm, margin = columns + gap, 128
    memory_c = np.full(rows * cm + 2 * margin, MARK, dtype)
    c = as_strided(memory_c[margin:], (rows, columns), (cm * itemsize, itemsize))
    c[...] = draw((rows, columns)) if mode & ACCUMULATE else np.nan
    right = expected(a, b, c, bias[:columns], mode)
    sizes = expected(abs(a), abs(b), abs(c), abs(bias[:columns]), mode & (ACCUMULATE | BIAS))

    CALL(panel.address(itemsize))(
        c.ctypes.data, memory_a.ctypes.data, memory_b.ctypes.data, bias.ctypes.data, rows, columns, outer, inner,
        ao, ai, am, bo, bi, bn, cm, mode, word_of(SLOPE),
    )  # fmt: skip

    error = 0 if whole else (steps + 2) * EPS[dtype] * sizes
    wrong = np.argwhere(~(np.abs(c - right) <= error))
    assert not len(wrong), f"row, column {wrong[0]}: {c[tuple(wrong[0])]} for {right[tuple(wrong[0])]}"
    c[...] = MARK
    assert (memory_c == MARK).all(), "numbers beside C were written"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rows", range(1, 21))
def test_every_height_and_width(rows, dtype):
    for columns in range(1, 131):
        mode = MODES[(rows * 7 + columns) % len(MODES)]
        check(rows, columns, 1 + columns % 3, (rows * columns) % 11, mode, dtype, seed=columns)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("mode", MODES)
def test_every_depth(mode, dtype):
    """No step at all leaves the start, and its activation; the unrolled loop and the rest meet at every remainder."""
    for depth in range(71):
        check(1 + depth % 7, 1 + depth * 5 % 67, 1, depth, mode, dtype, seed=depth)
        check(1 + depth % 7, 1 + depth * 5 % 67, depth, 1, mode, dtype, seed=depth)
    check(3, 5, 0, 4, mode, dtype)


@given(
    rows=st.integers(1, 20),
    columns=st.integers(1, 130),
    outer=st.integers(0, 9),
    inner=st.integers(0, 20),
    mode=st.sampled_from(MODES),
    dtype=st.sampled_from(FLOATS),
    whole=st.booleans(),
    gap=st.integers(0, 40),
    transposed=st.booleans(),
    skip=st.integers(0, 9),
)
def test_any_call(**call):
    note("check(" + ", ".join(f"{name}={value!r}" for name, value in call.items()) + ")")
    check(**call)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("mode", "below"), [(0, -8.0), (RELU, 0.0), (LEAKY_RELU, -8.0 * SLOPE)])
def test_nan_and_infinity(mode, below, dtype):
    """NaN stays NaN under an activation; minus infinity goes where the activation sends it."""
    a = np.array([[np.nan], [np.inf], [-np.inf], [-8.0], [8.0]], dtype)
    b, c = np.ones(64, dtype), np.zeros((5, 1), dtype)
    CALL(panel.address(a.itemsize))(
        c.ctypes.data, a.ctypes.data, b.ctypes.data, 0, 5, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, mode, word_of(SLOPE)
    )
    least = {0: -np.inf, RELU: 0.0, LEAKY_RELU: -np.inf}[mode]
    np.testing.assert_array_equal(c[:, 0], np.array([np.nan, np.inf, least, below, 8.0], dtype))
