"""The norm of all numbers of several arrays, as clipping asks for it: one launch over a table of their addresses."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arguments import check_real
from ..operation import Operation, Run, Spec, Variant
from . import reference

PACKAGE = __name__.rpartition(".")[0]


class Arrays(NamedTuple):
    """Flat arrays of one dtype, by their sizes."""

    dtype: np.dtype
    sizes: tuple[int, ...]
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def size(self) -> int:
        """Numbers in all arrays."""
        return sum(self.sizes)


def _geometry(*specs: Spec) -> Arrays:
    for i, spec in enumerate(specs):
        check_real("norm_of_all", f"arrays[{i}]", spec)
        if spec.dtype != specs[0].dtype:
            seen = f"{specs[0].dtype} and {spec.dtype}"
            raise TypeError(f"norm_of_all: arrays[0] and arrays[{i}] expect one dtype but got {seen}")
    dtype = specs[0].dtype if specs else np.dtype(np.float32)
    return Arrays(dtype, tuple(spec.shape[0] for spec in specs), (((), dtype),))


class _ListOperation(Operation):
    """An operation whose only argument is a list of arrays."""

    def sample(self, case: Mapping[str, Any], dtype: str) -> tuple[list[Any], dict[str, Any]]:
        """A list of arrays: a sample call."""
        arrays, keywords = super().sample(case, dtype)
        return [arrays], keywords

    def _build(self, variant: Variant, geometry: Any) -> Run:
        if variant.module:
            return super()._build(variant, geometry)
        run = super()._build(variant, geometry)

        def joined(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            run((np.concatenate([*arrays, np.empty(0, geometry.dtype)]),), outputs)

        return joined


NORM = _ListOperation(
    "norm_of_all",
    package=PACKAGE,
    geometry=_geometry,
    variants=(
        Variant("fused", "cpu_norm"),
        Variant("table", "cuda_table", device="cuda", build="build_norm"),
        Variant("naive", "cuda_naive", device="cuda", build="build_norm", teaching=True),
    ),
    reference=reference.norm_of_all,
    reference_args=lambda g: (),
    flops=lambda g: 2 * g.size,
    bytes_moved=lambda g: g.dtype.itemsize * g.size,
    cases=({"shapes": [(1,), (3, 5), (0,), (64, 3, 3, 64)]}, {"shapes": [(7,)]}),
)


def norm_of_all(
    arrays: Sequence[np.ndarray], *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """The square root of the sum of the squares of all numbers of several arrays.

    Parameters
    ----------
    arrays : list of arrays of any shapes, all float32 or all float64
        Those that are not C-contiguous are copied first.
    out : array without axes, of the same dtype, optional
        Where to write.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array without axes

    Raises
    ------
    TypeError
        Where an array is no array, or dtypes differ.

    Notes
    -----
    Added in float64 in an order that depends on the sizes alone. The norm of nothing is 0.

    Examples
    --------
    >>> import numpy as np
    >>> norm_of_all([np.array([3.0]), np.array([[0.0, 4.0]])])
    array(5.)
    """
    try:
        flat = tuple([a.reshape(-1) for a in arrays])
    except AttributeError:
        kinds = ", ".join(type(a).__name__ for a in arrays)
        raise TypeError(f"norm_of_all: expects a list of arrays but got {kinds}") from None
    return NORM.run(flat, (), out, variant)
