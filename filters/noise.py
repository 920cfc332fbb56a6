"""Random noise on images, in scikit-image's call form, from a seed."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arguments import integer
from ..kernels.arrays import device_of, is_on_cuda, overlap, to_device
from .images import as_float, check_beside, check_image, check_out, delivered, float_type, in_order, leading_axes

_MODES = ("gaussian", "localvar", "poisson", "salt", "pepper", "s&p", "speckle")


def random_noise(
    image: np.ndarray,
    mode: str = "gaussian",
    seed: int = 0,
    clip: bool = True,
    *,
    mean: float = 0.0,
    var: float = 0.01,
    local_vars: np.ndarray | None = None,
    amount: float = 0.05,
    salt_vs_pepper: float = 0.5,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Add noise to images.

    Parameters
    ----------
    image : array of real numbers, of any number of axes
        Integers are scaled to [0, 1] or [-1, 1] as everywhere in these filters; float32 stays float32.
    mode : {"gaussian", "localvar", "poisson", "salt", "pepper", "s&p", "speckle"}
        Added normal numbers, of one variance or of one for each pixel; counts of which the image is the mean; pixels
        that become 1, or the least value, or either; normal numbers that are multiplied by the image before.
    seed : int
        Which noise: the same seed gives the same bits on every machine, with any number of threads.
    clip : bool
        Cut the result to [0, 1], or to [-1, 1] where the image has negative values.
    mean, var : float
        Of the normal numbers, for "gaussian" and "speckle".
    local_vars : array of positive numbers, for "localvar"
        Its shape broadcasts to the image's.
    amount, salt_vs_pepper : float
        The share of pixels that are replaced; of those, the share that becomes 1.
    batch_axes : int
        How many leading axes count images. The noise of a batch is different on each image.
    out : floating-point array of the image's shape, optional
        Where to write, of the result's type.

    Returns
    -------
    float32 or float64 array of the image's shape

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, an unknown mode, numbers out of their range.

    Notes
    -----
    ``skimage.util.random_noise`` with a seed in place of a generator, so not the same numbers. For "poisson" the counts
    have as many levels as the image has distinct values, rounded up to a power of two, as there.

    Examples
    --------
    >>> import numpy as np
    >>> random_noise(np.full((2, 4), 100, np.uint8), "s&p", seed=1, amount=0.5).round(2)
    array([[0.39, 0.39, 0.39, 0.  ],
           [0.  , 0.39, 0.39, 1.  ]])
    """
    name = "random_noise"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    if mode not in _MODES:
        raise ValueError(f"{name}: mode expects one of {', '.join(_MODES)} but got {mode!r}")
    for argument, value in (("amount", amount), ("salt_vs_pepper", salt_vs_pepper)):
        _check_number(name, argument, value, 0, 1)
    _check_number(name, "mean", mean, -math.inf, math.inf)
    _check_number(name, "var", var, 0, math.inf)
    integer(name, "seed", seed, 0, 2**64 - 1)
    scaled_as_read = image.dtype in (np.uint8, np.uint16) and mode not in ("localvar", "poisson")
    x, dtype = image if scaled_as_read else as_float(image, preserve_range=False), float_type(image.dtype)
    if out is not None:
        check_out(name, out, x, x.shape, dtype)
    deviations = _deviations(name, local_vars, x) if mode == "localvar" else None
    if x.size == 0:
        return delivered(x.astype(dtype), out)
    axes = tuple(range(batch, x.ndim))
    low = _lowest(x, image.dtype.kind, axes).astype(dtype)
    if mode == "poisson":
        result = _counted(image, x, low, axes, seed)
        return delivered(np.clip(result, low, 1, out=result) if clip else result, out)
    target = out if out is not None and out.flags.c_contiguous and not overlap(out, x) else None
    if mode in ("gaussian", "localvar", "speckle"):
        kind: dict[str, Any] = {} if mode == "localvar" else {"mean": mean, "std": math.sqrt(var)}
        spread = x if mode == "speckle" else deviations
        limits: dict[str, Any] = {"low": low.reshape(-1), "high": 1} if clip else {}
        result = kernels.add_noise(x, spread=spread, seed=seed, out=target, **limits, **kind)
    else:
        salt = {"salt": 1.0, "pepper": 0.0, "s&p": salt_vs_pepper}[mode]
        result = kernels.salt_and_pepper(
            x, low.reshape(-1), amount=amount, salt=salt, clip=bool(clip), seed=seed, out=target
        )
    return result if result is out else delivered(result, out)


def _lowest(x: np.ndarray, kind: str, axes: tuple[int, ...]) -> np.ndarray:
    """-1 for each image that has negative values, and 0 for others; of a kind that has none they are not looked for."""
    if kind in "ub":
        return np.zeros_like(x, shape=tuple(1 if axis in axes else n for axis, n in enumerate(x.shape)))
    return 0 - (x.min(axis=axes, keepdims=True) < 0).astype(x.dtype)


def _check_number(name: str, argument: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if not (low <= value <= high and math.isfinite(value)):
        raise ValueError(f"{name}: {argument} expects a finite number from {low:g} to {high:g} but got {value!r}")


def _deviations(name: str, local_vars: Any, x: np.ndarray) -> np.ndarray:
    if local_vars is None:
        raise ValueError(f"{name}: mode 'localvar' expects local_vars")
    if is_on_cuda(local_vars):
        check_beside(name, "local_vars", local_vars, x)
    variances = local_vars if is_on_cuda(local_vars) else np.asarray(local_vars)
    if variances.dtype.kind not in "fiu" or not (variances > 0).all():
        raise ValueError(f"{name}: local_vars expects positive numbers")
    try:
        deviations = np.broadcast_to(np.sqrt(variances).astype(x.dtype), x.shape)
    except ValueError:
        raise ValueError(f"{name}: local_vars {variances.shape} does not broadcast to the image {x.shape}") from None
    return to_device(deviations, device_of(name, [x]))


def _counted(image: np.ndarray, x: np.ndarray, low: np.ndarray, axes: tuple[int, ...], seed: int) -> np.ndarray:
    """Poisson counts of each image's levels, scaled back."""
    powers = 2.0 ** np.ceil(np.log2(_distinct(image, axes)))  # where a power of two has a whole logarithm
    levels = to_device(powers.reshape(low.shape), device_of("random_noise", [x]))
    top = x.max(axis=axes, keepdims=True).astype(np.float64)
    scale = np.where(low < 0, top + 1, 1.0)
    rates = (x - low.astype(np.float64)) / scale * levels
    counts = kernels.random_poisson(in_order(rates), seed=seed)
    return (counts / levels * scale + low).astype(x.dtype)


def _distinct(image: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """How many distinct values each image has."""
    images = in_order(image).reshape(-1, math.prod(image.shape[axis] for axis in axes))
    if image.dtype == np.uint8:
        seen = kernels.count_values(images, bins=256, batch_axes=1)
        return np.count_nonzero(to_device(seen, "cpu"), axis=-1)
    values = np.sort(images, axis=1)
    # Not a number, of which there may be many at the end, is one more value.
    new = (values[:, 1:] != values[:, :-1]) & (values[:, :-1] == values[:, :-1])
    return 1 + to_device(np.count_nonzero(new, axis=1), "cpu")
