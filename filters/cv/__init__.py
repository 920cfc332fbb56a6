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
    "DIST_L2",
    "DIST_MASK_PRECISE",
    "LUT",
    "THRESH_BINARY",
    "THRESH_BINARY_INV",
    "THRESH_OTSU",
    "THRESH_TOZERO",
    "THRESH_TOZERO_INV",
    "THRESH_TRIANGLE",
    "THRESH_TRUNC",
    "calcHist",
    "connectedComponents",
    "connectedComponentsWithStats",
    "createCLAHE",
    "distanceTransform",
    "equalizeHist",
    "threshold",
]
