"""Arrays: where they lie, how they come in from other libraries, and what is made for results."""

import functools
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .changing import kept

DEVICES = ("cpu", "cuda")
_CPU_DEVICES = (1, 3)  # DLPack's numbers of main memory, and of main memory that a GPU reads too


def asarray(x: Any) -> Any:
    """The numbers of ``x`` as an array of NumPy or CuPy, without a copy wherever ``x`` shows its memory.

    Parameters
    ----------
    x
        An array of NumPy or CuPy, which is returned as it is; anything with ``__cuda_array_interface__``, the buffer
        protocol, ``__array_interface__`` or DLPack, such as a tensor of PyTorch, JAX or MLX, whose memory the result
        shares; or numbers in lists, which are copied.

    Returns
    -------
    numpy.ndarray or cupy.ndarray
        Of the shape and dtype of ``x``, on the device where ``x`` lies. A result that shares memory may be read-only,
        where ``x`` or its library says so.

    Raises
    ------
    TypeError
        Where ``x`` has no numbers, or lies on a device that no installed library reads.

    Notes
    -----
    Results of kernels go out the same way: ``torch.from_dlpack(y)``.

    Examples
    --------
    >>> import array
    >>> numbers = array.array("f", [1.0, 2.0])
    >>> shared = asarray(numbers)
    >>> numbers[0] = 5.0
    >>> shared
    array([5., 2.], dtype=float32)
    """
    if isinstance(x, np.ndarray) or is_on_cuda(x):
        return x
    if hasattr(x, "__cuda_array_interface__"):
        return _cupy(x).asarray(x)
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array_interface__"):
        device, _ = x.__dlpack_device__()
        return np.from_dlpack(x) if device in _CPU_DEVICES else _cupy(x).from_dlpack(x)
    found = np.asarray(x)
    if found.dtype.kind not in "biufc":
        raise TypeError(f"asarray: expects numbers but got {type(x).__name__} ({found.dtype})")
    return found


def is_on_cuda(x: Any) -> bool:
    """Whether ``x`` is an array of CuPy."""
    return type(x).__module__.partition(".")[0] == "cupy"


def _cupy(x: Any) -> Any:
    try:
        import cupy
    except ImportError as missing:
        raise TypeError(f"asarray: {type(x).__name__} lies on a GPU, and CuPy is not installed") from missing
    return cupy


def device_of(name: str, arrays: Sequence[Any]) -> str:
    """The device that the arrays share; mixing devices is an error that names both."""
    devices = []
    for array in arrays:
        if array is None:
            continue
        if isinstance(array, np.ndarray):
            if not array.dtype.isnative:
                raise TypeError(f"{name}: expects numbers in this machine's byte order but got {array.dtype.str}")
            devices.append("cpu")
        elif is_on_cuda(array):
            devices.append("cuda")
        else:
            raise TypeError(f"{name}: expects a numpy.ndarray or cupy.ndarray but got {type(array).__name__}")
    if len(set(devices)) > 1:
        raise TypeError(f"{name}: arrays lie on different devices ({', '.join(devices)})")
    return devices[0] if devices else "cpu"


def contiguous(name: str, array: Any) -> Any:
    """The array itself if it is C-contiguous, else a copy that is; None stays None."""
    if array is None:
        return None
    try:
        return array if array.flags.c_contiguous else array.copy(order="C")
    except AttributeError:
        raise TypeError(f"{name}: expects a numpy.ndarray or cupy.ndarray but got {type(array).__name__}") from None


def empty_on_cuda(shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """A C-contiguous CuPy array of undefined values."""
    return importlib.import_module("cupy").empty(shape, dtype)


def new_like(array: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A new C-contiguous array of undefined values on the device of ``array``."""
    return np.empty(shape, dtype) if isinstance(array, np.ndarray) else empty_on_cuda(shape, np.dtype(dtype))


def beside(array: Any, numbers: np.ndarray) -> Any:
    """``numbers``, which nobody writes, on the device where ``array`` lies (which may be no array; then its operation
    will say so).

    On CUDA the same numbers are one array, made once: a call that runs again copies nothing to the device.
    """
    if is_on_cuda(array):
        device = importlib.import_module("cupy").cuda.Device().id
        return kept(_on_cuda(numbers.tobytes(), numbers.shape, numbers.dtype, device))
    return numbers


@functools.lru_cache(maxsize=1024)
def _on_cuda(numbers: bytes, shape: tuple[int, ...], dtype: np.dtype, device: int) -> Any:
    return importlib.import_module("cupy").asarray(np.frombuffer(numbers, dtype).reshape(shape))


def to_device(array: Any, device: str) -> Any:
    """An array on a device: itself where it lies there, otherwise a copy.

    Parameters
    ----------
    array : numpy.ndarray or cupy.ndarray
    device : {"cpu", "cuda"}
        "cuda" is the GPU that is CuPy's current one.

    Raises
    ------
    ValueError
        For another name.
    RuntimeError
        Where there is no GPU, or CuPy is not installed.

    Examples
    --------
    >>> x = np.ones(3)
    >>> to_device(x, "cpu") is x
    True
    """
    check_device(device)
    if (device == "cuda") == is_on_cuda(array):
        return array
    if device == "cpu":
        return array.get()
    return importlib.import_module("cupy").asarray(array)


def check_device(device: str) -> None:
    """Raise unless ``device`` is "cpu", or "cuda" and arrays can be made on a GPU; the message says what is missing."""
    if device not in DEVICES:
        raise ValueError(f'device expects "cpu" or "cuda" but got {device!r}')
    if device == "cpu":
        return
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        raise RuntimeError(
            'cuda: CuPy is not installed: python -m pip install "tilegrad[cuda13]" (or cuda12)'
        ) from None
    if not cupy.cuda.is_available():
        raise RuntimeError("cuda: CuPy finds no GPU; tilegrad doctor says what there is")


def overlap(a: Any, b: Any) -> bool:
    """Whether two arrays of one device may share memory, judged by their bounds."""
    if isinstance(a, np.ndarray):
        return bool(np.may_share_memory(a, b))
    return bool(importlib.import_module("cupy").may_share_memory(a, b))
