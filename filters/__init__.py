"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .linear import gaussian
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .morphology import (
    black_tophat,
    closing,
    dilation,
    erosion,
    morphological_gradient,
    opening,
    white_tophat,
)
from .rank import maximum, median, minimum, percentile, rank_filter
from .similarity import structural_similarity

__all__ = [
    "black_tophat",
    "closing",
    "cv",
    "dilation",
    "erosion",
    "gaussian",
    "maximum",
    "mean_squared_error",
    "median",
    "minimum",
    "morphological_gradient",
    "normalized_root_mse",
    "opening",
    "peak_signal_noise_ratio",
    "percentile",
    "rank_filter",
    "structural_similarity",
    "white_tophat",
]
