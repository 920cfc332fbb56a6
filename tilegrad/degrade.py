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

Named = tuple[str, dict[str, Any]]
"""A step as `filters.degrade` takes it: a function's name and its arguments."""

Reader = Callable[[str, list[str]], Named]
"""From what stands before the first colon, and between the others."""


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
    chain = [_named(step) for step in steps]
    mask_file = Path(target).with_name(f"{Path(target).stem}-mask.png")
    for path in (target, mask_file):
        check_writable(path)
    picture = read_image(source)
    check_format(target, picture.dtype, 1 if picture.ndim == 2 else picture.shape[2])
    colours, alpha = split_alpha(picture)
    try:
        image, lost = filters.degrade(
            to_float(colours), chain, seed=seed, channel_axis=None if colours.ndim == 2 else -1
        )
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    if alpha is not None and alpha.shape != lost.shape:
        alpha = np.rint(filters.resize_local_mean(alpha, lost.shape, preserve_range=True)).astype(alpha.dtype)
    write_image(target, join_alpha(from_float(image, picture.dtype), alpha))
    if lost.any():
        write_image(mask_file, np.where(lost, 255, 0).astype(np.uint8))
        say(f"{mask_file}: the mask, {100 * lost.mean():.1f} % of the pixels")


def _named(step: Step) -> Named:
    """A step as `filters.degrade` takes it."""
    head, *rest = step.text.split(":")
    try:
        return _KINDS[step.kind](head, rest)
    except (ValueError, TypeError, IndexError):
        raise UsageError(f"--{step.kind} expects {STEPS[step.kind]} but is {step.text!r}") from None


def _noise(kind: str, rest: list[str]) -> Named:
    if kind == "poisson":
        _none(rest)
        return "random_noise", {"mode": kind}
    (amount,) = map(float, rest)
    if amount < 0:
        raise ValueError(amount)
    if kind in ("gaussian", "speckle"):
        return "random_noise", {"mode": kind, "var": (amount / 255) ** 2}
    if kind in ("salt", "pepper", "s&p"):
        return "random_noise", {"mode": kind, "amount": amount}
    raise ValueError(kind)


def _none(rest: list[str]) -> None:
    if rest:
        raise ValueError(rest)


def _jpeg(head: str, rest: list[str]) -> Named:
    return "jpeg", {"quality": int(head), "subsampling": ":".join(rest) or "4:2:0"}


def _numbers(function: str, required: dict[str, Callable[[str], Any]], optional: str | None = None) -> Reader:
    """A reader of a number for each name, and of one more that may be left out."""

    def read(head: str, rest: list[str]) -> Named:
        texts = [head, *rest]
        names = dict(required)
        if optional is not None and len(texts) > len(required):
            names[optional] = float
        return function, {name: kind(text) for (name, kind), text in zip(names.items(), texts, strict=True)}

    return read


_KINDS: dict[str, Reader] = {
    "noise": _noise,
    "jpeg": _jpeg,
    "blocks": _numbers("drop_blocks", {"block": int, "amount": float}),
    "scratches": _numbers("scratches", {"count": int}, "width"),
    "tears": _numbers("tears", {"count": int}, "width"),
    "motion": _numbers("motion_blur", {"length": float}, "angle"),
    "blur": _numbers("gaussian", {"sigma": float}),
    "downsample": _numbers("downsample", {"factor": float}),
}
