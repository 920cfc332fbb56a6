"""Separable correlation in CUDA C++ in the emulator: seams between blocks, borders at any distance, either pass alone.

Numbers and weights are small integers, so that results are exact in any order and are compared bit for bit.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.correlation import cuda_blocks
from tilegrad.kernels.machine import cuda

from tilegrad import kernels

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str, below: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, below, shape).astype(dtype)


def same(function: Any, *arrays: Any, **how: Any) -> None:
    found = function(*arrays, variant="cuda.blocks", **how)
    expected = function(*arrays, variant="naive", **how)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def separable(shape: tuple[int, ...], dtype: str, taps: tuple[int, int], **how: Any) -> None:
    """Weights that tell every tap from every other."""
    column, row = np.arange(1, taps[0] + 1), np.arange(2, taps[1] + 2)
    if dtype == "uint8":
        column, row = column * (256 // column.sum()), row * (256 // row.sum())
        same(kernels.correlate_fixed2d, drawn(shape, dtype, 256), column, row, **how)
    else:
        same(kernels.correlate_separable2d, drawn(shape, dtype), column, row, **how)


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
@pytest.mark.parametrize("taps", [(1, 1), (3, 6), (9, 4)])
@pytest.mark.parametrize("shape", [(33, 129), (32, 128), (2, 5, 260)])
def test_blocks_meet(shape: tuple[int, ...], taps: tuple[int, int], dtype: str, mode: str) -> None:
    separable(shape, dtype, taps, mode=mode, cval=3)


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
@pytest.mark.parametrize("shape", [(2, 34, 43, 3), (1, 3, 5, 40), (3, 7, 2, 2)])
def test_channels(shape: tuple[int, ...], dtype: str, mode: str) -> None:
    separable(shape, dtype, (4, 5), axis=1, mode=mode, cval=2)


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 7), (6, 1)])
def test_weights_reach_farther_than_the_image(shape: tuple[int, int], mode: str) -> None:
    separable(shape, "float64", (19, 22), mode=mode, cval=1)
    separable(shape, "uint8", (19, 16), mode=mode, cval=255)


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((3, 131), 1), ((2, 35, 3), 1), ((2, 35, 33), 1), ((70, 2, 17), 0), ((2, 3, 4, 9), 2)]
)
def test_one_axis(shape: tuple[int, ...], axis: int, dtype: str, mode: str) -> None:
    """Few numbers inside go across, many go down."""
    x, how = drawn(shape, dtype), {"axis": axis, "mode": mode, "cval": 2.0}
    for taps, origin in ((1, 0), (5, -2), (5, 2), (8, 3), (8, -4)):
        same(kernels.correlate1d, x, np.arange(1, taps + 1), origin=origin, **how)


@emulated
@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_not_a_number_reaches_the_weights_that_cover_it_alone(axis: int) -> None:
    """Windows run over taps that are not there."""
    x = np.ones((40, 140, 1)[: axis + 2], np.float32)
    x[20, 100] = np.nan
    y = kernels.correlate_separable2d(x, np.zeros(5), np.zeros(6), axis=0, variant="cuda.blocks")
    around = np.zeros((40, 140), bool)
    around[18:23, 98:104] = True
    np.testing.assert_array_equal(np.isnan(y.reshape(40, 140)), around)


@emulated
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
def test_results_begin_anywhere(dtype: str) -> None:
    """Four are stored at once where they begin at a multiple of their size; the emulator checks addresses."""
    x = drawn((3, 132), dtype)
    operation = kernels.correlate_fixed2d if dtype == "uint8" else kernels.correlate_separable2d
    expected = operation(x, [1, 2, 1], [1, 2, 2], variant="naive")
    for offset in range(5):
        room = np.zeros(x.size + offset, dtype)
        operation(x, [1, 2, 1], [1, 2, 2], out=room[offset:].reshape(x.shape), variant="cuda.blocks")
        np.testing.assert_array_equal(room[offset:].reshape(x.shape), expected)


@emulated
@pytest.mark.parametrize("mode", MODES)
def test_bytes_begin_anywhere(mode: str) -> None:
    """Lines of odd widths, in arrays at any address, have fours that begin between two words; the emulator checks."""
    for shape in ((2, 9, 131), (1, 1, 133), (5, 1), (3, 7), (3, 10), (1, 4, 47, 3)):
        for offset in range(4):
            room = drawn((int(np.prod(shape)) + offset,), "uint8", 256)
            how = {"mode": mode, "cval": 201, "axis": 1 if len(shape) == 4 else -2}
            same(kernels.correlate_fixed2d, room[offset:].reshape(shape), [100, 150, 6], [3, 251, 1, 1], **how)


@emulated
def test_the_largest_sums_down_a_column_stay_in_their_half() -> None:
    x = np.full((40, 140), 255, np.uint8)
    x[:, ::2] = 0
    for column in ([256], [128, 128], [1, 255], [0, 256, 0]):
        same(kernels.correlate_fixed2d, x, column, [256])


@emulated
@pytest.mark.parametrize(("taps", "offset", "words"), [(5, 0, 2 * 1632), (5, 2, 1632), (1, 0, 1056), (1, 3, 2 * 1056)])
def test_loads_of_a_block_of_bytes(taps: int, offset: int, words: int) -> None:
    """What one block more loads: its fours, in one word or two, and the weights."""
    made = []
    for width in (384, 512):
        x = np.zeros(32 * width + offset, np.uint8)[offset:].reshape(32, width)
        kernels.correlate_fixed2d(x, np.ones(taps, int), np.ones(taps, int), variant="cuda.blocks")
        made.append(emulator.loads(cuda_blocks.kernel_for("uint8", one=True)))
    assert made[1] - made[0] == words + 2 * taps


def test_sums_must_fit_into_shared_memory() -> None:
    x = np.zeros((4, 4, 64), np.float32)
    for name in ("correlate_separable2d", "correlate_fixed2d"):
        with pytest.raises(ValueError, match=r"needs [0-9]+ bytes of shared memory for a block but the GPU has 101376"):
            getattr(kernels, name)(
                x.astype("uint8") if "fixed" in name else x, np.ones(3, int), np.ones(13, int), axis=0,
                variant="cuda.blocks",
            )  # fmt: skip


def holds() -> None:
    test_what_is_not_a_number_reaches_the_weights_that_cover_it_alone(0)
    test_blocks_meet((2, 33, 131), (5, 6), "float32", "constant")
    test_bytes_begin_anywhere("constant")


# What tells a broken kernel.
MUTANTS = {
    "taps that are not there, down": ("if (t + j < a.rows) {", "if (true) {", "not equal"),
    "taps that are not there, across": ("if (t + j < a.columns) {", "if (true) {", "not equal"),
    "the last numbers of a column": ("TALL, a.rows - 1 - t);", "TALL, a.rows - 2 - t);", "not equal"),
    "the window stands": ("k++) window[k] = window[k + 4];", "k++) window[k] = window[k];", "not equal"),
    "the window down stands": ("window[k][h] = window[k + 4][h];", "window[k][h] = window[k][h];", "not equal"),
    "no barrier": ("    }\n    __syncthreads();\n", "    }\n", "nobody has written|since the last barrier"),
    "rows of other blocks": ("border(p0 + i - a.before_rows", "border(i - a.before_rows", "not equal"),
    "columns of other blocks": (
        "quotient(f0 + e + w, a.channels)", "quotient(e + w, a.channels)", "not equal|reads an output|outside",
    ),
    "the constant between the passes": ("from[0] < 0 ? constant : a.rows", "a.rows", "not equal"),
    "words at the ends of a line": ("in_words(f, WIDE, line)", "f >= 0 && f + WIDE <= line", "outside"),
    "halves mixed up": ("{{even & 0xFFFF, odd & 0xFFFF,", "{{odd & 0xFFFF, even & 0xFFFF,", "not equal"),
    "stored behind the line": ("if (f + k * step < line)", "if (true)", "a second time|outside"),
    "rows behind the image": ("if (p >= a.height) break;", "", "nobody has written|a second time|outside"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("one", [False, True])
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
def test_compiles_without_spills(dtype: str, one: bool, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for(dtype, one=one), architecture, record_property)
