"""Hysteresis in CUDA C++ in the emulator: paths through many windows, along their seams and round their corners."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.hysteresis import cuda_blocks
from tilegrad.kernels.machine import cuda

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def same(x: np.ndarray, **how: Any) -> np.ndarray:
    found, expected = (kernels.hysteresis(x, variant=variant, **how) for variant in ("cuda.blocks", "naive"))
    np.testing.assert_array_equal(found, expected)
    return expected


def drawn(shape: tuple[int, ...], weak: float) -> np.ndarray:
    """So many weak pixels, and a few strong ones."""
    draw = np.random.default_rng(sum(shape)).random(shape)
    return np.where(draw < 0.001, 2, draw < weak).astype(np.uint8)


def snake(h: int, w: int) -> np.ndarray:
    """One path through all columns, up and down, strong at its last pixel."""
    x = np.zeros((h, w), np.uint8)
    x[:, ::2] = 1
    x[-1, 1::4] = x[0, 3::4] = 1
    x[-1, -1] = 2
    return x


@emulated
@pytest.mark.parametrize(("connectivity", "weak"), [(1, 0.6), (2, 0.42)])
@pytest.mark.parametrize("shape", [(1, 126, 62), (2, 128, 64), (1, 127, 63), (1, 300, 200), (3, 1, 1), (1, 2, 131)])
def test_windows_meet(shape: tuple[int, ...], connectivity: int, weak: float) -> None:
    """Near the share of weak pixels from which on paths have no end."""
    x = drawn(shape, weak)
    found = same(x, connectivity=connectivity)
    assert x.size < 1000 or np.count_nonzero(found) > 2 * np.count_nonzero(x == 2)


@emulated
@pytest.mark.parametrize("connectivity", [1, 2])
def test_a_path_is_followed_through_windows_and_back(connectivity: int) -> None:
    assert same(snake(140, 131), connectivity=connectivity)[0, 0]
    assert same(np.ascontiguousarray(snake(133, 129).T), connectivity=connectivity)[0, 0]


@emulated
def test_a_path_goes_round_corners() -> None:
    """Diagonally from window to window, through the pixel where four of them meet."""
    for x in (np.eye(260, 260, dtype=np.uint8), np.eye(260, 260, dtype=np.uint8)[::-1].copy()):
        for start in (0, 259):
            x[start] *= 2
            assert same(x).sum() == 260
            assert same(x, connectivity=1).sum() == 1
            x[start] //= 2
    x = np.zeros((130, 70), np.uint8)
    x[125, 61:63], x[126, 62] = 1, 2
    assert same(x).sum() == 3


@emulated
def test_lines_of_one_axis() -> None:
    same(drawn((3, 200), 0.9), axes=1, connectivity=1)
    assert same(np.ones((2, 3, 0), np.uint8)).size == 0


def test_volumes_are_for_another_variant() -> None:
    with pytest.raises(ValueError, match="takes images of one or two axes but got 3"):
        kernels.hysteresis(np.zeros((3, 4, 5), np.uint8), axes=3, variant="cuda.blocks")


# What tells a broken kernel.
MUTANTS = {
    "windows on the left are not seen": ("a.kept + at) != 0", "a.kept + at) != 0 && q > q0"),
    "windows do not overlap": ("* (COLUMNS - 2) - 1", "* (COLUMNS - 2)"),
    "rows do not overlap": ("* (ROWS - 2) - 1", "* (ROWS - 2)"),
    "diagonals are always steps": ("a.connectivity > 1 ? kept | beside : kept", "kept | beside"),
    "diagonals are never steps": ("a.connectivity > 1 ? kept | beside : kept", "kept"),
    "the first row's neighbour is the last": ("lane == 0 ? beyond : above", "above"),
    "warps go on alone": ("growing |= load_word(flags + i * 4) != 0", "growing |= false"),
    "no barrier": ("kept);\n        __syncthreads();\n        Row beyond", "kept);\n        Row beyond"),
    "nobody asks for another launch": ("exchange(a.changed, 1);", ";"),
    "rows' ends ask for nothing": ("INSIDE : EDGE)", "INSIDE : 0)"),
    "pixels of other windows are written": ("column == 0 || column == COLUMNS - 1 || ", ""),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


def holds() -> None:
    for connectivity, weak in ((1, 0.6), (2, 0.42)):
        same(drawn((1, 300, 200), weak), connectivity=connectivity)
        same(snake(140, 131), connectivity=connectivity)
    line = np.zeros((3, 300), np.uint8)
    line[1], line[1, -1] = 1, 2
    same(line)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("first", [True, False])
def test_compiles_without_spills(first: bool, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for(first=first), architecture, record_property)
