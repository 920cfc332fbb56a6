"""Images of another size: interpolation from the nearest pixel to splines and areas, and its adjoint.

reference.py       the definition
taps.py            of each row and column, which rows and columns of the image it is made of
cpu_separable.py   "separable": rows and columns apart, from these (machine/separable.py)
cuda_naive.py      "naive" on CUDA: one thread, one output
cuda_taps.cu       "taps" on CUDA: 16 bytes of channels in a thread, from these; cuda_taps.py launches it
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..arguments import finite
from ..convolution.geometry import check_array, check_shape, pair
from ..correlation.reference import MODES as BORDERS
from ..operation import Operation, Spec, Variant
from . import reference
from .reference import AREA, BICUBIC, BILINEAR, MODES, NEAREST, NEAREST_BELOW, TAPS

__all__ = ["interpolate", "interpolate_grad"]


INTEGERS = ("uint8", "uint16", "int16")
"""Types that are summed in float32 and rounded."""


class Interpolation(NamedTuple):
    """An image (N, H, W, C) and the ``size`` (P, Q) that it gets; ``scale`` pixels of it fit one of the result."""

    image: tuple[int, ...]
    size: tuple[int, int]
    scale: tuple[float, float]
    mode: int
    align_corners: bool
    antialias: bool
    border: int
    margin: tuple[int, int]
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def resized(self) -> tuple[int, ...]:
        return self.image[0], *self.size, self.image[3]

    @property
    def taps(self) -> tuple[int, int]:
        """The most that a row and a column of the result have."""
        down, along = self.scale
        if self.mode == AREA:
            return math.ceil(down) + 2, math.ceil(along) + 2
        if self.antialias:
            reach = 1 if self.mode == BILINEAR else 2
            return 2 * math.ceil(reach * max(1.0, down)) + 1, 2 * math.ceil(reach * max(1.0, along)) + 1
        return TAPS[self.mode], TAPS[self.mode]

    @property
    def constants(self) -> tuple[Any, ...]:
        """What the definition is told besides the arrays."""
        return self.taps, self.scale, self.mode, self.align_corners, self.antialias, self.border, self.margin

    @property
    def limits(self) -> tuple[float, float]:
        """The range of integers; two zeros for others."""
        if self.dtype.kind == "f":
            return 0.0, 0.0
        return float(np.iinfo(self.dtype).min), float(np.iinfo(self.dtype).max)

    @property
    def flops(self) -> float:
        """Multiplications and additions, rows and columns apart; one for each number that is copied."""
        return math.prod(self.resized) * max(1, 2 * (sum(self.taps) - 2))

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images, each once."""
        return self.dtype.itemsize * (math.prod(self.image) + math.prod(self.resized))


def _checked(
    name: str,
    image: tuple[int, ...],
    dtype: np.dtype,
    size: Any,
    scale_factor: Any,
    mode: Any,
    align_corners: bool,
    antialias: bool,
    border: Any,
    margin: Any,
) -> Interpolation:
    """The geometry of a call, but for the outputs."""
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, MODES))} but got {mode!r}")
    kind = MODES.index(mode)
    if align_corners and kind not in (BILINEAR, BICUBIC, AREA):
        raise ValueError(f'{name}: align_corners expects mode "bilinear", "bicubic" or "area" but got "{mode}"')
    if antialias and (kind not in (BILINEAR, BICUBIC) or align_corners):
        raise ValueError(
            f'{name}: antialias expects mode "bilinear" or "bicubic" without align_corners but got "{mode}", '
            f"align_corners {align_corners}"
        )
    if not isinstance(border, str) or border not in BORDERS:
        raise ValueError(f"{name}: border expects one of {', '.join(map(repr, BORDERS))} but got {border!r}")
    margins = pair(name, "margin", margin, 0)
    plain = kind in (NEAREST, NEAREST_BELOW, AREA) or align_corners or antialias
    if plain and (border != "nearest" or margins != (0, 0)):
        raise ValueError(
            f'{name}: border and margin expect "nearest" and 0 with mode "{mode}", align_corners {align_corners} and '
            f"antialias {antialias} but got {border!r} and {margin!r}"
        )
    if size is None and scale_factor is None:
        raise ValueError(f"{name}: expects size or scale_factor but got neither")
    inside = image[1] - 2 * margins[0], image[2] - 2 * margins[1]
    if min(inside) < 1:
        around = f" inside of a margin of {margin}" if any(margins) else ""
        raise ValueError(f"{name}: x expects at least one pixel{around} but got shape {image}")
    if scale_factor is None:
        sizes = pair(name, "size", size, 1)
        scale = (inside[0] / sizes[0], inside[1] / sizes[1])
    else:
        two = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor, scale_factor)
        if len(two) != 2:
            raise TypeError(f"{name}: scale_factor expects a number or (height, width) but got {scale_factor!r}")
        factors = [finite(name, "scale_factor", factor) for factor in two]
        if min(factors) <= 0:
            raise ValueError(f"{name}: scale_factor expects numbers over 0 but got {scale_factor!r}")
        scale = (1.0 / factors[0], 1.0 / factors[1])
        floors = math.floor(inside[0] * factors[0]), math.floor(inside[1] * factors[1])
        sizes = floors if size is None else pair(name, "size", size, 1)
        if min(sizes) < 1:
            raise ValueError(f"{name}: scale_factor {scale_factor!r} leaves no pixel of the input {image}")
        beyond = any((count - 1) * step >= n for count, step, n in zip(sizes, scale, inside, strict=True))
        if size is not None and beyond:
            raise ValueError(f"{name}: size {size!r} by scale_factor {scale_factor!r} goes beyond the input {image}")
    return Interpolation(
        image, sizes, scale, kind, align_corners, antialias, BORDERS[border], margins, dtype, ()
    )  # fmt: skip


def _interpolate(x: Spec, *how: Any) -> Interpolation:
    name = "interpolate"
    if x.dtype.name not in INTEGERS:
        check_array(name, "x", x, "N H W C")
    elif len(x.shape) != 4:
        raise ValueError(f"{name}: x expects 4 axes (N, H, W, C) but got shape {x.shape}")
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
    ((1, 9, 10, 1), {"size": (4, 5), "mode": "bilinear", "antialias": True}),
    ((1, 5, 4, 1), {"size": (7, 3), "mode": "spline3", "border": "mirror", "margin": 1}),
    ((1, 7, 40, 1), {"size": (3, 20), "mode": "area"}),
    ((1, 7, 5, 3), {"size": (4, 2), "scale_factor": 0.5, "mode": "bicubic"}),
)


# By factors whose weights are sums of few powers of two, so that halves are halves in every arithmetic.
_INTEGERS: tuple[dict[str, Any], ...] = (
    {"shapes": [(2, 4, 5, 3)], "below": {0: 256}, "integers": "uint8", "scale_factor": 2, "mode": "bilinear"},
    {"shapes": [(1, 7, 40, 1)], "below": {0: 900}, "integers": "int16", "scale_factor": 2, "mode": "bicubic"},
)


def _declare(
    name: str, geometry: Any, definition: Any, build: str, constants: Any, cases: tuple[dict[str, Any], ...]
) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=geometry,
        variants=(
            Variant("separable", "cpu_separable", build=build),
            Variant("taps", "cuda_taps", device="cuda", build=build),
            Variant("naive", "cuda_naive", device="cuda", build=build),
        ),
        reference=definition,
        reference_args=constants,
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
    )


_DEFAULTS: dict[str, Any] = {
    "size": None, "scale_factor": None, "mode": "nearest", "align_corners": False, "antialias": False,
    "border": "nearest", "margin": 0,
}  # fmt: skip


def _resized(shape: tuple[int, ...], how: dict[str, Any]) -> tuple[int, ...]:
    return _checked("", shape, np.dtype(np.float32), **{**_DEFAULTS, **how}).resized


INTERPOLATE = _declare(
    "interpolate",
    _interpolate,
    reference.interpolate,
    "build",
    lambda g: (*g.constants, g.limits),
    (*({"shapes": [shape], **how} for shape, how in _CASES), *_INTEGERS),
)
INTERPOLATE_GRAD = _declare(
    "interpolate_grad",
    _interpolate_grad,
    reference.interpolate_grad,
    "build_grad",
    lambda g: g.constants,
    tuple({"shapes": [_resized(shape, how)], "input_shape": shape, **how} for shape, how in _CASES),
)


def interpolate(
    x: np.ndarray,
    size: Any = None,
    *,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool = False,
    antialias: bool = False,
    border: str = "nearest",
    margin: Any = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Images of another size.

    Parameters
    ----------
    x : (N, H, W, C), float32, float64, uint8, uint16 or int16
        At least one pixel. Integers are summed in float32, rounded to the nearest, halves to even, and kept inside
        their range.
    size : int or (P, Q), optional
        The result's size.
    scale_factor : number or (height, width), optional
        Positions are scaled by the factor itself, not by H / P. Without a size, P = floor(H * scale_factor); with one,
        every pixel of the result begins inside of the image.
    mode : str
        "nearest", "nearest-exact", "nearest-below", "bilinear", "bicubic", "catmull-rom", "lanczos4", "spline2" ...
        "spline5" or "area".
        "bicubic" and "catmull-rom" are Keys' kernel with a = -0.75 and a = -0.5, "lanczos4" takes four pixels on each
        side; they may overshoot. "spline3" and the like take x for coefficients of a B-spline (see `spline_filter2d`).
        "area" averages what a pixel of the result covers.
    align_corners : bool
        The corner pixels of both images lie on each other, rather than the images' borders. With "bilinear", "bicubic"
        and "area".
    antialias : bool
        Where the image becomes smaller, widen the filter to the pixels of the result; with "bilinear" and "bicubic",
        which is Keys' kernel with a = -0.5 then.
    border : str
        What lies beyond the border, in `correlate1d`'s names; "constant" is 0.
    margin : int or (height, width)
        How many pixels on each side of ``x`` are its surroundings: they are seen, but the result is of what is inside.
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
        Where neither size nor scale_factor is given, no pixel is or would be left, or an array does not fit.

    Notes
    -----
    Equals ``torch.nn.functional.interpolate`` in the modes that it has, but for "area" with fractions of pixels, which
    is ``skimage.transform.resize_local_mean``. "lanczos4" and "area" are those of ``cv2.resize``, and splines those of
    ``scipy.ndimage.zoom`` with ``grid_mode``, without its prefilter. Positions are computed in float64 (PyTorch: in
    float32, which may choose another nearest pixel where two are equally near). A pixel with weight 0 takes no part,
    be it NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    >>> interpolate(x, (1, 4), mode="bilinear").reshape(-1)
    array([0., 1., 3., 4.])
    """
    how = (size, scale_factor, mode, bool(align_corners), bool(antialias), border, margin)
    return INTERPOLATE.run((x,), how, out, variant)


def interpolate_grad(
    gy: np.ndarray,
    input_shape: tuple[int, ...],
    size: Any = None,
    *,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool = False,
    antialias: bool = False,
    border: str = "nearest",
    margin: Any = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `interpolate` by its input, of shape ``input_shape``; the other arguments are those of `interpolate`.

    >>> import numpy as np
    >>> interpolate_grad(np.ones((1, 1, 4, 1)), (1, 1, 2, 1), (1, 4), mode="bilinear").reshape(-1)
    array([2., 2.])
    """
    how = (size, scale_factor, mode, bool(align_corners), bool(antialias), border, margin)
    return INTERPOLATE_GRAD.run((gy,), (input_shape, *how), out, variant)
