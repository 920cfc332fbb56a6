"""The base of all layers and models."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ...kernels.arrays import DEVICES, check_device, to_device
from ..tensor import Parameter, Tensor

LAYOUT = "OHWI"


class StateDict(dict[str, Any]):
    """Arrays by name, and the layout of their convolution weights.

    Weights in another layout often fit by shape and are silently wrong, so `Module.load_state_dict` takes nothing that
    does not state ours.
    """

    layout = LAYOUT


class Module:
    """A function with parameters.

    Attributes that are a `Parameter`, a `Module` or a buffer are found by their names, in the order in which they were
    first assigned. A subclass defines ``forward``; calling the module calls it.

    Examples
    --------
    >>> from tilegrad import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factor = nn.Parameter([2.0])
    ...
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(nn.Tensor([3.0])).item()
    6.0
    >>> [name for name, _ in Scale().named_parameters()]
    ['factor']
    """

    training: bool = True
    _buffers: tuple[str, ...] = ()

    def forward(self, *args: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.forward(*args, **keywords)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module) and any(module is self for module in value.modules()):
            raise ValueError(f"{type(self).__name__}: {name} expects a module that does not contain this one")
        super().__setattr__(name, value)

    def register_buffer(self, name: str, tensor: Tensor | None) -> None:
        """Make ``tensor`` part of the state, under ``name``, without training it."""
        self._buffers = (*self._buffers, name)
        setattr(self, name, tensor)

    # --- what it is made of ---

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules directly inside."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """This module and all inside it, each once."""
        yield from self._walk(prefix, set())

    def _walk(self, prefix: str, seen: set[int]) -> Iterator[tuple[str, "Module"]]:
        if id(self) not in seen:
            seen.add(id(self))
            yield prefix, self
            for name, child in self.named_children():
                yield from child._walk(_join(prefix, name), seen)

    def modules(self) -> Iterator["Module"]:
        return (module for _, module in self.named_modules())

    def _named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Parameters and buffers, by their full names; a shared one once for each name."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter) or (name in self._buffers and value is not None):
                yield name, value
            elif isinstance(value, Module):
                for inner, tensor in value._named_tensors():
                    yield _join(name, inner), tensor

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Parameters by name; one that is shared comes once."""
        seen: set[int] = set()
        for name, tensor in self._named_tensors():
            if isinstance(tensor, Parameter) and id(tensor) not in seen:
                seen.add(id(tensor))
                yield name, tensor

    def parameters(self) -> Iterator[Parameter]:
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        return ((name, tensor) for name, tensor in self._named_tensors() if not isinstance(tensor, Parameter))

    def buffers(self) -> Iterator[Tensor]:
        return (tensor for _, tensor in self.named_buffers())

    # --- state ---

    def state_dict(self) -> StateDict:
        """A snapshot (copies) of parameters and buffers, as arrays by name."""
        return StateDict((name, tensor.data.copy()) for name, tensor in self._named_tensors())

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Overwrite parameters and buffers. Everything is checked first: after an error nothing has changed.

        Parameters
        ----------
        state : StateDict
            As from `state_dict`, `load_file` or the importer of PyTorch weights: it states its layout.
        strict : bool
            Whether a missing or a superfluous name is an error.

        Raises
        ------
        ValueError
            Where the layout is not stated, or names or shapes do not fit.
        TypeError
            Where a value is not a floating-point array.
        """
        name = f"{type(self).__name__}.load_state_dict"
        if getattr(state, "layout", None) != LAYOUT:
            raise ValueError(
                f"{name}: expects weights that state layout={LAYOUT}, such as StateDict, but got "
                f"{type(state).__name__}; nn.pytorch.state_dict_from_pytorch converts PyTorch's"
            )
        own = dict(self._named_tensors())
        missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if strict and (missing or unexpected):
            raise ValueError(f"{name}: missing names {missing}, unexpected names {unexpected}")
        for key in own.keys() & state.keys():
            value = state[key]
            if tuple(value.shape) != own[key].shape:
                raise ValueError(f"{name}: {key} expects shape {own[key].shape} but got {tuple(value.shape)}")
            if np.dtype(value.dtype).kind != "f":
                raise TypeError(f"{name}: {key} expects floating-point numbers but got {value.dtype}")
        for key in own.keys() & state.keys():
            own[key].copy_(state[key])

    # --- what is done to it ---

    def train(self, mode: bool = True) -> "Module":
        """Switch between training and evaluation (batch normalisation differs); returns the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> "Module":
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> "Module":
        """Ask for the gradients of all parameters, or stop asking."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or set them to zero in place."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = parameter.grad.detach().copy_(0)

    def apply(self, function: Callable[["Module"], Any]) -> "Module":
        """Call ``function`` on every module inside, children first, and on this one."""
        for _, child in self.named_children():
            child.apply(function)
        function(self)
        return self

    def to(self, target: Any) -> "Module":
        """Convert parameters and buffers to float32 or float64, or move them to "cpu" or "cuda"; returns the module.

        Shared ones stay so. Make optimisers afterwards.
        """
        if isinstance(target, str) and target in DEVICES:
            check_device(target)
        elif np.dtype(target) not in (np.float32, np.float64):
            raise TypeError(f"to: dtype expects float32 or float64 but got {np.dtype(target)}")
        converted: dict[Tensor, Tensor] = {}
        for module in self.modules():
            for name, value in list(vars(module).items()):
                if not (isinstance(value, Parameter) or (name in module._buffers and value is not None)):
                    continue
                if value not in converted:
                    array = to_device(value.data, target) if target in DEVICES else value.data.astype(target)
                    trained = isinstance(value, Parameter)
                    converted[value] = Parameter(array, value.requires_grad) if trained else Tensor(array)
                setattr(module, name, converted[value])
        return self

    # --- as text ---

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        return "\n  ".join([f"{type(self).__name__}({self.extra_repr()}", *lines]) + "\n)"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
