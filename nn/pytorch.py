"""Weights from PyTorch: the same numbers in our layout.

Convolution weights are permuted, and so is every linear layer that has an image on one side: behind a `Flatten` its
inputs, before an `Unflatten` its outputs, which PyTorch orders (C, H, W) and we order (H, W, C).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .modules import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    Module,
    ReLU,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    StateDict,
    Tanh,
    Unflatten,
)

_ELEMENTWISE = (Dropout, LeakyReLU, ReLU, SiLU, Sigmoid, Softplus, Tanh)


def state_dict_from_pytorch(mapping: Mapping[str, Any], model: Module) -> StateDict:
    """Convert PyTorch's weights for ``model``, which has the same layers under the same names.

    Parameters
    ----------
    mapping : mapping of names to arrays or torch tensors
        A ``state_dict``, or an opened npz file. Entries named ``num_batches_tracked`` are left out.
    model : Module
        Says which weight belongs to which kind of layer. It is not changed; ``model.load_state_dict`` takes the result.

    Returns
    -------
    StateDict

    Raises
    ------
    ValueError
        Where names or shapes do not fit, or a Flatten does not know its shape.

    Notes
    -----
    OIHW becomes OHWI, and a transposed convolution's (C_in, C_out // groups, KH, KW) becomes
    (C_in, KH, KW, C_out // groups).
    """
    given = {name: _array(mapping[name]) for name in mapping if name.split(".")[-1] != "num_batches_tracked"}
    own = dict(model._named_tensors())
    missing, unexpected = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
    if missing or unexpected:
        raise ValueError(f"state_dict_from_pytorch: missing names {missing}, unexpected names {unexpected}")
    for name, module in model.named_modules():
        if isinstance(module, Conv2d | ConvTranspose2d):
            key = f"{name}.weight" if name else "weight"
            if given[key].ndim != 4:
                raise ValueError(f"state_dict_from_pytorch: {key} expects 4 axes but got shape {given[key].shape}")
            given[key] = given[key].transpose(0, 2, 3, 1)
    for key, axis, shape in _image_axes(model, own):
        given[key] = _channels_last(key, given[key], axis, shape)
    for key, tensor in own.items():
        if given[key].shape != tensor.shape:
            expected, seen = tensor.shape, given[key].shape
            raise ValueError(f"state_dict_from_pytorch: {key} expects, in our layout, {expected} but got {seen}")
    return StateDict((key, np.ascontiguousarray(given[key], tensor.dtype)) for key, tensor in own.items())


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _channels_last(key: str, array: np.ndarray, axis: int, shape: tuple[int, int, int]) -> np.ndarray:
    """An axis ordered (C, H, W), reordered (H, W, C)."""
    h, w, c = shape
    if array.shape[axis] != h * w * c:
        raise ValueError(f"state_dict_from_pytorch: {key} expects {h} * {w} * {c} on axis {axis} but got {array.shape}")
    order = np.arange(h * w * c).reshape(c, h, w).transpose(1, 2, 0).reshape(-1)
    return array.take(order, axis)


def _chain(module: Module, prefix: str) -> Iterator[tuple[str, Module]]:
    """The layers of nested Sequentials, one after another."""
    for name, child in module.named_children():
        full = f"{prefix}.{name}" if prefix else name
        if isinstance(child, Sequential):
            yield from _chain(child, full)
        else:
            yield full, child


def _image_axes(model: Module, names: Iterable[str]) -> Iterator[tuple[str, int, tuple[int, int, int]]]:
    """Names and axes of weights that run over the elements of an image (H, W, C)."""
    inner = {id(m) for s in model.modules() if isinstance(s, Sequential) for m in s.modules() if m is not s}
    for prefix, sequential in model.named_modules():
        if isinstance(sequential, Sequential) and id(sequential) not in inner:
            chain = list(_chain(sequential, prefix))
            for index, (name, layer) in enumerate(chain):
                if isinstance(layer, Flatten):
                    yield from _towards_linear(chain[index + 1 :], 1, _shape(name, layer), names)
                elif isinstance(layer, Unflatten):
                    yield from _towards_linear(chain[:index][::-1], 0, _shape(name, layer), names)


def _towards_linear(
    chain: Sequence[tuple[str, Module]], side: int, shape: tuple[int, int, int], names: Iterable[str]
) -> Iterator[tuple[str, int, tuple[int, int, int]]]:
    """What lies between a Flatten or Unflatten and the linear layer next to it, and that layer's near ``side``."""
    for name, layer in chain:
        if isinstance(layer, Linear):
            yield f"{name}.weight", side, shape
            if side == 0 and layer.bias is not None:
                yield f"{name}.bias", 0, shape
        elif isinstance(layer, BatchNorm2d):
            yield from ((key, 0, shape) for key in names if key.startswith(f"{name}."))
        if not isinstance(layer, (BatchNorm2d, *_ELEMENTWISE)):
            return


def _shape(name: str, layer: Flatten | Unflatten) -> tuple[int, int, int]:
    if layer.shape is None:
        raise ValueError(
            f"state_dict_from_pytorch: the Flatten {name} does not know its (H, W, C); give it, or run the model once"
        )
    return layer.shape  # type: ignore[return-value]
