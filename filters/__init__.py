"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .adaptive import equalize_adapthist
from .damage import drop_blocks, jpeg, motion_blur, scratches, tears
from .exposure import equalize_hist, match_histograms
from .framing import crop, pad
from .histograms import cumulative_distribution, histogram
from .labels import distance_transform_edt, label
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
from .local_mean import downscale_local_mean, resize_local_mean
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .multiscale import multiscale_structural_similarity
from .noise import random_noise
from .pyramids import pyramid_expand, pyramid_gaussian, pyramid_laplacian, pyramid_reduce
from .resizing import rescale, resize
from .sharpening import unsharp_mask
from .similarity import psnr_and_ssim, structural_similarity
from .thresholds import threshold_local, threshold_otsu
from .tiling import halo, map_tiles
from .warping import rotate, warp
from .windows import convolve, correlate, correlate1d, uniform

__all__ = [
    "convolve",
    "correlate",
    "correlate1d",
    "crop",
    "cumulative_distribution",
    "cv",
    "distance_transform_edt",
    "downscale_local_mean",
    "drop_blocks",
    "equalize_adapthist",
    "equalize_hist",
    "gaussian",
    "halo",
    "histogram",
    "jpeg",
    "label",
    "map_tiles",
    "match_histograms",
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
    "motion_blur",
    "multiscale_structural_similarity",
    "normalized_root_mse",
    "pad",
    "peak_signal_noise_ratio",
    "psnr_and_ssim",
    "pyramid_expand",
    "pyramid_gaussian",
    "pyramid_laplacian",
    "pyramid_reduce",
    "random_noise",
    "rescale",
    "resize",
    "resize_local_mean",
    "rotate",
    "scratches",
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
    "tears",
    "threshold_local",
    "threshold_otsu",
    "uniform",
    "unsharp_mask",
    "warp",
]
