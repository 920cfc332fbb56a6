"""The kind of workload that is one call of a classical filter.

`tilegrad.filters.cv` has OpenCV's names and arguments, and `tilegrad.filters` those of scikit-image: so the call is
written once, and each side makes it in its own library. (Pillow's calls are given the names of ours.)
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .contestant import Arrays, Prepared
from .kinds import Shape

OPENCV, SKIMAGE, PILLOW = "OpenCV", "scikit-image", "Pillow"
_GROUPS = {OPENCV: "opencv", SKIMAGE: "skimage", PILLOW: "pillow"}

Inputs = tuple[np.ndarray, ...]


def one_image(image: np.ndarray) -> Inputs:
    """What most filters take."""
    return (image,)


def as_arrays(found: Any) -> Inputs:
    """What a filter returned, number or image or several of them, as it is compared."""
    return tuple(map(np.asarray, found)) if isinstance(found, tuple) else (np.asarray(found),)


@dataclass(frozen=True)
class Filter:
    """A filter in a rival's form, on a picture of this size and type.

    Attributes
    ----------
    rival : str
        `OPENCV`, `SKIMAGE` or `PILLOW`, whose form it is.
    filter, title : str
        For the row's name and its heading.
    dtype : str
        Of the picture: uint8 up to 255, uint16 up to 65535, or float32 up to 1.
    call : callable
        ``call(library, *inputs)``, which is timed. Of a batch, ours is given ``batch_axes=1``; the rival, which knows
        no batches, is called for one image after the other.
    tolerance : float
        How far results may be apart, relative to the largest value; 0 is bit for bit.
    inputs : callable
        ``inputs(picture)``: what the call takes.
    compared : callable
        ``compared(result)``: the arrays that must agree.
    batch : bool
        Whether ``inputs`` makes a batch of images of the picture.
    size : (H, W)
    """

    rival: str
    filter: str
    title: str
    dtype: str
    call: Callable[..., Any]
    tolerance: float = 0.0
    inputs: Callable[[np.ndarray], Inputs] = one_image
    compared: Callable[[Any], Inputs] = as_arrays
    batch: bool = False
    size: tuple[int, int] = (512, 512)

    @property
    def name(self) -> str:
        return f"{_GROUPS[self.rival]}-{self.filter}-{self.dtype}/{self.size[0]}"

    @property
    def section(self) -> str:
        return f"{self.title}, {self.dtype}, as in {self.rival}"

    @property
    def label(self) -> str:
        return "{}x{}".format(*self.size)

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"picture": self.size}

    def tiny(self) -> "Filter":
        """Still larger than the largest template."""
        return replace(self, size=(80, 96))

    def prepare(self, library: Any, arrays: Arrays) -> Prepared:
        """The call in a rival's library, on inputs of its own."""
        if self.batch:
            (images,) = self._inputs(arrays)
            return self._prepared(lambda: [self.call(library, image) for image in images])
        return self._prepared(functools.partial(self.call, library, *self._inputs(arrays)))

    def prepare_ours(self, library: Any, arrays: Arrays) -> Prepared:
        """The call in our library, on inputs of its own."""
        batch = {"batch_axes": 1} if self.batch else {}
        return self._prepared(functools.partial(self.call, library, *self._inputs(arrays), **batch))

    def _inputs(self, arrays: Arrays) -> Inputs:
        picture = arrays["picture"]
        if self.dtype != "float32":
            return self.inputs(np.rint(picture * np.iinfo(self.dtype).max).astype(self.dtype))
        return self.inputs(picture.copy())

    def _prepared(self, call: Callable[[], Any]) -> Prepared:
        return Prepared(call, lambda: self.compared(call()))


_SMALLEST, _LARGEST = 8, 256  # radii of discs, and none is above a quarter of the picture
_NOISE = 4 / 255


@functools.cache
def picture(height: int, width: int) -> np.ndarray:
    """Float32 up to 1 with the edges, plains and grain of a photograph: "dead leaves" under noise.

    Discs of one grey each hide each other. Their radii follow the law r**-3, that of things in a photograph, which
    look alike at every scale; there are so many that they cover the picture twice.
    """
    random = np.random.default_rng(0)
    largest = min(_LARGEST, height / 4)
    mean_area = np.pi * 2 * _SMALLEST**2 * np.log(largest / _SMALLEST)
    count = int(2 * height * width / mean_area) + 1
    radii = random.uniform(largest**-2.0, _SMALLEST**-2.0, count) ** -0.5
    greys = random.uniform(0, 1, count).astype(np.float32)
    image = np.full((height, width), 0.5, np.float32)
    for radius, y, x, grey in zip(
        radii, random.uniform(0, height, count), random.uniform(0, width, count), greys, strict=True
    ):
        top, left = max(0, int(y - radius)), max(0, int(x - radius))
        part = image[top : int(y + radius) + 1, left : int(x + radius) + 1]
        rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
        part[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = grey
    image += random.standard_normal(image.shape, np.float32) * np.float32(_NOISE)
    return image.clip(0, 1, out=image)
