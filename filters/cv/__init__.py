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
from .morphology import (
    MORPH_BLACKHAT,
    MORPH_CLOSE,
    MORPH_CROSS,
    MORPH_DIAMOND,
    MORPH_DILATE,
    MORPH_ELLIPSE,
    MORPH_ERODE,
    MORPH_GRADIENT,
    MORPH_OPEN,
    MORPH_RECT,
    MORPH_TOPHAT,
    dilate,
    erode,
    getStructuringElement,
    morphologyEx,
)
from .rank import medianBlur

__all__ = [
    "BORDER_CONSTANT",
    "BORDER_DEFAULT",
    "BORDER_REFLECT",
    "BORDER_REFLECT101",
    "BORDER_REFLECT_101",
    "BORDER_REPLICATE",
    "BORDER_WRAP",
    "MORPH_BLACKHAT",
    "MORPH_CLOSE",
    "MORPH_CROSS",
    "MORPH_DIAMOND",
    "MORPH_DILATE",
    "MORPH_ELLIPSE",
    "MORPH_ERODE",
    "MORPH_GRADIENT",
    "MORPH_OPEN",
    "MORPH_RECT",
    "MORPH_TOPHAT",
    "dilate",
    "erode",
    "getStructuringElement",
    "medianBlur",
    "morphologyEx",
]
