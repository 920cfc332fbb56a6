"""Matching a template: how like it is each window of an image, by sums of products.

    reference.py           the loops, interpreted in float64; compiled as they stand they are "naive"
    cpu_direct.py          "direct": sums of rows of the image, shifted and weighted, for small templates
    cpu_fourier.py         "fourier": overlapping blocks multiplied in the frequency domain, for all others
    cpu_windows.py         "windows": sums over all windows, in which nothing is ever subtracted again
    measures.py            sums of products and of squared differences, which are no scores, from the same products
    cuda_blocks.py         products and scores on CUDA, with cuda_blocks.cu: several places for a thread, direct sums
    cuda_windows.py        sums over windows on CUDA, with cuda_windows.cu: down columns, and across in a block
    cuda_naive.py          products on CUDA: one thread, one place
    cuda_tiled.py          products on CUDA: a tile of the image and pieces of the template in shared memory
    cuda_naive_scores.py   scores and sums over windows on CUDA: one thread, one place

Images are float32, float64 or uint8; sums of integers are exact.
"""

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import products, scores, windows

__all__ = ["match_products", "match_template", "window_sums"]

_INTEGERS = {"below": {0: 256, 1: 256}, "integers": "uint8"}

MATCH_PRODUCTS = Operation(
    "match_products",
    package=__name__,
    geometry=products,
    variants=(
        Variant("fourier", "cpu_fourier", build="build_products"),
        Variant("direct", "cpu_direct", build="build_products"),
        Variant("blocks", "cuda_blocks", device="cuda", build="build_products"),
        Variant("naive", "cuda_naive", "cuda", teaching=True),
        Variant("tiled", "cuda_tiled", "cuda", teaching=True),
    ),
    reference=reference.match_products,
    reference_args=lambda g: (),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1), (1, 1, 1, 1)]},
        {"shapes": [(2, 9, 11, 3), (1, 3, 4, 3)]},
        {"shapes": [(1, 30, 41, 2), (1, 9, 8, 2)]},
        {"shapes": [(4, 17, 12, 1), (2, 5, 3, 1)]},
        {"shapes": [(1, 20, 26, 1), (1, 8, 9, 1)], **_INTEGERS},
        {"shapes": [(1, 12, 9, 2), (1, 2, 3, 2)], **_INTEGERS},
    ),
)

MATCH_TEMPLATE = Operation(
    "match_template",
    package=__name__,
    geometry=scores,
    variants=(
        Variant("fourier", "cpu_fourier", build="build_scores"),
        Variant("direct", "cpu_direct", build="build_scores"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive_scores", device="cuda"),
    ),
    reference=reference.match_template,
    reference_args=lambda g: (g.centre, g.measure),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 4, 5, 1), (2, 2, 1)]},
        {"shapes": [(2, 9, 11, 3), (3, 4, 3)], "centre": "all"},
        {"shapes": [(1, 30, 41, 2), (9, 8, 2)]},
        {"shapes": [(1, 30, 41, 1), (9, 8, 1)], "centre": "none"},
        {"shapes": [(1, 9, 12, 2), (3, 2, 2)], "measure": "products"},
        {"shapes": [(1, 30, 41, 1), (9, 8, 1)], "centre": "none", "measure": "differences"},
        {"shapes": [(2, 9, 11, 3), (3, 4, 3)], "centre": "none", "measure": "normed_differences"},
    ),
)

WINDOW_SUMS = Operation(
    "window_sums",
    package=__name__,
    geometry=windows,
    variants=(
        Variant("windows", "cpu_windows"),
        Variant("windows", "cuda_windows", device="cuda"),
        Variant("naive", "cuda_naive_scores", device="cuda", build="build_sums"),
    ),
    reference=reference.window_sums,
    reference_args=lambda g: (g.r, g.s),
    flops=lambda g: 6.0 * g.n * g.h * g.w * g.c,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1)], "size": (1, 1)},
        {"shapes": [(2, 17, 23, 3)], "size": (4, 5)},
        {"shapes": [(1, 40, 9, 1)], "size": (7, 9)},
        {"shapes": [(1, 12, 9, 2)], "size": (2, 3), "below": {0: 256}, "integers": "uint8"},
    ),
)


def match_products(
    x: np.ndarray, template: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Sum of the products of a template with every window of an image, over all channels.

    Parameters
    ----------
    x : (N, H, W, C) float32, float64 or uint8
    template : (R, S, C) or (T, R, S, C) of the same type, R <= H and S <= W
        It is not flipped. Of T templates, which divide N, image n takes that of number ``n % T``.
    out : optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H - R + 1, W - S + 1) array of the type of ``x``, or int64 for uint8

    Raises
    ------
    ValueError, TypeError
        Where shapes or types do not fit; nothing is computed.

    Notes
    -----
    Integers are exact. Small templates are summed in float64; large ones are multiplied in the frequency domain, in the
    type of ``x``: the error is a few eps times the length of the template times the root mean square of a block of
    256 x 256 pixels. NaN and infinity reach exactly the windows that hold them.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(12.0).reshape(1, 3, 4, 1)
    >>> match_products(x, np.array([[1.0, 10.0]]).reshape(1, 2, 1))[0]
    array([[ 10.,  21.,  32.],
           [ 54.,  65.,  76.],
           [ 98., 109., 120.]])
    """
    if getattr(template, "ndim", 0) == 3:
        template = template[None]
    return MATCH_PRODUCTS.run((x, template), (), out, variant)


def match_template(
    x: np.ndarray,
    template: np.ndarray,
    *,
    centre: str = "channel",
    measure: str = "score",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """How like a template each window of an image is, whatever its brightness and contrast: 1 where it is equal.

    Parameters
    ----------
    x : (N, H, W, C) float32, float64 or uint8
    template : (R, S, C) of the same type, R <= H and S <= W
    centre : {"channel", "all", "none"}
        What is subtracted from windows and template first: each channel's mean, the mean over all channels, or nothing.
    measure : {"score", "products", "differences", "normed_differences"}
        "score" is the sum of products over the product of the lengths of both vectors of numbers, "products" the sum
        alone. "differences" is the sum of squared differences, "normed_differences" that over the product of lengths,
        at most 1, and 1 where one of them is 0; both with ``centre="none"``.
    out : optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H - R + 1, W - S + 1) array, float64 for float64 images and float32 for others; scores are in [-1, 1]

    Raises
    ------
    ValueError, TypeError
        Where shapes or types do not fit; nothing is computed.

    Notes
    -----
    The score is 0 where window or template has no contrast: where its squared length is not above 1e-14 of that of its
    distance from the image's mean (for a float32 image, also where its length is below 1e-36). A window that holds a
    NaN or an infinity gives NaN, and no other does; a template that holds one gives NaN everywhere.

    Errors are below 1e-5, and about 1e-7 where windows have the contrast of their surroundings: the image's mean is
    taken off first, lengths are summed in float64, and blocks of float32 images in which the window of least contrast
    would lose more than that are computed in float64, which holds as long as its contrast is above 1e-5 of its distance
    from the image's mean. For uint8, sums of products and lengths are exact integers. The other measures are computed
    in float64 throughout; differences less the template's mean on both sides, so that those of faint textures on a high
    level keep their digits.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[3.0, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]]).reshape(1, 3, 4, 1)
    >>> match_template(x, 1000 + x[0, 1:, 1:3] / 7)[0].round(3)
    array([[ 0.11 , -0.666,  0.595],
           [-0.492,  1.   , -0.635]])
    """
    return MATCH_TEMPLATE.run((x, template), (centre, measure), out, variant)


def window_sums(
    x: np.ndarray,
    size: tuple[int, int],
    *,
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the numbers and of their squares in every window of an image, channel by channel.

    Parameters
    ----------
    x : (N, H, W, C) float32, float64 or uint8
    size : (R, S)
        Height and width of the window, which lies inside the image.
    out : (sums, squares), optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    sums, squares : (N, H - R + 1, W - S + 1, C) float64, or int64 for uint8

    Notes
    -----
    Equal to differences of integral images, but nothing is subtracted: a window of small numbers loses no digit to
    large ones elsewhere, and NaN and infinity reach exactly the windows that hold them.

    Examples
    --------
    >>> import numpy as np
    >>> sums, squares = window_sums(np.array([[1.0, 2, 3], [4, 5, 6]]).reshape(1, 2, 3, 1), (2, 2))
    >>> sums.ravel(), squares.ravel()
    (array([12., 16.]), array([46., 74.]))
    """
    return WINDOW_SUMS.run((x,), (size,), out, variant)
