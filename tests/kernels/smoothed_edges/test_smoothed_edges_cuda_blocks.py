"""smoothed_edges in CUDA C++ in the emulator: the bits of the definition across seams, at borders, with masks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.smoothed_edges import cuda_blocks
from tilegrad.kernels.smoothed_edges.reference import STAGES

from tilegrad import kernels

MODES = ["reflect", "mirror", "nearest", "wrap", "constant"]
WEIGHTS = {1: [1.0], 3: [0.25, 0.5, 0.25], 9: [0.1, 0.2, 0.05, 0.1, 0.3, 0.1, 0.05, 0.2, 0.1]}


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    x = np.random.default_rng(0).random(shape)
    return (x * 250).astype(dtype) if dtype == "uint8" else x.astype(dtype)


def same(x: np.ndarray, column: int, row: int, **how: Any) -> np.ndarray:
    """Bit for bit, and what the definition found."""
    found, expected = (
        kernels.smoothed_edges(x, WEIGHTS[column], WEIGHTS[row], variant=variant, **how)
        for variant in ("cuda.blocks", "naive")
    )
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    return expected


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
@pytest.mark.parametrize("stage", STAGES)
def test_blocks_meet(stage: str, dtype: str, mode: str) -> None:
    for shape in ((1, 17, 65), (2, 33, 20), (1, 16, 64)):
        x = drawn(shape, dtype)
        # 0.1 is no float32: the constant is not rounded to the type of the image between both smoothings.
        how = {"mode": mode, "cval": 0.1, "scale": 1 / 255, "stage": stage}
        found = same(x, 9, 3, low=0.2, high=0.6, **how)
        assert stage != "classes" or set(np.unique(found)) == {0, 1, 2}


@emulated
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (2, 1, 7), (1, 5, 1), (1, 3, 3)])
def test_weights_reach_farther_than_the_image(shape: tuple[int, ...], mode: str) -> None:
    for stage in STAGES:
        same(drawn(shape, "float32"), 9, 9, mode=mode, stage=stage)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ties_on_symmetric_images(dtype: str) -> None:
    """The last bit decides which pixels are edges."""
    y, x = np.mgrid[-20:21, -40:41].astype(dtype)
    disc = (np.hypot(x, y) < 15).astype(dtype) + np.where(np.abs(x) + np.abs(y) < 9, dtype == "float32", 0)
    found = same(disc[None].astype(dtype), 9, 9, low=0.1, high=0.5)
    assert np.count_nonzero(found) > 50


@emulated
@pytest.mark.parametrize("images", [1, 2])
def test_divisors_masks_and_thresholds_of_images(images: int) -> None:
    x, draw = drawn((2, 19, 67), "float32"), np.random.default_rng(1)
    inside = draw.random((images, 19, 67)) < 0.8
    for rows in (19, 9, 1):
        divisor = draw.uniform(0.5, 1, (images, rows, 67)).astype(np.float32)
        how = {"divisor": divisor, "inside": inside, "low": np.array([0.1, 0.5]), "high": np.array([0.7, 0.6])}
        same(x, 3, 9, **how)
        same(x, 3, 9, stage="smoothed", **how)


@emulated
def test_what_is_not_a_number_is_of_no_class() -> None:
    x = drawn((1, 20, 70), "float64")
    x[0, 15, 64] = np.nan
    for stage in STAGES:
        same(x, 3, 3, low=0.1, high=0.2, stage=stage)


def test_tiles_must_fit_into_shared_memory() -> None:
    with pytest.raises(ValueError, match=r"needs [0-9]+ bytes of shared memory for a block but the GPU has 101376"):
        kernels.smoothed_edges(np.zeros((1, 4, 4)), [1.0], np.ones(501), variant="cuda.blocks")


# What tells a broken kernel.
MUTANTS = {
    "rows of other blocks": ("border(p0 - 2 - R + i", "border(i - R"),
    "columns of other blocks": ("border(q0 - 2 - S + e", "border(e - S"),
    "the constant is rounded": ("q < 0 ? a.cval :", "q < 0 ? static_cast<Real>(a.cval) :"),
    "between the passes nothing is rounded": ("a.cval : static_cast<Real>(smoothed(", "a.cval : (smoothed("),
    "other sums": ("sample(t - radius) + sample(radius - t)", "sample(t - radius)"),
    "no barrier": ("    }\n    if constexpr (STAGE == SMOOTHED) return;\n    __syncthreads();", "    }\n"),
    "products are not rounded": (
        "total += rounded_product(pair, load_double(weights + t * 8));",
        "total = fma(pair, load_double(weights + t * 8), total);",
    ),
    "the other diagonal": ("(down > 0) == (along > 0) ? 1 : -1;", "1;"),
    "the gradient's other way": ("steep ? x / y : y / x", "steep ? y / x : x / y"),
    "pixels behind the line": ("if (!tile.holds(p, q)) continue;\n        const long long", "const long long"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


def holds() -> None:
    x = drawn((2, 18, 67), "float32")
    for stage in STAGES:
        same(x, 3, 9, low=0.2, high=0.6, mode="constant", cval=0.1, stage=stage)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
def test_compiles_without_spills(dtype: str, stage: str, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for(dtype, stage), architecture, record_property)
