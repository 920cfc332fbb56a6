"""Exemplar inpainting: holes are filled, and tears repaired, with patches of the image itself.

    reference.py       the definition in loops, interpreted in float64; compiled as it stands it is "naive"
    fit_reference.py   that of its last step
    rules.py           the numbers of the method, and which candidates are tried
    cpu_patches.py     "patches", of three steps:
        cpu_fill.py    Criminisi's order, and an exact search through the whole image, many candidates to a vector
        cpu_refine.py  rounds of PatchMatch and of voting
        cpu_fit.py     how much of that is believed

Why not one. Criminisi's filling continues edges into the hole and copies texture, but it never reconsiders: patches
are cut against each other, and whatever is wrong with the first is copied on. The rounds take its result as a first
guess. Each pixel becomes the mean of what many patches say, which removes the cuts, and in narrow damage, where patches
see known pixels on both sides, is much nearer to the truth than any one of them. Deep in a hole, where all are far from
it, a mean would only blur: there the best patch alone counts.

The fit asks how much of that can be known. Patches vote on the known rim as well. Their error there is spread into the
hole by a surface of least bending, and taken off; and where they leave much of the rim unexplained, as in a photograph
that does not repeat, a wrong edge is further from the truth than none. So pixels go over, step by step into the hole,
from what patches say to the smooth surface through what is known. Where they know the picture, as in a wall of bricks,
nothing changes. In random texture nobody can know it, but everybody sees blur: there the patches' detail is kept.
"""

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import exemplar_geometry

__all__ = ["inpaint_exemplar"]

INPAINT_EXEMPLAR = Operation(
    "inpaint_exemplar",
    package=__name__,
    geometry=exemplar_geometry,
    variants=(Variant("patches", "cpu_patches"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.inpaint_exemplar,
    reference_args=lambda g: (g.r, g.s, g.refinements, g.levels),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    # Lines: a mask drawn pixel by pixel leaves no whole patch of an image. The operation's own tests fill those.
    cases=(
        {
            "shapes": [(1, 1, 40, 1), (1, 1, 40)],
            "below": {1: 2},
            "integers": "uint8",
            "patch_size": 3,
            "refinements": 0,
        },
        {
            "shapes": [(2, 27, 1, 2), (2, 27, 1)],
            "below": {1: 2},
            "integers": "uint8",
            "patch_size": 3,
            "refinements": 2,
        },
        {
            "shapes": [(1, 24, 2, 1), (1, 24, 2)],
            "below": {1: 1},
            "integers": "uint8",
            "patch_size": 3,
            "refinements": 1,
        },
    ),
)


def inpaint_exemplar(
    x: np.ndarray,
    mask: np.ndarray,
    source: np.ndarray | None = None,
    *,
    patch_size: int = 9,
    refinements: int = 8,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Fill holes with patches of the image itself.

    Parameters
    ----------
    x : (N, H, W, C) array, uint8, uint16, float32 or float64
    mask : (N, H, W) uint8 array
        What is not 0 is a hole; x is not read there.
    source : (N, H, W) uint8 array, optional
        What is not 0 may be copied from; by default all that is known.
    patch_size : int
        Side of the patches, at least 3; where the image is smaller, its side.
    refinements : int
        Rounds after the first filling; 0 gives Criminisi's result.
    out : array of the shape and type of ``x``, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and type of ``x``
        Pixels outside the mask keep their bits. Holes lie within the range of the known pixels of their channel;
        integers are rounded to the nearest, halves to even.

    Raises
    ------
    ValueError
        Of an image with a hole, no patch is known throughout and may be copied; shapes that do not fit.
    TypeError
        Other types.

    Notes
    -----
    Comparisons are in float32 (exact for uint8 images of up to three channels and patches of 9) or, for float64 images,
    in float64. Pixels that are not finite in all channels stay; they are neither compared nor copied. The random
    candidates are a function of place and round: the same image gives the same bits, on any number of threads and in
    any batch. On CUDA the host reads mask and source, and waits after each patch that is copied; with ``refinements=0``
    the bits are those of the CPU.

    Source: A. Criminisi, P. Perez and K. Toyama, "Region filling and object removal by exemplar-based image
    inpainting", 2004; Y. Wexler, E. Shechtman and M. Irani, "Space-time completion of video", 2007; C. Barnes et al.,
    "PatchMatch: a randomized correspondence algorithm for structural image editing", 2009. The last step is this
    package's own.

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.tile(np.array([1, 5, 9, 5], np.uint8), (12, 4)).reshape(1, 12, 16, 1)
    >>> mask = np.zeros((1, 12, 16), np.uint8)
    >>> mask[:, 4:8, 6:10] = 1
    >>> filled = inpaint_exemplar(np.where(mask[..., None], 0, stripes).astype(np.uint8), mask, patch_size=5)
    >>> bool((filled == stripes).all())
    True
    """
    if source is None:
        source = np.ones_like(mask, dtype=np.uint8)  # beside the mask
    return INPAINT_EXEMPLAR.run((x, mask, source), (patch_size, refinements), out, variant)
