"""Medians in CUDA C++ in the emulator: every type, seams between blocks, borders at any distance, NaN."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.rank import cuda_median, networks

from tilegrad import kernels

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Numbers over the whole range of the type; floats with both zeros and infinities."""
    draw = np.random.default_rng(0)
    if dtype != "float32":
        ends = np.iinfo(dtype)
        return draw.integers(ends.min, ends.max, shape, dtype, endpoint=True)
    x = draw.normal(size=shape).astype(dtype)
    for number in (0.0, -0.0, np.inf, -np.inf):
        x[draw.random(shape) < 0.1] = number
    return x


def same(x: np.ndarray, side: int, **how: Any) -> None:
    found = kernels.rank_filter2d(x, (side, side), side * side // 2, variant="cuda.median", **how)
    expected = kernels.rank_filter2d(x, (side, side), side * side // 2, variant="naive", **how)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", cuda_median.TYPES)
@pytest.mark.parametrize("side", cuda_median.SIDES)
def test_blocks_meet(side: int, dtype: str, mode: str) -> None:
    for shape in ((1, 17, 65, 1), (2, 32, 64, 1), (1, 18, 23, 3), (2, 3, 2, 70)):
        same(drawn(shape, dtype), side, mode=mode, cval=100.0)


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("side", cuda_median.SIDES)
def test_windows_reach_farther_than_the_image(side: int, mode: str) -> None:
    for shape in ((1, 1, 1, 1), (1, 1, 9, 2), (1, 9, 1, 1), (1, 2, 2, 3)):
        same(drawn(shape, "int16"), side, mode=mode, cval=-5.0)


@emulated
@pytest.mark.parametrize("side", cuda_median.SIDES)
def test_a_window_that_holds_a_nan_gives_nan(side: int) -> None:
    """Of either sign, wherever it lies under the window."""
    x = drawn((1, 20, 70, 1), "float32")
    x[0, 15, 3], x[0, 7, 66], x[0, 0, 30] = np.nan, -np.float32(np.nan), np.nan
    same(x, side)
    same(x, side, mode="constant", cval=np.nan)


@emulated
@pytest.mark.parametrize("mode", ["reflect", "constant"])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("side", cuda_median.SIDES)
def test_bytes_begin_anywhere(side: int, dtype: str, mode: str) -> None:
    """Lines of odd widths, in arrays at any address, have fours that begin between two words; the emulator checks."""
    for shape in ((2, 3, 67, 1), (1, 1, 71, 1), (1, 5, 1, 1), (1, 3, 13, 1), (1, 4, 23, 3)):
        for offset in range(4):
            room = drawn((int(np.prod(shape)) + offset,), dtype)
            same(room[offset:].reshape(shape), side, mode=mode, cval=-7.0 if dtype == "int8" else 201.0)


@emulated
@pytest.mark.parametrize(
    ("channels", "offset", "words"), [(1, 0, 320 * 3), (1, 2, 320 * 2), (4, 0, 320 * 5), (4, 1, 320 * 10)]
)
def test_loads_of_a_block_of_bytes(channels: int, offset: int, words: int) -> None:
    """What one block more loads."""
    made = []
    for width in (192, 256):
        x = np.zeros(16 * width + offset, np.uint8)[offset:].reshape(1, 16, width // channels, channels)
        kernels.rank_filter2d(x, (5, 5), 12, variant="cuda.median")
        made.append(emulator.loads(cuda_median.kernel_for("uint8", 5)))
    assert made[1] - made[0] == words


@pytest.mark.parametrize("side", cuda_median.SIDES)
def test_the_steps_are_those_of_the_networks(side: int) -> None:
    text = cuda_median._SOURCE.read_text()
    tables = re.search(rf"SIDE == {side}\n(.*?)#e", text, re.DOTALL)
    assert tables is not None
    found = {
        name: tuple((int(a), int(b)) for a, b in re.findall(r"\{(\d+), (\d+)\}", table))
        for name, table in re.findall(r"#define (\w+) ((?:.*\\\n)*.*)\n", tables[1])
    }
    expected = {"SORT": side, "SORT_SHARED": side - 1}
    assert found == {name: networks.SORTS[size] for name, size in expected.items()} | {
        "FORGET": tuple(networks.steps(side))
    }


@pytest.mark.parametrize("size", networks.SORTS)
def test_networks_sort(size: int) -> None:
    """What sorts all zeros and ones sorts everything."""
    for numbers in product((0, 1), repeat=size):
        assert networks.sort(numbers, min, max) == sorted(numbers)


def test_other_ranks_windows_and_types_are_not_taken() -> None:
    x = np.zeros((1, 4, 4, 1), np.float32)
    for array, footprint, wanted in ((x, (3, 3), 3), (x, (9, 9), 40), (x, (3, 5), 7)):
        with pytest.raises(ValueError, match="takes medians of 3x3, 5x5 and 7x7 pixels"):
            kernels.rank_filter2d(array, footprint, wanted, variant="cuda.median")
    with pytest.raises(ValueError, match="but got float64"):
        kernels.rank_filter2d(x.astype(float), (3, 3), 4, variant="cuda.median")


# What tells a broken kernel.
MUTANTS = {
    "a step left out": ("i < STEPS; i++", "i < STEPS - 1; i++"),
    "rows of other blocks": ("border(p0 + i - REACH", "border(i - REACH"),
    "no barrier": ("    }\n    __syncthreads();\n    const int f", "    }\n    const int f"),
    "runs at the border": ("q >= REACH && q + REACH < a.width", "q >= REACH"),
    "the upper row for the lower": ("key_at(half * SIDE, j)", "key_at(0, j)"),
    "keys as bits": ("bits < 0 ? bits ^ 0x7FFFFFFF : bits", "bits"),
    "NaN is a number": ("== NOT_A_NUMBER) median", "== NOT_A_NUMBER - 1) median"),
    "rows behind the image": ("if (o + half >= rows) return;", ""),
    "numbers behind the line": ("if (f >= line) return;", ""),
    "words at the ends of a line": (
        "in_words(f0 + first - REACH * C, WIDE + 2 * REACH * C, line)",
        "f0 + first >= REACH * C && f0 + first + WIDE + REACH * C <= line",
    ),
    "one four for all runs": ("fours[s] >> 8 * w", "fours[s]"),
    "the last word is left out": ("before + COUNT > WORDS * 4", "false"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = drawn((2, 19, 67, 1), "float32")
    x[0, 15, 3] = np.nan
    with broken(cuda_median, MUTANTS[mutant], tmp_path, monkeypatch):
        same(x, 5)
        test_bytes_begin_anywhere(5, "uint8", "reflect")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("side", cuda_median.SIDES)
@pytest.mark.parametrize("dtype", cuda_median.TYPES)
def test_compiles_without_spills(dtype: str, side: int, architecture: str, record_property: Any) -> None:
    compiled(cuda_median.kernel_for(dtype, side), architecture, record_property)
