"""How published results on restoring pictures are measured: what is done to a picture before, and what counts after.

* Noise: ``numpy.random.seed(0)`` for every picture, standard deviation sigma / 255, neither clipped nor rounded.
* Super-resolution: luminance alone, as video has it (16 to 235); the picture, cut to a multiple of the scale, made
  smaller and enlarged again as MATLAB's imresize does, bicubic with antialiasing; as many pixels as the scale are
  shaved off each side before measuring.
* JPEG: what Pillow's encoder makes of a gray picture.

Results are rounded to 8 bits before they are measured.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from .extras import require


@dataclass(frozen=True)
class Degraded:
    """A picture and what became of it; float32, (H, W) or (H, W, 3)."""

    clean: np.ndarray
    damaged: np.ndarray
    shave: int = 0
    """Pixels at each side that do not count."""

    def counted(self, image: np.ndarray) -> np.ndarray:
        """What of an image counts, in steps of 8 bits; noise may leave [0, 1]."""
        H, W = image.shape[:2]
        inside = image[self.shave : H - self.shave, self.shave : W - self.shave]
        return np.rint(inside * np.float32(255)) / np.float32(255)


def with_noise(picture: np.ndarray, sigma: float) -> Degraded:
    """Gaussian noise on an image of values in [0, 1], the same numbers for every picture of a shape."""
    noise = np.random.RandomState(0).normal(0, sigma / 255.0, picture.shape)
    return Degraded(picture, (picture + noise).astype(np.float32))


def at_lower_resolution(picture: np.ndarray, scale: int) -> Degraded:
    """The luminance of a gray or RGB image in [0, 1], and the same made smaller by ``scale`` and enlarged again."""
    H, W = (length - length % scale for length in picture.shape[:2])
    whole = luminance(picture[:H, :W])
    small = resize_bicubic(whole, H // scale, W // scale)
    return Degraded(whole.astype(np.float32), resize_bicubic(small, H, W).astype(np.float32), shave=scale)


def through_jpeg(picture: np.ndarray, quality: int) -> Degraded:
    """A gray image in [0, 1], and what JPEG of that quality leaves of it."""
    pil = require("PIL.Image", "JPEG")
    stored = io.BytesIO()
    pil.fromarray(np.rint(picture * 255).astype(np.uint8)).save(stored, "JPEG", quality=quality)
    with pil.open(stored) as image:
        return Degraded(picture, np.asarray(image).astype(np.float32) / np.float32(255))


def luminance(picture: np.ndarray) -> np.ndarray:
    """Luminance as ITU-R BT.601 stores it, 16 to 235 of 255, rounded to 8 bits; a gray image stays as it is.

    >>> luminance(np.ones((1, 1, 3)))[0, 0] * 255
    np.float64(235.0)
    """
    if picture.ndim == 2:
        return np.asarray(picture, np.float64)
    return np.asarray(np.rint(picture.astype(np.float64) @ [65.481, 128.553, 24.966] + 16) / 255)


def resize_bicubic(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An (H, W) image of another size, by Keys' kernel (a = -0.5), as MATLAB's imresize has it.

    Where the image becomes smaller the kernel is stretched, so that it averages what would alias; beyond the border the
    image is mirrored. Values are rounded to 8 bits, as those of a uint8 image are.

    >>> resize_bicubic(np.tile(np.arange(8) / 255, (8, 1)), 1, 2) * 255
    array([[1., 6.]])
    """
    resized = _weights(image.shape[0], height) @ image @ _weights(image.shape[1], width).T
    return np.asarray(np.rint(np.clip(resized, 0, 1) * 255) / 255)


def _weights(length: int, wanted: int) -> np.ndarray:
    """(wanted, length): what each sample counts in each result, along one axis."""
    stretch = max(1.0, length / wanted)
    centres = (np.arange(wanted) + 0.5) * length / wanted - 0.5
    first = np.floor(centres - 2 * stretch).astype(int)
    places = first[:, None] + np.arange(int(np.ceil(4 * stretch)) + 2)
    found = _keys((centres[:, None] - places) / stretch)
    found /= found.sum(axis=1, keepdims=True)
    mirrored = np.abs(places + 0.5) - 0.5  # from below 0
    mirrored = length - 0.5 - np.abs(mirrored - (length - 0.5))  # and from above length - 1
    weights = np.zeros((wanted, length))
    np.add.at(weights, (np.arange(wanted)[:, None], np.clip(mirrored, 0, length - 1).astype(int)), found)
    return weights


def _keys(x: Any) -> np.ndarray:
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
