"""Images of another size: nearest, bilinear and bicubic interpolation, and its adjoint.

reference.py       the definition
cpu_separable.py   "separable": rows and columns apart, from tables of taps (machine/separable.py)
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..convolution.geometry import check_array, check_shape, pair
from ..elementwise.geometry import finite
from ..operation import Operation, Spec, Variant
from . import reference
from .reference import MODES

__all__ = ["interpolate", "interpolate_grad"]


class Interpolation(NamedTuple):
    """An image (N, H, W, C) and the ``size`` (P, Q) that it gets; ``scale`` pixels of it fit one of the result."""

    image: tuple[int, ...]
    size: tuple[int, int]
    scale: tuple[float, float]
    mode: int
    align_corners: bool
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def resized(self) -> tuple[int, ...]:
        return self.image[0], *self.size, self.image[3]

    @property
    def taps(self) -> int:
        """Along one axis."""
        return (1, 2, 4)[self.mode]

    @property
    def flops(self) -> float:
        """Multiplications and additions, rows and columns apart; one for each number that is copied."""
        return math.prod(self.resized) * max(1, 4 * (self.taps - 1))

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images, each once."""
        return self.dtype.itemsize * (math.prod(self.image) + math.prod(self.resized))


def _checked(
    name: str, image: tuple[int, ...], dtype: np.dtype, size: Any, scale_factor: Any, mode: Any, align_corners: Any
) -> Interpolation:
    """The geometry of a call, but for the outputs."""
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, MODES))} but got {mode!r}")
    if align_corners and mode == "nearest":
        raise ValueError(f'{name}: align_corners expects mode "bilinear" or "bicubic" but got "nearest"')
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"{name}: expects either size or scale_factor but got size {size!r} and scale_factor {scale_factor!r}"
        )
    if 0 in image[1:3]:
        raise ValueError(f"{name}: x expects at least one pixel but got shape {image}")
    if scale_factor is None:
        sizes = pair(name, "size", size, 1)
        scale = (image[1] / sizes[0], image[2] / sizes[1])
    else:
        two = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor, scale_factor)
        if len(two) != 2:
            raise TypeError(f"{name}: scale_factor expects a number or (height, width) but got {scale_factor!r}")
        factors = [finite(name, "scale_factor", factor) for factor in two]
        if min(factors) <= 0:
            raise ValueError(f"{name}: scale_factor expects numbers over 0 but got {scale_factor!r}")
        sizes = (math.floor(image[1] * factors[0]), math.floor(image[2] * factors[1]))
        if min(sizes) < 1:
            raise ValueError(f"{name}: scale_factor {scale_factor!r} leaves no pixel of the input {image}")
        scale = (1.0 / factors[0], 1.0 / factors[1])
    return Interpolation(image, sizes, scale, MODES.index(mode), bool(align_corners), dtype, ())


def _interpolate(x: Spec, *how: Any) -> Interpolation:
    name = "interpolate"
    check_array(name, "x", x, "N H W C")
    g = _checked(name, x.shape, x.dtype, *how)
    return g._replace(outputs=((g.resized, x.dtype),))


def _interpolate_grad(gy: Spec, input_shape: Any, *how: Any) -> Interpolation:
    name = "interpolate_grad"
    check_array(name, "gy", gy, "N P Q C")
    g = _checked(name, check_shape(name, "input_shape", input_shape, "N H W C"), gy.dtype, *how)
    if gy.shape != g.resized:
        raise ValueError(f"{name}: gy expects {g.resized} but got {gy.shape} (input {g.image})")
    return g._replace(outputs=((g.image, gy.dtype),))


_CASES: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 5, 4, 3), {"scale_factor": 2}),
    ((1, 5, 7, 17), {"size": (3, 9)}),
    ((2, 5, 4, 3), {"scale_factor": (1.7, 0.6), "mode": "bilinear"}),
    ((1, 6, 1, 33), {"size": (11, 3), "mode": "bilinear", "align_corners": True}),
    ((1, 4, 5, 3), {"size": (9, 4), "mode": "bicubic"}),
    ((2, 20, 20, 64), {"scale_factor": 2, "mode": "bilinear"}),
)


def _declare(name: str, geometry: Any, definition: Any, build: str, cases: tuple[dict[str, Any], ...]) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=geometry,
        variants=(Variant("separable", "cpu_separable", build=build),),
        reference=definition,
        reference_args=lambda g: (g.taps, g.scale, g.mode, g.align_corners),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
    )


def _resized(shape: tuple[int, ...], how: dict[str, Any]) -> tuple[int, ...]:
    args = (how.get("size"), how.get("scale_factor"), how.get("mode", "nearest"), how.get("align_corners", False))
    return _checked("", shape, np.dtype(np.float32), *args).resized


INTERPOLATE = _declare(
    "interpolate",
    _interpolate,
    reference.interpolate,
    "build",
    tuple({"shapes": [shape], **how} for shape, how in _CASES),
)
INTERPOLATE_GRAD = _declare(
    "interpolate_grad",
    _interpolate_grad,
    reference.interpolate_grad,
    "build_grad",
    tuple({"shapes": [_resized(shape, how)], "input_shape": shape, **how} for shape, how in _CASES),
)


def interpolate(
    x: np.ndarray,
    size: Any = None,
    *,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool = False,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Images of another size.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
        At least one pixel.
    size : int or (P, Q), optional
        The result's size.
    scale_factor : number or (height, width), optional
        Instead of a size: P = floor(H * scale_factor), and positions are scaled by the factor itself, not by H / P.
    mode : {"nearest", "bilinear", "bicubic"}
        "bicubic" is Keys' kernel with a = -0.75, and may overshoot.
    align_corners : bool
        Not with "nearest". The corner pixels of both images lie on each other, rather than the images' borders.
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
        Where not one of size and scale_factor is given, no pixel is or would be left, or an array does not fit.

    Notes
    -----
    Equals ``torch.nn.functional.interpolate`` without antialiasing; beyond the border stands the pixel next to it.
    Positions are computed in float64 (PyTorch: in float32, which may choose another nearest pixel where two are equally
    near). A pixel with weight 0 takes no part, be it NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    >>> interpolate(x, (1, 4), mode="bilinear").reshape(-1)
    array([0., 1., 3., 4.])
    """
    return INTERPOLATE.run((x,), (size, scale_factor, mode, bool(align_corners)), out, variant)


def interpolate_grad(
    gy: np.ndarray,
    input_shape: tuple[int, ...],
    size: Any = None,
    *,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool = False,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `interpolate` by its input, of shape ``input_shape``; the other arguments are those of `interpolate`.

    >>> import numpy as np
    >>> interpolate_grad(np.ones((1, 1, 4, 1)), (1, 1, 2, 1), (1, 4), mode="bilinear").reshape(-1)
    array([2., 2.])
    """
    return INTERPOLATE_GRAD.run((gy,), (input_shape, size, scale_factor, mode, bool(align_corners)), out, variant)
