"""Images moved by affine and projective maps, and the adjoint of that.

reference.py    the definition
cpu_direct.py   "direct": one row of the result at a time, each pixel from the image where the matrix says
cpu_runs.py     its loops over pixels that take all their taps from inside the image
cuda_naive.py   "naive" on CUDA: one thread, one output
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside, to_device
from ..convolution.geometry import check_array, check_shape, pair
from ..correlation.geometry import check_border
from ..correlation.reference import MODES as BORDERS
from ..interpolation import INTEGERS
from ..interpolation.reference import AREA, MODES, NEAREST_EVEN, TAPS
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["warp2d", "warp2d_grad"]

_MODES = {**{mode: MODES.index(mode) for mode in MODES[1:AREA]}, "nearest-even": NEAREST_EVEN}


class WarpGeometry(NamedTuple):
    """Images (N, H, W, C), the ``size`` (P, Q) of the result, and one matrix or N."""

    image: tuple[int, ...]
    size: tuple[int, int]
    matrices: int
    mode: int
    border: int
    cval: float
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def warped(self) -> tuple[int, ...]:
        return self.image[0], *self.size, self.image[3]

    @property
    def taps(self) -> int:
        """Along one axis."""
        return TAPS[self.mode]

    @property
    def limits(self) -> tuple[float, float]:
        """The range of integers; two zeros for others."""
        if self.dtype.kind == "f":
            return 0.0, 0.0
        return float(np.iinfo(self.dtype).min), float(np.iinfo(self.dtype).max)

    @property
    def flops(self) -> float:
        """Of the weighted sums."""
        return math.prod(self.warped) * 2 * self.taps * (self.taps + 1)

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images, each once."""
        return self.dtype.itemsize * (math.prod(self.image) + math.prod(self.warped))


def _checked(
    name: str, image: tuple[int, ...], dtype: np.dtype, matrix: Spec, size: Any, mode: Any, border: Any, cval: Any
) -> WarpGeometry:
    """The geometry of a call, but for the outputs."""
    if matrix.shape not in ((3, 3), (1, 3, 3), (image[0], 3, 3)):
        raise ValueError(
            f"{name}: matrix expects shape (3, 3) or ({image[0]}, 3, 3) but got {matrix.shape} (image {image})"
        )
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, _MODES))} but got {mode!r}")
    border, cval = check_border(name, border, cval)
    if 0 in image[1:3]:
        raise ValueError(f"{name}: x expects at least one pixel but got shape {image}")
    sizes = (image[1], image[2]) if size is None else pair(name, "size", size, 0)
    matrices = matrix.shape[0] if len(matrix.shape) == 3 else 1
    return WarpGeometry(image, sizes, matrices, _MODES[mode], BORDERS[border], cval, dtype, ())


def _warp(x: Spec, matrix: Spec, *how: Any) -> WarpGeometry:
    if x.dtype.name not in INTEGERS:
        check_array("warp2d", "x", x, "N H W C")
    elif len(x.shape) != 4:
        raise ValueError(f"warp2d: x expects 4 axes (N, H, W, C) but got shape {x.shape}")
    g = _checked("warp2d", x.shape, x.dtype, matrix, *how)
    return g._replace(outputs=((g.warped, x.dtype),))


def _warp_grad(gy: Spec, matrix: Spec, input_shape: Any, mode: Any, border: Any) -> WarpGeometry:
    name = "warp2d_grad"
    check_array(name, "gy", gy, "N P Q C")
    image = check_shape(name, "input_shape", input_shape, "N H W C")
    if (gy.shape[0], gy.shape[3]) != (image[0], image[3]):
        raise ValueError(f"{name}: gy expects N and C of the input {image} but got shape {gy.shape}")
    g = _checked(name, image, gy.dtype, matrix, gy.shape[1:3], mode, border, 0.0)
    return g._replace(outputs=((image, gy.dtype),))


_CASES: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 5, 6, 3), {}),
    ((1, 7, 5, 1), {"mode": "bicubic", "border": "mirror"}),
    ((1, 30, 20, 2), {"mode": "spline3", "border": "wrap"}),
    ((2, 4, 9, 1), {"mode": "catmull-rom", "border": "nearest"}),
    ((1, 6, 6, 1), {"mode": "nearest-exact", "border": "reflect"}),
    ((1, 12, 11, 1), {"mode": "lanczos4"}),
    ((1, 6, 7, 2), {"mode": "nearest-even", "border": "mirror"}),
)


_BYTES = {"shapes": [(1, 4, 5, 3), (1, 3, 3)], "below": {0: 256}, "integers": "uint8", "border": "reflect"}


def _declare(name: str, geometry: Any, definition: Any, constants: Any, build: str, cases: Any) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=geometry,
        variants=(
            Variant("direct", "cpu_direct", build=build),
            Variant("naive", "cuda_naive", device="cuda", build=build),
        ),
        reference=definition,
        reference_args=constants,
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
    )


WARP2D = _declare(
    "warp2d", _warp, reference.warp2d, lambda g: (g.taps, g.mode, g.border, g.cval, g.limits), "build",
    (*({"shapes": [shape, (1, 3, 3)], **how} for shape, how in _CASES), _BYTES),
)  # fmt: skip
WARP2D_GRAD = _declare(
    "warp2d_grad", _warp_grad, reference.warp2d_grad, lambda g: (g.taps, g.mode, g.border), "build_grad",
    tuple({"shapes": [shape, (1, 3, 3)], "input_shape": shape, **how} for shape, how in _CASES),
)  # fmt: skip


def _matrices(name: str, x: Any, matrix: ArrayLike) -> Any:
    """Matrices as float64 beside the images; one alone with an axis in front."""
    array = np.asarray(to_device(matrix, "cpu"))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: matrix expects real numbers but got {array.dtype}")
    array = array.astype(np.float64, copy=False)
    return beside(x, array[None] if array.ndim == 2 else array)


def warp2d(
    x: np.ndarray,
    matrix: ArrayLike,
    size: Any = None,
    *,
    mode: str = "bilinear",
    border: str = "constant",
    cval: float = 0.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Images moved by an affine or projective map.

    Parameters
    ----------
    x : (N, H, W, C), float32, float64, uint8, uint16 or int16
        At least one pixel. Integers are weighted in float32, rounded to the nearest, halves to even, and kept inside
        their range.
    matrix : (3, 3) or (N, 3, 3) array-like
        Row p, column q of the result lies in the image at column ``u / w``, row ``v / w``, with ``(u, v, w) = matrix @
        (q, p, 1)``.
    size : int or (P, Q), optional
        The result's size; by default that of the image.
    mode : {"bilinear", "nearest-exact", "nearest-even", "bicubic", "catmull-rom", "lanczos4", "spline2" to "spline5"}
        The weights, as in `interpolate`; "nearest-even" is OpenCV's nearest pixel, of two equally near the even one.
    border : str
        What lies beyond the border, in `correlate1d`'s names.
    cval : float
        The value outside with "constant": of each pixel that a sum takes.
    out : (N, P, Q, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, P, Q, C) array

    Raises
    ------
    ValueError, TypeError
        A matrix of another shape, an unknown mode or border, an array that does not fit.

    Notes
    -----
    Positions are computed in float64, with "nearest-even" in float32, and those farther away than 1e9 pixels, or that
    are no number, count as being there. A pixel with weight 0 takes no part, be it NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    >>> warp2d(x, [[1, 0, 0.5], [0, 1, 0], [0, 0, 1]]).reshape(-1)
    array([1.5, 3. , 2. ])
    """
    return WARP2D.run((x, _matrices("warp2d", x, matrix)), (size, mode, border, cval), out, variant)


def warp2d_grad(
    gy: np.ndarray,
    matrix: ArrayLike,
    input_shape: tuple[int, ...],
    *,
    mode: str = "bilinear",
    border: str = "constant",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `warp2d` by its image, of shape ``input_shape``; the other arguments are those of `warp2d`.

    >>> import numpy as np
    >>> matrix = [[1, 0, 0.5], [0, 1, 0], [0, 0, 1]]
    >>> warp2d_grad(np.ones((1, 1, 3, 1)), matrix, (1, 1, 3, 1)).reshape(-1)
    array([0.5, 1. , 1. ])
    """
    arrays = gy, _matrices("warp2d_grad", gy, matrix)
    return WARP2D_GRAD.run(arrays, (input_shape, mode, border), out, variant)
