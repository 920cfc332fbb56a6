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
from .inpainting import INPAINT_NS, INPAINT_TELEA, inpaint

__all__ = [
    "BORDER_CONSTANT",
    "BORDER_DEFAULT",
    "BORDER_REFLECT",
    "BORDER_REFLECT101",
    "BORDER_REFLECT_101",
    "BORDER_REPLICATE",
    "BORDER_WRAP",
    "INPAINT_NS",
    "INPAINT_TELEA",
    "inpaint",
]
