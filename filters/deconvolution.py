"""Undoing a blur, in scikit-image's call form: Wiener's filter and the iteration of Richardson and Lucy.

Both work in the frequency domain of the image's axes; those of a batch and of channels share the blur, which lies in
main memory wherever the images do. On CUDA the transforms of images are CuPy's.
"""

import math
from typing import Any

import numpy as np

from ..kernels.arrays import contiguous, device_of, overlap, to_device
from .images import axis_of_channels, check_image, check_in_memory, check_out, float_type, leading_axes
from .sampling import check_number


def wiener(
    image: np.ndarray,
    psf: np.ndarray,
    balance: float,
    reg: np.ndarray | None = None,
    is_real: bool = True,
    clip: bool = True,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Undo a known blur by Wiener's filter.

    Parameters
    ----------
    image : array of one axis or more, and those of channels and of a batch
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64, never scaled.
    psf : array
        What a point becomes by the blur, of as many axes as the image has and at most its size, its middle at index
        ``size // 2``; or, complex, its transfer function (see ``is_real``).
    balance : float
        How much smoothness counts: the greater, the less noise and the less sharpness.
    reg : array, optional
        What should be small, given like ``psf``; by default the Laplacian.
    is_real : bool
        Transfer functions are those of ``numpy.fft.rfftn`` (of ``numpy.fft.fftn`` otherwise).
    clip : bool
        Limit the result to [-1, 1].
    channel_axis : int, optional
        The axis of channels.
    out : array of the image's shape and of the result's type, optional
        Where to write; it may be the image itself.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        Not arrays of numbers, a ``psf`` or ``reg`` larger than the image or of other axes, an ``out`` that does not
        fit.

    Notes
    -----
    With the transfer functions H of the blur and D of ``reg``, frequencies are multiplied by
    ``conj(H) / (|H|^2 + balance * |D|^2)``; the image counts as periodic. Equals ``skimage.restoration.wiener`` 0.26
    within rounding, but for complex transfer functions, of which that uses the real part alone, and for real ones,
    which are a blur here whatever their shape. NaN spreads over the whole image. An empty image gives an empty result.

    Source: F. Orieux, J.-F. Giovannelli and T. Rodet, "Bayesian estimation of regularization and point spread function
    parameters for Wiener-Hunt deconvolution", 2010.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((4, 8))
    >>> image[:, 2:5] = 0.6
    >>> blurred = (np.roll(image, 1, 1) + image + np.roll(image, -1, 1)) / 3
    >>> abs(wiener(blurred, np.ones((1, 3)) / 3, 1e-6)).round(2)[0]
    array([0. , 0. , 0.6, 0.6, 0.6, 0. , 0. , 0. ])
    """
    name = "wiener"
    source, axes, shape = _prepared(name, image, channel_axis, batch_axes, out)
    if isinstance(balance, bool) or not isinstance(balance, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: balance expects a number but got {balance!r}")
    if image.size == 0:
        return _finished(name, source, image, clip=False, out=out)
    blur = _transfer_function(name, "psf", psf, shape, is_real, source.dtype)
    rough = _transfer_function(name, "reg", _laplacian(shape) if reg is None else reg, shape, is_real, source.dtype)
    quotient = np.conj(blur) / (np.abs(blur) ** 2 + balance * np.abs(rough) ** 2)
    quotient = to_device(quotient, device_of(name, [source]))
    behind = [slice(None) if axis in axes else None for axis in range(image.ndim)]
    if is_real:
        spectrum = np.fft.rfftn(source, axes=axes)
        result = np.fft.irfftn(spectrum * quotient[tuple(behind)], s=shape, axes=axes)
    else:
        result = np.fft.ifftn(np.fft.fftn(source, axes=axes) * quotient[tuple(behind)], axes=axes).real
    return _finished(name, result.astype(source.dtype, copy=False), image, clip, out)


def richardson_lucy(
    image: np.ndarray,
    psf: np.ndarray,
    num_iter: int = 50,
    clip: bool = True,
    filter_epsilon: float | None = None,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Undo a known blur by the iteration of Richardson and Lucy.

    Parameters
    ----------
    image : array of one axis or more, and those of channels and of a batch
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64, never scaled.
    psf : array of real numbers
        What a point becomes by the blur, of as many axes as the image has; it may be larger than the image.
    num_iter : int
        How many steps; more are sharper and noisier.
    clip : bool
        Limit the result to [-1, 1].
    filter_epsilon : float, optional
        Where the blurred estimate is below it, the estimate's correction is 0, so that it is not divided by little.
    channel_axis : int, optional
        The axis of channels.
    out : array of the image's shape and of the result's type, optional
        Where to write; it may be the image itself.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        Not arrays of real numbers, axes or an ``out`` that do not fit, a negative ``num_iter``.

    Notes
    -----
    From an estimate of 0.5 everywhere, each step multiplies the estimate by the correlation of ``psf`` with the
    quotient of the image and the blurred estimate, 0 outside. Equals ``skimage.restoration.richardson_lucy`` 0.26
    within rounding, with two thirds of its Fourier transforms. NaN spreads over the whole image. An empty image gives
    an empty result.

    Source: W. H. Richardson, "Bayesian-based iterative method of image restoration", 1972; L. B. Lucy, "An iterative
    technique for the rectification of observed distributions", 1974.

    Examples
    --------
    >>> import numpy as np
    >>> blurred = np.array([[0.0, 0.0, 0.2, 0.6, 0.2, 0.0, 0.0]])
    >>> abs(richardson_lucy(blurred, np.array([[0.2, 0.6, 0.2]]), num_iter=100)).round(2)
    array([[0., 0., 0., 1., 0., 0., 0.]])
    """
    name = "richardson_lucy"
    source, axes, shape = _prepared(name, image, channel_axis, batch_axes, out)
    if isinstance(num_iter, bool) or not isinstance(num_iter, int | np.integer):
        raise TypeError(f"{name}: num_iter expects an integer but got {num_iter!r}")
    if num_iter < 0:
        raise ValueError(f"{name}: num_iter expects at least 0 but got {num_iter}")
    if filter_epsilon is not None:
        check_number(name, "filter_epsilon", filter_epsilon)
    check_in_memory(name, "psf", psf)
    if psf.ndim != len(shape) or psf.size == 0:
        raise ValueError(f"{name}: psf expects {len(shape)} axes of at least one number but got shape {psf.shape}")
    estimate = np.full_like(source, 0.5)
    if image.size == 0:
        return _finished(name, estimate, image, clip=False, out=out)

    size = tuple(_fast_length(n + k - 1) for n, k in zip(shape, psf.shape, strict=True))
    behind = tuple(slice(None) if axis in axes else None for axis in range(image.ndim))
    taps = psf.astype(source.dtype, copy=False)
    every, device = tuple(range(len(size))), device_of(name, [source])
    blur, back = (to_device(np.fft.rfftn(p, s=size, axes=every)[behind], device) for p in (taps, np.flip(taps)))
    middle: list[slice] = [slice(None)] * image.ndim
    for axis, n, k in zip(axes, shape, psf.shape, strict=True):
        middle[axis] = slice((k - 1) // 2, (k - 1) // 2 + n)

    def convolved(values: np.ndarray, transfer: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfftn(values, s=size, axes=axes)
        return np.fft.irfftn(spectrum * transfer, s=size, axes=axes)[tuple(middle)].astype(source.dtype, copy=False)

    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(num_iter):
            blurred = convolved(estimate, blur) + source.dtype.type(1e-12)  # not 0 where nothing is
            relative = source / blurred
            if filter_epsilon:
                relative = np.where(blurred < filter_epsilon, source.dtype.type(0), relative)
            estimate *= convolved(relative, back)
    return _finished(name, estimate, image, clip, out)


def _prepared(
    name: str, image: Any, channel_axis: Any, batch_axes: Any, out: Any
) -> tuple[np.ndarray, tuple[int, ...], tuple[int, ...]]:
    """The image in the type it is filtered in, and its axes that are blurred, with their lengths."""
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    axes = tuple(axis for axis in range(batch, image.ndim) if axis != channels)
    if not axes:
        raise ValueError(f"{name}: image expects an axis beside those of the batch and of the channels but has none")
    source = image.astype(float_type(image.dtype), copy=False)
    if out is not None:
        check_out(name, out, image, image.shape, source.dtype)
    return source, axes, tuple(image.shape[axis] for axis in axes)


def _finished(name: str, result: np.ndarray, image: np.ndarray, clip: bool, out: np.ndarray | None) -> np.ndarray:
    if clip:
        result = np.clip(result, -1, 1)
    if out is None:
        return result.copy() if overlap(result, image) else contiguous(name, result)
    out[...] = result
    return out


def _transfer_function(
    name: str, argument: str, response: Any, shape: tuple[int, ...], is_real: bool, dtype: np.dtype
) -> np.ndarray:
    """The Fourier transform of an impulse response whose middle is moved to the origin; a complex one is that."""
    if not isinstance(response, np.ndarray) or response.dtype.kind not in "fiubc":
        raise TypeError(f"{name}: {argument} expects an array of numbers but got {type(response).__name__}")
    if response.dtype.kind == "c":
        wanted = (*shape[:-1], shape[-1] // 2 + 1) if is_real else shape
        if response.shape != wanted:
            raise ValueError(f"{name}: {argument} expects a transfer function {wanted} but got {response.shape}")
        return response.astype(np.result_type(dtype, np.complex64), copy=False)
    if response.ndim != len(shape) or any(k > n for k, n in zip(response.shape, shape, strict=False)):
        raise ValueError(f"{name}: {argument} expects {len(shape)} axes of at most {shape} but got {response.shape}")
    padded = np.zeros(shape, dtype)
    padded[tuple(map(slice, response.shape))] = response
    rolled = np.roll(padded, [-(k // 2) for k in response.shape], axis=tuple(range(len(shape))))
    spectrum = np.fft.rfftn(rolled) if is_real else np.fft.fftn(rolled)
    return spectrum.astype(np.result_type(dtype, np.complex64), copy=False)


def _laplacian(shape: tuple[int, ...]) -> np.ndarray:
    """The response of the negative sum of second differences, of the image's own size, its middle at ``size // 2``.

    Given as a response of 3 numbers an axis, it would not fit an image of fewer.
    """
    response = np.zeros(shape)
    origin = (0,) * len(shape)
    for axis, n in enumerate(shape):
        for step in (-1, 1):
            response[(*origin[:axis], step % n, *origin[axis + 1 :])] -= 1
            response[origin] += 1
    return np.roll(response, [n // 2 for n in shape], axis=tuple(range(len(shape))))


def _fast_length(n: int) -> int:
    """The least length from ``n`` on with no prime factors but 2, 3 and 5, which transform fastest.

    >>> _fast_length(7), _fast_length(97)
    (8, 100)
    """
    best = 1 << (n - 1).bit_length()
    for fives in range(math.ceil(math.log(n, 5)) + 1 if n > 1 else 1):
        for threes in range(math.ceil(math.log(n, 3)) + 1 if n > 1 else 1):
            odd = 5**fives * 3**threes
            best = min(best, odd << max(0, (-(-n // odd) - 1).bit_length()))
    return best
