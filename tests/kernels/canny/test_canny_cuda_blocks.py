"""Canny on integers in CUDA C++ in the emulator: the bits of the definition across seams, at borders, of channels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.canny import cuda_blocks
from tilegrad.kernels.machine import cuda

from tilegrad import kernels

THRESHOLDS = {3: (150, 600), 5: (2e3, 5e3), 7: (2e4, 6e4)}


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], levels: int = 256) -> np.ndarray:
    """Random pixels; of few levels, many gradients are equal."""
    x = np.random.default_rng(sum(shape)).integers(0, levels, shape)
    return (x * 255 // (levels - 1)).astype(np.uint8)


def same(x: np.ndarray, low: float, high: float, **how: Any) -> np.ndarray:
    found, expected = (kernels.canny(x, low, high, variant=variant, **how) for variant in ("cuda.blocks", "naive"))
    np.testing.assert_array_equal(found, expected)
    return expected


def same_of_gradient(dx: np.ndarray, dy: np.ndarray, low: float, high: float, norm: str) -> np.ndarray:
    found, expected = (
        kernels.canny_of_gradient(dx, dy, low, high, norm=norm, variant=variant) for variant in ("cuda.blocks", "naive")
    )
    np.testing.assert_array_equal(found, expected)
    return expected


@emulated
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("aperture", THRESHOLDS)
def test_blocks_meet(aperture: int, norm: str) -> None:
    """Lines whose pixels come four at once, and others; of one level more or less than a block has."""
    for shape in ((1, 30, 120, 1), (2, 61, 124, 1), (1, 31, 121, 1), (1, 33, 242, 2)):
        for levels in (256, 3):
            found = same(drawn(shape, levels), *THRESHOLDS[aperture], aperture=aperture, norm=norm)
            assert 0 < np.count_nonzero(found) < found.size


@emulated
@pytest.mark.parametrize("aperture", THRESHOLDS)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 4, 1), (1, 5, 1, 1), (1, 2, 3, 4), (1, 3, 8, 1)])
def test_taps_reach_farther_than_the_image(shape: tuple[int, ...], aperture: int) -> None:
    for norm in ("l1", "l2"):
        same(drawn(shape), *THRESHOLDS[aperture], aperture=aperture, norm=norm)
        same(drawn(shape), -1, 0, aperture=aperture, norm=norm)


@emulated
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("aperture", THRESHOLDS)
def test_the_steepest_gradients(aperture: int, norm: str) -> None:
    """Black beside white, in all directions: the largest sums of either sign."""
    p, q = np.mgrid[-20:20, -33:33]
    x = np.stack([q > 0, p > 0, p > q, q > -p, q < 0, p < 0, p * p + q * q < 300, (p ^ q) & 4 > 0])
    same((x * 255).astype(np.uint8)[..., None], *THRESHOLDS[aperture], aperture=aperture, norm=norm)


@emulated
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_of_any_gradients(norm: str) -> None:
    """The largest do not fit into signed words once they are squared."""
    draw = np.random.default_rng(0)
    for largest in (300, 32767):
        dx, dy = draw.integers(-largest - 1, largest + 1, (2, 2, 33, 125)).astype(np.int16)
        dx[:, 5:8], dy[:, 5:9] = -largest - 1, -largest - 1
        found = same_of_gradient(dx, dy, largest / 2, largest, norm)
        assert 0 < np.count_nonzero(found) < found.size


@emulated
def test_images_may_begin_anywhere() -> None:
    bytes_of = np.zeros(1 + 40 * 64, np.uint8)
    x = bytes_of[1:].reshape(1, 40, 64, 1)
    x[...] = drawn(x.shape)
    same(x, *THRESHOLDS[3])


# What tells a broken kernel.
MUTANTS = {
    "rows of other blocks": ("* ROWS - 1 + row;", "* ROWS + row;"),
    "columns of other blocks": ("+ (lane - 1) * 4;", "+ lane * 4;"),
    "the border is mirrored": ("k < 0 ? 0 : k < a.height", "k < 0 ? -1 - k : k < a.height"),
    "pixels behind the line": ("q >= 0 && q < a.width) return load_number", "q >= 0) return load_number"),
    "slopes borrow": ("BIAS << 16 | BIAS", "BIAS"),
    "even and odd pixels are exchanged": ("down_columns(taps, odd * 8,", "down_columns(taps, 8 - odd * 8,"),
    "columns of other lanes": ("shuffle(columns[j], lane + 1)", "shuffle(columns[j], lane)"),
    "halves are rounded up": ("value + 7 + (value >> 4 & 1)", "value + 8"),
    "the last of equal channels": (
        "norm_of(gradients[j]) > norm_of(longest[i][j])", "norm_of(gradients[j]) >= norm_of(longest[i][j])",
    ),
    "gradients outside": ("inside ? gradients[i][j] : 0", "gradients[i][j]"),
    "no barrier": ("    __syncthreads();\n\n    if (lane", "\n    if (lane"),
    "the other diagonal": ("(dx ^ dy) < 0 ? 127 : 129", "(dx ^ dy) < 0 ? 129 : 127"),
    "neighbours are exchanged": ("norm <= first || norm + equal <= second", "norm + equal <= first || norm <= second"),
    "along a column no neighbour is as long": ("step = 128, equal = 1", "step = 128"),
    "thresholds are reached": ("norm <= low", "norm < low"),
    "the high threshold is reached": ("norm > high ?", "norm >= high ?"),
    "squares are signed": ("if (norm <= low)", "if (static_cast<int>(norm) <= static_cast<int>(low))"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


def holds() -> None:
    """Thresholds that many norms equal, since pixels have three levels."""
    same(drawn((1, 31, 124, 1), 3), 254, 508)
    same(drawn((1, 31, 65, 2), 3), 254, 508)
    same(drawn((1, 32, 124, 1)), *THRESHOLDS[7], aperture=7)
    same(drawn((1, 64, 124, 1)) // 64, -1, 0, aperture=7)
    step = np.full((1, 3, 8, 1), 127, np.uint8)
    step[:, :, 4:] = 0
    same(step, 300, 4 * 127)
    steepest = np.full((1, 3, 5), -32768, np.int16)
    steepest[:, :, 2] = 5
    same_of_gradient(steepest, steepest, 2, 4, "l2")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("aperture", [0, *THRESHOLDS])
def test_compiles_without_spills(aperture: int, squared: bool, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for(aperture, squared=squared), architecture, record_property)
