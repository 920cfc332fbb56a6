"""How far each filter looks: the frame that a tile of an image needs.

`HALOS` is the table of what each filter's arguments make of its halo, and cv/halos.py has that of the filters with
OpenCV's names; a filter without an entry there, or with one that says why it has none, is not for tiles.
"""

import importlib
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
        Where it has no such argument, or needs one more.

    Examples
    --------
    >>> from tilegrad import filters
    >>> halo(filters.gaussian, sigma=2)
    8
    """
    name, module = getattr(function, "__name__", repr(function)), getattr(function, "__module__", None) or ""
    table = {}
    if module.startswith(f"{__package__}.cv."):
        table = importlib.import_module(f"{__package__}.cv.halos").HALOS
    elif module.startswith(__package__):
        table = HALOS
    if name not in table:
        raise ValueError(f"halo: {name} has no entry; name its halo")
    parameters = inspect.signature(function).parameters
    unknown = sorted(arguments.keys() - parameters.keys())
    if unknown:
        raise TypeError(f"halo: {name} has no argument {unknown[0]!r}")
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    try:
        return table[name]({**defaults, **arguments})
    except ValueError as reason:
        raise ValueError(f"halo: {name} cannot be tiled: {reason}") from None
    except KeyError as missing:
        raise TypeError(f"halo: {name} expects its argument {missing}") from None


def largest(numbers: Any) -> float:
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


def _blurred(number: int) -> Halo:
    """A filter that looks so far in an image that it blurs before."""

    def found(arguments: Arguments) -> int:
        _inside(arguments)
        return int(4.0 * largest(arguments["sigma"]) + 0.5) + number

    return found


def none(reason: str) -> Halo:
    """In place of a halo: why a filter has none."""

    def refuse(arguments: Arguments) -> int:
        raise ValueError(reason)

    return refuse


def _gaussian(arguments: Arguments) -> int:
    _inside(arguments)
    return int(arguments["truncate"] * largest(arguments["sigma"]) + 0.5)


def _unsharp_mask(arguments: Arguments) -> int:
    """Results are cut to [0, 1], or to [-1, 1] where the image has a negative value anywhere."""
    if not arguments["preserve_range"]:
        raise ValueError("it cuts results by whether the image has negative values; preserve_range=True does not")
    return int(4.0 * largest(arguments["radius"]) + 0.5)


def _threshold_local(arguments: Arguments) -> int:
    _inside(arguments)
    block = largest(arguments["block_size"])
    if arguments["method"] != "gaussian":
        return int(block) // 2
    sigma = (block - 1) / 6 if arguments["param"] is None else largest(arguments["param"])
    return int(4.0 * sigma + 0.5)


def _weights(arguments: Arguments) -> int:
    _inside(arguments)
    return max(np.shape(arguments["weights"]), default=1) // 2 + int(largest(arguments["origin"]))


def _window(arguments: Arguments) -> int:
    """Of a size or of a footprint; without either, 3 x 3."""
    _inside(arguments)
    sides: Any = arguments.get("size")
    if arguments.get("footprint") is not None:
        sides = np.shape(arguments["footprint"])
    return int(largest(3 if sides is None else sides)) // 2 + int(largest(arguments.get("origin", 0)))


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
        raise ValueError(OTHER_SIZE)
    return max(np.shape(arguments["template"]))


OTHER_SIZE = "its result has another size than the image"
MOVED = "a pixel of its result may come from anywhere in the image"
WHOLE = "its result depends on the whole image"
DRAWN = "its random numbers are those of a place in the whole image"

HALOS: dict[str, Halo] = {
    "apply_hysteresis_threshold": none(WHOLE),
    "black_tophat": _footprints(2),
    "canny": none(WHOLE),
    "closing": _footprints(2),
    "convolve": _weights,
    "correlate": _weights,
    "correlate1d": _weights,
    "crop": none(OTHER_SIZE),
    "cumulative_distribution": none(WHOLE),
    "degrade": none(DRAWN),
    "denoise_bilateral": _bilateral,
    "denoise_nl_means": lambda arguments: int(arguments["patch_distance"] + arguments["patch_size"] // 2),
    "denoise_tv_chambolle": none(WHOLE),
    "dilation": _footprints(1),
    "distance_transform_edt": none(WHOLE),
    "downsample": none(OTHER_SIZE),
    "downscale_local_mean": none(OTHER_SIZE),
    "drop_blocks": none(DRAWN),
    "equalize_adapthist": none(WHOLE),
    "equalize_hist": none(WHOLE),
    "erosion": _footprints(1),
    "estimate_sigma": none(WHOLE),
    "farid": _blurred(2),
    "farid_h": _pixels(2),
    "farid_v": _pixels(2),
    "find_contours": none(WHOLE),
    "gaussian": _gaussian,
    "histogram": none(WHOLE),
    "inpaint_biharmonic": none(WHOLE),
    "inpaint_exemplar": none(WHOLE),
    "integral_image": none(WHOLE),
    "integrate": none(WHOLE),
    "jpeg": _pixels(16),  # with `multiple=16`, so that tiles have the blocks of the image
    "label": none(WHOLE),
    "laplace": lambda arguments: int(arguments["ksize"]) // 2,
    "match_histograms": none(WHOLE),
    "match_template": _match_template,
    "maximum": _window,
    "mean_squared_error": none(WHOLE),
    "median": _window,
    "minimum": _window,
    "moments": none(WHOLE),
    "moments_central": none(WHOLE),
    "moments_hu": none(WHOLE),
    "moments_normalized": none(WHOLE),
    "morphological_gradient": _footprints(1),
    "motion_blur": _motion_blur,
    "multiscale_structural_similarity": none(WHOLE),
    "normalized_root_mse": none(WHOLE),
    "opening": _footprints(2),
    "pad": none(OTHER_SIZE),
    "peak_signal_noise_ratio": none(WHOLE),
    "percentile": _window,
    "prewitt": _blurred(1),
    **{f"prewitt{ending}": _pixels(1) for ending in ("_h", "_v")},
    "psnr_and_ssim": none(WHOLE),
    "pyramid_expand": none(OTHER_SIZE),
    "pyramid_gaussian": none(OTHER_SIZE),
    "pyramid_laplacian": none(OTHER_SIZE),
    "pyramid_reduce": none(OTHER_SIZE),
    "random_noise": none(DRAWN),
    "rank_filter": _window,
    "rescale": none(OTHER_SIZE),
    "resize": none(OTHER_SIZE),
    "resize_local_mean": none(OTHER_SIZE),
    "richardson_lucy": none(WHOLE),
    **{f"roberts{ending}": _pixels(1) for ending in ("", "_pos_diag", "_neg_diag")},
    "rotate": none(MOVED),
    "scharr": _blurred(1),
    **{f"scharr{ending}": _pixels(1) for ending in ("_h", "_v")},
    "scratches": none(DRAWN),
    "sobel": _blurred(1),
    **{f"sobel{ending}": _pixels(1) for ending in ("_h", "_v")},
    "structural_similarity": none(WHOLE),
    "tears": none(DRAWN),
    "threshold_local": _threshold_local,
    "threshold_otsu": none(WHOLE),
    "uniform": _window,
    "unsharp_mask": _unsharp_mask,
    "warp": none(MOVED),
    "white_tophat": _footprints(2),
    "wiener": none(WHOLE),
}
"""For each filter of this package, by its name, the halo that its arguments make."""
