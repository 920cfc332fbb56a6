"""`tilegrad import`: weights that another library has trained, as a model of this package."""

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import nn
from .errors import TilegradError, UsageError
from .files import check_writable
from .training import say


def import_weights(
    weights: str | os.PathLike[str],
    out: str | os.PathLike[str],
    model_class: str,
    configuration: str = "{}",
    rename: Sequence[str] = (),
) -> None:
    """Write a model file from PyTorch's weights.

    Parameters
    ----------
    weights : path
        .npz or .safetensors, with the names of a ``state_dict`` and PyTorch's layout (OIHW).
    out : path
        Written whole or not at all.
    model_class : str
        On the list `tilegrad.nn.models.MODELS`.
    configuration : str
        JSON, the keyword arguments that the class is made with.
    rename : sequence of str
        "OLD=NEW": names that begin with OLD begin with NEW instead.

    Raises
    ------
    TilegradError
        If a file cannot be read or written, or the weights do not fit the model.
    UsageError
        If the class or its configuration is of no use.
    """
    check_writable(out)
    model = _model(model_class, configuration)
    state = _read(Path(weights))
    for pair in rename:
        old, equals, new = pair.partition("=")
        if not equals:
            raise UsageError(f"--rename expects OLD=NEW but is {pair!r}")
        state = {new + name.removeprefix(old) if name.startswith(old) else name: a for name, a in state.items()}
    try:
        model.load_state_dict(nn.pytorch.state_dict_from_pytorch(state, model))
    except ValueError as error:
        raise TilegradError(f"{weights}: does not fit {model_class} ({error})") from error
    try:
        nn.save(model, out)
    except OSError as error:
        raise TilegradError(f"{out}: cannot be written ({error.strerror})") from error
    say(f"{out}: {model_class}, {sum(parameter.size for parameter in model.parameters()):,} weights")


def _model(model_class: str, configuration: str) -> nn.models.Model:
    if model_class not in nn.models.MODELS:
        raise UsageError(f"--model expects one of {', '.join(sorted(nn.models.MODELS))} but is {model_class!r}")
    try:
        arguments = json.loads(configuration)
        return nn.models.MODELS[model_class](**arguments)
    except (TypeError, ValueError) as error:
        raise UsageError(f"--configuration: does not make a {model_class} ({error})") from error


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise TilegradError(f"{path}: {'is not an ordinary file' if path.exists() else 'no such file'}")
    try:
        if path.suffix == ".safetensors":
            return dict(nn.safetensors.load_file(path)[0])
        if path.suffix != ".npy" and not zipfile.is_zipfile(path):
            raise ValueError("no archive of arrays")
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise ValueError("one array, not an npz file")
        with file:
            return {name: file[name] for name in file}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise TilegradError(f"{path}: cannot be read as .npz or .safetensors ({error})") from error
