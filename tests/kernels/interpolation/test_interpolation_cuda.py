"""Interpolation in CUDA C++ in the emulator: each mode, whole groups of channels and not, wherever arrays begin."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.interpolation import cuda_taps
from tilegrad.kernels.interpolation.reference import MODES
from tilegrad.kernels.machine import cuda, cuda_image

from tilegrad import kernels

SIZES = [(5, 6), (12, 3), (1, 1), (8, 17)]


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def images(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def same(x: np.ndarray, **how: Any) -> None:
    """Both directions beside the definition of the same numbers in float64, NaN where it has NaN."""
    bound = 4 * tolerances.SEPARABLE[x.dtype.name]
    found = kernels.interpolate(x, variant="cuda.taps", **how)
    expected = kernels.interpolate(x.astype(np.float64), variant="naive", **how)
    np.testing.assert_allclose(found, expected, rtol=bound, atol=bound)
    gy = images(found.shape, x.dtype.name)
    gx = kernels.interpolate_grad(gy, x.shape, variant="cuda.taps", **how)
    expected = kernels.interpolate_grad(gy.astype(np.float64), x.shape, variant="naive", **how)
    np.testing.assert_allclose(gx, expected, rtol=bound, atol=bound * max(1.0, np.abs(expected).max()))


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("size", "channels"), list(zip(SIZES, (1, 3, 4, 8), strict=True)))
@pytest.mark.parametrize("mode", MODES)
def test_equals_the_definition(mode: str, size: tuple[int, int], channels: int, dtype: str) -> None:
    same(images((2, 5, 6, channels), dtype), size=size, mode=mode)


@emulated
@pytest.mark.parametrize("how", [
    {"size": (3, 2), "mode": "bilinear", "antialias": True},
    {"size": (2, 9), "mode": "bicubic", "antialias": True},
    {"size": (9, 4), "mode": "bilinear", "align_corners": True},
    {"size": (9, 4), "mode": "lanczos4", "border": "wrap"},
    {"size": (9, 4), "mode": "spline3", "border": "constant", "margin": 1},
])  # fmt: skip
def test_every_way_of_placing_taps(how: dict[str, Any]) -> None:
    x = images((1, 6, 5, 4), "float32")
    x[0, 2, 3, 1] = np.nan
    same(x, **how)


@emulated
@pytest.mark.parametrize("offset", [0, 1])
def test_whole_groups_of_channels_where_arrays_begin_at_16_bytes(offset: int) -> None:
    """The addresses decide, at each call."""
    launched: list[str] = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    room = np.zeros(5 * 6 * 8 + 8, np.float32)
    start = -room.ctypes.data % 16 // 4 + offset
    x = room[start : start + 5 * 6 * 8].reshape(1, 5, 6, 8)
    x[...] = images(x.shape, "float32")
    results = np.zeros(7 * 8 * 8 + 4, np.float32)
    y = results[-results.ctypes.data % 16 // 4 :][: 7 * 8 * 8].reshape(1, 7, 8, 8)
    with cuda.launching(record):
        kernels.interpolate(x, (7, 8), mode="bilinear", out=y, variant="cuda.taps")
    expected = kernels.interpolate(x, (7, 8), mode="bilinear", variant="naive")
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    assert launched == [f"interpolate_float32_x{1 if offset else 4}"]


@emulated
def test_images_that_are_empty_or_very_large(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernels.interpolate(np.zeros((0, 2, 2, 4), np.float32), (3, 3), variant="cuda.taps").shape == (0, 3, 3, 4)
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    same(images((2, 5, 6, 8), "float32"), size=(7, 7), mode="bicubic")


MUTANTS = {
    "one tap too few": ("s < last_row;", "s + 1 < last_row;"),
    "the neighbour's column": ("a.columns.starts + place.column + 1)", "a.columns.starts + place.column + 2)"),
    "rows for columns": ("load_number(a.rows.weights + s)", "load_number(a.columns.weights + first_column)"),
    "another image": ("place.image) * a.height", "place.image) * a.width"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_taps, MUTANTS[mutant], tmp_path, monkeypatch):
        same(images((2, 5, 6, 4), "float32"), size=(8, 4), mode="bicubic")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
def test_very_large_images_compile_without_spills(architecture: str, record_property: Any) -> None:
    compiled(cuda_taps.kernel_for("float32", 4, large=True), architecture, record_property)
