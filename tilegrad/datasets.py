"""Where training pictures come from: the photographs in scikit-image's wheel, or a folder of the user's own.

All pictures are gray, float32 in [0, 1], shape (H, W), and are held in memory.
"""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import kernels
from .errors import TilegradError
from .extras import require
from .images import READ_SUFFIXES, read_image, to_gray

# The natural photographs in scikit-image's wheel (nothing is downloaded), and the scales at which each is used: "2" is
# half of the width and height, by averaging. Scaled down, a photograph has finer detail, and less of its camera's noise
# and of JPEG's blocks, which would be learnt as if they were the picture.
TRAINING_PHOTOGRAPHS: Mapping[str, tuple[int, ...]] = {
    "astronaut.png": (1, 2),
    "brick.png": (1,),
    "coins.png": (1,),
    "grass.png": (1,),
    "gravel.png": (1,),
    "motorcycle_left.png": (1, 2),
    "retina.jpg": (4,),
    "rocket.jpg": (1, 2),
}
# A classic, a still life, and fur, which is so faint beside the noise that no method gains much over a Gaussian there.
HELD_OUT_PHOTOGRAPHS: Mapping[str, tuple[int, ...]] = {"camera.png": (1,), "coffee.png": (1,), "chelsea.png": (1,)}

HELD_OUT_SHARE = 8  # of a user's folder, one picture in eight, at least one and at most twelve
HELD_OUT_MOST = 12


@dataclass(frozen=True)
class Pictures:
    """Pictures to train on and pictures that training never sees, each with the name to show for it."""

    training: dict[str, np.ndarray]
    held_out: dict[str, np.ndarray]
    left_out: tuple[str, ...] = ()
    """Names of files that are smaller than a patch."""


def photographs() -> Pictures:
    """The photographs that come with scikit-image: eight to train on, three held out.

    Raises
    ------
    TilegradError
        If scikit-image or the package that reads pictures is not installed, or its wheel lacks one of the files.

    Examples
    --------
    >>> sorted(photographs().held_out)
    ['camera', 'chelsea', 'coffee']
    """
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        require("skimage", "tilegrad train without --data")
        raise TilegradError("scikit-image is installed without its files: its photographs cannot be read")
    folder = Path(spec.origin).parent / "data"

    def read(names: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
        pictures = {}
        for name, scales in names.items():
            picture = to_gray(read_image(folder / name))
            for scale in scales:
                label = Path(name).stem + (f" 1:{scale}" if scale > 1 else "")
                pictures[label] = average_down(picture, scale)
        return pictures

    return Pictures(read(TRAINING_PHOTOGRAPHS), read(HELD_OUT_PHOTOGRAPHS))


def folder_pictures(folder: str | os.PathLike[str], *, smallest: int, seed: int) -> Pictures:
    """Read the pictures that lie in a folder (not in folders below it) and hold some out.

    Parameters
    ----------
    folder : path
        Files whose suffix is that of a picture are read; other files are passed over.
    smallest : int
        Pictures narrower or lower than this many pixels are left out (and named).
    seed : int
        Chooses the held-out pictures: one in eight, at least one, at most twelve.

    Raises
    ------
    TilegradError
        If the folder is missing, one of its pictures is damaged, or fewer than two are large enough.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TilegradError(f"{folder}: {'is not a folder' if folder.exists() else 'no such folder'}")
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in READ_SUFFIXES and p.is_file())
    except OSError as error:
        raise TilegradError(f"{folder}: cannot be listed ({error.strerror})") from error
    found, left_out = {}, []
    for path in paths:
        picture = to_gray(read_image(path))
        if min(picture.shape) < smallest:
            left_out.append(path.name)
        else:
            found[path.name] = picture
    if len(found) < 2:
        raise TilegradError(
            f"{folder}: holds {len(found)} pictures of at least {smallest} x {smallest} pixels; "
            "two are needed, one to train on and one to hold out"
        )
    names = list(found)
    count = min(max(len(names) // HELD_OUT_SHARE, 1), HELD_OUT_MOST)
    chosen = {names[i] for i in kernels.random_permutation(len(names), seed=seed)[:count]}
    return Pictures(
        training={name: found[name] for name in names if name not in chosen},
        held_out={name: found[name] for name in names if name in chosen},
        left_out=tuple(left_out),
    )


def average_down(image: np.ndarray, step: int) -> np.ndarray:
    """Scale an (H, W) image down by averaging blocks of step x step pixels; rows and columns left over are dropped.

    >>> average_down(np.array([[0.0, 1.0, 5.0], [2.0, 3.0, 5.0]]), 2)
    array([[1.5]])
    """
    H, W = image.shape[0] // step, image.shape[1] // step
    return np.asarray(image[: H * step, : W * step].reshape(H, step, W, step).mean(axis=(1, 3), dtype=image.dtype))


class Patches:
    """An endless, numbered sequence of square patches: patch ``i`` depends on the pictures, the seed and ``i`` alone.

    Pictures are drawn in proportion to their areas, places uniformly, and each patch is turned and mirrored into one
    of the eight positions of a square. Four float32 numbers are needed for a patch, and one Philox block holds four, so
    patch ``i`` is drawn from block ``counter + i``.

    Parameters
    ----------
    pictures : sequence of (H, W) arrays
        float32; none smaller than a patch.
    patch : int
        Side of a patch in pixels.
    seed, counter : int
        As in `kernels.random_uniform`.

    Examples
    --------
    >>> patches = Patches([np.arange(12, dtype=np.float32).reshape(3, 4)], patch=2, seed=1)
    >>> patches.take(0, 5).shape
    (5, 2, 2, 1)
    >>> bool((patches.take(3, 1) == patches.take(0, 5)[3:4]).all())
    True
    """

    def __init__(self, pictures: Sequence[np.ndarray], *, patch: int, seed: int, counter: int = 0) -> None:
        if not pictures:
            raise ValueError("Patches: pictures expects at least one picture but is empty")
        for picture in pictures:
            if picture.ndim != 2 or min(picture.shape) < patch:
                raise ValueError(f"Patches: patch = {patch} does not fit in a picture of shape {picture.shape}")
        self.pictures = list(pictures)
        self.patch = patch
        self.seed = seed
        self.counter = counter
        areas = np.array([picture.size for picture in self.pictures], np.float64)
        self._shares = np.cumsum(areas) / areas.sum()

    def take(self, first: int, count: int) -> np.ndarray:
        """Patches ``first .. first + count - 1`` as an array (count, patch, patch, 1), float32."""
        drawn = kernels.random_uniform((count, 4), seed=self.seed, counter=self.counter + first, dtype=np.float32)
        out = np.empty((count, self.patch, self.patch, 1), np.float32)
        for place, (which, down, right, turn) in zip(out[..., 0], drawn.astype(np.float64), strict=True):
            picture = self.pictures[int(np.searchsorted(self._shares[:-1], which, side="right"))]
            top = int(down * (picture.shape[0] - self.patch + 1))
            left = int(right * (picture.shape[1] - self.patch + 1))
            position = int(turn * 8)
            cut = picture[top : top + self.patch, left : left + self.patch]
            place[...] = np.rot90(cut.T if position >= 4 else cut, position % 4)
        return out
