"""Padding in CUDA C++ in the emulator: each mode and side, whole groups of channels and not, wherever arrays begin."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from on_emulator import SHARED_BYTES, compiled, emulated
from tilegrad.kernels.machine import cuda, cuda_image
from tilegrad.kernels.padding import cuda_channels
from tilegrad.kernels.padding.reference import MODES

from tilegrad import kernels

PADS = [((0, 0), (0, 0)), ((3, 1), (0, 2)), ((4, 4), (5, 5))]


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def images(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """With a NaN and an infinity in corners."""
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    x[0, 0, 0, 0], x[0, -1, -1, -1] = np.nan, -np.inf
    return x


def same(x: np.ndarray, padding: Any, mode: str) -> None:
    """Copies have the same bits; a sum is rounded once here, at each addition in the definition."""
    how = {"mode": mode, "value": -0.0}
    found = kernels.pad2d(x, padding, variant="cuda.channels", **how)
    np.testing.assert_array_equal(found, kernels.pad2d(x, padding, variant="naive", **how))
    np.testing.assert_array_equal(np.signbit(found), np.signbit(kernels.pad2d(x, padding, variant="naive", **how)))
    gy = np.random.default_rng(1).normal(size=found.shape).astype(x.dtype)
    bound = 10 * tolerances.SEPARABLE[x.dtype.name]
    np.testing.assert_allclose(
        kernels.pad2d_grad(gy, x.shape, padding, mode=mode, variant="cuda.channels"),
        kernels.pad2d_grad(gy, x.shape, padding, mode=mode, variant="naive"),
        rtol=bound,
        atol=bound,
    )


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("padding", PADS)
@pytest.mark.parametrize("mode", MODES)
def test_equals_the_definition(mode: str, padding: Any, channels: int, dtype: str) -> None:
    same(images((2, 5, 6, channels), dtype), padding, mode)


@emulated
@pytest.mark.parametrize("offset", [0, 1])
def test_whole_groups_of_channels_where_arrays_begin_at_16_bytes(offset: int) -> None:
    """The addresses decide, at each call."""
    launched: list[str] = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    room = np.zeros(2 * 5 * 6 * 8 + 8, np.float32)
    start = -room.ctypes.data % 16 // 4 + offset
    x = room[start : start + 2 * 5 * 6 * 8].reshape(2, 5, 6, 8)
    x[...] = images(x.shape, "float32")
    results = np.zeros(2 * 7 * 8 * 8 + 4, np.float32)
    y = results[-results.ctypes.data % 16 // 4 :][: 2 * 7 * 8 * 8].reshape(2, 7, 8, 8)
    with cuda.launching(record):
        kernels.pad2d(x, 1, mode="reflect", out=y, variant="cuda.channels")
    np.testing.assert_array_equal(y, kernels.pad2d(x, 1, mode="reflect", variant="naive"))
    assert launched == [f"pad_float32_x{1 if offset else 4}"]


@emulated
def test_images_that_are_empty_very_large_or_have_many_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    same(np.zeros((1, 2, 2, 1030), np.float32), 1, "symmetric")
    assert kernels.pad2d(np.zeros((0, 2, 2, 4), np.float32), 1, variant="cuda.channels").shape == (0, 4, 4, 4)
    framed = kernels.pad2d(np.zeros((1, 0, 2, 4), np.float32), 1, value=3.0, variant="cuda.channels")
    np.testing.assert_array_equal(framed, np.full((1, 2, 4, 4), 3, np.float32))
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    same(images((2, 5, 6, 8), "float32"), PADS[1], "circular")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("grad", [False, True])
def test_very_large_images_compile_without_spills(grad: bool, architecture: str, record_property: Any) -> None:
    compiled(cuda_channels.kernel_for("float32", 4, grad=grad, large=True), architecture, record_property)
