"""Embeddings in CUDA C++ in the emulator: 16 bytes at once and one number, wherever arrays begin."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from on_emulator import SHARED_BYTES, compiled, emulated
from tilegrad.kernels.embedding import Embedding, cuda_rows
from tilegrad.kernels.machine import cuda, cuda_image

from tilegrad import kernels

ROWS = 7


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def same(taken: int, width: int, dtype: str) -> None:
    """The same bits of a copy; sums of numbers of about 1, rounded once."""
    rng = np.random.default_rng(0)
    indices = rng.integers(0, ROWS - 1, taken)  # the last row is never taken
    weight, gy = rng.normal(size=(ROWS, width)).astype(dtype), rng.normal(size=(taken, width)).astype(dtype)
    weight[0] = np.nan
    np.testing.assert_array_equal(kernels.embedding(weight, indices, variant="cuda.rows"), weight[indices])
    expected = np.zeros((ROWS, width))
    np.add.at(expected, indices, gy.astype(np.float64))
    found = kernels.embedding_grad(gy, indices, ROWS, variant="cuda.rows")
    bound = 10 * tolerances.SEPARABLE[dtype]
    np.testing.assert_allclose(found, expected, rtol=bound, atol=bound)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 3, 8, 132, 300])
@pytest.mark.parametrize("taken", [1, 32, 75])
def test_equals_numpy(taken: int, width: int, dtype: str) -> None:
    """Widths of less and more than a warp has, whole groups and not; as many indices as lanes, and more."""
    same(taken, width, dtype)


@emulated
def test_terms_are_added_in_their_order() -> None:
    """In float64, 1 is lost beside 2**53 unless the two large terms cancel before it comes."""
    gy = np.zeros((70, 1))
    gy[3], gy[33], gy[69] = 2.0**53, -(2.0**53), 1.0
    found = kernels.embedding_grad(gy, np.zeros(70, np.int64), 1, variant="cuda.rows")
    assert found[0, 0] == 1
    gy[3], gy[33], gy[69] = 1.0, 2.0**53, -(2.0**53)
    assert kernels.embedding_grad(gy, np.zeros(70, np.int64), 1, variant="cuda.rows")[0, 0] == 0
    gy[3], gy[4], gy[5], gy[33], gy[69] = 1.0, 2.0**53, -(2.0**53), 0.0, 0.0  # of one warp's 32
    assert kernels.embedding_grad(gy, np.zeros(70, np.int64), 1, variant="cuda.rows")[0, 0] == 0


@emulated
def test_rows_that_do_not_exist_give_nan_and_get_no_gradient() -> None:
    """Indices on a GPU are not looked at before; main memory's are, so the launch is called itself."""
    weight, indices, y = np.ones((3, 4), np.float32), np.array([2, 3, -1]), np.zeros((3, 4), np.float32)
    g = Embedding(weight.dtype, 3, 4, 3, False, ((y.shape, y.dtype),))
    cuda_rows.build(g)((weight, indices), (y,))
    np.testing.assert_array_equal(y, [[1] * 4, [np.nan] * 4, [np.nan] * 4])
    gw = np.full((3, 4), 9, np.float32)
    cuda_rows.build_grad(g._replace(adds=True))((weight, indices), (gw,))
    np.testing.assert_array_equal(gw, [[0] * 4, [0] * 4, [1] * 4])


@emulated
@pytest.mark.parametrize("offset", [0, 1])
def test_16_bytes_at_once_where_arrays_begin_at_16_bytes(offset: int) -> None:
    """The addresses decide, at each call."""
    launched: list[str] = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    def beginning(count: int, dtype: Any, offset: int) -> np.ndarray:
        room = np.zeros(count + 8, dtype)
        return room[-room.ctypes.data % 16 // room.itemsize + offset :][:count]

    weight = beginning(ROWS * 8, np.float32, offset).reshape(ROWS, 8)
    indices, y = beginning(6, np.int64, 0), beginning(48, np.float32, 0).reshape(6, 8)
    weight[...], indices[...] = np.arange(ROWS * 8).reshape(ROWS, 8), [3, 0, 6, 6, 1, 2]
    with cuda.launching(record):
        kernels.embedding(weight, indices, out=y, variant="cuda.rows")
    np.testing.assert_array_equal(y, weight[indices])
    assert launched == [f"embedding_float32_x{1 if offset else 4}"]


@emulated
def test_tables_that_are_empty_or_very_large(monkeypatch: pytest.MonkeyPatch) -> None:
    same(0, 4, "float32")
    same(5, 0, "float32")
    monkeypatch.setattr(cuda_image, "LARGE", 0)
    same(40, 132, "float32")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("grad", [False, True])
def test_very_large_tables_compile_without_spills(grad: bool, architecture: str, record_property: Any) -> None:
    compiled(cuda_rows.kernel_for("float32", 4, grad=grad, large=True), architecture, record_property)
