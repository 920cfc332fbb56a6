"""Optimiser steps over a table without a GPU: both sources in the emulator, and compiled by NVRTC."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from hypothesis import given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels import optimizer
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.optimizer import cuda_table

from tilegrad import kernels

TASK = 1024  # numbers of a block
ADAM = {"step": 3, "lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1}
STEPS: dict[str, tuple[Any, int, list[dict[str, Any]]]] = {
    "adam": (kernels.adam_step, 4, [{**ADAM, "weight_decay": 0.0}, ADAM, {**ADAM, "decoupled": True}]),
    "sgd": (kernels.sgd_step, 2, [{"lr": 0.1}, {"lr": 0.1, "weight_decay": 0.2}]),
    "momentum": (
        kernels.sgd_step,
        3,
        [{"lr": 0.1, "momentum": 0.8, "dampening": 0.3}, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "first": True}],
    ),
    "average": (kernels.average_step, 2, [{"decay": 0.7}]),
}


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Partial sums start as NaN."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_table, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        yield


def drawn(sizes: list[int], dtype: str, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 1.5, size).astype(dtype) for size in sizes]


def compare(step: str, how: dict[str, Any], sizes: list[int], dtype: str, seed: int = 0) -> None:
    """A step beside its definition, in float64, of the same numbers."""
    function, count, _ = STEPS[step]
    lists = [drawn(sizes, dtype, seed + i) for i in range(count)]
    if how.get("first"):
        for buffer in lists[2]:
            buffer.fill(np.nan)  # whatever they held
    wide = [[a.astype(np.float64) for a in arrays] for arrays in lists]
    function(*lists, **how, variant="cuda.table")
    function(*wide, **how, variant="naive")
    for ours, theirs in zip(lists, wide, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerances.OPTIMIZER_STEP[dtype])


@emulated
@pytest.mark.parametrize("step", STEPS)
@given(
    st.lists(st.sampled_from((0, 1, 5, 255, TASK - 1, TASK, TASK + 1, 2 * TASK + 300)), max_size=9),
    st.sampled_from(("float32", "float64")),
    st.integers(0, 2),
)
@settings(max_examples=15, deadline=None)
def test_equals_the_definition(step: str, sizes: list[int], dtype: str, choice: int) -> None:
    options = STEPS[step][2]
    compare(step, options[choice % len(options)], sizes, dtype)


@emulated
@pytest.mark.parametrize("step", STEPS)
def test_a_launch_for_as_many_arrays_as_a_table_holds(step: str) -> None:
    launched = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    rows = cuda_table.kernel_for(step, "float32").arguments["table"].shape[0]
    assert rows >= 80
    for count, launches in ((rows, 1), (rows + 1, 2), (2 * rows + 1, 3)):
        launched.clear()
        with cuda.launching(record):
            compare(step, STEPS[step][2][-1], [i % 7 + 1 for i in range(count)] + [0] * 5, "float32")
        assert launched == [f"{step}_table_float32"] * launches


@emulated
def test_gradients_may_lie_elsewhere_at_every_step_and_have_any_strides() -> None:
    parameters, averages, squares = ([np.ones((3, 4), np.float32)] for _ in range(3))
    others = [[a.copy() for a in arrays] for arrays in (parameters, averages, squares)]
    for step, grad in enumerate((np.full((3, 4), 2.0, "f4"), np.arange(12, dtype="f4").reshape(4, 3).T), 1):
        for (p, m, v), variant in (((parameters, averages, squares), "cuda.table"), (others, "naive")):
            kernels.adam_step(p, [grad], m, v, step=step, lr=0.1, variant=variant)
    for ours, theirs in zip((parameters, averages, squares), others, strict=True):
        np.testing.assert_allclose(ours[0], theirs[0], rtol=tolerances.OPTIMIZER_STEP["float32"])


class OnDevice:
    """Numbers as CuPy shows them: what a launch looks at."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers, self.nbytes, self.ctypes = numbers, numbers.nbytes, numbers.ctypes
        self.data = type("Memory", (), {"ptr": numbers.ctypes.data})
        self.__array_interface__, self.size = numbers.__array_interface__, numbers.size  # for the emulator


@emulated
@pytest.mark.parametrize("operation", [optimizer.ADAM, optimizer.SGD, optimizer.SGD_MOMENTUM, optimizer.AVERAGE])
def test_scalars_may_lie_in_device_memory(operation: Any) -> None:
    """There a captured graph finds what was put there since."""
    args = {"adam_step": (2,), "sgd_step": (1,), "sgd_momentum_step": (1, False, False), "average_step": ()}
    scalars, count = np.array((0.1, 0.9, 0.2, 0.3, 0.5, 1e-3, 0.7)), len(operation.roles)
    results = []
    for place in (OnDevice, np.asarray):
        lists = [drawn([5, 1030], "float32", i) for i in range(count)]
        operation.run((*lists, place(scalars)), args[operation.name], variant="cuda.table")
        results.append(np.concatenate([a for arrays in lists for a in arrays]))
    np.testing.assert_array_equal(*results)


@emulated
@given(st.lists(st.sampled_from((0, 1, 33, 4095, 4097, 9000)), max_size=6), st.sampled_from(("float32", "float64")))
@settings(max_examples=15, deadline=None)
def test_norm(sizes: list[int], dtype: str) -> None:
    arrays = drawn(sizes, dtype, 0)
    found = kernels.norm_of_all(arrays, variant="cuda.table")
    expected = np.sqrt(sum(float((a.astype(np.longdouble) ** 2).sum()) for a in arrays))
    # Squares are added in float64, each sum rounded: of float64 numbers that shows, halved by the root.
    rounded = 1 if dtype == "float32" else 5
    np.testing.assert_allclose(found, expected, rtol=rounded * tolerances.EPS[dtype])


@emulated
def test_norm_of_many_arrays_and_of_nan() -> None:
    arrays = drawn([3] * 400, "float32", 0)
    found = kernels.norm_of_all(arrays, variant="cuda.table")
    np.testing.assert_allclose(found, np.linalg.norm(np.concatenate(arrays)), rtol=2 * tolerances.EPS["float32"])
    arrays[200][1] = np.nan
    assert np.isnan(kernels.norm_of_all(arrays, variant="cuda.table"))


MUTANTS = {
    "row of another task": ("a.table[middle].end > task", "a.table[middle].end >= task", "outside every|Not equal"),
    "first number left out": ("+ threadIdx.x;", "+ threadIdx.x + 1;", "Not equal|outside every array"),
    "numbers run over": ("if (at + k * THREADS >= size) continue;", "", "outside every array|second time"),
    "tasks overlap": ("(task - begin) * NUMBERS", "(task - begin) * THREADS", "a second time|updated|has read"),
    "gradients written": ("if (list != 1)", "", "writes an input"),
    "buffer of the first step read": ("&& !(STEP == MOMENTUM && list == 2 && a.starts)", "&& list < 2", "Not equal"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_table, MUTANTS[mutant], tmp_path, monkeypatch):
        compare("momentum", STEPS["momentum"][2][0], [1, TASK, 0, 2 * TASK + 77, 3], "float32")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", cuda_table.STEPS)
def test_compiles_without_spills(step: str, dtype: str, architecture: str, record_property: Any) -> None:
    resources = compiled(cuda_table.kernel_for(step, dtype), architecture, record_property)
    assert resources.registers <= 128, "two blocks' registers fit a multiprocessor"
