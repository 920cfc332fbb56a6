"""Correlation of images with weights of two axes: public functions and declarations."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..arrays import beside
from ..operation import Operation, Variant
from . import window_reference
from .geometry import real_weights
from .reference import MODES
from .window_geometry import WindowGeometry, forward, input_grad, type_name, weight_grad


def _border(g: WindowGeometry) -> tuple[Any, ...]:
    return MODES[g.mode], g.cval, g.origin


_CASES: tuple[tuple[tuple[int, ...], tuple[int, int], dict[str, Any]], ...] = (
    ((1, 1, 1, 1), (1, 1), {}),
    ((2, 7, 9, 3), (3, 4), {"mode": "mirror", "origin": (1, -1)}),
    ((1, 9, 40, 2), (2, 5), {"mode": "wrap"}),
    ((1, 2, 3, 1), (7, 8), {"mode": "nearest"}),
    ((1, 37, 20, 1), (3, 3), {"mode": "constant"}),
)


def _declare(
    name: str, geometry: Any, definition: Any, arguments: Any, variants: tuple[Variant, ...], cases: Any
) -> Operation:
    return Operation(
        name,
        package=__package__,
        geometry=geometry,
        variants=variants,
        reference=definition,
        reference_args=arguments,
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
    )


CORRELATE2D = _declare(
    "correlate2d",
    forward,
    window_reference.correlate2d,
    lambda g: (*_border(g), g.delta, g.limits),
    (
        Variant("blocks", "cpu_window_blocks"),
        Variant("rows", "cpu_window"),
        Variant("naive", "cuda_naive_window", device="cuda"),
    ),
    (
        *({"shapes": [x, w], "cval": 2.0, "delta": 0.5, **call} for x, w, call in _CASES),
        {"shapes": [(2, 11, 30, 1), (3, 3)], "below": {0: 256}, "integers": "int16"},
        {"shapes": [(1, 38, 25, 3), (5, 5)], "mode": "mirror"},
    ),
)

CORRELATE2D_INPUT_GRAD = _declare(
    "correlate2d_input_grad",
    input_grad,
    window_reference.correlate2d_input_grad,
    lambda g: (MODES[g.mode], g.origin),
    (
        Variant("rows", "cpu_window_input_grad"),
        Variant("naive", "cuda_naive_window", device="cuda", build="build_input_grad"),
    ),
    tuple({"shapes": [x, w], **call} for x, w, call in _CASES),
)

CORRELATE2D_WEIGHT_GRAD = _declare(
    "correlate2d_weight_grad",
    weight_grad,
    window_reference.correlate2d_weight_grad,
    _border,
    (
        Variant("rows", "cpu_window_weight_grad"),
        Variant("naive", "cuda_naive_window", device="cuda", build="build_weight_grad"),
    ),
    tuple({"shapes": [x, x], "weight_shape": w, "cval": 2.0, **call} for x, w, call in _CASES),
)


def correlate2d(
    x: np.ndarray,
    weights: ArrayLike,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    delta: float = 0.0,
    dtype: DTypeLike | None = None,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Correlate images with weights of two axes, every channel with the same (which are not flipped).

    Parameters
    ----------
    x : (N, H, W, C), float32, float64, uint8, uint16 or int16
    weights : (R, S) array-like of real numbers
        Any size; it may exceed the image.
    mode, cval
        What lies outside the image: see `correlate1d`.
    origin : int or (int, int)
        Weight ``(R // 2 + origin[0], S // 2 + origin[1])`` lies on the pixel that is computed.
    delta : float
        Added to every result.
    dtype : float32, float64, uint8, uint16 or int16, optional
        The type of the result, that of ``x`` by default. Integers are rounded, halves to the even one, and saturate;
        NaN becomes the least of them.
    out : (N, H, W, C) array of that type, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W, C) array of the type ``dtype``

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or types do not fit; nothing is computed.

    Notes
    -----
    Equals ``scipy.ndimage.correlate`` within ``R * S * eps * sum(abs(weights) * abs(x))``: sums are accumulated in
    float64 where ``x`` or the result is, and in float32 otherwise. A NaN reaches exactly the results whose window
    covers it, under weights of zero too.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> correlate2d(x, [[0, 1], [0, 10]], mode="constant")[0, :, :, 0]
    array([[ 0., 10., 20.],
           [30., 41., 52.],
           [63., 74., 85.]])
    """
    weights = beside(x, real_weights("correlate2d", "weights", weights))
    return CORRELATE2D.run((x, weights), (mode, cval, origin, delta, type_name(dtype)), out, variant)


def correlate2d_input_grad(
    gy: np.ndarray,
    weights: ArrayLike,
    *,
    mode: str = "reflect",
    origin: int | tuple[int, int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `correlate2d` by its images: the adjoint of the correlation and of its border.

    Parameters
    ----------
    gy : (N, H, W, C), float32 or float64
        Gradient by the output.
    weights, mode, origin, variant
        As in `correlate2d`; its ``cval`` and ``delta`` change nothing.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``gy``.

    Returns
    -------
    (N, H, W, C) array

    Raises
    ------
    ValueError, TypeError
        As in `correlate2d`.

    Notes
    -----
    Where the border repeats a pixel, what reaches its copies is added to it.

    Examples
    --------
    >>> import numpy as np
    >>> gy = np.array([1.0, 0, 0, 0]).reshape(1, 1, 4, 1)
    >>> correlate2d_input_grad(gy, [[1, 2, 4]], mode="nearest").reshape(-1)
    array([3., 4., 0., 0.])
    """
    weights = beside(gy, real_weights("correlate2d_input_grad", "weights", weights))
    return CORRELATE2D_INPUT_GRAD.run((gy, weights), (mode, origin), out, variant)


def correlate2d_weight_grad(
    gy: np.ndarray,
    x: np.ndarray,
    weight_shape: tuple[int, int],
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `correlate2d` by its weights.

    Parameters
    ----------
    gy, x : (N, H, W, C), float32 or float64
        Gradient by the output, and the images.
    weight_shape : (R, S)
    mode, cval, origin, variant
        As in `correlate2d`.
    out : (R, S) array, optional
        Where to write, C-contiguous; shares no memory with the images.

    Returns
    -------
    (R, S) array of the images' type

    Raises
    ------
    ValueError, TypeError
        As in `correlate2d`, and where ``gy`` and ``x`` differ in shape or type.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2, 3, 4]).reshape(1, 1, 4, 1)
    >>> correlate2d_weight_grad(np.ones_like(x), x, (1, 3), mode="wrap", origin=(0, 1))
    array([[10., 10., 10.]])
    """
    return CORRELATE2D_WEIGHT_GRAD.run((gy, x), (weight_shape, mode, cval, origin), out, variant)
