"""Damage done to images step by step, as plain data says."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..kernels.arguments import integer
from ..kernels.arrays import overlap
from .damage import Damaged, drop_blocks, jpeg, motion_blur, scratches, tears
from .images import axis_of_channels, check_image, check_out, float_type, leading_axes, moved_beside
from .linear import gaussian
from .local_mean import downsample, resize_local_mean
from .noise import random_noise

_LOSING = ("drop_blocks", "scratches", "tears")
_DRAWN = ("random_noise", *_LOSING)
_FLOATING = ("random_noise", "motion_blur", "gaussian")  # what they give of integers too
_STEPS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (random_noise, jpeg, drop_blocks, scratches, tears, motion_blur, gaussian, downsample)
}


def degrade(
    image: np.ndarray,
    steps: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    seed: int = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> Damaged:
    """Damage images step by step.

    Parameters
    ----------
    image : array of real numbers
        Of two axes beside those of the channels and of the batch; on a GPU the steps run there, one after the other.
    steps : sequence of (str, mapping)
        In the order in which they are done: the name of "random_noise", "jpeg", "drop_blocks", "scratches", "tears",
        "motion_blur", "gaussian" or "downsample", and what that function takes by name.
    seed : int
        Step i takes seed + i, unless its mapping has a seed of its own.
    channel_axis, batch_axes : int
        The axis of channels; how many leading axes count images.
    out : array of the result's shape and type, optional
        Where to write what is damaged; it may be the image itself.

    Returns
    -------
    damaged : array, or ``out``
        Bit for bit what the functions give when they are called one after the other: each takes the type that the one
        before has given (noise makes floating-point numbers of integers, for one).
    mask : array of bool, of the shape of ``damaged`` without its channels
        True where a step lost pixels; of a smaller image, where a pixel covers a lost one.

    Raises
    ------
    TypeError, ValueError
        No step, another name; whatever a step says of its arguments, with its number, the first being 1.

    Notes
    -----
    Steps that lose pixels write into what the step before has made, and nothing but the pixels that are lost. Others
    read it once and write once: noise is drawn, added and limited in one walk, JPEG rounds to 8 bits as it reads.

    Examples
    --------
    >>> import numpy as np
    >>> steps = [("drop_blocks", {"block": 2, "amount": 0.3}), ("random_noise", {"var": 0.01}), ("jpeg", {})]
    >>> damaged, mask = degrade(np.ones((4, 8)), steps, seed=2)
    >>> mask.astype(int)
    array([[0, 0, 0, 0, 1, 1, 0, 0],
           [0, 0, 0, 0, 1, 1, 0, 0],
           [0, 0, 0, 0, 1, 1, 1, 1],
           [0, 0, 0, 0, 1, 1, 1, 1]])
    """
    name = "degrade"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    integer(name, "seed", seed, 0, 2**64 - 1)
    _check(name, steps)
    if out is not None:
        names = [step for step, _ in steps]
        dtype = float_type(image.dtype) if set(names) & set(_FLOATING) else image.dtype
        shape = getattr(out, "shape", ()) if "downsample" in names else image.shape  # which the last step checks
        check_out(name, out, image, shape, dtype)
    damaged: np.ndarray = image
    lost: np.ndarray | None = None
    for number, (step, arguments) in enumerate(steps):
        target = out if number == len(steps) - 1 else None
        if target is None and step in _LOSING and not overlap(damaged, image):
            target = damaged
        own = {} if step == "random_noise" else {"channel_axis": channels}
        drawn = {"seed": seed + number} if step in _DRAWN else {}
        try:
            result = _STEPS[step](damaged, **{**drawn, **arguments}, **own, batch_axes=batch, out=target)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: step {number + 1}: {error}") from error
        damaged, mask = result if step in _LOSING else (result, None)
        shape = tuple(n for axis, n in enumerate(damaged.shape) if axis != channels)
        if lost is not None and lost.shape != shape:  # what covers a lost pixel is lost
            lost = resize_local_mean(lost, shape[batch:], batch_axes=batch) > 0
        if mask is not None:
            lost = mask if lost is None else np.logical_or(lost, mask, out=lost)
    return damaged, moved_beside(image, np.zeros(shape, bool)) if lost is None else lost


def _check(name: str, steps: Any) -> None:
    """Steps that there are, whose arguments are not those of the whole."""
    if isinstance(steps, str) or not isinstance(steps, Sequence) or not steps:
        raise ValueError(f"{name}: steps expects one at least, a name and a mapping each, but got {steps!r}")
    for number, step in enumerate(steps):
        if not (isinstance(step, tuple | list) and len(step) == 2 and isinstance(step[1], Mapping)):
            raise TypeError(f"{name}: step {number + 1} expects a name and a mapping but got {step!r}")
        if not isinstance(step[0], str) or step[0] not in _STEPS:
            raise ValueError(f"{name}: step {number + 1} expects one of {', '.join(_STEPS)} but got {step[0]!r}")
        for argument in ("image", "channel_axis", "batch_axes", "out"):
            if argument in step[1]:
                raise TypeError(f"{name}: step {number + 1}: {argument} is given to {name}, for all steps")
