"""Softmax in CUDA C++ in the emulator: rows of all lengths, alignment, NaN and infinities."""

from collections.abc import Iterator

import emulator
import numpy as np
import pytest
from on_emulator import emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.softmax import cuda_teams

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def check(name: str, arrays: tuple[np.ndarray, ...]) -> None:
    """Beside the definition. A gradient's terms cancel, so that it is off relative to its largest number; and sums of
    float64 are float64 in both, in two orders.
    """
    with np.errstate(all="ignore"):
        found = getattr(kernels, name)(*arrays, variant="cuda.teams")
        expected = getattr(kernels, name)(*[a.astype(np.float64) for a in arrays], variant="naive")
    eps = np.finfo(arrays[0].dtype).eps
    size = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    roundings = 0 if name == "softmax" else 4 if eps > 1e-10 else 4 + expected.shape[-1]
    np.testing.assert_allclose(found, expected, rtol=20 * eps, atol=roundings * eps * size)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", cuda_teams.OPERATIONS)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (513, 1), (9, 33), (17, 8), (2, 1024), (2, 1025), (2, 1028)])
def test_rows_of_all_lengths(name: str, shape: tuple[int, int], dtype: str) -> None:
    x, gy = np.random.default_rng(1).normal(0, 3, (2, *shape)).astype(dtype)
    forward = name.removesuffix("_grad")
    check(name, (x,) if name == forward else (gy, getattr(kernels, forward)(x)))


@emulated
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("columns", [8, 1028])
def test_rows_without_a_softmax_are_nan_and_leave_their_neighbours_alone(name: str, columns: int) -> None:
    x = np.random.default_rng(2).normal(0, 3, (6, columns)).astype(np.float32)
    x[0, 1], x[1, 2], x[2, 3], x[3], x[4, 1:] = np.nan, np.inf, -np.inf, -np.inf, 1000.0
    check(name, (x,))


@emulated
def test_rows_that_begin_anywhere() -> None:
    """A number at a time where 16 bytes do not begin with the array."""
    for offset in (1, 2):
        x = np.random.default_rng(3).normal(size=5 * 8 + offset).astype(np.float32)[offset:].reshape(5, 8)
        check("softmax", (x,))
