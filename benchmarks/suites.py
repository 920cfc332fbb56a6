"""The tables that can be measured: networks and their parts, or classical filters."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from . import filter_workloads, rivals, workloads
from .contestant import Contestant
from .kinds import Work


class Suite(NamedTuple):
    """One table.

    ``slow``: patterns of rows that a quick run leaves out. ``rivals``: those it is made for; ``sides``: those that are
    installed, as `rivals.installed` gives them.
    """

    name: str
    works: Sequence[Work]
    slow: Sequence[str]
    precision: str
    rivals: rivals.Rivals
    sides: Callable[..., list[Contestant]]


def networks() -> Suite:
    """Beside PyTorch and ONNX Runtime."""
    known = rivals.NETWORK_RIVALS
    return Suite("networks", workloads.WORKLOADS, workloads.SLOW, "float32", known, rivals.installed)


def filters() -> Suite:
    """Beside OpenCV and scikit-image."""
    known, listed = rivals.FILTER_RIVALS, filter_workloads
    sides = partial(rivals.installed, rivals=known)
    return Suite("filters", listed.WORKLOADS, listed.SLOW, "uint8 and float32", known, sides)
