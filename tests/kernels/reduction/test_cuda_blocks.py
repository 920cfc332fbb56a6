"""Sums in CUDA C++ without a GPU: the source in the emulator, and compiled by NVRTC."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from hypothesis import given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels import reduction
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.reduction import cuda_blocks
from tilegrad.kernels.reduction.geometry import Pass

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Partial sums start as NaN, and small shapes are cut into parts."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_blocks, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        patch.setattr(cuda_blocks, "_LEAST_LOADS", 1)
        patch.setattr(reduction.SUM, "_plans", {})
        patch.setattr(reduction.MEAN, "_plans", {})
        yield


def compare(shape: tuple[int, ...], axis: Any, dtype: str, exact: bool) -> None:
    """Beside NumPy in a wider type; sums of small integers are exact, so that no number is missed in silence."""
    rng = np.random.default_rng(0)
    x = (rng.integers(-9, 10, shape) if exact else rng.normal(3.0, 1.0, shape)).astype(dtype)
    found = kernels.sum(x, axis=axis, variant="cuda.blocks")
    expected = x.astype(np.longdouble).sum(axis=axis)
    assert found.dtype == x.dtype
    bound = 0 if exact else tolerances.SUM[dtype] * abs(x.astype(np.longdouble)).sum(axis=axis)
    assert np.all(abs(found - expected) <= bound), f"{shape} {axis}: {found} for {expected}"


@emulated
@given(
    st.lists(st.sampled_from((1, 2, 3, 5, 8, 17, 33)), min_size=1, max_size=4),
    st.data(),
    st.sampled_from(("float32", "float64")),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_axes(shape: list[int], data: Any, dtype: str, exact: bool) -> None:
    axis = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    compare(tuple(shape), axis, dtype, exact)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((9000,), 0),  # parts of one sum
        ((3, 4099), 1),  # rows that are no multiple of a load
        ((5, 2048), 1),
        ((700, 16), 1),  # many short sums
        ((70, 300), 1),
        ((1500, 64), 0),  # channels of an image
        ((2, 600, 3), 1),
        ((40, 135), 0),  # a strip of columns that is not full
        ((3, 50, 132), (0, 1)),
        ((2, 0, 3), 1),
        ((0, 3), 1),
    ],
)
def test_shapes_of_every_kind(shape: tuple[int, ...], axis: Any, dtype: str) -> None:
    for exact in (True, False):
        compare(shape, axis, dtype, exact)


@emulated
def test_an_array_that_begins_anywhere() -> None:
    x = np.arange(41, dtype=np.float32)[1:]
    for shape, axis in (((40,), 0), ((5, 8), 0), ((5, 8), 1)):
        found = kernels.mean(x.reshape(shape), axis=axis, variant="cuda.blocks")
        np.testing.assert_allclose(found, x.reshape(shape).mean(axis=axis), rtol=tolerances.EPS["float32"])


@emulated
def test_a_mean_of_nothing_is_nan_and_nan_stays_in_its_sum() -> None:
    assert np.isnan(kernels.mean(np.ones((3, 0), np.float32), axis=1, variant="cuda.blocks")).all()
    x = np.ones((300, 8), np.float32)
    x[70, 5] = np.nan
    np.testing.assert_array_equal(np.isnan(kernels.sum(x, axis=0, variant="cuda.blocks")), np.arange(8) == 5)


def test_rows_are_cut_only_where_sums_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_blocks, "_LEAST_LOADS", 16)
    for walk, parts in (
        (Pass(1, 204_800, 64), 528),  # channels of a batch
        (Pass(1, 1 << 24, 1), 528),
        (Pass(128, 1000, 1), 1),
        (Pass(1, 100, 64), 1),
        (Pass(4096, 1600, 64), 1),
    ):
        stage, found = cuda_blocks._stage(walk, "float32", "float32", 1.0, wide=True, cut=True)
        assert parts - 8 <= found <= parts
        assert stage.grid[1] == found


MUTANTS = {
    "no barrier": ("__syncthreads();", "", "nobody has written|since the last barrier"),
    "a warp forgotten": ("w < WARPS", "w < WARPS - 1", " for "),
    "columns run over": ("column < a.inner :", "true :", "outside every array| for "),
    "sums run over": (": outer < a.outer)", ": true)", "outside every array"),
    "last rows left out": ("row < end; row += down", "row + down < end; row += down", " for "),
    "parts overlap": ("blockIdx.y * a.part_rows;", "blockIdx.y * (a.part_rows - 1);", " for "),
    "lanes not added": ("mask < beyond", "mask < beyond / 2", " for "),
    "parts mixed up": ("(outer * a.parts + blockIdx.y)", "(outer * a.parts)", "a second time"),
}


def compare_some() -> None:
    for shape, axis in (((300, 12), 0), ((90, 16), 1), ((3001,), 0)):
        compare(shape, axis, "float32", True)


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        compare_some()


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize(
    ("source", "result", "vector"),
    [("float32", "float32", 4), ("float32", "float64", 4), ("float64", "float32", 2), ("float64", "float64", 2)],
)
def test_compiles_without_spills(
    source: str, result: str, vector: int, columns: bool, architecture: str, record_property: Any
) -> None:
    for loaded in (1, vector):
        resources = compiled(
            cuda_blocks.kernel_for(source, result, loaded, columns=columns), architecture, record_property
        )
        assert resources.registers <= 64, "four blocks' registers fit a multiprocessor"
