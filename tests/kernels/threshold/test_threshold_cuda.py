"""Thresholds in CUDA C++ in the emulator: 16 bytes at once and one number, every type and rule, NaN."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.machine import cuda, cuda_image
from tilegrad.kernels.threshold import cuda_vector
from tilegrad.kernels.threshold.reference import RULES

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Small numbers, of which many lie at the threshold; floats with NaN."""
    x = np.random.default_rng(0).integers(0, 5, shape).astype(dtype)
    if x.dtype.kind == "f":
        x.reshape(-1)[::7] = np.nan
    return x


def same(x: np.ndarray, levels: Any, **how: Any) -> None:
    levels = np.asarray(levels, x.dtype)
    found = kernels.threshold(x, levels, variant="cuda.vector", **how)
    expected = kernels.threshold(x, levels, variant="naive", **how)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@emulated
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", cuda_vector.TYPES)
@pytest.mark.parametrize("size", [1, 16, 37, 4112])
def test_every_rule(size: int, dtype: str, rule: str) -> None:
    same(drawn((3, size), dtype), [2, 0, 3], rule=rule, top=7, batch_axes=1)
    same(drawn((size,), dtype), 2, rule=rule, top=7)


@emulated
@pytest.mark.parametrize("dtype", cuda_vector.TYPES)
def test_16_bytes_at_once_where_arrays_begin_at_16_bytes(dtype: str) -> None:
    """The addresses decide, at each call."""
    launched: list[str] = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    room = drawn((128,), dtype)
    first, wide = -room.ctypes.data % 16 // room.itemsize, 16 // room.itemsize
    out, level = np.empty(128, dtype)[:64], np.asarray(2, dtype)
    with cuda.launching(record):
        for offset in (0, 1):
            x = room[first + offset :][:64]
            kernels.threshold(x, level, out=out, variant="cuda.vector")
            np.testing.assert_array_equal(out, kernels.threshold(x, level, variant="naive"))
    aligned = out.ctypes.data % 16 == 0 and level.ctypes.data % 16 == 0
    assert launched == [f"threshold_{dtype}_x{wide if aligned else 1}", f"threshold_{dtype}_x1"]


@emulated
def test_images_are_empty_or_very_large(monkeypatch: pytest.MonkeyPatch) -> None:
    same(np.zeros((0, 4), np.float32), np.zeros(0), batch_axes=1)
    same(np.zeros((2, 0), np.float32), [1, 2], batch_axes=1)
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    monkeypatch.setattr(operations["threshold"], "_plans", {})
    same(drawn((3, 64), "float32"), [2, 0, 3], batch_axes=1)


# What tells a broken kernel.
MUTANTS = {
    "the first image's level": ("place_of(a.image, index).image", "0 * place_of(a.image, index).image"),
    "NaN is below": ("below = value <= level", "below = !above"),
    "behind the end": ("if (index >= a.image.count) return;", ""),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_vector, MUTANTS[mutant], tmp_path, monkeypatch):
        same(drawn((3, 37), "float32"), [2, 0, 3], rule="tozero", batch_axes=1)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("dtype", cuda_vector.TYPES)
def test_compiles_without_spills(dtype: str, architecture: str, record_property: Any) -> None:
    compiled(cuda_vector.kernel_for(dtype, 16 // np.dtype(dtype).itemsize), architecture, record_property)
