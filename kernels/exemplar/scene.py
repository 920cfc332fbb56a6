"""What the steps of exemplar inpainting on CUDA share."""

from typing import Any, NamedTuple

import numpy as np


class Scene(NamedTuple):
    """The images on their device, and what is known of their pixels in main memory."""

    device: str  # where arrays lie that kernels are given: "cuda", or "cpu" in the simulator
    u: Any  # (N, H W, C) of the working type; what is no number is 0
    level: Any  # (N, H W) float64: the mean of the channels
    whole: Any  # (N, H W) uint8: whether the patch that begins at each pixel may be copied
    extent: Any  # (N) float64: the longest range of the known values of a channel
    hole: np.ndarray  # (N, H, W) bool
    numbers: np.ndarray  # (N, H, W) bool: known pixels that are finite in all channels
