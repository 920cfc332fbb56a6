"""Random numbers and dropout in CUDA C++ in the emulator: to the bit those of the CPU."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import broken, emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.random import cuda_lists

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    integers = f"i{found.itemsize}"
    np.testing.assert_array_equal(found.view(integers), expected.view(integers))


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("function", "how"),
    [
        (kernels.random_uniform, {"low": -1.0, "high": 3.0}),
        (kernels.random_uniform, {"low": 1.0, "high": np.nextafter(np.float32(1), np.float32(2))}),
        (kernels.random_normal, {"mean": 0.3, "std": 2.5}),
    ],
)
@pytest.mark.parametrize(
    "place", [{"seed": 5}, {"seed": 2**64 - 1, "counter": 2**32 - 3}, {"seed": 0, "counter": 2**64 - 2}]
)
def test_the_bits_are_those_of_the_cpu(function: Any, how: dict[str, float], place: dict[str, int], dtype: str) -> None:
    """Counters run over into their upper half, and start again; the last block is cut short."""
    for shape in ((0,), (1,), (5, 403)):
        found = function(shape, variant="cuda.blocks", dtype=dtype, **how, **place)
        same_bits(found, function(shape, variant="vector", dtype=dtype, **how, **place))


@emulated
@pytest.mark.parametrize("function", [kernels.random_uniform, kernels.random_normal])
def test_results_that_begin_anywhere(function: Any) -> None:
    room = np.empty(40, np.float32)
    for offset in range(4):
        out = room[offset : offset + 31]
        function((31,), seed=3, out=out, variant="cuda.blocks")
        same_bits(out, function((31,), seed=3, variant="vector"))


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("offset", [0, 1])
def test_dropout_drops_what_it_drops_on_the_cpu(offset: int, p: float, dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=4103 + offset).astype(dtype)[offset:]
    x[7:12] = np.nan, np.inf, -np.inf, 0.0, -0.0
    how = {"seed": 9, "counter": 2**32 - 2}
    with np.errstate(invalid="ignore"):
        found, expected = (kernels.dropout(x, p=p, variant=variant, **how) for variant in ("cuda.blocks", "vector"))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found[10:]), np.signbit(expected[10:]))


@emulated
@pytest.mark.parametrize("place", [{"seed": 5}, {"seed": 2**64 - 1, "counter": 2**32 - 3}])
def test_permutations_are_those_of_the_cpu(place: dict[str, int]) -> None:
    """However threads come by their turns: the emulator has one order, the lists of which are not in order."""
    for n in (0, 1, 2, 3, 511, 512, 513, 200_000):  # of which the lower words of keys decide some five places
        found = kernels.random_permutation(n, variant="cuda.lists", **place)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, kernels.random_permutation(n, variant="vector", **place))


# What tells a broken kernel.
MUTANTS = {
    "any step of the list": ("i < end && i > found", "i < end"),
    "later steps too": ("i < end && i > found", "i > found"),
    "the first turn is the last": ("end = place;", ""),
    "one half": ("half < 2", "half < 1"),
    "the lower word": ("(upper + (lower >> 32)) >> 32", "upper >> 32"),
    "the other step's word": ("words.word[2 * half] *", "words.word[0] *"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_permutation_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_lists, MUTANTS[mutant], tmp_path, monkeypatch):
        test_permutations_are_those_of_the_cpu({"seed": 5})
