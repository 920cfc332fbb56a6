"""Average pooling: public functions and declarations."""

from typing import Any

import numpy as np

from ..operation import Operation, Spec, Variant
from . import reference
from .geometry import Pooling, adaptive, backward, fixed, forward, pools, spreads


def _avg(x: Spec, *window: Any) -> Pooling:
    return pools(_fixed(*forward("avg_pool2d", x), *window))


def _avg_grad(gy: Spec, input_shape: Any, *window: Any) -> Pooling:
    name = "avg_pool2d_grad"
    return spreads(name, _fixed(*backward(name, gy, input_shape), *window), gy)


def _fixed(
    name: str, image: tuple[int, ...], dtype: np.dtype, kernel: Any, stride: Any, padding: Any, ceil_mode: Any,
    include_pad: Any, divisor: Any,
) -> Pooling:  # fmt: skip
    return fixed(name, image, dtype, kernel, stride, padding, 1, ceil_mode, include_pad, divisor)


def _adaptive(x: Spec, output_size: Any) -> Pooling:
    return pools(adaptive(*forward("adaptive_avg_pool2d", x), output_size))


def _adaptive_grad(gy: Spec, input_shape: Any) -> Pooling:
    name = "adaptive_avg_pool2d_grad"
    return spreads(name, adaptive(*backward(name, gy, input_shape), gy.shape[1:3]), gy)


def _declare(name: str, geometry: Any, cases: tuple[dict[str, Any], ...]) -> Operation:
    gradient = name.endswith("_grad")
    on_cuda = "build_avg_grad" if gradient else "build_avg"
    return Operation(
        name,
        package=__package__,
        geometry=geometry,
        variants=(
            Variant("separable", "cpu_separable", build="build_grad" if gradient else "build"),
            Variant("channels", "cuda_channels", device="cuda", build=on_cuda),
            Variant("naive", "cuda_naive", device="cuda", build=on_cuda, teaching=True),
        ),
        reference=reference.avg_pool_grad if gradient else reference.avg_pool,
        reference_args=lambda g: (g.kernel or (0, 0), g.stride, g.padding, g.include_pad, g.divisor),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
    )


AVG_POOL2D = _declare(
    "avg_pool2d",
    _avg,
    (
        {"shapes": [(2, 6, 7, 3)], "kernel_size": 2},
        {"shapes": [(2, 7, 6, 17)], "kernel_size": (3, 2), "stride": 1, "padding": 1, "count_include_pad": False},
        {"shapes": [(1, 9, 8, 1)], "kernel_size": 5, "stride": 3, "padding": 2, "ceil_mode": True},
        {"shapes": [(1, 4, 4, 33)], "kernel_size": 3, "divisor_override": 2},
        {"shapes": [(4, 28, 28, 32)], "kernel_size": 2},
    ),
)
AVG_POOL2D_GRAD = _declare(
    "avg_pool2d_grad",
    _avg_grad,
    (
        {"shapes": [(2, 3, 3, 3)], "input_shape": (2, 6, 7, 3), "kernel_size": 2},
        {"shapes": [(2, 7, 7, 17)], "input_shape": (2, 7, 6, 17), "kernel_size": (3, 2), "stride": 1, "padding": 1,
         "count_include_pad": False},
        {"shapes": [(1, 2, 2, 33)], "input_shape": (1, 4, 4, 33), "kernel_size": 3, "stride": 1, "divisor_override": 2},
        {"shapes": [(4, 14, 14, 32)], "input_shape": (4, 28, 28, 32), "kernel_size": 2},
    ),
)  # fmt: skip
ADAPTIVE_AVG_POOL2D = _declare(
    "adaptive_avg_pool2d",
    _adaptive,
    (
        {"shapes": [(2, 7, 5, 3)], "output_size": (3, 4)},
        {"shapes": [(1, 3, 3, 17)], "output_size": 5},
        {"shapes": [(4, 28, 28, 32)], "output_size": 1},
    ),
)
ADAPTIVE_AVG_POOL2D_GRAD = _declare(
    "adaptive_avg_pool2d_grad",
    _adaptive_grad,
    (
        {"shapes": [(2, 3, 4, 3)], "input_shape": (2, 7, 5, 3)},
        {"shapes": [(1, 5, 5, 17)], "input_shape": (1, 3, 3, 17)},
        {"shapes": [(4, 1, 1, 32)], "input_shape": (4, 28, 28, 32)},
    ),
)


def avg_pool2d(
    x: np.ndarray,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The average of each window of every channel.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
    kernel_size : int or (height, width)
        The window.
    stride : int or (height, width), optional
        From one window to the next; the window's size if None.
    padding : int or (height, width)
        Rows and columns of zeros on each side, at most half of ``kernel_size``.
    ceil_mode : bool
        Take windows too that begin inside the padded image and end outside.
    count_include_pad : bool
        Divide by the numbers of a window that lie in the padding too.
    divisor_override : int, optional
        Divide the sums by this number instead.
    out : (N, P, Q, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, P, Q, C) array, P = floor((H + 2 * padding - kernel_size) / stride) + 1

    Raises
    ------
    ValueError, TypeError
        Where a window does not fit the padded image, padding is too much, or an array does not fit.

    Notes
    -----
    Equals ``torch.nn.functional.avg_pool2d``. Sums are multiplied by the reciprocal of their number. NaN and infinity
    propagate.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d(np.arange(8.0).reshape(1, 2, 4, 1), 2).reshape(-1)
    array([2.5, 4.5])
    """
    args = (kernel_size, stride, padding, bool(ceil_mode), bool(count_include_pad), divisor_override)
    return AVG_POOL2D.run((x,), args, out, variant)


def avg_pool2d_grad(
    gy: np.ndarray,
    input_shape: tuple[int, ...],
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `avg_pool2d` by its input, of shape ``input_shape``; the other arguments are those of `avg_pool2d`.

    >>> import numpy as np
    >>> avg_pool2d_grad(np.array([4.0, 8.0]).reshape(1, 1, 2, 1), (1, 1, 4, 1), (1, 2)).reshape(-1)
    array([2., 2., 4., 4.])
    """
    args = (input_shape, kernel_size, stride, padding, bool(ceil_mode), bool(count_include_pad), divisor_override)
    return AVG_POOL2D_GRAD.run((gy,), args, out, variant)


def adaptive_avg_pool2d(
    x: np.ndarray, output_size: Any, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Averages over windows that divide the image into ``output_size`` parts; 1 averages all of it.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
        At least one pixel.
    output_size : int or (P, Q)
        None for a side keeps the size there. Where it does not divide the image, windows share pixels: p has the rows
        ``floor(p * H / P) .. ceil((p + 1) * H / P) - 1``.
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
        Where there is no pixel, ``output_size`` is not positive, or an array does not fit.

    Notes
    -----
    Equals ``torch.nn.functional.adaptive_avg_pool2d``. NaN and infinity propagate.

    Examples
    --------
    >>> import numpy as np
    >>> adaptive_avg_pool2d(np.arange(6.0).reshape(1, 2, 3, 1), 1).item()
    2.5
    """
    return ADAPTIVE_AVG_POOL2D.run((x,), (output_size,), out, variant)


def adaptive_avg_pool2d_grad(
    gy: np.ndarray, input_shape: tuple[int, ...], *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Gradient of `adaptive_avg_pool2d` by its input, of shape ``input_shape``.

    >>> import numpy as np
    >>> adaptive_avg_pool2d_grad(np.full((1, 1, 1, 1), 6.0), (1, 1, 3, 1)).reshape(-1)
    array([2., 2., 2.])
    """
    return ADAPTIVE_AVG_POOL2D_GRAD.run((gy,), (input_shape,), out, variant)
