"""Structural similarity in CUDA C++ in the emulator: seams between blocks, every type, margins, NaN."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.similarity import cuda_blocks

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.random(shape) * (1 if dtype.startswith("float") else 250)).astype(dtype)


def same(x: np.ndarray, y: np.ndarray, taps: int, **how: Any) -> None:
    """Means, maps and errors beside the definition. Weights tell every tap from every other."""
    weights = np.arange(1.0, taps + 1)
    how = {"c1": 0.01, "c2": 0.03, **how}
    found, expected = (
        kernels.structural_similarity(x, y, weights / weights.sum(), variant=variant, **how)
        for variant in ("cuda.blocks", "naive")
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerances.SSIM, atol=tolerances.SSIM)


@emulated
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
@pytest.mark.parametrize("taps", [1, 3, 11])
@pytest.mark.parametrize("shape", [(17, 65), (16, 64), (2, 2, 18, 33), (1, 130), (33, 1)])
def test_blocks_meet(shape: tuple[int, ...], taps: int, dtype: str) -> None:
    x, y = drawn(shape, dtype, 0), drawn(shape, dtype, 1)
    for maps in (0, 1, 4):
        same(x, y, taps, maps=maps, margin=min(2, (min(shape[-2:]) - 1) // 2), scale=1.25)


@emulated
def test_windows_reach_farther_than_the_image() -> None:
    for shape in ((1, 1), (2, 3), (3, 2, 2)):
        same(drawn(shape, "float64", 0), drawn(shape, "float64", 1), 19, maps=4)


@emulated
def test_what_is_not_a_number_reaches_the_windows_that_hold_it_alone() -> None:
    x = drawn((30, 70), "float32", 0)
    x[15, 64] = np.nan
    _, maps, _ = kernels.structural_similarity(x, x, np.full(3, 1 / 3), c1=1, c2=1, maps=1, variant="cuda.blocks")
    around = np.zeros((30, 70), bool)
    around[14:17, 63:66] = True
    np.testing.assert_array_equal(np.isnan(maps[0]), around)


@emulated
def test_no_images() -> None:
    none = np.zeros((0, 4, 4), np.float32)
    means, *_ = kernels.structural_similarity(none, none, [1.0], c1=1, c2=1, variant="cuda.blocks")
    assert means.shape == (0,)


def test_other_images_and_windows_are_not_taken() -> None:
    x = np.zeros((2, 3, 4), np.float32)
    for axes in (1, 3):
        with pytest.raises(ValueError, match="takes images of two axes"):
            kernels.structural_similarity(x, x, [1.0], c1=1, c2=1, axes=axes, variant="cuda.blocks")
    with pytest.raises(ValueError, match=r"needs [0-9]+ bytes of shared memory for a block but the GPU has 101376"):
        kernels.structural_similarity(x, x, np.ones(97), c1=1, c2=1, variant="cuda.blocks")


# What tells a broken kernel.
MUTANTS = {
    "taps that are not there": ("if (i >= k && i - k < a.taps) {", "if (i - k < a.taps) {"),
    "rows of other blocks": ("border(p0 + i - radius", "border(i - radius"),
    "no barrier": ("    }\n    __syncthreads();\n\n    for (int item", "    }\n\n    for (int item"),
    "errors of the halo": ("own = q >= q0 && q < q0 + LINE && q", "own = q"),
    "errors of rows behind the image": ("(group) * TALL + k < a.height)", "(group) * TALL + k < a.height + 1)"),
    "a neighbour's weight": ("means[1][m] += here * pair.number[1]", "means[1][m] += next * pair.number[1]"),
    "the margin above": ("p >= a.margin &&", "p >= 0 &&"),
    "maps behind the line": ("if (q >= a.width) continue;", ""),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        same(drawn((2, 19, 67), "float32", 0), drawn((2, 19, 67), "float32", 1), 5, margin=2, maps=4)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
def test_compiles_without_spills(dtype: str, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for(dtype), architecture, record_property)
