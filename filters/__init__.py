"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .linear import gaussian
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .shape import find_contours, moments, moments_central, moments_hu, moments_normalized
from .similarity import structural_similarity
from .template import integral_image, integrate, match_template

__all__ = [
    "cv",
    "find_contours",
    "gaussian",
    "integral_image",
    "integrate",
    "match_template",
    "mean_squared_error",
    "moments",
    "moments_central",
    "moments_hu",
    "moments_normalized",
    "normalized_root_mse",
    "peak_signal_noise_ratio",
    "structural_similarity",
]
