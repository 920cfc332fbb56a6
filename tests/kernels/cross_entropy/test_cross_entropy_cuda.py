"""Cross-entropy in CUDA C++ in the emulator: long rows, many blocks, classes that do not exist."""

import importlib
from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import emulated
from tilegrad.kernels.cross_entropy import cuda_teams
from tilegrad.kernels.machine import cuda

from tilegrad import kernels

package = importlib.import_module("tilegrad.kernels.cross_entropy")  # whose name in kernels is the function's


@pytest.fixture(autouse=True)
def on_the_emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Partial sums start as NaN, and few rows are enough for blocks to take several."""
    monkeypatch.setattr(cuda_teams, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
    monkeypatch.setattr(cuda_teams, "_BLOCKS", 3)
    monkeypatch.setattr(package.CROSS_ENTROPY_AND_GRAD, "_plans", {})
    with cuda.launching(emulator.launch):
        yield


def drawn(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(rows)
    x, weight = rng.normal(0, 3, (rows, classes)).astype(np.float32), rng.uniform(0.5, 2, classes).astype(np.float32)
    return x, rng.integers(0, classes, rows), weight


@emulated
@pytest.mark.parametrize("how", [{}, {"label_smoothing": 0.2}, {"reduction": "none"}, {"ignore_index": 1}])
@pytest.mark.parametrize(("rows", "classes"), [(7, 1030), (150, 10), (1, 1)])
def test_equals_the_definition(rows: int, classes: int, how: dict[str, Any]) -> None:
    x, target, weight = drawn(rows, classes)
    target[0] = min(1, classes - 1)
    found = kernels.cross_entropy_and_grad(x, target, weight, variant="cuda.teams", **how)
    expected = kernels.cross_entropy_and_grad(x.astype("f8"), target, weight.astype("f8"), variant="naive", **how)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=3e-6, atol=1e-6 * np.abs(theirs).max())


@emulated
def test_a_mean_of_no_rows_is_nan_and_has_no_gradient() -> None:
    x, target, _ = drawn(5, 10)
    loss, gx = kernels.cross_entropy_and_grad(x, np.full_like(target, -100), variant="cuda.teams")
    assert np.isnan(loss)
    np.testing.assert_array_equal(gx, np.zeros_like(x))


@emulated
def test_a_class_that_does_not_exist_is_nan_in_its_row_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays on a GPU are not looked at before."""
    x, target, _ = drawn(6, 10)
    expected = kernels.cross_entropy_and_grad(x, target, reduction="none", variant="rows")
    target[2], target[4] = 10, -1
    monkeypatch.setattr(package, "as_places", lambda name, argument, values, *bounds: values)
    found = kernels.cross_entropy_and_grad(x, target, reduction="none", variant="cuda.teams")
    for ours, theirs in zip(found, expected, strict=True):
        assert np.isnan(ours[[2, 4]]).all()
        np.testing.assert_allclose(np.delete(ours, [2, 4], 0), np.delete(theirs, [2, 4], 0), rtol=3e-6, atol=1e-7)
