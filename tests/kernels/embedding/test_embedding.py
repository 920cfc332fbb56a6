"""Rows by their numbers, and the gradient, against NumPy, the definition and PyTorch."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import SUM

from tilegrad import kernels

DTYPES = ["float32", "float64"]


def drawn(rows, width, shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    weight, gy = (rng.standard_normal(s).astype(dtype) for s in ((rows, width), (*shape, width)))
    return weight, np.asarray(rng.integers(0, rows, shape)), gy


@given(
    rows=st.integers(1, 50),
    width=st.one_of(st.integers(0, 20), st.integers(250, 520)),
    shape=st.lists(st.integers(0, 12), max_size=3),
    dtype=st.sampled_from(DTYPES),
    kind=st.sampled_from([np.int64, np.int32, np.uint8]),
    turned=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_equal_the_definition(rows, width, shape, dtype, kind, turned, seed):
    weight, indices, gy = drawn(rows, width, shape, dtype, seed)
    if turned and shape:
        indices, gy, weight = indices[::-1], gy[::-1], weight[:, ::-1]
    out = np.full((*shape, width), np.nan, dtype)
    assert kernels.embedding(weight, indices.astype(kind), out=out) is out
    np.testing.assert_array_equal(out, weight[indices])
    expected, sizes = np.zeros((rows, width)), np.zeros((rows, width))
    np.add.at(expected, indices, gy.astype(np.float64))
    np.add.at(sizes, indices, np.abs(gy))
    gw = np.full((rows, width), np.nan, dtype)
    assert kernels.embedding_grad(gy, indices.astype(kind), rows, out=gw) is gw
    assert (np.abs(gw - expected) <= SUM[dtype] * sizes).all()


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_variants_agree(dtype, variant):
    weight, indices, gy = drawn(7, 6, (3, 4), dtype)
    np.testing.assert_array_equal(kernels.embedding(weight, indices, variant=variant), weight[indices])
    np.testing.assert_allclose(
        kernels.embedding_grad(gy, indices, 9, variant=variant),
        kernels.embedding_grad(gy, indices, 9),
        rtol=10 * SUM[dtype],
        atol=10 * SUM[dtype],
    )


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_pytorch(dtype):
    torch = pytest.importorskip("torch")
    weight, indices, gy = drawn(11, 5, (8, 6), dtype)
    leaf = torch.tensor(weight, requires_grad=True)
    expected = torch.nn.functional.embedding(torch.tensor(indices), leaf)
    expected.backward(torch.tensor(gy))
    np.testing.assert_array_equal(kernels.embedding(weight, indices), expected.detach())
    tolerance = 20 * np.finfo(dtype).eps  # PyTorch adds float32 in float32
    np.testing.assert_allclose(kernels.embedding_grad(gy, indices, 11), leaf.grad, rtol=tolerance, atol=tolerance)


def test_the_gradient_does_not_depend_on_the_number_of_threads():
    _, indices, gy = drawn(100, 64, (5000,), np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.embedding_grad(gy, indices, 100))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_bad_input_is_refused():
    weight, indices, gy = drawn(4, 3, (2,), np.float32)
    for bad in (4, -1):
        with pytest.raises(ValueError, match=rf"embedding: indices expects 0 <= indices < 4 but got {bad} at \(1,\)"):
            kernels.embedding(weight, np.array([0, bad]))
        with pytest.raises(ValueError, match=rf"embedding_grad: indices expects 0 <= indices < 4 but got {bad}"):
            kernels.embedding_grad(gy, np.array([0, bad]), 4)
    with pytest.raises(ValueError, match=r"embedding: weight expects shape \(rows, width\) but got \(4,\)"):
        kernels.embedding(weight[:, 0], indices)
    with pytest.raises(TypeError, match="embedding: indices expects an array of integers but got float32"):
        kernels.embedding(weight, weight)
    with pytest.raises(TypeError, match="embedding: indices expects an array of integers but got int"):
        kernels.embedding(weight, 1)
    with pytest.raises(TypeError, match="embedding: weight expects float32 or float64 but got int64"):
        kernels.embedding(weight.astype(int), indices)
    with pytest.raises(
        ValueError, match=r"embedding_grad: gy expects shape \(\*indices.shape, width\) but got \(2, 3\)"
    ):
        kernels.embedding_grad(gy, np.zeros(3, int), 4)
    with pytest.raises(ValueError, match="embedding_grad: rows expects at least 0 but got -1"):
        kernels.embedding_grad(gy, indices, -1)
    with pytest.raises(TypeError, match=r"embedding_grad: rows expects an integer but got 4\.0"):
        kernels.embedding_grad(gy, indices, 4.0)
