"""Halving in CUDA C++ in the emulator: pairs of numbers, groups of channels and neither, wherever arrays begin."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.halving import cuda_vector
from tilegrad.kernels.machine import cuda, cuda_image

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Over the whole range of the type, negative numbers too."""
    draw = np.random.default_rng(0)
    if dtype.startswith("float"):
        return draw.normal(size=shape).astype(dtype)
    ends = np.iinfo(dtype)
    return draw.integers(ends.min, ends.max, shape, dtype, endpoint=True)


def same(x: np.ndarray) -> None:
    found, expected = kernels.halve(x, variant="cuda.vector"), kernels.halve(x, variant="reference")
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@emulated
@pytest.mark.parametrize("dtype", cuda_vector.TYPES)
@pytest.mark.parametrize("channels", [1, 3, 16])
def test_equals_the_definition(channels: int, dtype: str) -> None:
    for shape in ((1, 2, 2), (2, 6, 32), (3, 4, 34), (1, 2, 48)):
        same(drawn((*shape, channels), dtype))


@emulated
@pytest.mark.parametrize("dtype", cuda_vector.TYPES)
def test_arrays_begin_anywhere(dtype: str) -> None:
    room = drawn((4 * 32 + 3,), dtype)
    for offset in range(3):
        same(room[offset:][:128].reshape(1, 4, 32, 1))


@emulated
@pytest.mark.parametrize("channels", [1, 4])
def test_images_are_empty_or_very_large(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    same(np.zeros((0, 4, 4, channels), np.float32))
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    monkeypatch.setattr(operations["halve"], "_plans", {})
    same(drawn((2, 6, 24, channels), "float32"))


# What tells a broken kernel.
MUTANTS = {
    "quotients are cut": ("+ 2) >> 2", "+ 2) / 4"),
    "halves are down": ("a + b + c + d + 2", "a + b + c + d + 1"),
    "rows of the image before": ("place.row) * 2", "place.row)"),
    "one pixel twice": ("load_numbers<VECTOR>(x + C)", "load_numbers<VECTOR>(x)"),
    "one row twice": ("below = load_numbers<VECTOR>(x + line)", "below = load_numbers<VECTOR>(x)"),
    "neighbours": ("above.number[2 * v + 1]", "above.number[2 * v]"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_vector, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


def holds() -> None:
    for channels in (1, 3):
        same(drawn((2, 6, 32, channels), "int16"))


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("dtype", cuda_vector.TYPES)
def test_compiles_without_spills(dtype: str, pairs: bool, architecture: str, record_property: Any) -> None:
    kernel = cuda_vector.kernel_for(dtype, 16 // np.dtype(dtype).itemsize, pairs=pairs)
    compiled(kernel, architecture, record_property)
