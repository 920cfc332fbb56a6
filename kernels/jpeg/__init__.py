"""What JPEG leaves of images: the loss of its encoder and decoder, without a file between them.

reference.py    the definition
cpu_blocks.py   "blocks": a row of blocks at a time
cuda_naive.py   "naive" on CUDA: one thread, one pixel or one line of eight
"""

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import jpeg_geometry

__all__ = ["jpeg"]

JPEG = Operation(
    "jpeg",
    package=__name__,
    geometry=jpeg_geometry,
    variants=(Variant("blocks", "cpu_blocks"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.jpeg,
    reference_args=lambda g: g.constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 8, 8, 1)], "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(2, 11, 21, 3)], "quality": 30, "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 17, 5, 3)], "subsampling": "4:2:2", "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 9, 30, 3)], "quality": 5, "subsampling": "4:4:4", "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(2, 18, 13, 3)], "quality": 60},
    ),
)


def jpeg(
    x: np.ndarray,
    quality: int = 75,
    *,
    subsampling: str = "4:2:0",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Images as they come back from a JPEG file.

    Parameters
    ----------
    x : (N, H, W, C), uint8, or float32 or float64 with values in [0, 1]
        C = 1 (gray) or 3 (RGB). Floating-point numbers are clipped, multiplied by 255 and rounded, halves to even, as
        they are read, and results are divided by 255 as they are written; NaN is 0.
    quality : int
        1 to 100, which scales the standard tables as libjpeg does.
    subsampling : {"4:2:0", "4:2:2", "4:4:4"}
        The resolution of chroma: half of both, of the width, or all. Gray images have none.
    out : (N, H, W, C) array of the dtype of ``x``, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W, C) array of the dtype of ``x``

    Raises
    ------
    ValueError, TypeError
        Where shape, type or arguments do not fit.

    Notes
    -----
    Of uint8 it equals, bit for bit, what Pillow reads from a file that it has written with this quality and
    subsampling: libjpeg's defaults, that is the "islow" transforms and smooth upsampling of chroma. ITU-T T.81 leaves
    both to the decoder.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.zeros((1, 8, 8, 1), np.uint8)
    >>> x[0, :, 4:] = 200
    >>> jpeg(x, 20)[0, 0, :, 0]
    array([  0,   2,   0,   0, 203, 196, 194, 203], dtype=uint8)
    """
    return JPEG.run((x,), (quality, subsampling), out, variant)
