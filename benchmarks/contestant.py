"""What one side of a comparison is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .workloads import FreshProcess, Work

Arrays = Mapping[str, np.ndarray]


class Prepared(NamedTuple):
    """A workload made ready by one side.

    ``call`` is what is timed. ``result`` runs the work (training: a few steps) and returns what all sides must agree
    on, in tilegrad's layout; it is asked for once, before the first timed call.
    """

    call: Callable[[], Any]
    result: Callable[[], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Contestant:
    """One library, in one layout.

    Attributes
    ----------
    name : str
        As the table's head shows it.
    prepare : callable
        ``prepare(work, arrays) -> Prepared``, or None where this side has nothing of its own to show: a layout, for
        work that knows no layout.
    program : callable
        ``program(work)``: the source of a program that does the work in a fresh process and prints "ready" when it is
        done, or None.
    """

    name: str
    prepare: Callable[[Work, Arrays], Prepared | None]
    program: Callable[[FreshProcess], str | None]
