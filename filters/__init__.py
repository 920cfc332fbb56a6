"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .canny import apply_hysteresis_threshold, canny
from .edges import (
    farid,
    farid_h,
    farid_v,
    prewitt,
    prewitt_h,
    prewitt_v,
    scharr,
    scharr_h,
    scharr_v,
    sobel,
    sobel_h,
    sobel_v,
)
from .laplace import laplace
from .linear import gaussian
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .roberts import roberts, roberts_neg_diag, roberts_pos_diag
from .similarity import structural_similarity

__all__ = [
    "apply_hysteresis_threshold",
    "canny",
    "cv",
    "farid",
    "farid_h",
    "farid_v",
    "gaussian",
    "laplace",
    "mean_squared_error",
    "normalized_root_mse",
    "peak_signal_noise_ratio",
    "prewitt",
    "prewitt_h",
    "prewitt_v",
    "roberts",
    "roberts_neg_diag",
    "roberts_pos_diag",
    "scharr",
    "scharr_h",
    "scharr_v",
    "sobel",
    "sobel_h",
    "sobel_v",
    "structural_similarity",
]
