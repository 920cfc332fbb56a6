"""Pixel shuffles in CUDA C++ in the emulator: 16 bytes at once and one number, wherever arrays begin."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, compiled, emulated
from tilegrad.kernels.machine import cuda, cuda_image
from tilegrad.kernels.shuffling import cuda_blocks

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def same(x: np.ndarray, factor: int) -> None:
    """The same bits as the definition, and the image itself on the way back."""
    y = kernels.pixel_shuffle(x, factor, variant="cuda.blocks")
    np.testing.assert_array_equal(y, kernels.pixel_shuffle(x, factor, variant="reference"))
    np.testing.assert_array_equal(kernels.pixel_unshuffle(y, factor, variant="cuda.blocks"), x)


def numbered(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3, 40])
def test_equals_the_definition(channels: int, factor: int, dtype: str) -> None:
    same(numbered((2, 3, 2, channels * factor * factor), dtype), factor)


@emulated
@pytest.mark.parametrize("offset", [0, 1])
def test_16_bytes_at_once_where_arrays_begin_at_16_bytes(offset: int) -> None:
    """The addresses decide, at each call."""
    launched: list[str] = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    def beginning(shape: tuple[int, ...], offset: int) -> np.ndarray:
        room = np.zeros(120 + 8, np.float32)
        return room[-room.ctypes.data % 16 // 4 + offset :][:120].reshape(shape)

    x, y = beginning((2, 3, 5, 4), offset), beginning((2, 6, 10, 1), 0)
    x[...] = numbered(x.shape, "float32")
    with cuda.launching(record):
        kernels.pixel_shuffle(x, 2, out=y, variant="cuda.blocks")
    np.testing.assert_array_equal(y, kernels.pixel_shuffle(x, 2, variant="reference"))
    assert launched == [f"pixel_shuffle_float32_x{1 if offset else 4}"]


@emulated
def test_images_that_are_empty_or_very_large(monkeypatch: pytest.MonkeyPatch) -> None:
    same(np.zeros((0, 3, 2, 4), np.float32), 2)
    same(np.zeros((1, 3, 2, 0), np.float32), 2)
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    same(numbered((2, 3, 2, 12), "float32"), 2)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("back", [False, True])
def test_very_large_images_compile_without_spills(back: bool, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for("float32", 4, back=back, large=True), architecture, record_property)
