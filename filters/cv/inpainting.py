"""Inpainting by fast marching, under OpenCV's name."""

from typing import Any

import numpy as np

from ... import kernels
from ..images import check_beside, check_image, check_out, from_nhwc, leading_axes, native, to_nhwc

INPAINT_NS = 0
INPAINT_TELEA = 1

_METHODS = {INPAINT_NS: "navier-stokes", INPAINT_TELEA: "telea"}


def inpaint(
    src: np.ndarray,
    inpaintMask: np.ndarray,
    inpaintRadius: float,
    flags: int,
    dst: np.ndarray | None = None,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Fill holes from their rim inwards, each pixel from the known ones within a radius.

    Parameters
    ----------
    src : (..., H, W) or (..., H, W, C) array, uint8, uint16 or float32
    inpaintMask : (..., H, W) uint8 array
        What is not 0 is a hole.
    inpaintRadius : float
        Rounded (halves to even) and taken between 1 and 100.
    flags : {INPAINT_NS, INPAINT_TELEA}
        Navier and Stokes, or Telea.
    dst : array of the shape and type of ``src``, optional
        Where to write; it may be ``src`` itself.
    batch_axes : int
        How many leading axes count images; the mask has them too.

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``
        Pixels outside the mask keep their bits.

    Raises
    ------
    TypeError, ValueError
        Other types, shapes that do not fit, a radius that is no finite number, unknown flags.

    Notes
    -----
    Equals ``cv2.inpaint`` of OpenCV 5.0 bit for bit for images of two rows and columns or more; of narrower ones OpenCV
    reads beside the image, where this reads the nearest pixel. OpenCV takes colour only as uint8 with three channels,
    this any number of channels of any of its types, filled each on its own with common weights; the last bit of Telea's
    for three channels is that of OpenCV's colour, for any other number that of its gray. Of an image without any known
    pixel nothing is filled, as in OpenCV. A NaN reaches the pixels that are filled from it.

    References
    ----------
    .. [1] A. Telea, "An image inpainting technique based on the fast marching method", Journal of Graphics Tools 9(1),
           2004.
    .. [2] M. Bertalmio, A. L. Bertozzi and G. Sapiro, "Navier-Stokes, fluid dynamics, and image and video inpainting",
           CVPR 2001.

    Examples
    --------
    >>> import numpy as np
    >>> src = np.tile(np.arange(0, 90, 10, dtype=np.uint8), (9, 1))
    >>> mask = np.zeros((9, 9), np.uint8)
    >>> mask[4, 4] = 1
    >>> inpaint(np.where(mask, 0, src).astype(np.uint8), mask, 3, INPAINT_NS)[4]
    array([ 0, 10, 20, 30, 40, 50, 60, 70, 80], dtype=uint8)
    """
    name = "inpaint"
    check_image(name, "src", src)
    check_image(name, "inpaintMask", inpaintMask)
    check_beside(name, "inpaintMask", inpaintMask, src)
    if inpaintMask.dtype != np.uint8:
        raise TypeError(f"{name}: inpaintMask expects uint8 but got {inpaintMask.dtype}")
    batch = leading_axes(name, batch_axes, src.ndim)
    channels = -1 if src.ndim - batch == 3 else None
    x = to_nhwc(name, native(src), channels, batch)
    shape = src.shape if channels is None else src.shape[:-1]
    if inpaintMask.shape != shape:
        raise ValueError(f"{name}: inpaintMask expects shape {shape} but got {inpaintMask.shape}")
    if x.dtype not in (np.uint8, np.uint16, np.float32):
        raise TypeError(f"{name}: src expects uint8, uint16 or float32 but got {src.dtype}")
    if isinstance(flags, bool) or flags not in _METHODS:
        raise ValueError(f"{name}: flags expects INPAINT_NS = 0 or INPAINT_TELEA = 1 but got {flags!r}")
    radius = _radius(name, inpaintRadius)
    if dst is not None:
        check_out(name, dst, src, src.shape, src.dtype, "dst")
    filled = kernels.inpaint_marching(x, inpaintMask.reshape(x.shape[:3]), radius=radius, method=_METHODS[int(flags)])
    result = from_nhwc(filled, src, channels, batch)
    if dst is None:
        return result
    dst[...] = result
    return dst


def _radius(name: str, radius: Any) -> int:
    if isinstance(radius, bool) or not isinstance(radius, int | float | np.number):
        raise TypeError(f"{name}: inpaintRadius expects a number but got {radius!r}")
    if not np.isfinite(radius):
        raise ValueError(f"{name}: inpaintRadius expects a finite number but got {radius!r}")
    return int(min(max(round(float(radius)), 1), 100))
