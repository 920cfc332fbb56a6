"""`tilegrad filter NAME IN OUT`: a classical filter applied to a picture."""

import argparse
import os
from collections.abc import Callable

import numpy as np

from . import filters
from .errors import TilegradError, UsageError
from .files import check_writable
from .images import check_format, from_float, join_alpha, read_image, split_alpha, to_float, to_gray, write_image

Options = argparse.Namespace


def filter_file(
    name: str,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    options: Options,
    *,
    stretch: bool = False,
) -> None:
    """Filter a picture.

    Parameters
    ----------
    name : str
        One of `tilegrad.filter_options.FILTERS`.
    source, target : path
        The result has as many bits as the picture, and its alpha, which is resized and rotated with it. Values out of
        range are cut off; slopes, which may be negative, are shown around a middle gray.
    options : namespace
        Of this filter.
    stretch : bool
        Spread the result over all values.

    Raises
    ------
    TilegradError
        If a file cannot be read or written.
    UsageError
        If the filter refuses the picture or an option.
    """
    check_writable(target)
    picture = read_image(source)
    check_format(target, picture.dtype, 1 if picture.ndim == 2 else picture.shape[2])
    colours, alpha = split_alpha(picture)
    try:
        result = _FILTERS[name](colours, options)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{source}: {error}") from error
    result = _as_picture(result, picture.dtype, stretch)
    if alpha is not None:
        if name in _MOVING:
            alpha = _as_picture(_FILTERS[name](alpha, options), picture.dtype, False)
        result = join_alpha(result, alpha)
    write_image(target, result)


def _as_picture(result: np.ndarray, dtype: np.dtype, stretch: bool) -> np.ndarray:
    """Booleans to black and white, numbers in [0, 1] to all values of the type, its own integers as they are."""
    if stretch and result.dtype != bool:
        values = result.astype(np.float64)
        low, high = values.min(), values.max()
        result = (values - low) / (high - low) if high > low else np.zeros_like(values)
    if result.dtype == dtype:
        return result
    if not np.isfinite(result).all():
        raise UsageError("the filter gave numbers that are not finite")
    return from_float(result.astype(np.float32), dtype)


def _channels(image: np.ndarray) -> int | None:
    return None if image.ndim == 2 else -1


def _gray(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 2 else to_gray(image)


def _mean(image: np.ndarray, o: Options) -> np.ndarray:
    return filters.uniform(to_float(image), o.size, mode=o.border, channel_axis=_channels(image))


def _median(image: np.ndarray, o: Options) -> np.ndarray:
    return filters.median(image, np.ones((o.size, o.size), bool), mode=o.border, channel_axis=_channels(image))


def _percentile(image: np.ndarray, o: Options) -> np.ndarray:
    return filters.percentile(image, o.percentile, o.size, mode=o.border, channel_axis=_channels(image))


def _slope(name: str) -> Callable[[np.ndarray, Options], np.ndarray]:
    axes = {"both": None, "down": 0, "right": 1}

    def made(image: np.ndarray, o: Options) -> np.ndarray:
        found = getattr(filters, name)(
            to_float(image), axis=axes[o.direction], sigma=o.sigma, channel_axis=_channels(image)
        )
        return np.asarray(found if o.direction == "both" else 0.5 + found / 2)

    return made


def _laplace(image: np.ndarray, o: Options) -> np.ndarray:
    return np.asarray(0.5 + filters.laplace(to_float(image), channel_axis=_channels(image)) / 2)


def _canny(image: np.ndarray, o: Options) -> np.ndarray:
    return filters.canny(to_float(_gray(image)) if image.ndim == 2 else _gray(image), o.sigma, o.low, o.high)


def _footprint(o: Options) -> np.ndarray:
    """A square, or the pixels of it whose centres lie in a disk or a diamond."""
    radius = o.size // 2
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    if o.shape == "disk":
        return np.asarray(x * x + y * y <= radius * radius)
    return np.abs(x) + np.abs(y) <= radius if o.shape == "diamond" else np.ones((o.size, o.size), bool)


def _morphology(name: str) -> Callable[[np.ndarray, Options], np.ndarray]:
    def made(image: np.ndarray, o: Options) -> np.ndarray:
        return np.asarray(getattr(filters, name)(image, _footprint(o), channel_axis=_channels(image)))

    return made


def _otsu(image: np.ndarray, o: Options) -> np.ndarray:
    gray = _gray(image)
    return np.asarray(gray > filters.threshold_otsu(gray))


def _threshold(image: np.ndarray, o: Options) -> np.ndarray:
    gray = to_float(image) if image.ndim == 2 else _gray(image)
    return np.asarray(gray > filters.threshold_local(gray, o.size, offset=o.offset))


def _match_histogram(image: np.ndarray, o: Options) -> np.ndarray:
    reference = split_alpha(read_image(o.reference))[0]
    if reference.ndim != image.ndim:
        raise TilegradError(f"{o.reference}: expects a picture that is gray or in colour like the other one")
    return filters.match_histograms(to_float(image), to_float(reference), channel_axis=_channels(image))


def _bilateral(image: np.ndarray, o: Options) -> np.ndarray:
    return filters.denoise_bilateral(
        to_float(image), sigma_color=o.sigma_color, sigma_spatial=o.sigma_spatial, mode="symmetric",
        channel_axis=_channels(image),
    )  # fmt: skip


def _nl_means(image: np.ndarray, o: Options) -> np.ndarray:
    return filters.denoise_nl_means(
        to_float(image), patch_size=o.patch, patch_distance=o.distance, h=o.h, sigma=o.sigma,
        channel_axis=_channels(image),
    )  # fmt: skip


def _inpaint(image: np.ndarray, o: Options) -> np.ndarray:
    mask = to_gray(read_image(o.mask)) > 0
    if mask.shape != image.shape[:2]:
        raise TilegradError(f"{o.mask}: is {mask.shape[1]} x {mask.shape[0]} pixels, unlike the picture")
    if not mask.any():
        return image
    if o.method == "exemplar":
        return filters.inpaint_exemplar(image, mask, o.patch, channel_axis=_channels(image))
    if o.method == "biharmonic":
        return filters.inpaint_biharmonic(to_float(image), mask, channel_axis=_channels(image))
    flags = filters.cv.INPAINT_TELEA if o.method == "telea" else filters.cv.INPAINT_NS
    return filters.cv.inpaint(image, mask.astype(np.uint8), o.radius, flags)


def _resize(image: np.ndarray, o: Options) -> np.ndarray:
    H, W = image.shape[:2]
    if (o.scale is None) == (o.width is None and o.height is None):
        raise UsageError("name either --scale, or --width, --height or both")
    if o.scale is not None:
        shape = (max(1, round(H * o.scale)), max(1, round(W * o.scale)))
    else:
        shape = (
            o.height if o.height is not None else max(1, round(H * o.width / W)),
            o.width if o.width is not None else max(1, round(W * o.height / H)),
        )
    return filters.resize(
        to_float(image), shape, order=o.order, anti_aliasing=o.order > 0, channel_axis=_channels(image)
    )


def _rotate(image: np.ndarray, o: Options) -> np.ndarray:
    return filters.rotate(
        to_float(image), o.angle, resize=o.frame == "grow", order=o.order, channel_axis=_channels(image)
    )


def _match_template(image: np.ndarray, o: Options) -> np.ndarray:
    template = to_gray(read_image(o.template))
    gray = to_float(image) if image.ndim == 2 else _gray(image)
    return np.asarray((1 + filters.match_template(gray, template, pad_input=True)) / 2)


_MOVING = ("resize", "rotate")

_FILTERS: dict[str, Callable[[np.ndarray, Options], np.ndarray]] = {
    "gaussian": lambda x, o: filters.gaussian(to_float(x), o.sigma, mode=o.border, channel_axis=_channels(x)),
    "mean": _mean,
    "unsharp": lambda x, o: filters.unsharp_mask(to_float(x), o.radius, o.amount, channel_axis=_channels(x)),
    "median": _median,
    "percentile": _percentile,
    "sobel": _slope("sobel"),
    "scharr": _slope("scharr"),
    "prewitt": _slope("prewitt"),
    "laplace": _laplace,
    "canny": _canny,
    "erosion": _morphology("erosion"),
    "dilation": _morphology("dilation"),
    "opening": _morphology("opening"),
    "closing": _morphology("closing"),
    "white-tophat": _morphology("white_tophat"),
    "black-tophat": _morphology("black_tophat"),
    "otsu": _otsu,
    "threshold": _threshold,
    "equalize": lambda x, o: filters.equalize_hist(x, o.bins, channel_axis=_channels(x)),
    "clahe": lambda x, o: filters.equalize_adapthist(x, o.size, o.clip, channel_axis=_channels(x)),
    "match-histogram": _match_histogram,
    "bilateral": _bilateral,
    "nl-means": _nl_means,
    "tv": lambda x, o: filters.denoise_tv_chambolle(to_float(x), o.weight, channel_axis=_channels(x)),
    "inpaint": _inpaint,
    "resize": _resize,
    "rotate": _rotate,
    "match-template": _match_template,
}
