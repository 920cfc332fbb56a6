"""Classical image filters and metrics, in scikit-image's call forms.

Functions take NumPy arrays of any real type and strides. ``channel_axis`` names the axis of channels; ``batch_axes=k``
says that the k leading axes count images (by default none do: three axes are a volume, as in scikit-image).
"""

from . import cv
from .inpainting import inpaint_biharmonic, inpaint_exemplar
from .linear import gaussian
from .metrics import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio
from .similarity import structural_similarity

__all__ = [
    "cv",
    "gaussian",
    "inpaint_biharmonic",
    "inpaint_exemplar",
    "mean_squared_error",
    "normalized_root_mse",
    "peak_signal_noise_ratio",
    "structural_similarity",
]
