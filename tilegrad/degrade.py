"""`tilegrad degrade IN OUT --noise gaussian:25 --jpeg 10 ...`: pictures damaged, one step after another."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import filters
from .degrade_steps import STEPS, Step
from .errors import UsageError
from .files import check_writable
from .images import check_format, from_float, join_alpha, read_image, split_alpha, to_float, write_image
from .training import say

Damage = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray | None]]
"""An image (H, W) or (H, W, 3) in [0, 1] and a seed, to the damaged image and perhaps a mask."""


def degrade_file(
    source: str | os.PathLike[str], target: str | os.PathLike[str], steps: Sequence[Step], *, seed: int = 0
) -> None:
    """Damage a picture, and leave beside it the mask of what was lost, where a step loses pixels.

    Parameters
    ----------
    source, target : path
        The result has as many bits and the same alpha; the mask is ``target`` with "-mask" before the suffix, as PNG,
        white where pixels were lost. Where a step makes the picture smaller, mask and alpha follow.
    steps : sequence of Step
        In the order in which they are done.
    seed : int
        Of all random numbers; step ``i`` takes seed + i.

    Raises
    ------
    TilegradError
        If a file cannot be read or written.
    UsageError
        If a step cannot be read.
    """
    if not steps:
        raise UsageError(f"nothing to do; name at least one of {', '.join(f'--{kind}' for kind in STEPS)}")
    damages = [_damage(step) for step in steps]
    mask_file = Path(target).with_name(f"{Path(target).stem}-mask.png")
    for path in (target, mask_file):
        check_writable(path)
    picture = read_image(source)
    check_format(target, picture.dtype, 1 if picture.ndim == 2 else picture.shape[2])
    colours, alpha = split_alpha(picture)
    image, lost = to_float(colours), np.zeros(picture.shape[:2], bool)
    for number, damage in enumerate(damages):
        try:
            image, mask = damage(image, seed + number)
        except (ValueError, TypeError) as error:
            raise UsageError(f"--{steps[number].kind} {steps[number].text}: {error}") from error
        if image.shape[:2] != lost.shape:  # what covers a lost pixel is lost
            lost = filters.resize_local_mean(lost, image.shape[:2]) > 0
        lost |= False if mask is None else mask
    if alpha is not None and alpha.shape != lost.shape:
        alpha = np.rint(filters.resize_local_mean(alpha, lost.shape, preserve_range=True)).astype(alpha.dtype)
    write_image(target, join_alpha(from_float(image, picture.dtype), alpha))
    if lost.any():
        write_image(mask_file, np.where(lost, 255, 0).astype(np.uint8))
        say(f"{mask_file}: the mask, {100 * lost.mean():.1f} % of the pixels")


def _damage(step: Step) -> Damage:
    """What a step does."""
    head, *rest = step.text.split(":")
    try:
        return _KINDS[step.kind](head, rest)
    except (ValueError, TypeError, IndexError):
        raise UsageError(f"--{step.kind} expects {STEPS[step.kind]} but is {step.text!r}") from None


def _noise(kind: str, rest: list[str]) -> Damage:
    if kind == "poisson":
        _none(rest)
        return lambda image, seed: (filters.random_noise(image, "poisson", seed), None)
    (amount,) = map(float, rest)
    if amount < 0:
        raise ValueError(amount)
    if kind in ("gaussian", "speckle"):
        return lambda image, seed: (filters.random_noise(image, kind, seed, var=(amount / 255) ** 2), None)
    if kind in ("salt", "pepper", "s&p"):
        return lambda image, seed: (filters.random_noise(image, kind, seed, amount=amount), None)
    raise ValueError(kind)


def _none(rest: list[str]) -> None:
    if rest:
        raise ValueError(rest)


def _channels(image: np.ndarray) -> int | None:
    return None if image.ndim == 2 else -1


def _jpeg(head: str, rest: list[str]) -> Damage:
    quality, subsampling = int(head), ":".join(rest) or "4:2:0"
    return lambda image, seed: (
        filters.jpeg(image, quality, subsampling=subsampling, channel_axis=_channels(image)),
        None,
    )


def _blocks(head: str, rest: list[str]) -> Damage:
    side, (share,) = int(head), map(float, rest)
    return lambda image, seed: filters.drop_blocks(image, side, share, seed=seed, channel_axis=_channels(image))


def _lines(function: Callable[..., Any]) -> Callable[[str, list[str]], Damage]:
    def made(head: str, rest: list[str]) -> Damage:
        count, widths = int(head), [float(width) for width in rest]
        if len(widths) > 1:
            raise ValueError(rest)
        return lambda image, seed: function(image, count, *widths, seed=seed, channel_axis=_channels(image))

    return made


def _motion(head: str, rest: list[str]) -> Damage:
    length, angles = float(head), [float(angle) for angle in rest]
    if len(angles) > 1:
        raise ValueError(rest)
    return lambda image, seed: (filters.motion_blur(image, length, *angles, channel_axis=_channels(image)), None)


def _blur(head: str, rest: list[str]) -> Damage:
    sigma = float(head)
    _none(rest)
    return lambda image, seed: (filters.gaussian(image, sigma, channel_axis=_channels(image)), None)


def _downsample(head: str, rest: list[str]) -> Damage:
    factor = float(head)
    _none(rest)
    return lambda image, seed: (filters.downsample(image, factor, channel_axis=_channels(image)), None)


_KINDS: dict[str, Callable[[str, list[str]], Damage]] = {
    "noise": _noise,
    "jpeg": _jpeg,
    "blocks": _blocks,
    "scratches": _lines(filters.scratches),
    "tears": _lines(filters.tears),
    "motion": _motion,
    "blur": _blur,
    "downsample": _downsample,
}
