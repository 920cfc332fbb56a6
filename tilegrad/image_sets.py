"""Sets of small images, with or without labels: where a GAN or a classifier learns from.

``--data`` names one of these:

* ``mnist`` or ``fashion-mnist``: downloaded once into the cache folder and checked by SHA-256;
* a folder with IDX files under MNIST's names, compressed by gzip or not;
* an ``.npz`` file with ``images`` and perhaps ``labels``, or with Keras's ``x_train, y_train, x_test, y_test``;
* a folder of pictures, or of folders of pictures, one for each class; or of two folders of these, ``train`` and
  ``test``. Pictures are read when they are needed, so there may be more of them than fit in memory.

Images are uint8, (H, W, C) with C = 1 (gray) or 3 (RGB), all of one size.
"""

import gzip
import hashlib
import math
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .downloads import DOWNLOADS, downloaded
from .errors import TilegradError
from .extras import require
from .images import READ_SUFFIXES, read_image, to_gray

SPLITS = ("train", "test")
MOST_CLASSES = 10_000
_IDX_NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_NPZ_NAMES = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}


class ImageSet(Protocol):
    """Images of one size, by number.

    Attributes
    ----------
    shape : (H, W, C)
    labels : (N,) int64 array, or None
    classes : names of the classes; empty where there are no labels
    """

    shape: tuple[int, int, int]
    labels: np.ndarray | None
    classes: tuple[str, ...]

    def __len__(self) -> int: ...

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The images of these numbers: (n, H, W, C), uint8."""

    def digest(self) -> str:
        """A hash by which another set is told from this one."""


class ArraySet:
    """Images that lie in memory.

    >>> images = ArraySet(np.zeros((5, 4, 4), np.uint8), np.arange(5))
    >>> len(images), images.shape, images.classes[-1]
    (5, (4, 4, 1), '4')
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray | None = None) -> None:
        images = images[..., None] if images.ndim == 3 else images
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or images.size == 0:
            raise ValueError(f"ArraySet: images expects (N, H, W[, 1 | 3]) uint8 but got {images.shape} {images.dtype}")
        if labels is not None and (labels.shape != images.shape[:1] or labels.dtype.kind not in "iu"):
            raise ValueError(
                f"ArraySet: labels expects ({len(images)},) integers but got {labels.shape} {labels.dtype}"
            )
        if labels is not None and not 0 <= int(labels.min()) <= int(labels.max()) < MOST_CLASSES:
            seen = f"{labels.min()} to {labels.max()}"
            raise ValueError(f"ArraySet: labels expects numbers from 0 to {MOST_CLASSES - 1} but got {seen}")
        self.images = images
        self.shape = images.shape[1:]
        self.labels = None if labels is None else labels.astype(np.int64)
        self.classes = () if self.labels is None else tuple(map(str, range(int(self.labels.max()) + 1)))

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        return self.images[np.asarray(indices, np.int64)]

    def digest(self) -> str:
        found = hashlib.sha256(repr(self.images.shape).encode())
        found.update(np.ascontiguousarray(self.images).data)
        found.update(b"" if self.labels is None else self.labels.tobytes())
        return found.hexdigest()


class FolderSet:
    """Pictures in files, read when they are taken.

    Parameters
    ----------
    folder : path
        Of pictures, or of folders of pictures: then each folder is a class.
    size : int
        Side of the images: the largest square in the middle of a picture is scaled to it by averaging.
    channels : int
        1 makes gray images, 3 RGB.
    """

    def __init__(self, folder: str | os.PathLike[str], *, size: int, channels: int) -> None:
        folder = Path(folder)
        self.shape = (size, size, channels)
        kinds = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        lists = [_pictures_in(kind) for kind in kinds]
        self.labels: np.ndarray | None = None
        self.classes: tuple[str, ...] = ()
        if any(lists):
            self.paths = [path for paths in lists for path in paths]
            self.labels = np.repeat(np.arange(len(kinds)), [len(paths) for paths in lists]).astype(np.int64)
            self.classes = tuple(kind.name for kind in kinds)
        else:
            self.paths = _pictures_in(folder)
        if not self.paths:
            raise TilegradError(f"{folder}: holds no pictures, nor folders of pictures, nor IDX files")

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        out = np.empty((len(indices), *self.shape), np.uint8)
        for place, index in zip(out, indices, strict=True):
            place[...] = self._read(self.paths[int(index)])
        return out

    def digest(self) -> str:
        """Of the files' names and sizes."""
        names = [f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in self.paths]
        return hashlib.sha256("\n".join([repr(self.shape), *names]).encode()).hexdigest()

    def _read(self, path: Path) -> np.ndarray:
        size, _, channels = self.shape
        image = read_image(path)
        if channels == 1:
            image = np.rint(to_gray(image) * 255).astype(np.uint8)
        else:
            image = image if image.dtype == np.uint8 else (image // 257).astype(np.uint8)
            image = (
                np.dstack([image] * 3)
                if image.ndim == 2
                else image[:, :, [0, 0, 0] if image.shape[2] == 2 else [0, 1, 2]]
            )
        return square(image, size)[..., :channels] if channels > 1 else square(image, size)[..., None]


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in READ_SUFFIXES and p.is_file())


def square(image: np.ndarray, size: int) -> np.ndarray:
    """The largest square in the middle of an (H, W[, 3]) uint8 image, scaled to ``size`` by averaging."""
    H, W = image.shape[:2]
    side = min(H, W)
    top, left = (H - side) // 2, (W - side) // 2
    cut = np.ascontiguousarray(image[top : top + side, left : left + side])
    if side == size:
        return cut
    pil = require("PIL.Image", "scaling pictures")
    return np.asarray(
        pil.fromarray(cut).resize((size, size), pil.Resampling.BOX if side > size else pil.Resampling.BICUBIC)
    )


class Part:
    """Some of the images of a set.

    >>> part = Part(ArraySet(np.arange(48, dtype=np.uint8).reshape(3, 4, 4), np.array([0, 1, 1])), np.array([2, 0]))
    >>> len(part), part.labels, int(part.take([0])[0, 0, 0, 0])
    (2, array([1, 0]), 32)
    """

    def __init__(self, whole: ImageSet, indices: np.ndarray) -> None:
        self.whole, self.indices = whole, indices
        self.shape, self.classes = whole.shape, whole.classes
        self.labels = None if whole.labels is None else whole.labels[indices]

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        return self.whole.take(self.indices[np.asarray(indices, np.int64)])

    def digest(self) -> str:
        return hashlib.sha256(self.whole.digest().encode() + self.indices.tobytes()).hexdigest()


def image_set(
    source: str | os.PathLike[str], split: str = "train", *, size: int = 32, channels: int = 1
) -> ImageSet | None:
    """The images that ``--data`` names; see the head of this file.

    Parameters
    ----------
    source : str or path
    split : {"train", "test"}
        A set that does not tell one from the other is all "train", and there is None for "test".
    size, channels : int
        Of the images made from a folder of pictures; other sets have their own.

    Raises
    ------
    TilegradError
        If there is no such file or folder, it is damaged, or a download fails.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "small.npz"
    >>> np.savez(path, images=np.zeros((3, 8, 8), np.uint8), labels=np.array([0, 1, 1]))
    >>> len(image_set(path)), image_set(path).shape, image_set(path, "test")
    (3, (8, 8, 1), None)
    """
    if split not in SPLITS:
        raise ValueError(f"image_set: split expects one of {SPLITS} but got {split!r}")
    if str(source) in DOWNLOADS:
        folder = downloaded(str(source))
        return _idx_set(folder, split)
    path = Path(source)
    if path.is_dir():
        try:
            if any(_idx_file(path, name) for names in _IDX_NAMES.values() for name in names):
                return _idx_set(path, split)
            if all((path / part).is_dir() for part in SPLITS):
                return FolderSet(path / split, size=size, channels=channels)
            return FolderSet(path, size=size, channels=channels) if split == "train" else None
        except OSError as error:
            raise TilegradError(f"{path}: cannot be listed ({error.strerror})") from error
    if not path.exists():
        known = ", ".join(DOWNLOADS)
        raise TilegradError(f"{path}: no such file or folder (sets known by name: {known})")
    if path.suffix == ".npz":
        return _npz_set(path, split)
    return ArraySet(_images(path, read_idx(path))) if split == "train" else None


def _images(path: Path, images: np.ndarray) -> np.ndarray:
    if images.ndim not in (3, 4) or images.dtype != np.uint8 or images.size == 0:
        raise TilegradError(f"{path}: expects images (N, H, W[, C]) of uint8 but holds {images.shape} {images.dtype}")
    if images.ndim == 4 and images.shape[3] == 4:
        images = over_white(images)
    if images.ndim == 4 and images.shape[3] not in (1, 3):
        raise TilegradError(f"{path}: expects 1, 3 or 4 channels on the last axis but holds {images.shape}")
    return images


def over_white(images: np.ndarray) -> np.ndarray:
    """RGBA images laid over white: RGB.

    >>> over_white(np.array([[[[10, 20, 30, 0]]]], np.uint8))[0, 0, 0]
    array([255, 255, 255], dtype=uint8)
    """
    alpha = images[..., 3:].astype(np.uint16)
    mixed = images[..., :3] * alpha + 255 * (255 - alpha)
    return np.asarray(((mixed + 127) // 255).astype(np.uint8))


def _idx_file(folder: Path, name: str) -> Path | None:
    """The file of this name, compressed or not; some copies have a point in place of the last hyphen but one."""
    for candidate in (name, name.replace("-idx", ".idx")):
        for path in (folder / candidate, folder / f"{candidate}.gz"):
            if path.is_file():
                return path
    return None


def _idx_set(folder: Path, split: str) -> ArraySet:
    images, labels = (_idx_file(folder, name) for name in _IDX_NAMES[split])
    if images is None:
        raise TilegradError(f"{folder}: holds no {_IDX_NAMES[split][0]}[.gz]")
    pixels = _images(images, read_idx(images))
    if labels is None:
        return ArraySet(pixels)
    numbers = read_idx(labels)
    if numbers.shape != pixels.shape[:1] or numbers.dtype.kind not in "iu":
        raise TilegradError(f"{labels}: expects {len(pixels)} labels but holds {numbers.shape} {numbers.dtype}")
    try:
        return ArraySet(pixels, numbers)
    except ValueError as error:
        raise TilegradError(f"{labels}: {error}") from error


def _npz_set(path: Path, split: str) -> ArraySet | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            images, labels = _NPZ_NAMES[split] if "x_train" in file else ("images", "labels")
            if "x_train" not in file and "images" not in file:
                raise TilegradError(f"{path}: expects an array named images or x_train but holds {', '.join(file)}")
            if images not in file or (images == "images" and split == "test"):
                return None
            pixels = _images(path, file[images])
            numbers = file[labels].reshape(-1) if labels in file else None
    except (OSError, ValueError, zlib.error, EOFError, zipfile.BadZipFile) as error:
        raise TilegradError(f"{path}: cannot be read as an npz file ({error})") from error
    try:
        return ArraySet(pixels, numbers)
    except ValueError as error:
        raise TilegradError(f"{path}: {error}") from error


_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """An array from a file in MNIST's IDX format, compressed by gzip or not.

    The format: two zero bytes, a byte for the type, one for the number of axes, the axes' lengths of 4 bytes each, and
    the numbers; all big-endian.

    Raises
    ------
    TilegradError
        If the file is missing, damaged, cut short or too long.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise TilegradError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_TYPES or len(data) < 4 + 4 * data[3]:
        raise TilegradError(f"{path}: is not an IDX file")
    dtype = np.dtype(_IDX_TYPES[data[2]])
    start = 4 + 4 * data[3]
    shape: tuple[Any, ...] = tuple(np.frombuffer(data, ">u4", data[3], 4).tolist())
    if len(data) - start != math.prod(shape) * dtype.itemsize:
        raise TilegradError(f"{path}: expects {shape} {dtype.name} but holds {len(data) - start} bytes of data")
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
