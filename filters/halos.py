"""How far each filter looks: the frame that a tile of an image needs.

`HALOS` is the table of what each filter's arguments make of its halo; a filter without an entry there, or with one that
says why it has none, is not for tiles.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arguments = Mapping[str, Any]
Halo = Callable[[Arguments], int]
"""The halo that a call's arguments make, all of them by name; it raises a ValueError where there is none."""


def halo(function: Callable[..., Any], **arguments: Any) -> int:
    """How many pixels away from a pixel of its result a filter looks.

    Parameters
    ----------
    function
        A filter of this package.
    **arguments
        Of its call, but for the image; defaults are filled in.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        Where the filter has no halo, with the reason.
    TypeError
        Where it has no such argument.

    Examples
    --------
    >>> from tilegrad import filters
    >>> halo(filters.gaussian, sigma=2)
    8
    """
    name = getattr(function, "__name__", repr(function))
    if name not in HALOS or not getattr(function, "__module__", "").startswith(__package__):
        raise ValueError(f"halo: {name} has no entry; name its halo")
    parameters = inspect.signature(function).parameters
    unknown = sorted(arguments.keys() - parameters.keys())
    if unknown:
        raise TypeError(f"halo: {name} has no argument {unknown[0]!r}")
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    try:
        return HALOS[name]({**defaults, **arguments})
    except ValueError as reason:
        raise ValueError(f"halo: {name} cannot be tiled: {reason}") from None


def _largest(numbers: Any) -> float:
    """The greatest size of a number or of a sequence of them."""
    return float(np.max(np.abs(np.atleast_1d(numbers)), initial=0.0))


def _inside(arguments: Arguments) -> None:
    """A wrapped border looks across the whole image."""
    if "wrap" in str(arguments.get("mode")):
        raise ValueError('mode "wrap" takes pixels from the other end of the image')


def _pixels(number: int) -> Halo:
    """A filter that looks so far whatever its arguments are."""

    def found(arguments: Arguments) -> int:
        _inside(arguments)
        return number

    return found


def _none(reason: str) -> Halo:
    """In place of a halo: why a filter has none."""

    def refuse(arguments: Arguments) -> int:
        raise ValueError(reason)

    return refuse


def _gaussian(arguments: Arguments) -> int:
    _inside(arguments)
    return int(arguments["truncate"] * _largest(arguments["sigma"]) + 0.5)


def _unsharp_mask(arguments: Arguments) -> int:
    """Results are cut to [0, 1], or to [-1, 1] where the image has a negative value anywhere."""
    if not arguments["preserve_range"]:
        raise ValueError("it cuts results by whether the image has negative values; preserve_range=True does not")
    return int(4.0 * _largest(arguments["radius"]) + 0.5)


def _threshold_local(arguments: Arguments) -> int:
    _inside(arguments)
    block = _largest(arguments["block_size"])
    if arguments["method"] != "gaussian":
        return int(block) // 2
    sigma = (block - 1) / 6 if arguments["param"] is None else _largest(arguments["param"])
    return int(4.0 * sigma + 0.5)


def _weights(arguments: Arguments) -> int:
    _inside(arguments)
    return max(np.shape(arguments["weights"]), default=1) // 2 + int(_largest(arguments["origin"]))


def _window(arguments: Arguments) -> int:
    """Of a size or of a footprint; without either, 3 x 3."""
    _inside(arguments)
    sides: Any = arguments.get("size")
    if arguments.get("footprint") is not None:
        sides = np.shape(arguments["footprint"])
    return int(_largest(3 if sides is None else sides)) // 2 + int(_largest(arguments.get("origin", 0)))


def _footprints(times: int) -> Halo:
    """Of a footprint, or of a sequence of pairs of a footprint and of how often it is applied; ``times`` passes."""

    def found(arguments: Arguments) -> int:
        _inside(arguments)
        footprint = arguments["footprint"]
        if isinstance(footprint, list | tuple):
            return times * sum(max(np.shape(part)) // 2 * count for part, count in footprint)
        return times * (1 if footprint is None else max(np.shape(footprint)) // 2)

    return found


def _bilateral(arguments: Arguments) -> int:
    _inside(arguments)
    if arguments["sigma_color"] is None:
        raise ValueError("sigma_color is that of the whole image where it is not given")
    if arguments["win_size"] is not None:
        return int(arguments["win_size"]) // 2
    return max(5, 2 * math.ceil(3 * arguments["sigma_spatial"]) + 1) // 2


def _motion_blur(arguments: Arguments) -> int:
    _inside(arguments)
    return math.ceil(arguments["length"] / 2) + 1


def _match_template(arguments: Arguments) -> int:
    if not arguments["pad_input"]:
        raise ValueError(_OTHER_SIZE)
    return max(np.shape(arguments["template"]))


_OTHER_SIZE = "its result has another size than the image"
_MOVED = "a pixel of its result may come from anywhere in the image"
_WHOLE = "its result depends on the whole image"
_DRAWN = "its random numbers are those of a place in the whole image"

HALOS: dict[str, Halo] = {
    "apply_hysteresis_threshold": _none(_WHOLE),
    "black_tophat": _footprints(2),
    "canny": _none(_WHOLE),
    "closing": _footprints(2),
    "convolve": _weights,
    "correlate": _weights,
    "correlate1d": _weights,
    "crop": _none(_OTHER_SIZE),
    "cumulative_distribution": _none(_WHOLE),
    "denoise_bilateral": _bilateral,
    "denoise_nl_means": lambda arguments: int(arguments["patch_distance"] + arguments["patch_size"] // 2),
    "denoise_tv_chambolle": _none(_WHOLE),
    "dilation": _footprints(1),
    "distance_transform_edt": _none(_WHOLE),
    "downsample": _none(_OTHER_SIZE),
    "downscale_local_mean": _none(_OTHER_SIZE),
    "drop_blocks": _none(_DRAWN),
    "equalize_adapthist": _none(_WHOLE),
    "equalize_hist": _none(_WHOLE),
    "erosion": _footprints(1),
    "estimate_sigma": _none(_WHOLE),
    "farid": _pixels(2),
    "farid_h": _pixels(2),
    "farid_v": _pixels(2),
    "find_contours": _none(_WHOLE),
    "gaussian": _gaussian,
    "histogram": _none(_WHOLE),
    "inpaint_biharmonic": _none(_WHOLE),
    "inpaint_exemplar": _none(_WHOLE),
    "integral_image": _none(_WHOLE),
    "integrate": _none(_WHOLE),
    "jpeg": _pixels(16),  # with `multiple=16`, so that tiles have the blocks of the image
    "label": _none(_WHOLE),
    "laplace": lambda arguments: int(arguments["ksize"]) // 2,
    "match_histograms": _none(_WHOLE),
    "match_template": _match_template,
    "maximum": _window,
    "mean_squared_error": _none(_WHOLE),
    "median": _window,
    "minimum": _window,
    "moments": _none(_WHOLE),
    "moments_central": _none(_WHOLE),
    "moments_hu": _none(_WHOLE),
    "moments_normalized": _none(_WHOLE),
    "morphological_gradient": _footprints(1),
    "motion_blur": _motion_blur,
    "multiscale_structural_similarity": _none(_WHOLE),
    "normalized_root_mse": _none(_WHOLE),
    "opening": _footprints(2),
    "pad": _none(_OTHER_SIZE),
    "peak_signal_noise_ratio": _none(_WHOLE),
    "percentile": _window,
    **{f"prewitt{ending}": _pixels(1) for ending in ("", "_h", "_v")},
    "psnr_and_ssim": _none(_WHOLE),
    "pyramid_expand": _none(_OTHER_SIZE),
    "pyramid_gaussian": _none(_OTHER_SIZE),
    "pyramid_laplacian": _none(_OTHER_SIZE),
    "pyramid_reduce": _none(_OTHER_SIZE),
    "random_noise": _none(_DRAWN),
    "rank_filter": _window,
    "rescale": _none(_OTHER_SIZE),
    "resize": _none(_OTHER_SIZE),
    "resize_local_mean": _none(_OTHER_SIZE),
    "richardson_lucy": _none(_WHOLE),
    **{f"roberts{ending}": _pixels(1) for ending in ("", "_pos_diag", "_neg_diag")},
    "rotate": _none(_MOVED),
    **{f"scharr{ending}": _pixels(1) for ending in ("", "_h", "_v")},
    "scratches": _none(_DRAWN),
    **{f"sobel{ending}": _pixels(1) for ending in ("", "_h", "_v")},
    "structural_similarity": _none(_WHOLE),
    "tears": _none(_DRAWN),
    "threshold_local": _threshold_local,
    "threshold_otsu": _none(_WHOLE),
    "uniform": _window,
    "unsharp_mask": _unsharp_mask,
    "warp": _none(_MOVED),
    "white_tophat": _footprints(2),
    "wiener": _none(_WHOLE),
}
"""For each filter of this package, by its name, the halo that its arguments make."""
