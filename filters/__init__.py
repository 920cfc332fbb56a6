"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .framing import crop, pad
from .linear import gaussian
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .pyramids import pyramid_expand, pyramid_gaussian, pyramid_laplacian, pyramid_reduce
from .resizing import downscale_local_mean, rescale, resize, resize_local_mean
from .similarity import structural_similarity
from .warping import rotate, warp

__all__ = [
    "crop",
    "cv",
    "downscale_local_mean",
    "gaussian",
    "mean_squared_error",
    "normalized_root_mse",
    "pad",
    "peak_signal_noise_ratio",
    "pyramid_expand",
    "pyramid_gaussian",
    "pyramid_laplacian",
    "pyramid_reduce",
    "rescale",
    "resize",
    "resize_local_mean",
    "rotate",
    "structural_similarity",
    "warp",
]
