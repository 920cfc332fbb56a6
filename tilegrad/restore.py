"""`tilegrad restore IN OUT --model FILE`: a trained restorer applied to pictures in files."""

import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import nn
from .errors import TilegradError
from .extras import require_device
from .files import check_writable, make_folder
from .images import (
    READ_SUFFIXES,
    check_format,
    from_float,
    join_alpha,
    read_image,
    split_alpha,
    to_float,
    write_image,
)
from .kernels import memory_trim
from .kernels.tiles import tiles
from .training import progress, say

MEMORY = 256
"""Mebibytes that the images between a network's layers may take, where nobody says otherwise."""

# Winograd's convolutions work on blocks of 4 x 4 pixels, counted from the corner of what they are given. The pixels of
# a block share roundings, so a wrong pixel beyond a crop's edge spoils the last bits of whole blocks.
_BLOCK = 4


DENOISER = Path(__file__).with_name("denoiser.safetensors")
"""The model that comes with the package: a small DnCNN that takes out Gaussian noise of any strength up to sigma 50."""


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


def restore_array(model: Any, image: np.ndarray, *, memory: int = MEMORY) -> np.ndarray:
    """Apply a model to an image of any size.

    An image too large for ``memory`` is restored in tiles that overlap; the result has the same bits.

    Parameters
    ----------
    model : nn.Model
        Takes and gives (N, H, W, C) with C = 1 or 3, in evaluation mode. One for gray images restores each channel of a
        colour image; one for colour images sees gray as three equal channels.
    image : ndarray
        (H, W) or (H, W, 3); uint8, uint16, or float32 in [0, 1].
    memory : int
        Mebibytes that the images between the network's layers may take.

    Returns
    -------
    ndarray
        Of the shape and dtype of ``image``; clipped to its range.

    Raises
    ------
    FloatingPointError
        If the model gives numbers that are not finite.
    ValueError
        If the model does not take such images, or the memory is too little for its smallest tile.
    """
    H, W = image.shape[:2]
    planes = image[:, :, None] if image.ndim == 2 else image
    # A model for gray images takes one plane at a time: so its tiles are larger, and overlap less.
    parts = range(planes.shape[2]) if _image_channels(model) == 1 else [slice(None)]
    halo = reach(model)
    side = max(int((memory * 2**20 / _bytes_per_pixel(model)) ** 0.5), _BLOCK) if halo is not None else max(H, W)
    out = np.empty_like(image)
    target = out.reshape(planes.shape)
    cuts = [(part, tile) for part in parts for tile in tiles(H, W, side, halo=halo or 0, multiple=_BLOCK)]
    shape: tuple[int, ...] = ()
    for number in progress(range(len(cuts)), total=len(cuts), label="tiles") if len(cuts) > 1 else range(len(cuts)):
        part, tile = cuts[number]
        crop = planes[tile.source][:, :, part]
        if crop.shape != shape and len(cuts) > 1:
            memory_trim()  # idle memory of the other size would come on top
        shape = crop.shape
        result = _apply(model, crop if crop.dtype == np.float32 else to_float(crop))[tile.inner]
        target[tile.target][:, :, part] = result if image.dtype == np.float32 else from_float(result, image.dtype)
    if len(cuts) > 1:
        memory_trim()
    return out


def _image_channels(model: Any) -> int:
    return int(model.configuration().get("image_channels", 1))


def _device(model: Any) -> str:
    return next((parameter.device for parameter in model.parameters()), "cpu")


def _bytes_per_pixel(model: Any) -> int:
    """Of the two largest images that a chain of convolutions holds at once, and what it starts from."""
    widths = [module.weight.shape[0] for module in model.modules() if isinstance(module, nn.Conv2d)]
    return 4 * (2 * max(widths, default=1) + 3 * _image_channels(model))


def reach(model: Any) -> int | None:
    """How many pixels away a network looks, summed over its convolutions; None where it changes the resolution.

    Each convolution counts in whole blocks, so that what is further away does not change a single bit.

    >>> reach(nn.models.DnCNN(depth=5, channels=4)), reach(nn.models.SRCNN())
    (20, 8)
    """
    total = 0
    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d) or (isinstance(module, nn.Conv2d) and module.geometry["stride"] != 1):
            return None
        if isinstance(module, nn.Conv2d):
            size, dilation = max(module.weight.shape[1:3]), module.geometry["dilation"]
            away = (size // 2) * (dilation if isinstance(dilation, int) else max(dilation))
            total += -(-away // _BLOCK) * _BLOCK
    return total


def _apply(model: Any, image: np.ndarray) -> np.ndarray:
    """The network on (H, W), or (H, W, 3) if it takes colours, float32; clipped to [0, 1]."""
    planes = image[:, :, None] if image.ndim == 2 else image
    batch = np.ascontiguousarray(np.broadcast_to(planes, (*planes.shape[:2], _image_channels(model)))[None])
    with nn.no_grad():
        restored = model(nn.Tensor(batch).to(_device(model))).to("cpu").numpy()
    if restored.shape != batch.shape:
        raise ValueError(f"it makes {restored.shape} of {batch.shape}")
    if not np.isfinite(restored).all():
        raise FloatingPointError("restore_array: the model gave numbers that are not finite")
    restored = restored[0]
    if restored.shape[2] != planes.shape[2]:
        restored = restored.mean(axis=2, keepdims=True, dtype=np.float32)
    return np.clip(restored.reshape(image.shape), 0.0, 1.0)


def restore_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    model_file: str | os.PathLike[str] = DENOISER,
    *,
    memory: int = MEMORY,
    device: str = "cpu",
) -> None:
    """Restore a gray or colour picture of 8 or 16 bits; the result has as many bits, the same size, the same alpha.

    Parameters
    ----------
    source, target : path
        May be the same file: the target is written whole or not at all. Its folder must exist.
    model_file : path
        A model that `tilegrad train` saved; without one, the denoiser that comes with the package.
    memory : int
        As in `restore_array`.
    device : {"cpu", "cuda"}
        Where the network runs.

    Raises
    ------
    TilegradError
        If a file cannot be read or written, or the model does not take it. Then nothing is written.
    """
    check_writable(target)
    require_device(device)
    _restore(source, target, model_file, lambda: load_model(model_file).to(device), memory)


def restore_files(
    sources: Sequence[str],
    folder: str | os.PathLike[str],
    model_file: str | os.PathLike[str] = DENOISER,
    *,
    memory: int = MEMORY,
    device: str = "cpu",
) -> None:
    """Restore many pictures into a folder, under their own names.

    Parameters
    ----------
    sources : sequence of str
        Files, folders (all pictures that lie in them) and patterns such as ``"scans/*.png"``.
    folder : path
        Made if missing.
    model_file, memory, device
        As in `restore_file`.

    Raises
    ------
    TilegradError
        Before any work, if there are no pictures, two have the same name, or the model cannot be read; at the end, if
        some could not be restored: the others are.
    """
    paths = _pictures(sources)
    names = [path.name for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TilegradError(f"{twice[0]}: two of the pictures have this name, and one folder cannot hold both")
    require_device(device)
    model = load_model(model_file).to(device)
    folder = make_folder(folder)
    failures = []
    for number in progress(range(len(paths)), total=len(paths), label="pictures"):
        path = paths[number]
        try:
            check_writable(folder / path.name)
            _restore(path, folder / path.name, model_file, lambda: model, memory)
        except TilegradError as error:
            failures.append(str(error))
    for failure in failures:
        say(f"left out: {failure}")
    if failures:
        raise TilegradError(
            f"{len(failures)} of {len(paths)} pictures could not be restored; the others are in {folder}"
        )


def _pictures(sources: Sequence[str]) -> list[Path]:
    """The files that folders and patterns stand for."""
    found: list[Path] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in READ_SUFFIXES and p.is_file())
        elif path.exists() or not glob.has_magic(source):
            inside = [path]
        else:
            inside = sorted(Path(name) for name in glob.glob(source, recursive=True) if Path(name).is_file())
        if not inside:
            raise TilegradError(f"{source}: no pictures")
        found += inside
    return found


def _restore(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    model_file: str | os.PathLike[str],
    model: Callable[[], Any],
    memory: int,
) -> None:
    image = read_image(source)
    check_format(target, image.dtype, 1 if image.ndim == 2 else image.shape[2])
    colours, alpha = split_alpha(image)
    try:
        restored = restore_array(model(), colours, memory=memory)
    except ValueError as error:
        raise TilegradError(f"{model_file}: cannot restore {Path(source).name} ({error})") from error
    except FloatingPointError as error:
        raise TilegradError(f"{model_file}: gives numbers that are not finite, as after a diverged training") from error
    write_image(target, join_alpha(restored, alpha))
