"""Hysteresis in CUDA C++ in the emulator: paths through many tiles, along their seams and round their corners."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.hysteresis import cuda_blocks
from tilegrad.kernels.machine import cuda, cuda_union

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def same(x: np.ndarray, **how: Any) -> np.ndarray:
    found, expected = (kernels.hysteresis(x, variant=variant, **how) for variant in ("cuda.blocks", "naive"))
    np.testing.assert_array_equal(found, expected)
    return expected


def drawn(shape: tuple[int, ...], weak: float, strong: float = 0.001) -> np.ndarray:
    """So many weak pixels, and a few strong ones."""
    draw = np.random.default_rng(sum(shape)).random(shape)
    return np.where(draw < strong, 2, draw < weak).astype(np.uint8)


def snake(h: int, w: int) -> np.ndarray:
    """One path through all columns, up and down, strong at its last pixel."""
    x = np.zeros((h, w), np.uint8)
    x[:, ::2] = 1
    x[-1, 1::4] = x[0, 3::4] = 1
    x[-1, -1] = 2
    return x


@emulated
@pytest.mark.parametrize(("connectivity", "weak"), [(1, 0.6), (2, 0.42)])
@pytest.mark.parametrize(
    "shape", [(1, 32, 64), (2, 33, 65), (1, 31, 63), (1, 300, 200), (3, 1, 1), (1, 2, 131), (2, 70, 1)]
)
def test_tiles_meet(shape: tuple[int, ...], connectivity: int, weak: float) -> None:
    """Near the share of weak pixels from which on paths have no end."""
    x = drawn(shape, weak)
    found = same(x, connectivity=connectivity)
    assert x.size < 10000 or np.count_nonzero(found) > 2 * np.count_nonzero(x == 2)


@emulated
@given(
    st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 31, 32, 33, 66]), st.sampled_from([1, 5, 63, 64, 65, 129])),
    st.sampled_from([1, 2]), st.sampled_from([0.1, 0.42, 0.6, 0.95]), st.sampled_from([0, 0.001, 0.05]),
    st.integers(0, 2**31 - 1),
)  # fmt: skip
def test_the_order_of_threads_changes_nothing(
    shape: tuple[int, ...], connectivity: int, weak: float, strong: float, seed: int
) -> None:
    with cuda.launching(functools.partial(emulator.launch, seed=seed)):
        same(drawn(shape, weak, strong), connectivity=connectivity)


@emulated
@pytest.mark.parametrize("connectivity", [1, 2])
def test_a_path_is_followed_through_tiles_and_back(connectivity: int) -> None:
    assert same(snake(140, 131), connectivity=connectivity)[0, 0]
    assert same(np.ascontiguousarray(snake(133, 129).T), connectivity=connectivity)[0, 0]


@emulated
def test_a_path_goes_round_corners() -> None:
    """Diagonally from tile to tile, through the pixel where four of them meet."""
    for x in (np.eye(260, 260, dtype=np.uint8), np.eye(260, 260, dtype=np.uint8)[::-1].copy()):
        for start in (0, 259):
            x[start] *= 2
            assert same(x).sum() == 260
            assert same(x, connectivity=1).sum() == 1
            x[start] //= 2
    x = np.zeros((40, 70), np.uint8)
    x[31, 62:64], x[32, 64] = 1, 2
    assert same(x).sum() == 3


@emulated
def test_what_is_no_class_is_no_path() -> None:
    x = np.array([[2, 3, 1, 1], [0, 255, 0, 2]], np.uint8)
    assert same(x).tolist() == [[1, 0, 1, 1], [0, 0, 0, 1]]


@emulated
def test_lines_of_one_axis() -> None:
    same(drawn((3, 200), 0.9), axes=1, connectivity=1)
    assert same(np.ones((2, 3, 0), np.uint8)).size == 0


def test_volumes_are_for_another_variant() -> None:
    with pytest.raises(ValueError, match="takes images of one or two axes but got 3"):
        kernels.hysteresis(np.zeros((3, 4, 5), np.uint8), axes=3, variant="cuda.blocks")


def test_what_32_bits_cannot_number_is_refused() -> None:
    """Lines are as long as their tiles."""
    assert cuda_union.reason_against(1, 1 << 15, (1 << 16) - 64) is None
    assert "2^31 pixels" in str(cuda_union.reason_against(1, 1 << 15, (1 << 16) - 63))
    assert cuda_union.reason_against((1 << 31) - 1, 1, 64) is None
    assert "2^31 tiles" in str(cuda_union.reason_against(1 << 30, 1, 65))


@emulated
@pytest.mark.parametrize(("shape", "launches"), [((32, 64), 2), ((100, 200), 3)])
def test_the_number_of_launches_does_not_depend_on_what_is_seen(shape: tuple[int, int], launches: int) -> None:
    for x in (np.zeros(shape, np.uint8), drawn(shape, 0.5), snake(*shape)):
        with cuda.noting() as names:
            same(x)
        assert len(names) == launches


# What tells a broken kernel.
MUTANTS = {
    "another thread's step is lost": ("if (before == last) return;", "return;"),
    "columns 31 and 32 do not meet": ("lane + 32 * j > 0 ?", "lane > 0 ?"),
    "diagonals are always steps": ("if (a.connectivity > 1 && !up)", "if (!up)"),
    "diagonals are never steps": ("if (a.connectivity > 1 && !up)", "if (false)"),
    "diagonals are exchanged": ("(step == 1) + (step == 2)));", "(step == 2) + (step == 1)));"),
    "one row joined on the left is enough": ("!(from_left && left_above >> column & 1)", "!from_left"),
    "no barrier before steps": (
        "__syncthreads();\n    for (; wanted;", "for (; wanted;", "has written since the last barrier",
    ),
    "no row is above a warp's first": ("if (tile.line + i > 0 && p", "if (i > 0 && p"),
    "the row above the tile's first": ("if (tile.line + i > 0 && p", "if (p >= 0 && p"),
    "columns beyond the line": ("p < a.height && q < a.width)", "p < a.height)"),
    "seams of rows are left out": ("if (!is_row) item -= of_rows;", "if (is_row) return; item -= of_rows;"),
    "seams of columns are left out": ("if (q >= a.width) return;", "if (!is_row) return;"),
    "both seams rely on each other": ("!(in_tile && from_up &&", "!(from_up &&"),
    "the line's end meets the next line": ("q + right >= 0 && q + right < a.width;", "q + right >= 0;"),
    "a seam's diagonals are always steps": ("diagonals = a.connectivity > 1;", "diagonals = true;"),
    "no diagonals over seams of columns": ("if (diagonals && in_tile && !from_left)", "if (false)"),
    "roots do not hear of strong pixels": ("if (tile.strong >> i & 1)", "if (false)"),
    "roots hear of them too late": ("    __syncthreads();\n#pragma unroll\n", "#pragma unroll\n"),
    "strong roots are not ahead": ("| (root & BEHIND));", "| BEHIND);"),
    "tiles are on their own": ("keys[i] = find(parents, keys[i]);", ";"),
    "images share parents": ("tile.first = image * a.pixels;", "tile.first = 0;"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


def holds() -> None:
    for connectivity, weak in ((1, 0.6), (2, 0.42)):
        same(drawn((2, 150, 200), weak), connectivity=connectivity)
        same(snake(140, 131), connectivity=connectivity)
    full = np.ones((70, 150), np.uint8)
    full[-1, -1] = 2
    same(full)
    for x in (np.eye(70, 150, dtype=np.uint8), np.eye(70, 150, dtype=np.uint8)[:, ::-1].copy()):
        x[0] *= 2
        same(x)
    ends = np.zeros((40, 70), np.uint8)
    ends[32, 0], ends[32, -1] = 2, 1
    same(ends)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("step", cuda_blocks.STEPS)
def test_compiles_without_spills(step: str, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for(step), architecture, record_property)
