"""asarray: other libraries' arrays come in without a copy, and go out the same way."""

import array
import sys

import numpy as np
import pytest

from tilegrad import kernels


class Exports:
    """Memory of a NumPy array behind one protocol alone."""

    def __init__(self, memory, *protocols):
        for protocol in protocols:
            setattr(self, protocol, getattr(memory, protocol))


class DLPack:
    def __init__(self, memory, device=(1, 0)):
        self.memory, self.device = memory, device

    def __dlpack__(self, **options):
        return self.memory.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


class Interface:
    def __init__(self, memory):
        self.__array_interface__ = memory.__array_interface__
        self.memory = memory


def test_an_array_is_itself():
    for x in (np.ones((2, 3), np.float32)[:, ::-1], np.arange(3), np.array(1.0)):
        assert kernels.asarray(x) is x


@pytest.mark.parametrize("wrap", [DLPack, Interface, memoryview])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
def test_memory_is_shared(wrap, dtype):
    memory = np.arange(12, dtype=dtype).reshape(3, 4)
    found = kernels.asarray(wrap(memory))
    assert found.dtype == dtype
    memory[1, 2] = 99
    np.testing.assert_array_equal(found, memory)


def test_strides_survive():
    memory = np.arange(12, dtype=np.float32).reshape(3, 4)
    found = kernels.asarray(DLPack(memory[:, ::2].T))
    np.testing.assert_array_equal(found, memory[:, ::2].T)
    assert np.shares_memory(found, memory)
    np.testing.assert_array_equal(kernels.relu(found), memory[:, ::2].T)


def test_numbers_in_lists_are_copied():
    found = kernels.asarray([[1, 2.5], [3, 4]])
    np.testing.assert_array_equal(found, np.array([[1, 2.5], [3, 4]]), strict=True)
    assert kernels.asarray(array.array("d", [1.0])).dtype == np.float64
    assert kernels.asarray(3.0).shape == ()


@pytest.mark.parametrize("x", ["text", None, {"a": 1}, object(), ["a"]])
def test_what_holds_no_numbers_is_refused(x):
    with pytest.raises(TypeError, match=f"asarray: expects numbers but got {type(x).__name__}"):
        kernels.asarray(x)


def test_a_gpu_without_cupy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(TypeError, match="asarray: DLPack lies on a GPU, and CuPy is not installed"):
        kernels.asarray(DLPack(np.ones(3), device=(2, 0)))


@pytest.mark.parity
def test_torch_in_and_out():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(24, dtype=torch.float32).reshape(1, 2, 3, 4)
    x = kernels.asarray(tensor)
    tensor[0, 1, 2, 3] = -7
    assert x[0, 1, 2, 3] == -7
    assert kernels.asarray(tensor.permute(0, 2, 3, 1)).strides == (96, 16, 4, 48)
    y = kernels.conv2d(x, np.ones((300, 1, 1, 4), np.float32))
    back = torch.from_dlpack(y)
    y[0, 0, 0, 0] = 5
    assert back[0, 0, 0, 0] == 5
    pooled = kernels.relu(np.ones((512, 512), np.float32))  # from the pool: kept while the tensor lives
    shared = torch.from_dlpack(pooled)
    del pooled
    kernels.negative(np.ones((512, 512), np.float32))
    assert (shared == 1).all()
