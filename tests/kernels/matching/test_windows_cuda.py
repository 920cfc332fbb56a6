"""Sums over windows in CUDA C++ in the emulator: seams between blocks, every type, channels, NaN.

Numbers are integers, so that sums are exact in any order and are compared bit for bit.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.matching import cuda_windows

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape).astype(dtype)


def same(x: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    found, expected = (kernels.window_sums(x, size, variant=variant) for variant in ("cuda.windows", "naive"))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)
    return found


@emulated
@pytest.mark.parametrize("dtype", cuda_windows.TYPES)
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 1, 1, 1), (1, 1)), ((2, 17, 67, 1), (1, 1)), ((1, 20, 70, 1), (3, 5)), ((1, 40, 69, 1), (8, 6)),
        ((2, 40, 33, 3), (9, 4)), ((1, 25, 9, 2), (25, 9)), ((1, 1, 200, 1), (1, 7)), ((1, 90, 1, 1), (20, 1)),
        ((1, 19, 3, 70), (7, 2)), ((0, 9, 9, 1), (2, 2)),
    ],
)  # fmt: skip
def test_blocks_meet(shape: tuple[int, ...], size: tuple[int, int], dtype: str) -> None:
    same(drawn(shape, dtype), size)


@emulated
def test_the_largest_bytes_are_exact() -> None:
    sums, squares = same(np.full((1, 301, 300, 1), 255, np.uint8), (300, 300))
    assert sums.max() == 255 * 300 * 300
    assert squares.max() == 255 * 255 * 300 * 300 > 1 << 32


@emulated
@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("rows", [3, 12])
def test_what_is_not_a_number_reaches_the_windows_that_hold_it_alone(rows: int, number: float) -> None:
    x = np.ones((1, 40, 80, 2), np.float32)
    x[0, 20, 40, 1] = number
    spoilt = np.zeros((1, 41 - rows, 76, 2), bool)
    spoilt[0, 21 - rows : 21, 36:41, 1] = True
    for found in kernels.window_sums(x, (rows, 5), variant="cuda.windows"):
        np.testing.assert_array_equal(~np.isfinite(found), spoilt)


@emulated
def test_bytes_begin_anywhere() -> None:
    for offset in range(1, 4):
        same(drawn((9 * 71 + offset,), "uint8")[offset:].reshape(1, 9, 71, 1), (2, 3))


def test_windows_must_fit() -> None:
    with pytest.raises(ValueError, match="needs 101632 bytes of shared memory for a block but the GPU has 101376"):
        kernels.window_sums(np.zeros((1, 2, 334, 1)), (2, 334), variant="cuda.windows")
    with pytest.raises(ValueError, match="takes windows of bytes of up to 66051 rows but got 66052"):
        kernels.window_sums(np.zeros((1, 66052, 1, 1), np.uint8), (66052, 1), variant="cuda.windows")


# What tells a broken kernel.
MUTANTS = {
    "the middle is of all rows": ("i >= TALL - 1 && i < a.rows", "i < a.rows"),
    "the middle ends late": ("i >= TALL - 1 && i < a.rows", "i >= TALL - 1"),
    "ends begin early": ("if (i >= k && i - k < a.rows)", "if (i - k < a.rows)"),
    "rows of other blocks": ("p = p0 + static_cast<int>(group) * TALL", "p = static_cast<int>(group) * TALL"),
    "rows behind the image": ("a.height - p < a.rows + TALL - 1 ? a.height - p : a.rows", "a.rows"),
    "no barrier": ("    }\n    __syncthreads();\n", "    }\n"),
    "neighbours are of other channels": ("from + s * a.channels * PAIR", "from + s * PAIR"),
    "results behind the line": ("if (f >= width) continue;", ""),
    "results behind the image": ("if (p >= P) break;", ""),
    "a line too long": ("a.line - (a.columns - 1) * a.channels", "a.line"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_windows, MUTANTS[mutant], tmp_path, monkeypatch):
        same(drawn((2, 45, 37, 2), "float64"), (10, 4))


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("dtype", cuda_windows.TYPES)
def test_compiles_without_spills(dtype: str, architecture: str, record_property: Any) -> None:
    compiled(cuda_windows.kernel_for(dtype), architecture, record_property)
