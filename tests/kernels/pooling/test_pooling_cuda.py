"""Pooling in CUDA C++ in the emulator: windows of every form, whole groups of channels and not, NaN and ties."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from on_emulator import emulated
from tilegrad.kernels.machine import cuda, cuda_image

from tilegrad import kernels

WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (3, 2), "stride": (1, 3), "padding": (0, 1), "ceil_mode": True},
]
IMAGES = [(2, 7, 6, 8), (1, 9, 10, 3)]


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def images(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """With ties, a NaN and an infinity."""
    x = np.random.default_rng(0).integers(-3, 3, shape).astype(dtype)
    x[0, 2, 3, 0], x[0, 0, 0, -1] = np.nan, -np.inf
    return x


def same(function: Any, *arrays: Any, **how: Any) -> Any:
    """Beside the definition; sums of a few numbers of about 1 that are divided."""
    found = function(*arrays, variant="cuda.channels", **how)
    expected = function(*arrays, variant="naive", **how)
    for ours, theirs in zip(*[r if isinstance(r, tuple) else (r,) for r in (found, expected)], strict=True):
        bound = 10 * tolerances.SEPARABLE[arrays[0].dtype.name]
        np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound)
        assert ours.dtype == theirs.dtype
    return expected


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize("window", [*WINDOWS, {"kernel_size": 2, "stride": 1, "dilation": (2, 3)}])
def test_maxima(window: dict[str, Any], shape: tuple[int, ...], dtype: str) -> None:
    x = images(shape, dtype)
    same(kernels.max_pool2d, x, **window)
    y, places = same(kernels.max_pool2d, x, return_indices=True, **window)
    gy = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    same(kernels.max_pool2d_grad, gy, places, shape, **window)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize("more", [{}, {"count_include_pad": False}, {"divisor_override": 5}])
@pytest.mark.parametrize("window", WINDOWS)
def test_averages(window: dict[str, Any], more: dict[str, Any], shape: tuple[int, ...], dtype: str) -> None:
    y = same(kernels.avg_pool2d, images(shape, dtype), **window, **more)
    gy = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    same(kernels.avg_pool2d_grad, gy, shape, **window, **more)


@emulated
@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize("size", [1, (3, 4), (8, 12)])
def test_windows_that_divide_the_image(size: Any, shape: tuple[int, ...]) -> None:
    """More windows than pixels, too: then they overlap."""
    x = images(shape, "float32")
    y, places = same(kernels.adaptive_max_pool2d, x, size, return_indices=True)
    gy = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    same(kernels.adaptive_max_pool2d_grad, gy, places, shape)
    same(kernels.adaptive_avg_pool2d, x, size)
    same(kernels.adaptive_avg_pool2d_grad, gy, shape)


@emulated
def test_images_that_begin_anywhere_are_empty_or_very_large(monkeypatch: pytest.MonkeyPatch) -> None:
    room = np.random.default_rng(2).normal(size=2 * 6 * 6 * 8 + 1).astype(np.float32)
    same(kernels.max_pool2d, room[1:].reshape(2, 6, 6, 8), kernel_size=2)
    same(kernels.avg_pool2d, np.zeros((0, 6, 6, 8), np.float32), kernel_size=2)
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    same(kernels.avg_pool2d, room[:-1].reshape(2, 6, 6, 8), kernel_size=3)
