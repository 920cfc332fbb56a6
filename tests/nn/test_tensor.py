"""Tensors as values: what they wrap, what they show, what they refuse."""

import copy
import pickle

import numpy as np
import pytest

from tilegrad import nn


def test_an_array_is_wrapped_and_not_copied():
    array = np.zeros(3)
    assert nn.Tensor(array).data is array
    assert nn.Tensor(array).numpy() is array


def test_python_numbers_become_float32():
    assert nn.Tensor([1, 2]).dtype == np.float32
    assert nn.Tensor(1.5).shape == ()
    assert nn.Tensor([1.0], dtype=np.float64).dtype == np.float64


def test_arithmetic_keeps_float32_beside_python_numbers():
    x = nn.Tensor([1.0, 2.0])
    for y in (x + 1, 1 - x, x * 2.0, 2 / x, x**2, -x, x - 1.0, x.mean(), x.sqrt()):
        assert y.dtype == np.float32


def test_arrays_on_the_left_give_tensors():
    y = np.array([1.0, 2.0]) * nn.Tensor(np.array([3.0, 4.0]), True)
    assert isinstance(y, nn.Tensor)
    np.testing.assert_array_equal(y.detach(), [3.0, 8.0])


def test_to_numpy_refuses_what_requires_a_gradient():
    x = nn.Tensor([1.0], True)
    with pytest.raises(RuntimeError, match=r"use tensor.detach\(\).numpy\(\)"):
        x.numpy()
    with pytest.raises(RuntimeError, match="requires a gradient"):
        np.asarray(x)
    np.testing.assert_array_equal(x.detach(), [1.0])
    assert x.item() == 1.0


def test_requires_grad_expects_floating_point():
    with pytest.raises(TypeError, match="expects a floating-point tensor but got int64"):
        nn.Tensor(np.arange(3), requires_grad=True)


def test_requires_grad_of_a_result_cannot_be_changed():
    with pytest.raises(RuntimeError, match="requires_grad_: only a leaf can be changed"):
        (nn.Tensor([1.0], True) * 2).requires_grad_(False)


def test_repr_shows_values_type_and_origin():
    x = nn.Tensor([1.0, 2.0], True)
    assert repr(x) == "Tensor([1., 2.], dtype=float32, requires_grad=True)"
    assert repr(x * 2) == "Tensor([2., 4.], dtype=float32, node=<mul>)"
    assert repr(nn.Parameter([1.0])) == "Parameter([1.], dtype=float32, requires_grad=True)"


def test_shapes():
    x = nn.Tensor(np.arange(24.0).reshape(2, 3, 4))
    assert x.reshape(6, 4).shape == x.reshape((6, -1)).shape == (6, 4)
    assert x.permute(2, 0, 1).shape == (4, 2, 3)
    assert x.transpose(0, -1).shape == (4, 3, 2)
    assert x.T.shape == (4, 3, 2)
    assert x.sum(1).shape == (2, 4)
    assert x.mean((0, 2), keepdim=True).shape == (1, 3, 1)
    assert (x.size, x.ndim, len(x)) == (24, 3, 2)


def test_indexing_gives_views_and_refuses_what_copies():
    x = nn.Tensor(np.arange(6.0).reshape(2, 3), True)
    assert x[1, 2].shape == ()
    assert np.shares_memory(x[1, 2].data, x.data)
    x[:, ::-1].sum().backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 3)))
    with pytest.raises(TypeError, match="getitem: the key expects integers, slices"):
        x[[0, 1]]


def test_a_deep_copy_has_a_gradient_of_its_own():
    model = nn.Linear(2, 1)
    other = copy.deepcopy(model)
    other(nn.randn((3, 2))).sum().backward()
    assert model.weight.grad is None
    assert other.weight.grad is not None
    assert isinstance(other.weight, nn.Parameter)
    assert not np.shares_memory(model.weight.data, other.weight.data)


def test_pickling_keeps_leaves_and_refuses_graphs():
    x = pickle.loads(pickle.dumps(nn.Parameter([1.0, 2.0])))
    assert isinstance(x, nn.Parameter)
    np.testing.assert_array_equal(x.detach(), [1.0, 2.0])
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(RuntimeError, match="copy: the result of a recorded operation cannot be copied"):
            attempt(x * 2.0)
    assert copy.copy(x).version is x.version


def test_other_libraries_arrays_are_wrapped():
    class Foreign:
        def __init__(self, array):
            self.__dlpack__, self.__dlpack_device__ = array.__dlpack__, array.__dlpack_device__

    array = np.ones(3)
    assert np.shares_memory(nn.Tensor(Foreign(array)).data, array)
    assert nn.Tensor(np.float64(2.0)).dtype == np.float64


def test_detach_shares_memory_and_version():
    x = nn.Tensor([1.0])
    y = x.detach()
    y += 1.0
    assert x.item() == 2.0
    assert x.version.count == 1
    assert not np.shares_memory(x.clone().data, x.data)


def test_iteration_goes_along_the_first_axis():
    assert [x.item() for x in nn.Tensor([1.0, 2.0])] == [1.0, 2.0]
    for ask in (list, len):
        with pytest.raises(TypeError):
            ask(nn.Tensor(1.0))


@pytest.mark.parametrize("data", [None, "abc"])
def test_what_has_no_numbers_is_refused(data):
    with pytest.raises(TypeError, match="expects numbers"):
        nn.Tensor(data)
