"""Classical image filters and metrics, in scikit-image's call forms.

Functions take arrays of NumPy of any real type and strides, and most take CuPy's, whose results lie on the GPU too.
``channel_axis`` names the axis of channels; ``batch_axes=k`` says that the k leading axes count images (by default none
do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .adaptive import equalize_adapthist
from .canny import apply_hysteresis_threshold, canny
from .damage import drop_blocks, jpeg, motion_blur, scratches, tears
from .deconvolution import richardson_lucy, wiener
from .degradation import degrade
from .denoising import denoise_bilateral, denoise_nl_means
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
from .exposure import equalize_hist, match_histograms
from .framing import crop, pad
from .halos import halo
from .histograms import cumulative_distribution, histogram
from .inpainting import inpaint_biharmonic, inpaint_exemplar
from .labels import distance_transform_edt, label
from .laplace import laplace
from .linear import gaussian
from .local_mean import downsample, downscale_local_mean, resize_local_mean
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .morphology import black_tophat, closing, dilation, erosion, morphological_gradient, opening, white_tophat
from .multiscale import multiscale_structural_similarity
from .noise import random_noise
from .noise_level import estimate_sigma
from .pyramids import pyramid_expand, pyramid_gaussian, pyramid_laplacian, pyramid_reduce
from .rank import maximum, median, minimum, percentile, rank_filter
from .resizing import rescale, resize
from .roberts import roberts, roberts_neg_diag, roberts_pos_diag
from .shape import find_contours, moments, moments_central, moments_hu, moments_normalized
from .sharpening import unsharp_mask
from .similarity import psnr_and_ssim, structural_similarity
from .template import integral_image, integrate, match_template
from .thresholds import threshold_local, threshold_otsu
from .tiling import map_tiles
from .variation import denoise_tv_chambolle
from .warping import rotate, warp
from .windows import convolve, correlate, correlate1d, uniform

__all__ = [
    "apply_hysteresis_threshold",
    "black_tophat",
    "canny",
    "closing",
    "convolve",
    "correlate",
    "correlate1d",
    "crop",
    "cumulative_distribution",
    "cv",
    "degrade",
    "denoise_bilateral",
    "denoise_nl_means",
    "denoise_tv_chambolle",
    "dilation",
    "distance_transform_edt",
    "downsample",
    "downscale_local_mean",
    "drop_blocks",
    "equalize_adapthist",
    "equalize_hist",
    "erosion",
    "estimate_sigma",
    "farid",
    "farid_h",
    "farid_v",
    "find_contours",
    "gaussian",
    "halo",
    "histogram",
    "inpaint_biharmonic",
    "inpaint_exemplar",
    "integral_image",
    "integrate",
    "jpeg",
    "label",
    "laplace",
    "map_tiles",
    "match_histograms",
    "match_template",
    "maximum",
    "mean_squared_error",
    "median",
    "minimum",
    "moments",
    "moments_central",
    "moments_hu",
    "moments_normalized",
    "morphological_gradient",
    "motion_blur",
    "multiscale_structural_similarity",
    "normalized_root_mse",
    "opening",
    "pad",
    "peak_signal_noise_ratio",
    "percentile",
    "prewitt",
    "prewitt_h",
    "prewitt_v",
    "psnr_and_ssim",
    "pyramid_expand",
    "pyramid_gaussian",
    "pyramid_laplacian",
    "pyramid_reduce",
    "random_noise",
    "rank_filter",
    "rescale",
    "resize",
    "resize_local_mean",
    "richardson_lucy",
    "roberts",
    "roberts_neg_diag",
    "roberts_pos_diag",
    "rotate",
    "scharr",
    "scharr_h",
    "scharr_v",
    "scratches",
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
    "white_tophat",
    "wiener",
]
