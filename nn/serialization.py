"""Models in files that say what they hold.

A model is a safetensors file with, in its metadata, the version of this format, the layout of convolution weights, the
name of the model's class, which must be on the list of models, and the arguments that the class is made with.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from .models import MODELS, Model
from .modules.module import LAYOUT
from .safetensors import load_file, save_file

FORMAT_VERSION = 1


def save(model: Model, path: str | os.PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write a model of the list `tilegrad.nn.models.MODELS`: class, configuration and weights in one file."""
    model_class = type(model).__name__
    if MODELS.get(model_class) is not type(model):
        raise ValueError(f"save: {model_class} is not on the list of models {sorted(MODELS)}; see register_model")
    facts = {
        "format": "tilegrad",
        "format_version": str(FORMAT_VERSION),
        "layout": LAYOUT,
        "model": model_class,
        "configuration": json.dumps(model.configuration()),
    }
    save_file(model.state_dict(), path, {**(metadata or {}), **facts})


def load(path: str | os.PathLike) -> Model:
    """Read a model that `save` wrote.

    Raises
    ------
    ValueError
        Where the file is not such a model, is of a later format, or its class is not on the list.

    Examples
    --------
    >>> import tempfile, os
    >>> from tilegrad import nn
    >>> path = os.path.join(tempfile.mkdtemp(), "small.safetensors")
    >>> nn.save(nn.models.DnCNN(depth=3, channels=4), path)
    >>> type(nn.load(path)).__name__
    'DnCNN'
    """
    state, metadata = load_file(path)
    if metadata.get("format") != "tilegrad" or metadata.get("layout") != LAYOUT:
        seen = f"format={metadata.get('format')!r}, layout={metadata.get('layout')!r}"
        raise ValueError(f"{path}: a model expects format='tilegrad' and layout={LAYOUT!r} but got {seen}")
    if metadata.get("format_version") != str(FORMAT_VERSION):
        version = metadata.get("format_version")
        raise ValueError(f"{path}: this reads format version {FORMAT_VERSION} but the file has {version!r}")
    model_class = metadata.get("model", "")
    if model_class not in MODELS:
        raise ValueError(f"{path}: the model {model_class!r} is not on the list {sorted(MODELS)}")
    try:
        configuration = json.loads(metadata["configuration"])
        _check_shapes(MODELS[model_class], configuration, state)
        model = MODELS[model_class](**configuration)
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: the configuration does not make a {model_class}: {error}") from error
    model.load_state_dict(state)
    return model


def _check_shapes(model_class: type[Model], configuration: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Refuse a configuration of more than the file holds, at the first array that is missing or of another shape."""
    for name, shape in model_class.shapes(**configuration) or ():
        if name not in state:
            raise ValueError(f"missing names, {name} the first")
        if state[name].shape != shape:
            raise ValueError(f"{name} expects shape {shape} but has {state[name].shape}")
