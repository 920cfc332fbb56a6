"""Connected components in CUDA C++ in the emulator: the definition's numbers, across tiles and words, in any order."""

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.labeling import cuda_blocks
from tilegrad.kernels.machine import cuda

from tilegrad import kernels

TYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def same(x: np.ndarray, **how: Any) -> int:
    """How many components there are, in all images."""
    (found, counts), (expected, number) = (
        kernels.label_components(x, variant=variant, **how) for variant in ("cuda.blocks", "naive")
    )
    np.testing.assert_array_equal(found, expected, strict=True)
    np.testing.assert_array_equal(counts, number, strict=True)
    return int(number.sum())


def drawn(shape: tuple[int, ...], filled: float, values: int = 1, dtype: str = "uint8") -> np.ndarray:
    """Zeros, and so many pixels of the values from 1."""
    draw = np.random.default_rng(sum(shape))
    return ((draw.random(shape) < filled) * draw.integers(1, values + 1, shape)).astype(dtype)


def spiral(size: int) -> np.ndarray:
    """A wall of one pixel that winds inwards."""
    x = np.zeros((size, size), np.uint8)
    for i in range(0, size // 2, 2):
        x[i, max(0, i - 2) : size - i] = x[size - 1 - i, i : size - i] = 1
        x[i : size - i, size - 1 - i] = x[i + 2 : size - i, i] = 1
    return x


def comb(size: int) -> np.ndarray:
    """Teeth that meet in the last row only: each tile of them has roots that are given up at the end."""
    x = np.zeros((size, size), np.uint8)
    x[:, ::2] = x[-1] = 1
    return x


def board(size: int) -> np.ndarray:
    return (np.indices((size, size)).sum(0) % 2).astype(np.uint8)


@emulated
@given(
    st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 31, 32, 33, 66]), st.sampled_from([1, 5, 63, 64, 65, 129])),
    st.sampled_from([0.05, 0.42, 0.6, 0.95, 1]), st.sampled_from([1, 2, 4]), st.sampled_from(TYPES[1:]),
    st.sampled_from([1, 2]), st.booleans(), st.sampled_from(["int32", "int64"]), st.integers(0, 2**31 - 1),
)  # fmt: skip
def test_the_order_of_threads_changes_nothing(
    shape: tuple[int, ...], filled: float, values: int, dtype: str, connectivity: int, equal: bool, kind: str, seed: int
) -> None:
    x = drawn(shape, filled, values, dtype)
    with cuda.launching(functools.partial(emulator.launch, seed=seed)):
        same(x, connectivity=connectivity, equal=equal, label_dtype=kind)


@emulated
@pytest.mark.parametrize("make", [spiral, comb, board])
@pytest.mark.parametrize("connectivity", [1, 2])
def test_components_that_wind_through_many_tiles(make: Any, connectivity: int) -> None:
    x = make(133)
    for turned in range(4):
        found = np.ascontiguousarray(np.rot90(x, turned))
        number = same(found, connectivity=connectivity)
        assert number == (1 if make is not board or connectivity == 2 else 133 * 133 // 2)
        same(found, connectivity=connectivity, background=2)  # what lies between is one, too, or many


@emulated
@pytest.mark.parametrize("shape", [(1, 200), (200, 1), (1, 1), (33, 65), (4, 5, 6)])
def test_constant_images(shape: tuple[int, ...]) -> None:
    assert same(np.zeros(shape, np.int16)) == 0
    assert same(np.ones(shape, np.int16)) == max(1, np.prod(shape[:-2]))
    assert same(np.zeros(shape, np.int16), background=-1) == max(1, np.prod(shape[:-2]))


@emulated
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_and_a_background_of_no_value(dtype: str) -> None:
    x = drawn((34, 67), 0.5, 1 if dtype == "bool" else 3, dtype)
    same(x, background=1)
    if dtype not in ("bool", "int8", "uint8"):
        same(x * np.array(256, dtype), background=256)  # of whose bits the low ones are zero
    if dtype not in ("uint64", "int64"):
        same(x, background=2**40)
        same(x, background=-(2**40))


@emulated
def test_lines_and_images_without_pixels() -> None:
    assert same(drawn((3, 200), 0.5), axes=1, connectivity=1) > 3
    assert same(np.ones((2, 3, 0), np.uint8)) == 0
    assert same(np.ones((0, 3, 4), np.uint8)) == 0


@emulated
def test_more_roots_than_a_block_counts_at_once() -> None:
    """A column whose rows have two words each: 258 blocks count them."""
    x = drawn((33000, 1), 0.5)
    assert same(x) > 8000


def test_volumes_are_for_another_variant() -> None:
    with pytest.raises(ValueError, match="takes images of one or two axes but got planes of 3"):
        kernels.label_components(np.zeros((3, 4, 5), np.uint8), axes=3, variant="cuda.blocks")


@emulated
@pytest.mark.parametrize(("size", "launches"), [(32, 5), (133, 6)])
def test_the_number_of_launches_does_not_depend_on_what_is_seen(size: int, launches: int) -> None:
    for x in (np.zeros((size, size), np.uint8), spiral(size), board(size)):
        with cuda.noting() as names:
            same(x)
        assert len(names) == launches


# What tells a broken kernel.
MUTANTS = {
    "columns 31 and 32 are not compared": ("if (lane == 0) west[1] = west[0];", ""),
    "columns 31 and 32 do not meet diagonally": ("if (lane == 31) east[0] = east[1];", ""),
    "neighbours above are exchanged": ("west_above[j] = west[j], east_above", "west_above[j] = east[j], east_above"),
    "values are not compared": ("pixels[i][j].value == west[j];", "true;"),
    "values are not compared over seams": ("a.open && b.open && a.value == b.value;", "a.open && b.open;"),
    "later pixels are roots": ("one < other ? one : other, last = one < other ? other : one;",
                               "one > other ? one : other, last = one > other ? other : one;"),
    "no background": ("!(a.has_background &&", "!(false &&"),
    "a background of no value": ("a.has_background && value", "value"),
    "values never count": ("a.equal ? static_cast<Value>(value) : 0", "0"),
    "all values count": ("a.equal ? static_cast<Value>(value) : 0", "static_cast<Value>(value)"),
    "the background has parents": (": BEHIND;\n            store_number", ": 0;\n            store_number"),
    "a tile's roots are the image's": ("roots &= ~(rest & -rest);", ""),
    "a warp counts its own word twice": ("if (i < warp) before", "if (i <= warp) before"),
    "lanes take numbers of later lanes": ("if (lane >= step) sum", "sum"),
    "no barrier between warps": ("sum);\n    __syncthreads();", "sum);", "load_word: reads"),
    "no barrier between counts": ("        __syncthreads();\n    }\n    if (threadIdx.x == 0) store_number(a.number",
                                  "    }\n    if (threadIdx.x == 0) store_number(a.number", "since the last barrier"),
    "counts begin again": ("sum += total;", "sum = total;"),
    "numbers begin at 0": ("BEHIND | ++number", "BEHIND | number++"),
    "tiles are on their own": ("while (!(found[i] & BEHIND))", "if (!(found[i] & BEHIND))"),
    "words of the next row": ("(place - row * words) * 32", "place * 32"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


def holds() -> None:
    for values in (1, 3):
        x = drawn((2, 100, 140), 0.6, values)
        for equal in (True, False):
            same(x, equal=equal)
    same(np.zeros((5, 70), np.uint8), background=256)
    same(comb(100))
    same(drawn((33000, 1), 0.5))


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize(
    ("step", "itemsize"),
    [
        *itertools.product(("tiles", "seams"), (1, 2, 4, 8)),
        *itertools.product(("count", "scan", "number"), (4,)),
        *itertools.product(("paint",), (4, 8)),
    ],
)
def test_compiles_without_spills(step: str, itemsize: int, architecture: str, record_property: Any) -> None:
    compiled(cuda_blocks.kernel_for(step, itemsize), architecture, record_property)
