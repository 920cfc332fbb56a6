"""The tables that can be measured: networks and their parts, classical filters, or all variants of one operation."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from tilegrad.kernels.contexts import operations

from . import filter_workloads, rivals, workloads
from .contestant import Contestant
from .kinds import PASSES, Convolution, Work


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
    """Beside OpenCV, scikit-image and Pillow."""
    known, listed = rivals.FILTER_RIVALS, filter_workloads
    sides = partial(rivals.installed, rivals=known)
    return Suite("filters", listed.WORKLOADS, listed.SLOW, "uint8 and float32", known, sides)


LADDERS = dict(zip(("conv2d", "conv2d_input_grad", "conv2d_weight_grad"), PASSES, strict=True))
"""Operations whose variants can be measured one after the other, and the pass of a layer that each is."""


def ladder(operation: str) -> Suite:
    """All variants of an operation on one layer, the definition's compiled loops first, beside PyTorch.

    A layer of four images: enough for two threads, and no longer than a cup of tea for the loops.
    """
    layer = Convolution("ladder", operation, (4, 40, 40, 64), 64, 3, padding=1, run=LADDERS[operation])
    x, w, gy = (np.broadcast_to(np.float32(0), layer.shapes[name]) for name in ("x", "w", "gy"))
    place = (1, 1, 1, 1)
    calls = {
        "conv2d": ((x, w, None), (*place, None, 0.0)),
        "conv2d_input_grad": ((gy, w, None), (x.shape, *place, None, 0.0)),
        "conv2d_weight_grad": ((gy, x), (w.shape, *place)),
    }
    names = [name for name in operations[operation].takers(*calls[operation]) if name != "reference"]
    works = tuple(replace(layer, variant=name) for name in reversed(names))
    return networks()._replace(works=works, slow=())
