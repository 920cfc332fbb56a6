"""`tilegrad restore IN OUT --model FILE`: a trained restorer applied to a picture in a file."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from . import nn
from .errors import TilegradError
from .files import check_writable
from .images import check_format, from_float, read_image, to_float, write_image


def load_model(path: str | os.PathLike[str]) -> Any:
    """Read a restorer that `tilegrad train` saved, ready for use (in evaluation mode).

    Raises
    ------
    TilegradError
        If the file is missing, damaged, or not a model of this package.
    """
    if Path(path).is_dir():
        raise TilegradError(f"{path}: is a folder; name the model's file in it, model.safetensors")
    if not Path(path).exists():
        raise TilegradError(f"{path}: no such file")
    if not Path(path).is_file():
        raise TilegradError(f"{path}: is not an ordinary file")
    try:
        model = nn.load(path)
    except (OSError, ValueError, TypeError) as error:
        raise TilegradError(f"{path}: cannot be read as a model ({error})") from error
    return model.eval()


def restore_array(model: Any, image: np.ndarray) -> np.ndarray:
    """Apply a model to a gray image.

    Parameters
    ----------
    model : nn.Module
        Takes and gives (1, H, W, 1), in evaluation mode.
    image : ndarray
        (H, W), float32 in [0, 1].

    Returns
    -------
    ndarray
        (H, W), float32, clipped to [0, 1].

    Raises
    ------
    FloatingPointError
        If the model gives numbers that are not finite.
    """
    with nn.no_grad():
        restored = model(nn.Tensor(image[None, :, :, None]))
    restored = np.asarray(restored)[0, :, :, 0]
    if not np.isfinite(restored).all():
        raise FloatingPointError("restore_array: the model gave numbers that are not finite")
    return np.clip(restored, 0.0, 1.0)


def restore_file(
    source: str | os.PathLike[str], target: str | os.PathLike[str], model_file: str | os.PathLike[str]
) -> None:
    """Restore a gray picture of 8 or 16 bits; the result has as many bits and the same size.

    Parameters
    ----------
    source, target : path
        May be the same file: the target is written whole or not at all. Its folder must exist.
    model_file : path
        A model that `tilegrad train` saved.

    Raises
    ------
    TilegradError
        If a file cannot be read or written, or the picture is not gray. Then nothing is written.
    """
    check_writable(target)
    image = read_image(source)
    if image.ndim != 2:
        kind = "gray with alpha" if image.shape[2] == 2 else "in colour"
        raise TilegradError(f"{source}: is {kind}; gray pictures of 8 or 16 bits can be restored")
    check_format(target, image.dtype)
    model = load_model(model_file)
    try:
        restored = restore_array(model, to_float(image))
    except ValueError as error:
        raise TilegradError(f"{model_file}: does not take gray pictures ({error})") from error
    except FloatingPointError as error:
        raise TilegradError(f"{model_file}: gives numbers that are not finite, as after a diverged training") from error
    write_image(target, from_float(restored, image.dtype))
