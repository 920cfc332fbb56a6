"""A border around an image, under OpenCV's name."""

import numpy as np

from ..framing import pad
from ..sampling import check_number
from .borders import border_mode, border_numbers
from .planes import Planes

_PAD = {
    "constant": "constant", "nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap",
}  # fmt: skip


def copyMakeBorder(  # noqa: N802 - OpenCV's name
    src: np.ndarray,
    top: int,
    bottom: int,
    left: int,
    right: int,
    borderType: int,
    dst: np.ndarray | None = None,
    value: float = 0,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Put rows and columns around an image.

    Parameters
    ----------
    src, dst, batch_axes
        As in `resize`.
    top, bottom, left, right : int
        How many; any number, borders repeat.
    borderType : int
        What they hold.
    value : float
        That of `BORDER_CONSTANT`, in all channels; of integers it is rounded and saturates.

    Returns
    -------
    array of the image's type, or ``dst``

    Raises
    ------
    TypeError, ValueError
        NaN as the value of integers; as in `resize`.

    Examples
    --------
    >>> import numpy as np
    >>> from tilegrad.filters.cv import BORDER_REFLECT_101
    >>> copyMakeBorder(np.array([[1, 2, 3]], np.uint8), 0, 0, 2, 1, BORDER_REFLECT_101)
    array([[3, 2, 1, 2, 3, 2]], dtype=uint8)
    """
    name = "copyMakeBorder"
    planes = Planes(name, src, batch_axes)
    mode = _PAD[border_mode(name, borderType)]
    for argument, count in (("top", top), ("bottom", bottom), ("left", left), ("right", right)):
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
            raise ValueError(f"{name}: {argument} expects an integer of at least 0 but got {count!r}")
    outside = border_numbers(name, "value", check_number(name, "value", value), src.dtype)
    height, width = planes.array.shape[1:3]
    planes.check_dst(dst, (top + height + bottom, left + width + right))
    around = (top, bottom), (left, right)
    return pad(
        src, around, mode, float(outside), channel_axis=planes.channel_axis, batch_axes=planes.batch, out=dst
    )  # fmt: skip
