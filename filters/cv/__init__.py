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
from .shape import (
    CHAIN_APPROX_NONE,
    CHAIN_APPROX_SIMPLE,
    CONTOURS_MATCH_I1,
    CONTOURS_MATCH_I2,
    CONTOURS_MATCH_I3,
    RETR_CCOMP,
    RETR_EXTERNAL,
    RETR_LIST,
    RETR_TREE,
    HuMoments,
    arcLength,
    boundingRect,
    contourArea,
    findContours,
    matchShapes,
    moments,
)
from .template import (
    TM_CCOEFF,
    TM_CCOEFF_NORMED,
    TM_CCORR,
    TM_CCORR_NORMED,
    TM_SQDIFF,
    TM_SQDIFF_NORMED,
    integral,
    matchTemplate,
    minMaxLoc,
)

__all__ = [
    "BORDER_CONSTANT",
    "BORDER_DEFAULT",
    "BORDER_REFLECT",
    "BORDER_REFLECT101",
    "BORDER_REFLECT_101",
    "BORDER_REPLICATE",
    "BORDER_WRAP",
    "CHAIN_APPROX_NONE",
    "CHAIN_APPROX_SIMPLE",
    "CONTOURS_MATCH_I1",
    "CONTOURS_MATCH_I2",
    "CONTOURS_MATCH_I3",
    "RETR_CCOMP",
    "RETR_EXTERNAL",
    "RETR_LIST",
    "RETR_TREE",
    "TM_CCOEFF",
    "TM_CCOEFF_NORMED",
    "TM_CCORR",
    "TM_CCORR_NORMED",
    "TM_SQDIFF",
    "TM_SQDIFF_NORMED",
    "HuMoments",
    "arcLength",
    "boundingRect",
    "contourArea",
    "findContours",
    "integral",
    "matchShapes",
    "matchTemplate",
    "minMaxLoc",
    "moments",
]
