"""Pillow: its JPEG writer and reader on the same pictures, with a file in memory; on one thread."""

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL
from PIL import Image

from ..contestant import Arrays, Contestant, Prepared
from ..filter_kinds import PILLOW, Filter


def _jpeg(image: np.ndarray, quality: int, *, channel_axis: int | None = None) -> np.ndarray:
    """What is read from a file that was written with chroma of half the resolution, its default and ours."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


LIBRARY = SimpleNamespace(jpeg=_jpeg)
"""As `tilegrad.filters` has it."""


def contestants(threads: int, compiled: bool) -> list[Contestant]:
    """Pillow, whatever the number of threads."""
    return [Contestant(PILLOW, f"pillow {PIL.__version__}", prepare, lambda work: None)]


def prepare(work: Any, arrays: Arrays) -> Prepared | None:
    """Make a filter in Pillow's form ready; see `Contestant`."""
    return work.prepare(LIBRARY, arrays) if isinstance(work, Filter) and work.rival == PILLOW else None
