"""Integral images in CUDA C++ in the emulator: warps and blocks that share a line, strips of columns, NaN.

Numbers are small integers, so that sums are exact in any order and are compared bit for bit.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.integral import DTYPES, SUMS, Integral, cuda_scan
from tilegrad.kernels.machine import cuda

from tilegrad import kernels

KINDS = [(source, result) for source in DTYPES for result in SUMS if result != "int32" or source == "uint8"]
SHAPES = [
    (1, 1, 1, 1), (2, 3, 37, 1), (1, 1, 130, 3), (1, 70, 1, 1), (1, 65, 33, 1), (2, 19, 11, 3), (3, 2, 2, 40),
    (1, 2, 1025, 1), (1, 1, 2300, 1), (1, 97, 40, 1), (1, 3, 300, 5), (0, 3, 4, 1), (1, 0, 4, 2), (2, 3, 0, 1),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """The columns' sums start as what no sum is."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_scan, "new_like", lambda beside, shape, dtype: np.full(shape, 1 << 30, dtype))
        yield


def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape).astype(dtype)


def same(x: np.ndarray, result: str) -> np.ndarray:
    found, expected = (kernels.integral(x, dtype=result, variant=variant) for variant in ("cuda.scan", "naive"))
    np.testing.assert_array_equal(found, expected, strict=True)
    return found


@emulated
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("source", "result"), KINDS)
def test_equals_its_definition(source: str, result: str, shape: tuple[int, ...]) -> None:
    same(drawn(shape, source), result)


@emulated
def test_a_sum_is_rounded_once() -> None:
    """Of numbers that float32 cannot add up exactly: 2^24 and ones."""
    x = np.ones((1, 40, 70, 1), np.float32)
    x[0, 0, 0] = 1 << 24
    same(x, "float32")


@emulated
def test_integers_wrap() -> None:
    sums = np.full((34, 41), (1 << 31) - 1, np.int32)
    y = np.empty_like(sums)
    cuda_scan._stage(("int32", "int32", "int32"), 1, 34, 41, 1, lead=False).run([sums], [y])
    np.testing.assert_array_equal(y, np.cumsum(sums, 0, dtype=np.int64).astype(np.int32))


@emulated
@pytest.mark.parametrize("shape", [(2, 5, 45, 3), (1, 40, 1100, 1)])
def test_a_nan_reaches_the_sums_that_hold_it_and_no_others(shape: tuple[int, ...]) -> None:
    x = np.ones(shape, np.float32)
    x[-1, 3, 31, -1] = np.nan
    spoilt = np.zeros((shape[0], shape[1] + 1, shape[2] + 1, shape[3]), bool)
    spoilt[-1, 4:, 32:, -1] = True
    np.testing.assert_array_equal(np.isnan(same(x, "float32")), spoilt)


@emulated
def test_bytes_begin_anywhere() -> None:
    for offset in range(1, 4):
        same(drawn((3 * 35 + offset,), "uint8")[offset:].reshape(1, 3, 35, 1), "int32")


def test_more_strips_than_a_grid_has_are_not_taken() -> None:
    g = Integral(1 << 30, 1, 1, 1, np.dtype("uint8"), (((1 << 30, 2, 2, 1), np.dtype("int32")),))
    assert "takes less than 2^31 strips" in str(cuda_scan.rejects(g))


# What tells a broken kernel.
MUTANTS = {
    "no barrier": ("__syncthreads();", ""),
    "pieces meet in one place": ("meeting = meeting == shared_memory() ? meeting +", "meeting = false ? meeting +"),
    "lanes are not asked": ("if (lane >= back) sum", "sum"),
    "one shuffle less": ("back < 32; back *= 2", "back < 16; back *= 2"),
    "vectors begin again": ("sums[k] = last + sum;", "sums[k] = sum;"),
    "the carry of another column": ("32 - a.across + column", "31"),
    "warps begin again": ("if (w < warp) before += other;", ""),
    "blocks begin again": ("            total += other;\n", ""),
    "short lines begin again": ("total += last;", ""),
    "the first line has numbers": ("first_line || j == 0", "j == 0"),
    "the first pixel has a number": ("first_line || j == 0", "first_line"),
    "columns run over": ("if (f < a.inner && j < a.n) store", "if (j < a.n) store"),
    "lines of other images": ("static_cast<long long>(line) - image - 1", "static_cast<long long>(line) - 1"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_scan, MUTANTS[mutant], tmp_path, monkeypatch):
        same(drawn((2, 70, 35, 3), "uint8"), "int32")
        same(drawn((2, 2, 4200, 1), "uint8"), "int32")
        same(drawn((1, 2, 300, 1), "uint8"), "int32")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("team", [False, True])
@pytest.mark.parametrize(("source", "result"), KINDS)
def test_compiles_without_spills(source: str, result: str, team: bool, architecture: str, record_property: Any) -> None:
    working = "int32" if result == "int32" else "float64"
    for kinds, lead in (((source, working, working), False), ((working, working, result), True)):
        compiled(cuda_scan.kernel_for(*kinds, lead=lead, team=team), architecture, record_property)
