"""Channels to pixels and back: the pixel shuffle of sub-pixel convolution networks.

reference.py     the definition
cpu_blocks.py    "blocks": vectors dealt out in registers for blocks of 2 x 2
cuda_naive.py    "naive" on CUDA: one thread, one number
cuda_blocks.py   "blocks" on CUDA, with cuda_blocks.cu: a thread has one channel of a block, up to 16 bytes at once
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..convolution.geometry import check_array
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["pixel_shuffle", "pixel_unshuffle"]


class Shuffling(NamedTuple):
    """``deep`` (N, H, W, C * r * r) holds the numbers of (N, H * r, W * r, C), r = factor."""

    deep: tuple[int, ...]
    factor: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """None are needed; one is counted for each number."""
        return math.prod(self.deep)

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images, each once."""
        return 2 * self.dtype.itemsize * math.prod(self.deep)


def _factor(name: str, argument: str, factor: Any) -> int:
    if isinstance(factor, bool) or not isinstance(factor, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {factor!r}")
    if factor < 1:
        raise ValueError(f"{name}: {argument} expects at least 1 but got {factor}")
    return int(factor)


def _shuffle(x: Spec, factor: Any) -> Shuffling:
    name = "pixel_shuffle"
    check_array(name, "x", x, "N H W C")
    r = _factor(name, "upscale_factor", factor)
    n, h, w, c = x.shape
    if c % (r * r):
        raise ValueError(f"{name}: x expects a multiple of {r} * {r} channels but got {c} (input {x.shape})")
    return Shuffling(x.shape, r, x.dtype, (((n, h * r, w * r, c // (r * r)), x.dtype),))


def _unshuffle(x: Spec, factor: Any) -> Shuffling:
    name = "pixel_unshuffle"
    check_array(name, "x", x, "N H W C")
    r = _factor(name, "downscale_factor", factor)
    n, h, w, c = x.shape
    if h % r or w % r:
        raise ValueError(f"{name}: x expects sides that are multiples of {r} but got {h} x {w} (input {x.shape})")
    deep = (n, h // r, w // r, c * r * r)
    return Shuffling(deep, r, x.dtype, ((deep, x.dtype),))


PIXEL_SHUFFLE = Operation(
    "pixel_shuffle",
    package=__name__,
    geometry=_shuffle,
    variants=(
        Variant("blocks", "cpu_blocks"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.pixel_shuffle,
    reference_args=lambda g: (g.factor,),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 3, 2, 12)], "upscale_factor": 2},
        {"shapes": [(1, 2, 3, 9)], "upscale_factor": 3},
        {"shapes": [(2, 20, 20, 76)], "upscale_factor": 2},
    ),
)
PIXEL_UNSHUFFLE = Operation(
    "pixel_unshuffle",
    package=__name__,
    geometry=_unshuffle,
    variants=(
        Variant("blocks", "cpu_blocks", build="build_unshuffle"),
        Variant("blocks", "cuda_blocks", device="cuda", build="build_unshuffle"),
        Variant("naive", "cuda_naive", device="cuda", build="build_unshuffle"),
    ),
    reference=reference.pixel_unshuffle,
    reference_args=lambda g: (g.factor,),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 6, 4, 3)], "downscale_factor": 2},
        {"shapes": [(1, 6, 9, 1)], "downscale_factor": 3},
        {"shapes": [(2, 40, 40, 19)], "downscale_factor": 2},
    ),
)


def pixel_shuffle(
    x: np.ndarray, upscale_factor: int, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Channels become blocks of r x r pixels, r = ``upscale_factor``.

    Parameters
    ----------
    x : (N, H, W, C * r * r), float32 or float64
        Channel ``c * r * r + i * r + j`` becomes pixel (i, j) of the block in channel c: PyTorch's order, so that the
        channels of a convolution that was trained there mean the same here.
    upscale_factor : int
    out : (N, H * r, W * r, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H * r, W * r, C) array

    Raises
    ------
    ValueError, TypeError
        Where the factor is not positive, the channels are no multiple of its square, or an array does not fit.

    Notes
    -----
    Equals ``torch.nn.functional.pixel_shuffle``. (``tf.nn.depth_to_space`` has the order ``(i * r + j) * C + c``.)

    Examples
    --------
    >>> import numpy as np
    >>> pixel_shuffle(np.arange(4.0).reshape(1, 1, 1, 4), 2).reshape(2, 2)
    array([[0., 1.],
           [2., 3.]])
    """
    return PIXEL_SHUFFLE.run((x,), (upscale_factor,), out, variant)


def pixel_unshuffle(
    x: np.ndarray, downscale_factor: int, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Blocks of r x r pixels become channels, r = ``downscale_factor``: inverse and adjoint of `pixel_shuffle`.

    (N, H * r, W * r, C) gives (N, H, W, C * r * r). Equals ``torch.nn.functional.pixel_unshuffle``.

    >>> import numpy as np
    >>> pixel_unshuffle(np.arange(4.0).reshape(1, 2, 2, 1), 2).reshape(-1)
    array([0., 1., 2., 3.])
    """
    return PIXEL_UNSHUFFLE.run((x,), (downscale_factor,), out, variant)
