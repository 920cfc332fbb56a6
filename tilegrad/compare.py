"""`tilegrad compare A B`: how much two pictures differ, in numbers and as a picture."""

import json
import os
from typing import Any

import numpy as np

from . import filters
from .errors import TilegradError
from .files import check_writable, replacing
from .images import check_format, from_float, read_image, split_alpha, to_float, write_image
from .training import say


def compare_files(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    difference: str | os.PathLike[str] | None = None,
    gain: float | None = None,
    json_file: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Print PSNR, SSIM and the largest difference of two pictures.

    Parameters
    ----------
    first, second : path
        Pictures of one size, both gray or both in colour; the first is the true one. Alpha does not count. Pictures of
        8 and of 16 bits compare, each as a share of its largest value.
    difference : path, optional
        A picture of the absolute differences to write, of 8 bits.
    gain : float, optional
        What differences are multiplied by there; as much as makes the largest one white if not given.
    json_file : path, optional
        Where to write the figures as JSON.

    Returns
    -------
    dict
        "psnr" in dB (None for equal pictures), "ssim", "largest_difference" and "mean_difference" in steps of 8 bits.

    Raises
    ------
    TilegradError
        If a file cannot be read or written, or the pictures do not compare.
    """
    for path in (difference, json_file):
        if path is not None:
            check_writable(path)
    (one, alpha), (other, other_alpha) = (split_alpha(read_image(path)) for path in (first, second))
    a, b = to_float(one), to_float(other)
    if difference is not None:
        check_format(difference, np.uint8, 1 if a.ndim == 2 else 3)
    if a.shape != b.shape:
        raise TilegradError(f"{first} is {_described(a)}, but {second} is {_described(b)}")
    if min(a.shape[:2]) < 7:
        raise TilegradError(f"{first}: SSIM needs pictures of at least 7 x 7 pixels")
    quality = filters.psnr_and_ssim(a, b, data_range=1.0, channel_axis=None if a.ndim == 2 else -1)
    distance, psnr = np.abs(a - b), float(quality.psnr)
    found = {
        "psnr": psnr if np.isfinite(psnr) else None,
        "ssim": float(quality.ssim),
        "largest_difference": float(distance.max() * 255),
        "mean_difference": float(distance.mean(dtype=np.float64) * 255),
    }
    equal = distance.max() == 0
    hidden = "" if np.array_equal(_opacity(alpha, a), _opacity(other_alpha, b)) else " but for their alpha"
    say(f"PSNR {f'infinite: the pictures are equal{hidden}' if equal else f'{psnr:.2f} dB'}")
    say(f"SSIM {found['ssim']:.4f}")
    say(f"difference, of 255: {found['mean_difference']:.2f} on average, {found['largest_difference']:.0f} at most")
    if difference is not None:
        factor = (1.0 if equal else 1.0 / float(distance.max())) if gain is None else gain
        write_image(difference, from_float(np.minimum(distance * np.float32(factor), 1), np.uint8))
        say(f"{difference}: differences times {factor:.1f}")
    if json_file is not None:
        with replacing(json_file) as temporary:
            temporary.write_text(json.dumps(found) + "\n")
    return found


def _opacity(alpha: np.ndarray | None, image: np.ndarray) -> np.ndarray:
    """Alpha in [0, 1], of a picture without it 1."""
    return np.ones(image.shape[:2], np.float32) if alpha is None else to_float(alpha)


def _described(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]} pixels, {'gray' if image.ndim == 2 else 'in colour'}"
