"""Coefficients of B-splines that pass through an image's pixels, and the adjoint of that.

reference.py       the definition: a system of equations along each axis
poles.py           the inverse filter: each pole in one pass forwards and one backwards
cpu_recursive.py   "recursive": these passes, over lines side by side
cuda_naive.py      "naive" on CUDA: these passes, a line in each thread
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..convolution.geometry import check_array
from ..correlation.reference import MODES
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["spline_filter2d", "spline_filter2d_grad"]

_BORDERS = ("mirror", "reflect", "grid-mirror", "wrap", "grid-wrap")


class SplineGeometry(NamedTuple):
    """Images (N, H, W, C) of samples, and the degree of the spline through them."""

    image: tuple[int, ...]
    degree: int
    border: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """Along both axes, for each pole a multiplication and an addition forwards and backwards, and a scale."""
        return math.prod(self.image) * 2 * (4 * (self.degree // 2) + 1)

    @property
    def bytes_moved(self) -> float:
        """Bytes of samples and coefficients, each once."""
        return 2 * math.prod(self.image) * self.dtype.itemsize


def _geometry(name: str, x: Spec, degree: Any, border: Any) -> SplineGeometry:
    check_array(name, "gy" if name.endswith("_grad") else "x", x, "N H W C")
    if isinstance(degree, bool) or not isinstance(degree, int | np.integer):
        raise TypeError(f"{name}: degree expects an integer but got {degree!r}")
    if not 2 <= degree <= 5:
        raise ValueError(f"{name}: degree expects 2, 3, 4 or 5 but got {degree}")
    if not isinstance(border, str) or border not in _BORDERS:
        raise ValueError(f"{name}: border expects one of {', '.join(map(repr, _BORDERS))} but got {border!r}")
    return SplineGeometry(x.shape, int(degree), MODES[border], x.dtype, ((x.shape, x.dtype),))


_CASES: tuple[dict[str, Any], ...] = (
    {"shapes": [(2, 5, 7, 3)]},
    {"shapes": [(1, 1, 9, 1)], "degree": 2, "border": "reflect"},
    {"shapes": [(1, 33, 2, 9)], "degree": 5, "border": "wrap"},
    {"shapes": [(1, 20, 30, 1)], "degree": 4},
)


def _declare(name: str, definition: Any, build: str) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=lambda *call: _geometry(name, *call),
        variants=(
            Variant("recursive", "cpu_recursive", build=build),
            Variant("naive", "cuda_naive", device="cuda", build=build),
        ),
        reference=definition,
        reference_args=lambda g: (g.degree, g.border),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=_CASES,
    )


SPLINE_FILTER2D = _declare("spline_filter2d", reference.spline_filter2d, "build")
SPLINE_FILTER2D_GRAD = _declare("spline_filter2d_grad", reference.spline_filter2d_grad, "build_grad")


def spline_filter2d(
    x: np.ndarray,
    degree: int = 3,
    *,
    border: str = "mirror",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Coefficients of the B-spline that passes through the pixels of images.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
    degree : {2, 3, 4, 5}
    border : {"mirror", "reflect", "wrap"}
        How the image goes on outside, in `correlate1d`'s names; so do the coefficients.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W, C) array
        `interpolate` and `warp2d` take them with the mode "spline3" (or of another degree) and the same border.

    Raises
    ------
    ValueError, TypeError
        Another degree or border, or an array that does not fit.

    Notes
    -----
    Equals ``scipy.ndimage.spline_filter``. The filter is recursive, so a NaN reaches all of its row and column, and
    from there the whole image.

    Source: M. Unser, A. Aldroubi and M. Eden, "Fast B-spline transforms for continuous image representation and
    interpolation", 1991.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 1.0, 0.0]).reshape(1, 1, 3, 1)
    >>> spline_filter2d(x).reshape(-1).round(3)
    array([-1.,  2., -1.])
    """
    return SPLINE_FILTER2D.run((x,), (degree, border), out, variant)


def spline_filter2d_grad(
    gy: np.ndarray,
    degree: int = 3,
    *,
    border: str = "mirror",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `spline_filter2d` by its input; the arguments are those of `spline_filter2d`.

    >>> import numpy as np
    >>> gy = np.array([0.0, 1.0, 0.0]).reshape(1, 1, 3, 1)
    >>> spline_filter2d_grad(gy).reshape(-1).round(3)
    array([-0.5,  2. , -0.5])
    """
    return SPLINE_FILTER2D_GRAD.run((gy,), (degree, border), out, variant)
