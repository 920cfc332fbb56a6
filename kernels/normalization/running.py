"""Running statistics: what evaluation normalises by, moved in place towards those of each batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import finite
from ..machine.compile import rehearsal
from ..optimizer import average_step


def check_running(name: str, running: Sequence[Any], x: Any, channels: int, momentum: Any) -> None:
    """Check running mean and variance, of which each may be None, for images beside ``x`` with so many channels."""
    finite(name, "momentum", momentum)
    for array, argument in zip(running, ("running_mean", "running_var"), strict=True):
        if array is not None and hasattr(x, "dtype"):
            _check(name, array, argument, x, channels)
            if not 0 <= momentum <= 1:
                raise ValueError(f"{name}: momentum expects 0 to 1 but got {momentum!r}")


def _check(name: str, array: Any, argument: str, x: Any, channels: int) -> None:
    on_cpu = isinstance(x, np.ndarray)
    if not isinstance(array, np.ndarray if on_cpu else type(x)):
        wanted = "numpy.ndarray" if on_cpu else "cupy.ndarray"
        raise TypeError(f"{name}: {argument} expects a {wanted} but got {type(array).__name__}")
    if array.shape != (channels,) or array.dtype != x.dtype:
        wanted = f"{(channels,)} {x.dtype}"
        raise ValueError(f"{name}: {argument} expects {wanted} but got {array.shape} {array.dtype}")
    if on_cpu and not array.flags.writeable:
        raise ValueError(f"{name}: {argument} expects a writeable array")
    if not on_cpu and not array.flags.c_contiguous:
        raise ValueError(f"{name}: {argument} expects a C-contiguous array")


def move_running(running: Sequence[Any], statistics: Sequence[Any], momentum: float) -> None:
    """Move mean and variance towards those of a batch; None stays None, and rehearsals move nothing."""
    if rehearsal.get() is not None:
        return
    pairs = [(array, new) for array, new in zip(running, statistics, strict=True) if array is not None]
    if pairs and not isinstance(pairs[0][0], np.ndarray):  # one launch, where expressions would take three for each
        average_step(*map(list, zip(*pairs, strict=True)), decay=1 - momentum)
        return
    for array, new in pairs:
        array *= 1 - momentum
        array += momentum * new
