"""Max pooling: public functions and declarations.

What a window passed on, its gradient needs to know. Places say it: ``h * W + w`` of the greatest number, as int32.
"""

from typing import Any

import numpy as np

from ..operation import Operation, Spec, Variant
from . import reference
from .geometry import Pooling, adaptive, backward, fixed, forward, pools, spreads
from .places import PLACES, check_places


def _with_places(g: Pooling) -> Pooling:
    return g._replace(outputs=((g.pooled, g.dtype), (g.pooled, PLACES)))


def _max(x: Spec, *window: Any) -> Pooling:
    return pools(fixed(*forward("max_pool2d", x), *window))


def _max_places(x: Spec, *window: Any) -> Pooling:
    return _with_places(_max(x, *window))


def _max_grad(gy: Spec, indices: Spec, input_shape: Any, *window: Any) -> Pooling:
    name = "max_pool2d_grad"
    g = spreads(name, fixed(*backward(name, gy, input_shape), *window), gy)
    check_places(name, indices, gy.shape)
    return g


def _adaptive(x: Spec, output_size: Any) -> Pooling:
    return pools(adaptive(*forward("adaptive_max_pool2d", x), output_size))


def _adaptive_places(x: Spec, output_size: Any) -> Pooling:
    return _with_places(_adaptive(x, output_size))


def _adaptive_grad(gy: Spec, indices: Spec, input_shape: Any) -> Pooling:
    name = "adaptive_max_pool2d_grad"
    g = spreads(name, adaptive(*backward(name, gy, input_shape), gy.shape[1:3]), gy)
    check_places(name, indices, gy.shape)
    return g


def _declare(name: str, geometry: Any, definition: Any, build: str, cases: Any, public: str = "") -> Operation:
    on_cuda = build.replace("build", "build_max")
    tiled = (Variant("tiled", "cuda_tiled", device="cuda", teaching=True),) if name == "max_pool2d" else ()
    return Operation(
        name,
        package=__package__,
        geometry=geometry,
        variants=(
            Variant("rows", "cpu_rows", build=build),
            Variant("channels", "cuda_channels", device="cuda", build=on_cuda),
            *tiled,
            Variant("naive", "cuda_naive", device="cuda", build=on_cuda, teaching=True),
        ),
        reference=definition,
        reference_args=lambda g: (g.kernel or (0, 0), g.stride, g.padding, g.dilation),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
        public=public,
    )


_FIXED: tuple[dict[str, Any], ...] = (
    {"shapes": [(2, 6, 7, 3)], "kernel_size": 2},
    {"shapes": [(2, 7, 6, 17)], "kernel_size": (3, 2), "stride": 1, "padding": 1},
    {"shapes": [(1, 9, 8, 1)], "kernel_size": 3, "stride": 3, "padding": 1, "dilation": 2, "ceil_mode": True},
    {"shapes": [(4, 28, 28, 32)], "kernel_size": 2},
)
_ADAPTIVE: tuple[dict[str, Any], ...] = (
    {"shapes": [(2, 7, 5, 3)], "output_size": (3, 4)},
    {"shapes": [(1, 3, 3, 17)], "output_size": 5},
    {"shapes": [(4, 28, 28, 32)], "output_size": 1},
)


def _places(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "return_indices": True}


def _places_of(shape: tuple[int, ...], pixels: int) -> dict[str, Any]:
    return {"shapes": [shape] * 2, "below": {1: pixels}, "integers": PLACES.name}


MAX_POOL2D = _declare("max_pool2d", _max, reference.max_pool, "build", _FIXED)
MAX_POOL2D_INDICES = _declare(
    "max_pool2d_indices", _max_places, reference.max_pool_places, "build", tuple(map(_places, _FIXED)), "max_pool2d"
)
MAX_POOL2D_GRAD = _declare(
    "max_pool2d_grad",
    _max_grad,
    reference.max_pool_grad,
    "build_grad",
    (
        {**_places_of((2, 3, 3, 3), 42), "input_shape": (2, 6, 7, 3), "kernel_size": 2},
        {**_places_of((1, 5, 6, 17), 42), "input_shape": (1, 6, 7, 17), "kernel_size": (4, 4),
         "stride": 1, "padding": 1},
        {**_places_of((1, 4, 2, 1), 40), "input_shape": (1, 8, 5, 1), "kernel_size": 3, "stride": 2,
         "padding": 1, "dilation": 2, "ceil_mode": True},
        {**_places_of((4, 14, 14, 32), 784), "input_shape": (4, 28, 28, 32), "kernel_size": 2},
    ),
)  # fmt: skip
ADAPTIVE_MAX_POOL2D = _declare("adaptive_max_pool2d", _adaptive, reference.max_pool, "build", _ADAPTIVE)
ADAPTIVE_MAX_POOL2D_INDICES = _declare(
    "adaptive_max_pool2d_indices", _adaptive_places, reference.max_pool_places, "build",
    tuple(map(_places, _ADAPTIVE)), "adaptive_max_pool2d",
)  # fmt: skip
ADAPTIVE_MAX_POOL2D_GRAD = _declare(
    "adaptive_max_pool2d_grad",
    _adaptive_grad,
    reference.max_pool_grad,
    "build_grad",
    (
        {**_places_of((2, 3, 4, 3), 35), "input_shape": (2, 7, 5, 3)},
        {**_places_of((4, 1, 1, 32), 784), "input_shape": (4, 28, 28, 32)},
    ),
)


def max_pool2d(
    x: np.ndarray,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    out: Any = None,
    variant: str | None = None,
) -> Any:
    """The greatest number of each window of every channel.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
    kernel_size : int or (height, width)
        The window.
    stride : int or (height, width), optional
        From one window to the next; ``kernel_size`` if None.
    padding : int or (height, width)
        Rows and columns of minus infinity on each side, at most half of ``kernel_size``.
    dilation : int or (height, width)
        From one number of a window to the next.
    ceil_mode : bool
        Take windows too that begin inside the padded image and end outside.
    return_indices : bool
        Return the places of the greatest numbers too.
    out : array, or pair of arrays with ``return_indices``, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    y : (N, P, Q, C) array, P = floor((H + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
    indices : (N, P, Q, C) array of int32, only with ``return_indices``
        ``h * W + w`` of the first of the greatest numbers.

    Raises
    ------
    ValueError, TypeError
        Where a window does not fit the padded image, padding is too much, or an array does not fit.

    Notes
    -----
    Equals ``torch.nn.functional.max_pool2d``, whose indices are int64. A window with a NaN gives NaN, and the index of
    its last one.

    Examples
    --------
    >>> import numpy as np
    >>> y, indices = max_pool2d(np.array([1.0, 5.0, 7.0, 7.0]).reshape(1, 2, 2, 1), 2, return_indices=True)
    >>> y.item(), indices.item()
    (7.0, 2)
    """
    operation = MAX_POOL2D_INDICES if return_indices else MAX_POOL2D
    return operation.run((x,), (kernel_size, stride, padding, dilation, bool(ceil_mode)), out, variant)


def max_pool2d_grad(
    gy: np.ndarray,
    indices: np.ndarray,
    input_shape: tuple[int, ...],
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `max_pool2d` by its input: each number of ``gy`` is added at its index.

    Parameters
    ----------
    gy : (N, P, Q, C), float32 or float64
        Gradient by the output.
    indices : (N, P, Q, C), int32
        As `max_pool2d` returned them; one that lies outside of its window counts for nothing.
    input_shape : (N, H, W, C)
    kernel_size, stride, padding, dilation, ceil_mode, variant
        As in `max_pool2d`.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``gy``.

    Returns
    -------
    (N, H, W, C) array

    Raises
    ------
    ValueError, TypeError
        As in `max_pool2d`, and where ``gy`` or ``indices`` do not fit.

    Notes
    -----
    Its adjoint is `take_pixels`.

    Examples
    --------
    >>> import numpy as np
    >>> gy, indices = np.full((1, 1, 1, 1), 3.0), np.full((1, 1, 1, 1), 2, np.int32)
    >>> max_pool2d_grad(gy, indices, (1, 2, 2, 1), 2).reshape(-1)
    array([0., 0., 3., 0.])
    """
    args = (input_shape, kernel_size, stride, padding, dilation, bool(ceil_mode))
    return MAX_POOL2D_GRAD.run((gy, indices), args, out, variant)


def adaptive_max_pool2d(
    x: np.ndarray,
    output_size: Any,
    *,
    return_indices: bool = False,
    out: Any = None,
    variant: str | None = None,
) -> Any:
    """The greatest numbers of windows that divide the image into ``output_size`` parts; 1 takes that of all of it.

    Windows are those of `tilegrad.kernels.adaptive_avg_pool2d`, results and indices as in `max_pool2d`. Equals
    ``torch.nn.functional.adaptive_max_pool2d``, whose indices are int64.

    >>> import numpy as np
    >>> adaptive_max_pool2d(np.arange(6.0).reshape(1, 2, 3, 1), (1, 3)).reshape(-1)
    array([3., 4., 5.])
    """
    operation = ADAPTIVE_MAX_POOL2D_INDICES if return_indices else ADAPTIVE_MAX_POOL2D
    return operation.run((x,), (output_size,), out, variant)


def adaptive_max_pool2d_grad(
    gy: np.ndarray,
    indices: np.ndarray,
    input_shape: tuple[int, ...],
    *,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `adaptive_max_pool2d` by its input, otherwise as `max_pool2d_grad`.

    >>> import numpy as np
    >>> gy, indices = np.full((1, 1, 1, 1), 3.0), np.full((1, 1, 1, 1), 1, np.int32)
    >>> adaptive_max_pool2d_grad(gy, indices, (1, 1, 3, 1)).reshape(-1)
    array([0., 3., 0.])
    """
    return ADAPTIVE_MAX_POOL2D_GRAD.run((gy, indices), (input_shape,), out, variant)
