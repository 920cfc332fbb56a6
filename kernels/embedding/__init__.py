"""Rows of a table by their numbers, and the gradient: rows added up by number.

reference.py   the definitions
cpu_rows.py    "rows": copies; the gradient sorts the numbers and adds each row's terms in their order
cuda_naive.py  "naive" on CUDA: one thread, one output
cuda_rows.py   "rows" on CUDA, with cuda_rows.cu: 16 bytes of a row per thread; of the gradient, a warp per row
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arguments import check_real
from ..machine.indices import as_places
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["embedding", "embedding_grad"]


class Embedding(NamedTuple):
    """``taken`` rows of ``width`` numbers, taken from or added into a table of ``rows``."""

    dtype: np.dtype
    rows: int
    width: int
    taken: int
    adds: bool
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """A comparison for each number of a row, and for the gradient an addition for each number."""
        return self.taken * (self.width if self.adds else 1)

    @property
    def bytes_moved(self) -> float:
        """Bytes of the rows and of what they become, and of their numbers."""
        results = self.rows if self.adds else self.taken
        return self.dtype.itemsize * self.width * (self.taken + results) + 8 * self.taken


def _embedding_geometry(weight: Spec, indices: Spec) -> Embedding:
    check_real("embedding", "weight", weight)
    if len(weight.shape) != 2:
        raise ValueError(f"embedding: weight expects shape (rows, width) but got {weight.shape}")
    rows, width = weight.shape
    outputs = (((*indices.shape, width), weight.dtype),)
    return Embedding(weight.dtype, rows, width, math.prod(indices.shape), False, outputs)


def _grad_geometry(gy: Spec, indices: Spec, rows: int) -> Embedding:
    check_real("embedding_grad", "gy", gy)
    if not gy.shape or gy.shape[:-1] != indices.shape:
        raise ValueError(
            f"embedding_grad: gy expects shape (*indices.shape, width) but got {gy.shape} for indices {indices.shape}"
        )
    return Embedding(gy.dtype, rows, gy.shape[-1], math.prod(indices.shape), True, (((rows, gy.shape[-1]), gy.dtype),))


def _declare(
    name: str, geometry: Callable[..., Embedding], definition: Callable[..., None], build: str, cases: tuple[Any, ...]
) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=geometry,
        variants=(
            Variant("rows", "cpu_rows", build=build),
            Variant("rows", "cuda_rows", device="cuda", build=build),
            Variant("naive", "cuda_naive", device="cuda", build=build),
        ),
        reference=definition,
        reference_args=lambda g: (),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=cases,
    )


EMBEDDING = _declare(
    "embedding", _embedding_geometry, reference.embedding, "build",
    (
        {"shapes": [(1, 1), (1,)], "below": {1: 1}},
        {"shapes": [(10, 16), (3, 5)], "below": {1: 10}},
        {"shapes": [(300, 70), (400,)], "below": {1: 300}},
    ),
)  # fmt: skip
EMBEDDING_GRAD = _declare(
    "embedding_grad", _grad_geometry, reference.embedding_grad, "build_grad",
    (
        {"shapes": [(1, 1), (1,)], "below": {1: 1}, "rows": 1},
        {"shapes": [(3, 5, 16), (3, 5)], "below": {1: 10}, "rows": 12},
        {"shapes": [(400, 300), (400,)], "below": {1: 30}, "rows": 30},
    ),
)  # fmt: skip


def embedding(
    weight: np.ndarray, indices: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Rows of ``weight`` by their numbers.

    Parameters
    ----------
    weight : (rows, width) array, float32 or float64
    indices : array of integers of any shape
        ``0 <= indices < rows``.
    out : array of the result's shape and dtype, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (*indices.shape, width) array

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes or an index do not fit; nothing is computed.

    Notes
    -----
    Equals ``weight[indices]``, but that negative indices are refused, and ``torch.nn.functional.embedding``.

    Examples
    --------
    >>> import numpy as np
    >>> embedding(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 1, 0]))
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    rows = (getattr(weight, "shape", ()) or (0,))[0]
    return EMBEDDING.run((weight, as_places("embedding", "indices", indices, rows)), (), out, variant)


def embedding_grad(
    gy: np.ndarray, indices: np.ndarray, rows: int, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Gradient of `embedding` by its table: each row of ``gy`` added to the row of its number.

    Parameters
    ----------
    gy : (*indices.shape, width) array, float32 or float64
        Gradient by the result.
    indices : array of integers
        As in `embedding`.
    rows : int
        Of the table.
    out, variant
        As in `embedding`.

    Returns
    -------
    (rows, width) array; rows whose number is not among ``indices`` are 0

    Notes
    -----
    Terms are added in float64, in the order in which they stand in ``gy``, whatever the number of threads.

    Examples
    --------
    >>> import numpy as np
    >>> embedding_grad(np.array([[1.0], [2.0], [4.0]]), np.array([1, 1, 0]), 3)
    array([[4.],
           [3.],
           [0.]])
    """
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer):
        raise TypeError(f"embedding_grad: rows expects an integer but got {rows!r}")
    if rows < 0:
        raise ValueError(f"embedding_grad: rows expects at least 0 but got {rows}")
    places = as_places("embedding_grad", "indices", indices, int(rows))
    return EMBEDDING_GRAD.run((gy, places), (int(rows),), out, variant)
