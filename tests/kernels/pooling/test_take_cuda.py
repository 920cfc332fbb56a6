"""Numbers at given places in CUDA C++ in the emulator: whole groups of channels and not, wherever arrays begin."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, compiled, emulated
from tilegrad.kernels.machine import cuda, cuda_image
from tilegrad.kernels.pooling import cuda_take

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def same(shape: tuple[int, ...], dtype: str, offset: int = 0) -> None:
    """The same bits as the definition."""
    n, h, w, c = shape
    rng = np.random.default_rng(0)
    x = rng.normal(size=n * h * w * c + offset).astype(dtype)[offset:].reshape(shape)
    places = rng.integers(0, h * w, (n, 3, 5, c)).astype(np.int32)
    found = kernels.take_pixels(x, places, variant="cuda.take")
    np.testing.assert_array_equal(found, kernels.take_pixels(x, places, variant="reference"))


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 8, 40])
def test_equals_the_definition(channels: int, dtype: str) -> None:
    same((2, 4, 6, channels), dtype)


@emulated
def test_images_that_begin_anywhere_are_empty_or_very_large(monkeypatch: pytest.MonkeyPatch) -> None:
    same((2, 4, 6, 8), "float32", offset=1)
    same((0, 4, 6, 8), "float32")
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    same((2, 4, 6, 8), "float32")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
def test_very_large_images_compile_without_spills(architecture: str, record_property: Any) -> None:
    compiled(cuda_take.kernel_for("float32", 4, large=True), architecture, record_property)
