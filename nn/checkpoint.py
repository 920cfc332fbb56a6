"""Everything that a training needs to go on, in one file: nested dictionaries and lists with arrays in them.

The arrays are those of a safetensors file, and its metadata holds the rest as JSON, in which a place says which array
belongs there. Floating-point numbers come back with the same bits.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..kernels.arrays import to_device
from .modules.module import StateDict
from .safetensors import load_file, save_file
from .tensor import Tensor

FORMAT_VERSION = 1
_ARRAY, _TUPLE, _STATE_DICT = _MARKS = "__array__", "__tuple__", "__state_dict__"


def save_checkpoint(state: Mapping[str, Any], path: str | os.PathLike) -> None:
    """Write a nested state, whole or not at all.

    Parameters
    ----------
    state : mapping
        Of strings (or whole numbers, which come back as strings) to arrays, tensors, numbers, strings, None, and lists,
        tuples and mappings of these: state dictionaries as they are.
    path : path
        Written beside it under another name first, then renamed over it.

    Raises
    ------
    TypeError
        Where the state holds something else.
    OSError
        Where the file cannot be written; one that was there stays.

    Examples
    --------
    >>> import tempfile, os
    >>> from tilegrad import nn
    >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.safetensors")
    >>> nn.save_checkpoint({"step": 3, "lr": 0.1, "weights": [np.arange(2.0)]}, path)
    >>> nn.load_checkpoint(path)
    {'step': 3, 'lr': 0.1, 'weights': [array([0., 1.])]}
    """
    arrays: dict[str, np.ndarray] = {}
    plain = json.dumps(_without_arrays(state, "", arrays))
    facts = {"format": "tilegrad checkpoint", "format_version": str(FORMAT_VERSION), "state": plain}
    save_file(arrays, path, facts)


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote.

    Raises
    ------
    ValueError
        Where the file is not a checkpoint, is damaged, or is of another version of the format.
    """
    arrays, facts = load_file(path)
    if facts.get("format") != "tilegrad checkpoint":
        raise ValueError(f"{path}: a checkpoint expects format='tilegrad checkpoint' but got {facts.get('format')!r}")
    if facts.get("format_version") != str(FORMAT_VERSION):
        version = facts.get("format_version")
        raise ValueError(f"{path}: this reads checkpoints of version {FORMAT_VERSION} but the file has {version!r}")
    try:
        return _with_arrays(json.loads(facts["state"]), arrays)
    except (LookupError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path}: the checkpoint is damaged ({error})") from error


def _without_arrays(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """The same as JSON can say it; arrays are put into ``arrays`` under their places in the state."""
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.generic):
        value = value.item()
    value = to_device(value, "cpu")
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, Mapping):
        if not value.keys().isdisjoint(_MARKS):
            raise TypeError(f"save_checkpoint: {name or 'state'} uses a key that the format keeps for itself")
        items = {str(key): _without_arrays(inner, f"{name}/{key}", arrays) for key, inner in value.items()}
        return {_STATE_DICT: items} if isinstance(value, StateDict) else items
    if isinstance(value, list | tuple):
        entries = [_without_arrays(inner, f"{name}/{place}", arrays) for place, inner in enumerate(value)]
        return {_TUPLE: entries} if isinstance(value, tuple) else entries
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"save_checkpoint: {name} expects arrays, numbers and strings but got {type(value).__name__}")


def _with_arrays(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_with_arrays(inner, arrays) for inner in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return arrays[value[_ARRAY]]
    if _TUPLE in value:
        return tuple(_with_arrays(inner, arrays) for inner in value[_TUPLE])
    if _STATE_DICT in value:
        return StateDict(_with_arrays(value[_STATE_DICT], arrays))
    return {key: _with_arrays(inner, arrays) for key, inner in value.items()}
