"""Places of pixels, ``h * W + w``: what a gradient of max pooling goes by, and what stands at given ones."""

import numpy as np

from ..convolution.geometry import check_array
from ..operation import Operation, Spec, Variant
from . import reference
from .geometry import Pooling

PLACES = np.dtype(np.int32)


def check_places(name: str, indices: Spec, shape: tuple[int, ...]) -> None:
    """An int32 array of that shape."""
    if indices is None or indices.dtype != PLACES:
        raise TypeError(f"{name}: indices expects int32 but got {None if indices is None else indices.dtype}")
    if indices.shape != shape:
        raise ValueError(f"{name}: indices expects {shape} but got {indices.shape}")


def _take(x: Spec, indices: Spec) -> Pooling:
    """One pixel for each of the result."""
    name = "take_pixels"
    check_array(name, "x", x, "N H W C")
    shape = indices.shape if indices is not None else ()
    if len(shape) != 4 or (shape[0], shape[3]) != (x.shape[0], x.shape[3]):
        raise ValueError(f"{name}: indices expects (N = {x.shape[0]}, P, Q, C = {x.shape[3]}) but got {shape}")
    check_places(name, indices, shape)
    one = (1, 1)
    g = Pooling(x.shape, shape[1], shape[2], one, one, (0, 0), one, True, 0, x.dtype, ())
    return g._replace(outputs=((shape, x.dtype),))


TAKE_PIXELS = Operation(
    "take_pixels",
    package=__package__,
    geometry=_take,
    variants=(
        Variant("rows", "cpu_rows", build="build_take"),
        Variant("take", "cuda_take", device="cuda", build="build_take"),
        Variant("naive", "cuda_naive", device="cuda", build="build_take"),
    ),
    reference=reference.take_pixels,
    reference_args=lambda g: (),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.dtype.itemsize * 2.0 * g.flops + 4.0 * g.flops,
    cases=(
        {"shapes": [(2, 5, 4, 3), (2, 2, 3, 3)], "below": {1: 20}, "integers": "int32"},
        {"shapes": [(4, 28, 28, 32), (4, 14, 14, 32)], "below": {1: 784}, "integers": "int32"},
    ),
)


def take_pixels(
    x: np.ndarray, indices: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """The numbers of images at given places, channel by channel.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
    indices : (N, P, Q, C), int32
        ``h * W + w``, from 0 to ``H * W - 1``.
    out : (N, P, Q, C) array, optional
        Where to write, C-contiguous; shares no memory with an input.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, P, Q, C) array

    Raises
    ------
    ValueError, TypeError
        Where an index names no pixel, or arrays do not fit each other.

    Notes
    -----
    The adjoint of `max_pool2d_grad`. Indices are read to be checked, which on CUDA waits for them.

    Examples
    --------
    >>> import numpy as np
    >>> take_pixels(np.arange(4.0).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 3, np.int32)).item()
    3.0
    """
    pixels = int(np.prod(getattr(x, "shape", ())[1:3]))
    if getattr(indices, "size", 0) and not (indices.min() >= 0 and indices.max() < pixels):
        raise ValueError(
            f"take_pixels: indices expects values in [0, {pixels}) but got {indices.min()} .. {indices.max()}"
        )
    return TAKE_PIXELS.run((x, indices), (), out, variant)
