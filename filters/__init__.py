"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .deconvolution import richardson_lucy, wiener
from .denoising import denoise_bilateral, denoise_nl_means
from .linear import gaussian
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .noise import estimate_sigma
from .similarity import structural_similarity
from .variation import denoise_tv_chambolle

__all__ = [
    "cv",
    "denoise_bilateral",
    "denoise_nl_means",
    "denoise_tv_chambolle",
    "estimate_sigma",
    "gaussian",
    "mean_squared_error",
    "normalized_root_mse",
    "peak_signal_noise_ratio",
    "richardson_lucy",
    "structural_similarity",
    "wiener",
]
