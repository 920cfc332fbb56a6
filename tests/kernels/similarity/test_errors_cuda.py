"""Mean squared error in CUDA C++ in the emulator: every type, parts of images, images that begin anywhere."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels import similarity
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.similarity import cuda_errors, cuda_means

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Parts start as NaN, and small images are cut into some."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_errors, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        patch.setattr(cuda_errors, "_LEAST_LOADS", 1)
        patch.setattr(similarity.MEAN_SQUARED_ERROR, "_plans", {})
        yield


def drawn(count: int, dtype: str, seed: int) -> np.ndarray:
    """Integers over the whole range of the type, so that every sum is exact."""
    most = 256 if dtype == "uint8" else 65536
    return np.random.default_rng(seed).integers(0, most, count).astype(dtype)


def same(shape: tuple[int, ...], dtype: str, offsets: tuple[int, int] = (0, 0)) -> None:
    """Bit for bit, for images that begin so many numbers behind the beginning of an array."""
    count = int(np.prod(shape))
    x, y = (drawn(count + offset, dtype, seed)[offset:].reshape(shape) for seed, offset in enumerate(offsets))
    found, expected = (
        kernels.mean_squared_error(x, y, batch_axes=1, variant=variant) for variant in ("cuda.blocks", "sums")
    )
    np.testing.assert_array_equal(found, expected, strict=True)


@emulated
@pytest.mark.parametrize("dtype", cuda_errors.TYPES)
@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 17), (3, 16), (3, 17), (1, 4096), (1, 9001), (2, 64, 130), (5, 1, 1031), (700, 5)]
)
def test_equals_the_cpu(shape: tuple[int, ...], dtype: str) -> None:
    same(shape, dtype)


@emulated
@pytest.mark.parametrize("dtype", cuda_errors.TYPES)
def test_images_begin_anywhere(dtype: str) -> None:
    """Together at a multiple of 16 bytes or not; the emulator checks addresses."""
    wide = 16 // np.dtype(dtype).itemsize
    for offsets in ((1, 0), (0, 1), (1, 1), (wide, wide)):
        for shape in ((1, 2100), (2, 1056), (2, 1057)):
            same(shape, dtype, offsets)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_differences_of_large_numbers(dtype: str) -> None:
    """They are subtracted in float64, and squares round a few times: within a part in 10^13."""
    draw = np.random.default_rng(0)
    x = (1000 + draw.random((2, 3001))).astype(dtype)
    y = (x + draw.random(x.shape) / 100).astype(dtype)
    expected = np.square(x.astype(np.longdouble) - y).mean(axis=1)
    found = kernels.mean_squared_error(x, y, batch_axes=1, variant="cuda.blocks")
    np.testing.assert_allclose(found, expected.astype(float), rtol=1e-13)


@emulated
def test_a_nan_reaches_its_image_alone() -> None:
    x = np.ones((3, 5000), np.float32)
    x[1, 4999] = np.nan
    found = kernels.mean_squared_error(x, x, batch_axes=1, variant="cuda.blocks")
    np.testing.assert_array_equal(found, [0, np.nan, 0])


@emulated
def test_no_images() -> None:
    x = np.zeros((0, 7), np.uint8)
    assert kernels.mean_squared_error(x, x, batch_axes=1, variant="cuda.blocks").shape == (0,)


def holds() -> None:
    same((1, 9001), "uint8")
    same((1, 9001), "float64")
    same((3, 4097), "uint16")


# What tells a broken kernel, and where it is.
MUTANTS = {
    "the last numbers are left out": (cuda_errors, "whole + threadIdx.x < count", "false"),
    "the last numbers run over": (cuda_errors, "whole + threadIdx.x < count", "threadIdx.x < VECTOR - 1"),
    "parts of other images": (cuda_errors, "a.x + image * a.size + first", "a.x + first"),
    "parts begin again": (cuda_errors, "* a.share;", "* 0;"),
    "parts run over": (cuda_errors, "first + a.share < a.size ? a.share : a.size - first", "a.size - first"),
    "squares in 16 bits": (cuda_errors, "return difference *", "return static_cast<unsigned short>(difference) *"),
    "a block's part left out": (cuda_means, "i = threadIdx.x; i < a.blocks;", "i = threadIdx.x + 1; i < a.blocks;"),
    "parts of the first image": (cuda_means, "(blockIdx.x * a.blocks + i)", "i"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, *texts = MUTANTS[mutant]
    assert isinstance(module, ModuleType)
    with broken(module, tuple(map(str, texts)), tmp_path, monkeypatch):
        holds()


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("dtype", cuda_errors.TYPES)
def test_compiles_without_spills(dtype: str, architecture: str, record_property: Any) -> None:
    for vector in (1, 16 // np.dtype(dtype).itemsize):
        compiled(cuda_errors.kernel_for(dtype, vector), architecture, record_property)
    for sums in (1, 2):
        compiled(cuda_means.means_kernel(sums), architecture, record_property)
