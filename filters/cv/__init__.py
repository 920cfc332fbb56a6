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

__all__ = [
    "BORDER_CONSTANT",
    "BORDER_DEFAULT",
    "BORDER_REFLECT",
    "BORDER_REFLECT101",
    "BORDER_REFLECT_101",
    "BORDER_REPLICATE",
    "BORDER_WRAP",
    "INTER_AREA",
    "INTER_CUBIC",
    "INTER_LANCZOS4",
    "INTER_LINEAR",
    "INTER_NEAREST",
    "INTER_NEAREST_EXACT",
    "WARP_INVERSE_MAP",
    "copyMakeBorder",
    "getRotationMatrix2D",
    "pyrDown",
    "pyrUp",
    "resize",
    "warpAffine",
    "warpPerspective",
]
