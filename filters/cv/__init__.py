"""Image filters under OpenCV's names, with its arguments and semantics; nothing is ever rescaled.

Images are ``(H, W)`` or ``(H, W, C)``, channels last; ``batch_axes=k`` says that k more axes in front count images.
Results go to ``dst`` where it is given. Constants have OpenCV's values.
"""

from .borders import (
    BORDER_CONSTANT,
    BORDER_DEFAULT,
    BORDER_REFLECT,
    BORDER_REFLECT101,
    BORDER_REFLECT_101,
    BORDER_REPLICATE,
    BORDER_WRAP,
)
from .depths import CV_8S, CV_8U, CV_16S, CV_16U, CV_32F, CV_32S, CV_64F
from .geometry import (
    INTER_AREA,
    INTER_CUBIC,
    INTER_LANCZOS4,
    INTER_LINEAR,
    INTER_NEAREST,
    INTER_NEAREST_EXACT,
    WARP_INVERSE_MAP,
    copyMakeBorder,
    getRotationMatrix2D,
    pyrDown,
    pyrUp,
    resize,
    warpAffine,
    warpPerspective,
)
from .histogram import CLAHE, LUT, calcHist, createCLAHE, equalizeHist
from .labels import (
    CC_STAT_AREA,
    CC_STAT_HEIGHT,
    CC_STAT_LEFT,
    CC_STAT_TOP,
    CC_STAT_WIDTH,
    DIST_L2,
    DIST_MASK_PRECISE,
    connectedComponents,
    connectedComponentsWithStats,
    distanceTransform,
)
from .linear import filter2D, sepFilter2D
from .smoothing import GaussianBlur, blur, boxFilter, getGaussianKernel
from .threshold import (
    THRESH_BINARY,
    THRESH_BINARY_INV,
    THRESH_OTSU,
    THRESH_TOZERO,
    THRESH_TOZERO_INV,
    THRESH_TRIANGLE,
    THRESH_TRUNC,
    threshold,
)
from .canny import Canny
from .depths import CV_8S, CV_8U, CV_16S, CV_16U, CV_32F, CV_32S, CV_64F
from .edges import Laplacian, Scharr, Sobel

__all__ = [
    "BORDER_CONSTANT",
    "BORDER_DEFAULT",
    "BORDER_REFLECT",
    "BORDER_REFLECT101",
    "BORDER_REFLECT_101",
    "BORDER_REPLICATE",
    "BORDER_WRAP",
    "CC_STAT_AREA",
    "CC_STAT_HEIGHT",
    "CC_STAT_LEFT",
    "CC_STAT_TOP",
    "CC_STAT_WIDTH",
    "CLAHE",
    "CV_8S",
    "CV_8U",
    "CV_16S",
    "CV_16U",
    "CV_32F",
    "CV_32S",
    "CV_64F",
    "DIST_L2",
    "DIST_MASK_PRECISE",
    "INTER_AREA",
    "INTER_CUBIC",
    "INTER_LANCZOS4",
    "INTER_LINEAR",
    "INTER_NEAREST",
    "INTER_NEAREST_EXACT",
    "LUT",
    "THRESH_BINARY",
    "THRESH_BINARY_INV",
    "THRESH_OTSU",
    "THRESH_TOZERO",
    "THRESH_TOZERO_INV",
    "THRESH_TRIANGLE",
    "THRESH_TRUNC",
    "WARP_INVERSE_MAP",
    "GaussianBlur",
    "blur",
    "boxFilter",
    "calcHist",
    "connectedComponents",
    "connectedComponentsWithStats",
    "copyMakeBorder",
    "createCLAHE",
    "distanceTransform",
    "equalizeHist",
    "filter2D",
    "getGaussianKernel",
    "getRotationMatrix2D",
    "pyrDown",
    "pyrUp",
    "resize",
    "sepFilter2D",
    "threshold",
    "warpAffine",
    "warpPerspective",
    "Canny",
    "Laplacian",
    "Scharr",
    "Sobel",
]
