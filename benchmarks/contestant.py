"""What one side of a comparison is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .kinds import FreshProcess, Work

Arrays = Mapping[str, np.ndarray]


class UnavailableError(Exception):
    """A contestant that was asked for cannot work on this machine; the message says why."""


class Prepared(NamedTuple):
    """A workload made ready by one side.

    ``call`` is what is timed. ``result`` runs the work (training: a few steps) and returns what all sides must agree
    on, in tilegrad's layout; it is asked for once, before the first timed call.
    """

    call: Callable[[], Any]
    result: Callable[[], tuple[np.ndarray, ...]]


CHECKED_STEPS = 3


@dataclass(frozen=True)
class Training:
    """A training step: ``step(*inputs)`` returns its loss, a tensor of one number that nobody has waited for."""

    step: Callable[..., Any]
    inputs: tuple[Any, ...]

    def __call__(self) -> float:
        return float(self.step(*self.inputs).item())


def training(step_in: Callable[[type], Training]) -> Prepared:
    """A training step, from ``step_in(dtype)``, which makes one.

    Compared are the losses of the first steps in float64, and in float32, which is what is timed, that of the first:
    rounding there flips relu's sign near zero and Adam's steps follow, so that after three steps PyTorch's own two
    layouts are 1e-3 apart.
    """
    step = step_in(np.float32)

    def result() -> tuple[np.ndarray, ...]:
        step64 = step_in(np.float64)
        return np.array([step64() for _ in range(CHECKED_STEPS)]), np.array([step()])

    return Prepared(step, result)


@dataclass(frozen=True)
class Contestant:
    """One library, in one layout.

    Attributes
    ----------
    name : str
        As the table's head shows it.
    library : str
        The library and its version.
    prepare : callable
        ``prepare(work, arrays) -> Prepared``, or None where this side has nothing of its own to show: a layout, for
        work that knows no layout.
    program : callable
        ``program(work)``: the source of a program that does the work in a fresh process and prints "ready" when it is
        done, or None.
    """

    name: str
    library: str
    prepare: Callable[[Work, Arrays], Prepared | None]
    program: Callable[[FreshProcess], str | None]
