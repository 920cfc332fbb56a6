"""Activations and their gradients "naive" on CUDA: one thread, one number.

The kernel, its index arithmetic and its traffic are those of elementwise/cuda_naive.py, with this folder's definitions.
"""

from ..elementwise.cuda_naive import build_from
from ..elementwise.geometry import Elementwise
from ..operation import Run
from .reference import DEFINITIONS


def build(g: Elementwise) -> Run:
    """Prepare the launch of an operation of this folder."""
    return build_from(DEFINITIONS, g)
