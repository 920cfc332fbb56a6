"""Cross-entropy and its gradient, against the definition and PyTorch."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import CROSS_ENTROPY

from tilegrad import kernels

REDUCTIONS = ["mean", "sum", "none"]
DTYPES = ["float32", "float64"]
IGNORED = [-100, 0, 3, -1]


def drawn(leading, classes, dtype, ignored=-100, seed=0):
    """Logits, targets of which every fifth is ignored, and weights."""
    rng = np.random.default_rng(seed)
    x = np.asarray(3 * rng.standard_normal((*leading, classes)), dtype)
    target = np.asarray(rng.integers(0, classes, leading))
    target.reshape(-1)[4::5] = ignored
    return x, target, np.asarray(rng.uniform(0.5, 2, classes), dtype)


def assert_same(found, expected, dtype):
    tolerance = CROSS_ENTROPY[dtype]
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.dtype(dtype)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * np.abs(other).max(initial=0))


@given(
    leading=st.lists(st.integers(0, 12), max_size=3),
    classes=st.one_of(st.integers(4, 40), st.integers(1000, 1100)),
    dtype=st.sampled_from(DTYPES),
    reduction=st.sampled_from(REDUCTIONS),
    smoothing=st.sampled_from([0, 0.1, 1.0]),
    ignored=st.sampled_from(IGNORED),
    turned=st.booleans(),
    kind=st.sampled_from([np.int64, np.int32, np.int16]),
    seed=st.integers(0, 2**32 - 1),
)
def test_equal_the_definition(leading, classes, dtype, reduction, smoothing, ignored, turned, kind, seed):
    x, target, weight = drawn(leading, classes, dtype, ignored, seed)
    if turned and leading:
        x, target = x[::-1], target[::-1]
    weight = None if smoothing == 0 else weight  # the other two combinations are compared with PyTorch
    args = {"label_smoothing": smoothing, "ignore_index": ignored, "reduction": reduction}
    wide = [None if a is None else a.astype(np.float64) for a in (x, weight)]
    expected = kernels.cross_entropy_and_grad(wide[0], target, wide[1], **args, variant="naive")
    out = (np.full(target.shape if reduction == "none" else (), np.nan, dtype), np.full(x.shape, np.nan, dtype))
    assert kernels.cross_entropy_and_grad(x, target.astype(kind), weight, **args, out=out)[1] is out[1]
    assert_same(out, expected, dtype)
    if dtype == "float32":
        assert_same([kernels.cross_entropy(x, target, weight, **args)], out[:1], dtype)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_naive_equals_the_interpreted_definition(dtype, reduction):
    x, target, weight = drawn((3, 4), 5, dtype)
    args = {"label_smoothing": 0.2, "reduction": reduction}
    expected = kernels.cross_entropy_and_grad(x, target, weight, **args, variant="reference")
    assert_same(kernels.cross_entropy_and_grad(x, target, weight, **args, variant="naive"), expected, dtype)
    for variant in ("naive", "reference"):
        assert_same([kernels.cross_entropy(x, target, weight, **args, variant=variant)], expected[:1], dtype)


@pytest.mark.parity
@pytest.mark.parametrize("ignored", [-100, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_equals_pytorch(reduction, smoothing, weighted, ignored):
    torch = pytest.importorskip("torch")
    for dtype in DTYPES:
        x, target, weight = drawn((37,), 10, dtype, ignored)
        leaf = torch.tensor(x, requires_grad=True)
        expected = torch.nn.functional.cross_entropy(
            leaf, torch.tensor(target), torch.tensor(weight) if weighted else None,
            label_smoothing=smoothing, ignore_index=ignored, reduction=reduction,
        )  # fmt: skip
        expected.sum().backward()
        found = kernels.cross_entropy_and_grad(
            x, target, weight if weighted else None,
            label_smoothing=smoothing, ignore_index=ignored, reduction=reduction,
        )  # fmt: skip
        assert_same(found, (expected.detach().numpy(), leaf.grad.numpy()), dtype)


def test_limits():
    x = np.zeros((4, 3))
    x[1, 2], x[2, 0] = np.nan, 1e5
    target = np.array([0, 0, 1, -100])
    loss, gx = kernels.cross_entropy_and_grad(x, target, reduction="none")
    np.testing.assert_allclose(loss, [np.log(3), np.nan, 1e5, 0])
    assert np.isnan(gx[1]).all()
    np.testing.assert_array_equal(gx[2:], [[1, -1, 0], [0, 0, 0]])
    nothing = np.full(4, -100)
    loss, gx = kernels.cross_entropy_and_grad(x, nothing)
    assert np.isnan(loss)
    np.testing.assert_array_equal(gx, 0)
    assert np.isnan(kernels.cross_entropy(x[:0], nothing[:0]))
    assert kernels.cross_entropy(x[:0], nothing[:0], reduction="sum") == 0
    assert np.isnan(kernels.cross_entropy(np.zeros((5000, 3)), np.full(5000, -100)))


def test_the_result_does_not_depend_on_the_number_of_threads():
    x, target, weight = drawn((3000,), 77, np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.cross_entropy_and_grad(x, target, weight))
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["cross_entropy", "cross_entropy_and_grad"])
def test_bad_input_is_refused(name):
    call, x, target = getattr(kernels, name), np.ones((2, 3), np.float32), np.array([0, 2])
    with pytest.raises(ValueError, match=rf"{name}: target expects 0 <= target < 3 or -100 but got 3 at \(1,\)"):
        call(x, target + 1)
    with pytest.raises(ValueError, match=rf"{name}: target expects 0 <= target < 3 or -100 but got -1 at \(0,\)"):
        call(x, target - 1)
    with pytest.raises(ValueError, match=rf"{name}: target expects shape \(2,\), classes lie on the last axis"):
        call(x, np.zeros((3,), int))
    with pytest.raises(ValueError, match=rf"{name}: x expects shape \(..., C\) but got \(\)"):
        call(np.ones(()), np.full((), -100))
    with pytest.raises(TypeError, match=f"{name}: target expects an array of integers but got float32"):
        call(x, x)
    with pytest.raises(TypeError, match=f"{name}: target expects an array of integers but got list"):
        call(x, [0, 1])
    with pytest.raises(TypeError, match=f"{name}: x expects float32 or float64 but got int64"):
        call(x.astype(int), target)
    with pytest.raises(TypeError, match=f"{name}: expects a numpy.ndarray"):
        call([1.0], np.zeros(0, int))
    with pytest.raises(ValueError, match=rf"{name}: weight expects \(3,\) float32 but got \(2,\) float32"):
        call(x, target, x[:, 0])
    with pytest.raises(ValueError, match=rf"{name}: label_smoothing expects a number in \[0, 1\] but got 1.5"):
        call(x, target, label_smoothing=1.5)
    with pytest.raises(ValueError, match=f"{name}: reduction expects"):
        call(x, target, reduction="median")
    with pytest.raises(TypeError, match=f"{name}: ignore_index expects an integer but got 1.0"):
        call(x, target, ignore_index=1.0)
