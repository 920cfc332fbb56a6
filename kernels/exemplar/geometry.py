"""The checked geometry of exemplar inpainting."""

from typing import Any, NamedTuple

import numpy as np

from ..operation import Spec
from .rules import LEAST_PATCH

_DTYPES = ("float32", "float64", "uint8", "uint16")


class ExemplarGeometry(NamedTuple):
    """``n`` images of ``(h, w)`` pixels and ``c`` channels, completed with patches of ``(r, s)`` pixels."""

    n: int
    h: int
    w: int
    c: int
    r: int
    s: int
    refinements: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def work(self) -> np.dtype:
        """The type in which pixels are compared and mixed."""
        return np.dtype(np.float64 if self.dtype == np.float64 else np.float32)

    @property
    def levels(self) -> int:
        """The largest value of integer images, whose results are rounded; 0 for others."""
        return 0 if self.dtype.kind == "f" else int(np.iinfo(self.dtype).max)

    @property
    def flops(self) -> float:
        """Of one search through the whole image; how many there are depends on the mask."""
        return 3.0 * self.n * self.h * self.w * self.c * self.r * self.s

    @property
    def bytes_moved(self) -> float:
        """Bytes of the image, the mask and the sources read and of the result written, each once."""
        return self.n * self.h * self.w * (2.0 * self.c * self.dtype.itemsize + 2.0)


def _integer(name: str, argument: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if value < least:
        raise ValueError(f"{name}: {argument} expects at least {least} but got {value}")
    return int(value)


def exemplar_geometry(x: Spec, mask: Spec, source: Spec, patch_size: Any, refinements: Any) -> ExemplarGeometry:
    name = "inpaint_exemplar"
    if x.dtype.name not in _DTYPES:
        raise TypeError(f"{name}: x expects one of {', '.join(_DTYPES)} but got {x.dtype}")
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x expects (N, H, W, C) but got shape {x.shape}")
    for argument, spec in (("mask", mask), ("source", source)):
        if spec.dtype != np.uint8:
            raise TypeError(f"{name}: {argument} expects uint8 but got {spec.dtype}")
        if spec.shape != x.shape[:3]:
            raise ValueError(f"{name}: {argument} expects shape {x.shape[:3]} but got {spec.shape}")
    size = _integer(name, "patch_size", patch_size, LEAST_PATCH)
    rounds = _integer(name, "refinements", refinements, 0)
    n, h, w, c = x.shape
    return ExemplarGeometry(n, h, w, c, min(size, h), min(size, w), rounds, x.dtype, ((x.shape, x.dtype),))
