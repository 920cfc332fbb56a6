"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .linear import gaussian
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .sharpening import unsharp_mask
from .similarity import structural_similarity
from .windows import convolve, correlate, correlate1d, uniform

__all__ = [
    "convolve",
    "correlate",
    "correlate1d",
    "cv",
    "gaussian",
    "mean_squared_error",
    "normalized_root_mse",
    "peak_signal_noise_ratio",
    "structural_similarity",
    "uniform",
    "unsharp_mask",
]
