"""A stand-in for CuPy on machines without a GPU: as much of its interface as tilegrad uses, in main memory.

A process that finds this folder first on its path runs everything "on CUDA": arrays of this module's class are no NumPy
arrays, refuse to become them by accident as CuPy's do, and go to kernels by their address. What reads them, or writes
them from main memory, while a stream is captured is an error, as on a GPU. What is done to them while a stream is
captured is not done: it is kept in the graph, and done at each of its launches. `launch` runs CUDA C++ kernels in the
emulator, `launch_numba` Numba's in its simulator.
"""

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from cupy import cuda

float32, float64, uint8 = np.float32, np.float64, np.uint8
__version__ = "0 (stand-in)"


class _Flags:
    """CuPy's: without ``writeable``, since all arrays are."""

    def __init__(self, flags):
        self.c_contiguous, self.f_contiguous, self.owndata = flags.c_contiguous, flags.f_contiguous, flags.owndata


class _Pointer:
    def __init__(self, address):
        self.ptr = address


_Pointer.__module__ = "cupy.cuda.memory"


class ndarray(NDArrayOperatorsMixin):  # noqa: N801 (CuPy's name)
    """An array "on the GPU"; ``_host`` is its memory."""

    __array_priority__ = 100
    __hash__ = None

    def __init__(self, host, viewed=None):
        self._host = host
        self.base = viewed if viewed is None or viewed.base is None else viewed.base  # who has the memory

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    strides = property(lambda self: self._host.strides)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    T = property(lambda self: ndarray(self._host.T, self))
    flags = property(lambda self: _Flags(self._host.flags))
    data = property(lambda self: _Pointer(self._host.ctypes.data))

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` instead.")

    def __len__(self):
        return len(self._host)

    def __repr__(self):
        return repr(self.get())

    def get(self):
        cuda.refuse_while_capturing("a copy to the host")
        return self._host.copy()

    def set(self, numbers):
        if not isinstance(numbers, np.ndarray) or numbers.shape != self.shape or numbers.dtype != self.dtype:
            raise ValueError("set: expects a numpy.ndarray of the same shape and dtype")
        cuda.refuse_while_capturing("a copy from the host")
        self._host[...] = numbers

    def item(self):
        return self.get().item()

    def __bool__(self):
        return bool(self.get())

    def __float__(self):
        return float(self.get())

    def __int__(self):
        return int(self.get())

    def __index__(self):
        return self.get().__index__()

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **how):
        if method != "__call__":
            return NotImplemented
        if ufunc is np.matmul:
            raise ImportError("CuPy's matrix products need cuBLAS, which tilegrad's extras do not bring")
        return _computed(ufunc, inputs, how, out)

    def __array_function__(self, function, types, args, how):
        return _computed(function, args, how)

    def __getitem__(self, key):
        keys = key if isinstance(key, tuple) else (key,)
        basic = all(k is None or k is Ellipsis or isinstance(k, int | np.integer | slice) for k in keys)
        if not basic:
            return _computed(lambda a, *k: a[k if len(k) > 1 else k[0]], (self, *keys), {})
        return ndarray(_view(self._host, keys), self)

    def __setitem__(self, key, value):
        if isinstance(value, np.ndarray | list | tuple) and np.ndim(value):
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        cuda.run(lambda: self._host.__setitem__(_host(key), _host(value)))

    def fill(self, value):
        cuda.run(lambda: self._host.fill(value))

    def copy(self, order="C"):
        return _computed(lambda a: a.copy(order), (self,), {})

    def astype(self, dtype, order="K", copy=True):
        if self.dtype == dtype and not copy:
            return self
        return _computed(lambda a: a.astype(dtype, order), (self,), {})

    def reshape(self, *shape):
        shape = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        view = self._host.reshape(shape)
        if self.size and not np.may_share_memory(view, self._host):
            return _computed(lambda a: a.reshape(shape), (self,), {})
        return ndarray(view, self)

    def view(self, dtype=None):
        return ndarray(self._host.view(dtype or self.dtype), self)

    def ravel(self):
        return self.reshape(-1)

    def transpose(self, *axes):
        return ndarray(self._host.transpose(*axes), self)

    def sum(self, axis=None, dtype=None, keepdims=False):
        return _computed(np.sum, (self,), {"axis": axis, "dtype": dtype, "keepdims": keepdims})

    def mean(self, axis=None, dtype=None, keepdims=False):
        return _computed(np.mean, (self,), {"axis": axis, "dtype": dtype, "keepdims": keepdims})

    def std(self, axis=None, dtype=None):
        return _computed(np.std, (self,), {"axis": axis, "dtype": dtype})

    def min(self, axis=None, keepdims=False):
        return _computed(np.min, (self,), {"axis": axis, "keepdims": keepdims})

    def max(self, axis=None, keepdims=False):
        return _computed(np.max, (self,), {"axis": axis, "keepdims": keepdims})

    def any(self, axis=None, keepdims=False):
        return _computed(np.any, (self,), {"axis": axis, "keepdims": keepdims})

    def all(self, axis=None, keepdims=False):
        return _computed(np.all, (self,), {"axis": axis, "keepdims": keepdims})

    def cumsum(self, axis=None, dtype=None, out=None):
        return _computed(lambda a: np.cumsum(a, axis, dtype), (self,), {}, None if out is None else (out,))

    def argmin(self, axis=None):
        return _computed(np.argmin, (self,), {"axis": axis})

    def argmax(self, axis=None):
        return _computed(np.argmax, (self,), {"axis": axis})

    def take(self, indices, axis=None):
        return _computed(lambda a: a.take(_host(indices), axis), (self,), {})


def _view(host, keys):
    found = host[tuple(keys)]
    return found if isinstance(found, np.ndarray) else host[(*keys, None)].reshape(())


def _host(value):
    """The memory of an array of this class; containers keep their form."""
    if isinstance(value, ndarray):
        return value._host
    if isinstance(value, tuple | list):
        return type(value)(_host(item) for item in value)
    return value


def _computed(function, args, how, out=None):
    """``function`` of arrays, as a new array, or in ``out``; in a captured stream later."""
    for value in args:
        if isinstance(value, np.ndarray) and value.ndim:
            raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    with np.errstate(all="ignore"):
        result = np.asarray(function(*_host(args), **_host_of_dict(how)))
    if out is not None:
        target = out[0]
        cuda.run(lambda: target._host.__setitem__(..., function(*_host(args), **_host_of_dict(how))))
        return target
    viewed = [a for a in args if isinstance(a, ndarray) and a.size and np.may_share_memory(result, a._host)]
    array_ = ndarray(result, viewed[0] if viewed else None)
    if cuda.capturing() and not viewed:
        if result.dtype.kind == "f":
            result.fill(np.nan)  # nothing has been computed yet
        cuda.run(lambda: array_._host.__setitem__(..., function(*_host(args), **_host_of_dict(how))))
    return array_


def _host_of_dict(how):
    return {name: _host(value) for name, value in how.items()}


def empty(shape, dtype=np.float64):
    dtype = np.dtype(dtype)
    poison = np.nan if dtype.kind == "f" else np.iinfo(dtype).max // 3 if dtype.kind in "iu" else True
    made = cuda.allocate(shape, dtype)
    made.fill(poison)
    return ndarray(made)


def zeros(shape, dtype=np.float64):
    made = empty(shape, dtype)
    made.fill(0)
    return made


def ones(shape, dtype=np.float64):
    made = empty(shape, dtype)
    made.fill(1)
    return made


def empty_like(a, dtype=None):
    return empty(a.shape, dtype or a.dtype)


def array(a, dtype=None, order="K", copy=True):
    if isinstance(a, ndarray):
        return a.copy("C" if order == "C" else "K") if copy else a
    cuda.refuse_while_capturing("a copy from the host")
    source = np.asarray(a, dtype)
    made = cuda.allocate(source.shape, source.dtype)
    made[...] = source
    return ndarray(made)


def asarray(a, dtype=None):
    return a if isinstance(a, ndarray) else array(a, dtype)


def ascontiguousarray(a):
    return a if a._host.flags.c_contiguous else a.copy("C")


def may_share_memory(a, b):
    return np.may_share_memory(a._host, b._host)


def launch(kernel, grid, shared_bytes, arguments, arrays, outputs):
    """A launcher of CUDA C++ kernels."""
    import emulator

    if not all(isinstance(a, ndarray) for a in (*arrays, *outputs)):
        raise TypeError(f"{kernel.name}: expects cupy.ndarray arguments")
    held = [_host(a) for a in arrays], [_host(a) for a in outputs]
    frozen = arguments.copy()
    cuda.run(lambda: emulator.launch(kernel, grid, shared_bytes, frozen, *held))


def launch_numba(kernel, grid, block, *arguments):
    """In place of `tilegrad.kernels.machine.cuda_numba.launch`."""
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    if any(isinstance(a, np.ndarray) for a in arguments):
        raise TypeError(f"{kernel.__name__}: expects cupy.ndarray arguments but got numpy.ndarray")
    # Device arrays of the simulator, which it neither copies nor writes back.
    hosts = [FakeCUDAArray(a._host) if isinstance(a, ndarray) else a for a in arguments]
    cuda.run(lambda: kernel[grid, block](*hosts))
