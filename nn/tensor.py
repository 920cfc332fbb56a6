"""Tensors: arrays that remember how they were computed."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import kernels
from ..kernels.arrays import check_device, is_on_cuda
from . import autograd
from .autograd import GraphNode, Leaf, Version, is_grad_enabled
from .replay import will_write

PRIMITIVES: dict[str, Any] = {}
"""Every differentiable operation by its name. Operators find theirs here, so that this file needs nothing above it."""


class Tensor:
    """An array and, where it requires a gradient, the node of the graph that it comes from.

    Parameters
    ----------
    data : array_like
        An array, and what has DLPack or an array interface, is wrapped, not copied; Python numbers and lists become
        float32.
    requires_grad : bool
        Whether `backward` leaves a gradient in ``grad``; float32 and float64 only.
    dtype : dtype, optional

    Notes
    -----
    Images are ``(N, H, W, C)``. Writing through the operators ``+=``, ``-=``, ``*=``, ``/=``, through ``out=``, by an
    optimiser or by ``load_state_dict`` is counted, and backward refuses an array that was written after it had been
    saved. Writing through another reference to the same array (``t.data[...] = 0``) is not seen.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([2., 4., 6.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_data", "grad", "node", "version")
    __array_ufunc__ = None  # array + tensor is left to Tensor.__radd__
    grad: "Tensor | None"
    node: GraphNode | None
    version: Version

    def __init__(self, data: Any, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        self.version = Version()
        if isinstance(data, Tensor):
            data, self.version = data.data, data.version
        elif isinstance(data, int | float | list | tuple) and not isinstance(data, np.generic):
            data = np.asarray(data, dtype or np.float32)
        else:
            data = kernels.asarray(data)
        self._data = data if dtype is None or data.dtype == dtype else data.astype(dtype)
        self.grad = None
        self.node = None
        if requires_grad:
            self.requires_grad_()

    @classmethod
    def wrap(cls, array: Any, node: GraphNode | None = None, version: Version | None = None) -> "Tensor":
        """A tensor around an array that an operation made, unchecked."""
        tensor = Tensor.__new__(Tensor)
        tensor._data = array
        tensor.grad = None
        tensor.node = node
        tensor.version = version if version is not None else Version()
        return tensor

    # --- what it is ---

    @property
    def data(self) -> Any:
        """The array itself, not a copy."""
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return self._data.size

    @property
    def device(self) -> str:
        """Where the array lies: "cpu" or "cuda"."""
        return "cuda" if is_on_cuda(self._data) else "cpu"

    @property
    def requires_grad(self) -> bool:
        return self.node is not None

    @property
    def is_leaf(self) -> bool:
        """Whether the user made it, rather than a recorded operation."""
        return self.node is None or isinstance(self.node, Leaf)

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Ask for a gradient, or stop asking; returns the tensor."""
        if not self.is_leaf:
            raise RuntimeError("requires_grad_: only a leaf can be changed; detach() the result of an operation first")
        if requires_grad and self.dtype.kind != "f":
            raise TypeError(f"requires_grad_: a gradient expects a floating-point tensor but got {self.dtype}")
        if not requires_grad:
            self.node = None
        elif self.node is None:
            self.node = Leaf(self)
        return self

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator["Tensor"]:
        if self.ndim == 0:
            raise TypeError("iter: a tensor expects at least one axis but got shape ()")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._data)

    def __float__(self) -> float:
        return float(self.item())

    def __repr__(self) -> str:
        text = np.array2string(kernels.to_device(self._data, "cpu"), prefix="Tensor(", separator=", ", threshold=100)
        origin = "" if self.node is None else ", requires_grad=True" if self.is_leaf else f", node={self.node!r}"
        device = ', device="cuda"' if self.device == "cuda" else ""
        return f"{type(self).__name__}({text}, dtype={self.dtype}{device}{origin})"

    # --- out of the graph ---

    def numpy(self) -> Any:
        """The array; raises if a gradient is required, since what is done to it would not be recorded."""
        if self.node is not None:
            raise RuntimeError("numpy: the tensor requires a gradient; use tensor.detach().numpy()")
        if self.device != "cpu":
            raise TypeError('numpy: the tensor lies on cuda; use tensor.to("cpu").numpy()')
        return self._data

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype, copy=copy) if copy else np.asarray(self.numpy(), dtype)

    def item(self) -> float:
        """The value of a tensor with a single element, as a Python number."""
        return self._data.item()

    def to(self, device: str) -> "Tensor":
        """The tensor on a device, "cpu" or "cuda": itself where it lies there, otherwise a recorded copy.

        >>> from tilegrad import nn
        >>> x = nn.Tensor([1.0, 2.0])
        >>> x.to("cpu") is x, x.device
        (True, 'cpu')
        """
        check_device(device)
        return self if device == self.device else PRIMITIVES["to_device"](self, device)

    def detach(self) -> "Tensor":
        """The same memory, out of the graph. In-place writes to either are counted for both."""
        return Tensor.wrap(self._data, None, self.version)

    def clone(self) -> "Tensor":
        """A copy, out of the graph."""
        return Tensor.wrap(self._data.copy())

    def ones_like(self) -> "Tensor":
        """A tensor of ones of the same shape, dtype and device."""
        ones = self._data.copy()
        ones.fill(1)
        return Tensor.wrap(ones)

    def copy_(self, array: Any) -> "Tensor":
        """Overwrite the values in place, outside the graph, from an array or tensor that broadcasts to the shape."""
        will_write(self._data)
        source = array.data if isinstance(array, Tensor) else array
        self._data[...] = self._beside(source)
        self.version.count += 1
        return self

    def _beside(self, values: Any) -> Any:
        """Numbers to write into this tensor: an array on its device, or a Python number."""
        return values if isinstance(values, int | float) else kernels.to_device(kernels.asarray(values), self.device)

    def __copy__(self) -> "Tensor":
        return type(self)(self, requires_grad=self.requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tensor":
        copied = self._made_anew(self._data.copy())
        if self.grad is not None and self.grad.is_leaf:
            copied.grad = self.grad.clone()
        memo[id(self)] = copied
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._made_anew(self._data).data, self.requires_grad)

    def _made_anew(self, array: Any) -> "Tensor":
        """A leaf like this one; the graph of a result is not copied."""
        if not self.is_leaf:
            raise RuntimeError(
                "copy: the result of a recorded operation cannot be copied or pickled; detach() it first"
            )
        return type(self)(array, requires_grad=self.requires_grad)

    # --- gradients ---

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add the gradient of this tensor to ``grad`` of every leaf that it depends on.

        Parameters
        ----------
        gradient : array_like of this tensor's shape, optional
            The vector in the vector-Jacobian product; 1 if left out, for a single element.
        retain_graph : bool, optional
            Keep what the graph saved, for another walk; default: as ``create_graph``.
        create_graph : bool
            Record the computation of the gradients too. (`nn.grad` returns them, which is usually what is wanted.)

        Raises
        ------
        RuntimeError
            Where the tensor does not require a gradient, the graph was freed, or what it saved was changed in place.
        """
        autograd.backward(self, gradient, retain_graph, create_graph)

    def starting_gradient(self, operation: str, gradient: Any) -> "Tensor":
        """What a walk over the graph starts from here: ``gradient``, checked, or 1 for a single element."""
        if self.node is None:
            raise RuntimeError(f"{operation}: the output of shape {self.shape} does not require a gradient")
        if gradient is None:
            if self.size != 1:
                raise RuntimeError(f"{operation}: an output of shape {self.shape} expects a gradient to start from")
            return self.ones_like()
        if not isinstance(gradient, Tensor):
            gradient = Tensor.wrap(kernels.to_device(Tensor(gradient, dtype=self.dtype).data, self.device))
        if gradient.device != self.device:
            raise TypeError(f"{operation}: an output on {self.device} got a gradient on {gradient.device}")
        if gradient.shape != self.shape:
            raise ValueError(f"{operation}: an output of shape {self.shape} got a gradient of shape {gradient.shape}")
        if gradient.dtype != self.dtype:
            raise TypeError(f"{operation}: an output of {self.dtype} got a gradient of {gradient.dtype}")
        return gradient

    # --- operators ---

    def __add__(self, other: Any) -> "Tensor":
        return PRIMITIVES["add"](self, other)

    def __radd__(self, other: Any) -> "Tensor":
        return PRIMITIVES["add"](other, self)

    def __sub__(self, other: Any) -> "Tensor":
        return PRIMITIVES["sub"](self, other)

    def __rsub__(self, other: Any) -> "Tensor":
        return PRIMITIVES["sub"](other, self)

    def __mul__(self, other: Any) -> "Tensor":
        return PRIMITIVES["mul"](self, other)

    def __rmul__(self, other: Any) -> "Tensor":
        return PRIMITIVES["mul"](other, self)

    def __truediv__(self, other: Any) -> "Tensor":
        return PRIMITIVES["div"](self, other)

    def __rtruediv__(self, other: Any) -> "Tensor":
        return PRIMITIVES["div"](other, self)

    def __pow__(self, exponent: float) -> "Tensor":
        return PRIMITIVES["pow"](self, exponent)

    def __matmul__(self, other: Any) -> "Tensor":
        return PRIMITIVES["matmul"](self, other)

    def __neg__(self) -> "Tensor":
        return PRIMITIVES["neg"](self)

    def __abs__(self) -> "Tensor":
        return PRIMITIVES["abs"](self)

    def __iadd__(self, other: Any) -> "Tensor":
        return PRIMITIVES["add"].in_place(self, other)

    def __isub__(self, other: Any) -> "Tensor":
        return PRIMITIVES["sub"].in_place(self, other)

    def __imul__(self, other: Any) -> "Tensor":
        return PRIMITIVES["mul"].in_place(self, other)

    def __itruediv__(self, other: Any) -> "Tensor":
        return PRIMITIVES["div"].in_place(self, other)

    def __getitem__(self, key: Any) -> "Tensor":
        return PRIMITIVES["getitem"](self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write in place what is not recorded; the write is counted."""
        if is_grad_enabled() and (self.requires_grad or (isinstance(value, Tensor) and value.requires_grad)):
            raise RuntimeError("setitem: an assignment cannot be recorded, and a tensor requires a gradient")
        will_write(self._data)
        self._data[key] = self._beside(value.data if isinstance(value, Tensor) else value)
        self.version.count += 1

    # --- operations as methods ---

    def sum(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        return PRIMITIVES["sum"](self, dim, keepdim)

    def mean(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        return PRIMITIVES["mean"](self, dim, keepdim)

    def sum_to_size(self, shape: tuple[int, ...]) -> "Tensor":
        """Sum over the axes along which an array of ``shape`` would be broadcast to this one's."""
        leading = self.ndim - len(shape)
        ones = tuple(leading + i for i, n in enumerate(shape) if n == 1 != self.shape[leading + i])
        axes = tuple(range(leading)) + ones
        return self.sum(axes, keepdim=True).reshape(shape) if axes else self.reshape(shape)

    def reshape(self, *shape: int | Sequence[int]) -> "Tensor":
        return PRIMITIVES["reshape"](self, _sequence(shape))

    def permute(self, *dims: int | Sequence[int]) -> "Tensor":
        return PRIMITIVES["permute"](self, _sequence(dims))

    def transpose(self, dim0: int, dim1: int) -> "Tensor":
        """Exchange two axes."""
        dims = list(range(self.ndim))
        dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
        return PRIMITIVES["permute"](self, tuple(dims))

    @property
    def T(self) -> "Tensor":  # noqa: N802 (PyTorch's name)
        """All axes reversed."""
        return PRIMITIVES["permute"](self, tuple(range(self.ndim))[::-1])

    def broadcast_to(self, shape: tuple[int, ...]) -> "Tensor":
        return PRIMITIVES["broadcast_to"](self, shape)

    def square(self) -> "Tensor":
        return PRIMITIVES["square"](self)

    def sqrt(self) -> "Tensor":
        return PRIMITIVES["sqrt"](self)

    def exp(self) -> "Tensor":
        return PRIMITIVES["exp"](self)

    def log(self) -> "Tensor":
        return PRIMITIVES["log"](self)

    def abs(self) -> "Tensor":
        return PRIMITIVES["abs"](self)

    def pow(self, exponent: float) -> "Tensor":
        return PRIMITIVES["pow"](self, exponent)


def _sequence(values: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(values[0]) if len(values) == 1 and isinstance(values[0], list | tuple) else values


class Parameter(Tensor):
    """A tensor that a module trains: it requires a gradient unless told otherwise, and `Module.parameters` lists it."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)
