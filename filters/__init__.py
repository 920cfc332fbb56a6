"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .framing import crop, pad
from .linear import gaussian
from .local_mean import downscale_local_mean, resize_local_mean
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .multiscale import multiscale_structural_similarity
from .pyramids import pyramid_expand, pyramid_gaussian, pyramid_laplacian, pyramid_reduce
from .resizing import rescale, resize
from .similarity import psnr_and_ssim, structural_similarity
from .tiling import halo, map_tiles
from .warping import rotate, warp

__all__ = [
    "crop",
    "cv",
    "downscale_local_mean",
    "gaussian",
    "halo",
    "map_tiles",
    "mean_squared_error",
    "multiscale_structural_similarity",
    "normalized_root_mse",
    "pad",
    "peak_signal_noise_ratio",
    "psnr_and_ssim",
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
