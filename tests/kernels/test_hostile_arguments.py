"""Arguments that no plan can be made for, or kept under: the error names the operation, whatever ran before."""

import numpy as np
import pytest

from tilegrad import kernels

X, W = np.ones((1, 6, 6, 2), np.float32), np.ones((2, 3, 3, 2), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.conv2d(X, W, stride=np.array([1, 1])), "conv2d: stride expects an integer or (height, width)"),
        (lambda: kernels.sum(X, axis=np.array([0, 1])), "sum: axis expects"),
        (lambda: kernels.mean(X, axis={0}), "mean: axis expects"),
        (lambda: kernels.random_normal(np.array([2, 3]), seed=1), "random_normal: shape expects"),
        (lambda: kernels.conv2d(X, W, negative_slope="a"), "conv2d: negative_slope expects a number but got 'a'"),
        (lambda: kernels.conv2d(X, W, variant=3), "conv2d: variant expects a name but got 3"),
        (lambda: kernels.explain(kernels.conv2d, [1], W), "conv2d: expects a numpy.ndarray"),
    ],
)
def test_what_cannot_key_a_plan_is_refused_by_name(call, message):
    with pytest.raises(TypeError) as error:
        call()
    assert message in str(error.value)


@pytest.mark.parametrize("stride", [1.0, True, np.float32(1)])
def test_a_plan_answers_for_its_own_types_only(stride):
    kernels.conv2d(X, W, stride=1)
    with pytest.raises(TypeError, match="conv2d: stride expects"):
        kernels.conv2d(X, W, stride=stride)


def test_a_list_is_as_good_as_a_tuple():
    assert kernels.conv2d(X, W, stride=[2, 1]).shape == (1, 2, 4, 2)


def test_too_little_memory_is_said_by_name():
    with pytest.raises(MemoryError, match=r"conv2d: cannot get .* bytes of memory"):
        kernels.conv2d(X, W, padding=2**40)
    with pytest.raises(MemoryError, match="add: cannot get"):
        kernels.add(np.broadcast_to(np.float32(1), (2**50,)), 1.0)


def test_an_unknown_variant_is_refused_before_the_block():
    with pytest.raises(ValueError, match="conv2d has no variant 'zz'"), kernels.use_variant(conv2d="zz"):
        pass
