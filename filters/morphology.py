"""Gray morphology with flat footprints, in scikit-image's call forms.

Footprints of an even number of rows or columns have their middle before the border between both halves, as in
scikit-image; they may also be given as a sequence of pairs ``(footprint, how many times)``, which are applied in turn.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..kernels.arrays import new_like
from ..kernels.correlation.geometry import check_border
from ..kernels.rank.geometry import Footprint, check_footprint
from .comparing import constant_of, over_images
from .images import check_image, check_out

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_MODES = ("reflect", "constant", "nearest", "mirror", "wrap", "max", "min", "ignore")


class _Element(NamedTuple):
    """A footprint, the origin of its middle as in `tilegrad.kernels.rank_filter2d`, how often it is applied."""

    footprint: Footprint
    origin: tuple[int, int]
    times: int

    def mirrored(self) -> "_Element":
        rows, columns, chosen = self.footprint
        flipped = Footprint(rows, columns, None if chosen is None else chosen[::-1])
        # The middle of an even number of rows lies on the other side then.
        origin = rows % 2 - 1 - self.origin[0], columns % 2 - 1 - self.origin[1]
        return _Element(flipped, origin, self.times)


class _Call(NamedTuple):
    """A checked call: how the image is filtered."""

    name: str
    elements: tuple[_Element, ...]
    mode: str
    cval: Any
    channel_axis: int | None
    batch_axes: int

    def filtered(
        self, image: np.ndarray, greatest: bool, mirrored: bool = False, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Eroded or dilated, by the footprints or by their mirror images."""
        outside, mode = self.cval, self.mode
        if mode == "ignore":
            mode = "min" if greatest else "max"
        if mode in ("max", "min"):
            outside, mode = (np.inf if mode == "max" else -np.inf), "constant"
            outside = outside if image.dtype != np.bool_ else float(outside > 0)
        filter2d = kernels.max_filter2d if greatest else kernels.min_filter2d
        outside = constant_of(outside, image.dtype)
        steps = [element for element in self.elements for _ in range(element.times)]
        for number, element in enumerate(steps, 1):
            footprint, origin, _ = element.mirrored() if mirrored else element

            def kernel(x: np.ndarray, out: np.ndarray | None, window: Any = footprint, at: Any = origin) -> np.ndarray:
                return filter2d(x, window, mode=mode, cval=outside, origin=at, out=out)

            image = over_images(
                self.name,
                image,
                kernel,
                channel_axis=self.channel_axis,
                batch_axes=self.batch_axes,
                out=out if number == len(steps) else None,
            )
        return image


def erosion(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The least of the numbers under a footprint.

    Parameters
    ----------
    image : array of real numbers
        Two axes, with those of a batch and of channels. Any type up to 64 bits and any strides; nothing is rescaled.
    footprint : array of two axes, or sequence of (array, int), optional
        Which pixels count; a cross of 3x3 without it.
    out : array of the image's shape and type, optional
        Where to write; it may be the image itself.
    mode : {"reflect", "constant", "nearest", "mirror", "wrap", "max", "min", "ignore"}
        What lies outside the image: ``scipy.ndimage``'s names (`tilegrad.kernels.correlation` draws them), the greatest
        or the least number of the image's type, or what has no part in the result.
    cval : float
        The number outside the image where ``mode`` is "constant".
    channel_axis : int, optional
        The axis of channels, which are filtered each on its own.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError
        Not an array of real numbers, floats of more than 64 bits.
    ValueError
        Another number of axes, a footprint without pixels, an unknown mode, an axis that does not exist, an ``out``
        that does not fit.

    Notes
    -----
    Equals ``skimage.morphology.erosion`` 0.26 bit for bit. A NaN reaches every pixel under whose footprint it lies. An
    empty image stays empty.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((5, 5), np.uint8)
    >>> image[1:4, 1:4] = 1
    >>> erosion(image)
    array([[0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0],
           [0, 0, 1, 0, 0],
           [0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0]], dtype=uint8)
    """
    call = _checked("erosion", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return call.filtered(image, greatest=False, out=out)


def dilation(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The greatest of the numbers under a footprint, which is not mirrored.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.dilation`` 0.26 bit for bit. ``scipy.ndimage.grey_dilation`` mirrors the footprint.

    Examples
    --------
    >>> import numpy as np
    >>> dilation(np.array([[0, 7, 0, 0]]))
    array([[7, 7, 7, 0]])
    """
    call = _checked("dilation", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return call.filtered(image, greatest=True, out=out)


def opening(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """`erosion`, then `dilation` by the mirrored footprint: what is bright and smaller than the footprint goes.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.opening`` 0.26 bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> opening(np.array([[0, 7, 0, 5, 5, 5]]), np.ones((1, 3)))
    array([[0, 0, 0, 5, 5, 5]])
    """
    call = _checked("opening", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _opened(call, image, out)


def closing(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """`dilation`, then `erosion` by the mirrored footprint: what is dark and smaller than the footprint goes.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.closing`` 0.26 bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> closing(np.array([[9, 2, 9, 4, 4, 4]]), np.ones((1, 3)))
    array([[9, 9, 9, 4, 4, 4]])
    """
    call = _checked("closing", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _closed(call, image, out)


def white_tophat(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The image less its `opening`: what is bright and smaller than the footprint.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.white_tophat`` 0.26 bit for bit, the wrapping of integers included where an opening
    exceeds the image at its border; of booleans it is the difference of sets.

    Examples
    --------
    >>> import numpy as np
    >>> white_tophat(np.array([[0, 7, 0, 5, 5, 5]]), np.ones((1, 3)))
    array([[0, 7, 0, 0, 0, 0]])
    """
    call = _checked("white_tophat", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _difference(image, _opened(call, image), image, out)


def black_tophat(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The `closing` of an image less the image: what is dark and smaller than the footprint.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.black_tophat`` 0.26 bit for bit, as `white_tophat` does.

    Examples
    --------
    >>> import numpy as np
    >>> black_tophat(np.array([[9, 2, 9, 4, 4, 4]]), np.ones((1, 3)))
    array([[0, 7, 0, 0, 0, 0]])
    """
    call = _checked("black_tophat", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _difference(_closed(call, image), image, image, out)


def morphological_gradient(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The `dilation` of an image less its `erosion`: how much numbers differ under the footprint.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``scipy.ndimage.morphological_gradient`` bit for bit where the footprint is its own mirror image.

    Examples
    --------
    >>> import numpy as np
    >>> morphological_gradient(np.array([[1, 1, 4, 4, 4]]))
    array([[0, 3, 3, 0, 0]])
    """
    call = _checked("morphological_gradient", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _difference(call.filtered(image, greatest=True), call.filtered(image, greatest=False), image, out)


def _checked(
    name: str,
    image: Any,
    footprint: Any,
    out: Any,
    mode: Any,
    cval: Any,
    channel_axis: int | None,
    batch_axes: int,
) -> _Call:
    check_image(name, "image", image)
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"{name}: unsupported mode: expects one of {', '.join(map(repr, _MODES))} but got {mode!r}")
    check_border(name, "constant", cval)
    if out is not None:
        check_out(name, out, image, image.shape, image.dtype)
    return _Call(name, _elements(name, footprint), mode, cval, channel_axis, batch_axes)


def _elements(name: str, footprint: Any) -> tuple[_Element, ...]:
    """A footprint, or those of a sequence, in the order in which they are applied."""
    if footprint is None:
        footprint = _CROSS
    pairs = [(footprint, 1)]
    if isinstance(footprint, Sequence) and all(
        isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], np.ndarray) for pair in footprint
    ):
        pairs = list(footprint)
    elements = []
    for array, times in pairs:
        if np.ndim(array) != 2:
            raise ValueError(f"{name}: footprint expects two axes but got shape {np.shape(array)}")
        if isinstance(times, bool) or not isinstance(times, int | np.integer) or times < 1:
            raise ValueError(f"{name}: footprint expects how often it is applied, at least once, but got {times!r}")
        found = check_footprint(name, np.asarray(array))
        elements.append(_Element(found, (found.rows % 2 - 1, found.columns % 2 - 1), int(times)))
    if not elements:
        raise ValueError(f"{name}: footprint expects at least one but got {footprint!r}")
    return tuple(elements)


def _opened(call: _Call, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return call.filtered(call.filtered(image, greatest=False), greatest=True, mirrored=True, out=out)


def _closed(call: _Call, image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return call.filtered(call.filtered(image, greatest=True), greatest=False, mirrored=True, out=out)


def _difference(a: np.ndarray, b: np.ndarray, image: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """a - b, of booleans where they differ."""
    subtract = np.logical_xor if image.dtype == np.bool_ else np.subtract
    return subtract(a, b, out=new_like(image, image.shape, image.dtype) if out is None else out)
