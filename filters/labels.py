"""Connected components and distances in the call forms of scikit-image and SciPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arguments import integer
from .images import check_image, check_out, delivered, leading_axes, native


def label(
    label_image: np.ndarray,
    background: int | None = None,
    return_num: bool = False,
    connectivity: int | None = None,
    *,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> Any:
    """Number the connected components of an image: neighbours of one value.

    Parameters
    ----------
    label_image : array of one to three axes beside those of the batch, of real numbers
        Floating-point numbers count by their integer part, as in scikit-image. Any strides.
    background : int, optional
        Pixels of this value belong to no component and are labelled 0; by default those that are 0. It need not occur
        (-1 labels the zeros of an unsigned image too). In a boolean image everything but 1 means False.
    return_num : bool
        Also return how many components there are.
    connectivity : int, optional
        Neighbours differ by 1 in at most that many indices; by default in any number of them. In a plane 1 gives 4
        neighbours and 2 gives 8.
    batch_axes : int
        How many leading axes count images.
    out : array of the result's shape and type, optional
        Where to write.

    Returns
    -------
    labels : array of the image's shape, int64, or int32 for a boolean image
        Components count from 1 in the order of their first pixels, row by row, in each image.
    num : int, or int64 array of one number for each image of the batch, if ``return_num``

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, not one to three axes, NaN or infinity, arguments out of range.

    Notes
    -----
    Equals ``skimage.measure.label`` 0.26, numbers included, but for volumes whose last axis has length 1: those
    scikit-image numbers column by column. The number of threads changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> label(np.array([[1, 0, 0], [1, 1, 5], [0, 0, 0]]), return_num=True)
    (array([[1, 0, 0],
           [1, 1, 2],
           [0, 0, 0]]), 2)
    """
    name = "label"
    check_image(name, "label_image", label_image)
    batch = leading_axes(name, batch_axes, label_image.ndim)
    axes = label_image.ndim - batch
    if not 1 <= axes <= 3:
        raise ValueError(
            f"{name}: label_image expects one to three axes beside those of the batch but has {axes} "
            f"(label_image {label_image.shape}, batch_axes = {batch})"
        )
    connectivity = axes if connectivity is None else integer(name, "connectivity", connectivity, 1, axes)
    background = 0 if background is None else integer(name, "background", background, -(2**63), 2**63 - 1)
    kind = "int32" if label_image.dtype.kind == "b" else "int64"
    if out is not None:
        check_out(name, out, label_image, label_image.shape, np.dtype(kind))
    image = _integers(name, label_image)
    if image.dtype.kind == "b":
        background = int(background == 1)
    labels, counts = kernels.label_components(
        image, connectivity=connectivity, background=background, axes=axes, label_dtype=kind
    )
    labels = delivered(labels, out)
    if not return_num:
        return labels
    return labels, counts if batch else int(counts)


def _integers(name: str, image: np.ndarray) -> np.ndarray:
    """The image in a type of integers with a sign, or of 32 bits at most."""
    image = native(image)
    if image.dtype.kind == "f":
        if not np.isfinite(image).all():
            raise ValueError(f"{name}: label_image expects finite numbers but has NaN or infinity")
        return image.astype(np.int64)
    return image.view(np.int64) if image.dtype == np.uint64 else image


def distance_transform_edt(
    image: np.ndarray,
    sampling: float | Sequence[float] | None = None,
    return_distances: bool = True,
    return_indices: bool = False,
    *,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> Any:
    """Exact Euclidean distance of every pixel to the nearest pixel that is zero.

    Parameters
    ----------
    image : array of one or two axes beside those of the batch, of real numbers
        A NaN is not zero. Any strides.
    sampling : float or sequence of floats, optional
        Distance of neighbouring pixels, for all axes or for each; by default 1.
    return_distances, return_indices : bool
        What to return; at least one of them.
    batch_axes : int
        How many leading axes count images.
    out : float64 array of the image's shape, optional
        Where to write the distances.

    Returns
    -------
    distances : float64 array of the image's shape, if ``return_distances``
        Infinite where an image has no zero.
    indices : (axes, *image.shape) int32 array, if ``return_indices``
        Indices of the nearest zero: of several, the one in the first column, and the upper one of those; -1 where there
        is none.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, not one or two axes, arguments out of range.

    Notes
    -----
    Distances equal ``scipy.ndimage.distance_transform_edt`` bit for bit where ``sampling`` is not given, and within a
    few roundings otherwise; where several zeros are equally near, SciPy may name another one, and where there is none
    it returns the distance to a pixel outside the image.

    Examples
    --------
    >>> import numpy as np
    >>> distance_transform_edt(np.array([[0, 1, 1], [1, 1, 1]])).round(2)
    array([[0.  , 1.  , 2.  ],
           [1.  , 1.41, 2.24]])
    """
    name = "distance_transform_edt"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    axes = image.ndim - batch
    if not 1 <= axes <= 2:
        raise ValueError(
            f"{name}: image expects one or two axes beside those of the batch but has {axes} "
            f"(image {image.shape}, batch_axes = {batch})"
        )
    if not (return_distances or return_indices):
        raise ValueError(f"{name}: return_distances and return_indices expect one of them to be True")
    if out is not None:
        check_out(name, out, image, image.shape, np.dtype(np.float64))
    steps = _steps(name, sampling, axes)
    plain = image.dtype.kind != "f" or image.dtype.char in "fd"
    source = native(image) if plain else image != 0
    if axes == 1:
        source = source[..., None, :]
    distances, indices = kernels.distance_transform(source, sampling=steps, indices=bool(return_indices))
    distances = delivered(distances.reshape(image.shape), out)
    if not return_indices:
        return distances
    indices = indices[-axes:].reshape(axes, *image.shape)
    return (distances, indices) if return_distances else indices


def _steps(name: str, sampling: Any, axes: int) -> tuple[float, float]:
    """Distances of neighbours down and along."""
    if sampling is None:
        return 1.0, 1.0
    steps = [sampling] * axes if isinstance(sampling, int | float | np.number) else list(sampling)
    for step in steps:
        if isinstance(step, bool) or not isinstance(step, int | float | np.number):
            raise TypeError(f"{name}: sampling expects a number or one for each axis but got {sampling!r}")
        if not 0 < step < np.inf:
            raise ValueError(f"{name}: sampling expects positive finite numbers but got {sampling!r}")
    if len(steps) != axes:
        raise ValueError(f"{name}: sampling expects a number or one for each of {axes} axes but got {len(steps)}")
    down, along = (1.0, *steps)[-2:]
    return float(down), float(along)
