"""Cross-entropy of logits against classes, alone or with its gradient in the same pass.

reference.py   the definitions
cpu_rows.py    "rows": rows in blocks that stay in the first cache; the gradient is their buffer
cuda_naive.py  "naive" on CUDA: one thread, one row
cuda_teams.py  "teams" on CUDA, with cuda_teams.cu: threads side by side on each row, blocks sum the losses
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arguments import check_real, finite
from ..loss.declare import reduced
from ..machine.indices import as_places
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["cross_entropy", "cross_entropy_and_grad"]


class CrossEntropy(NamedTuple):
    """``rows`` vectors of ``classes`` logits; ``summed`` and divided by the weights if ``mean``."""

    dtype: np.dtype
    rows: int
    classes: int
    weighted: bool
    summed: bool
    mean: bool
    smoothing: float
    ignored: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def with_grad(self) -> bool:
        """Whether the gradient is asked for too."""
        return len(self.outputs) == 2

    @property
    def flops(self) -> float:
        """A subtraction, an exponential and an addition for each logit, and a multiplication for its gradient."""
        return (3 + self.with_grad) * self.rows * self.classes

    @property
    def bytes_moved(self) -> float:
        """Bytes of the logits, the classes and the results, once."""
        numbers = self.rows * self.classes * (1 + self.with_grad) + (0 if self.summed else self.rows)
        return numbers * self.dtype.itemsize + self.rows * 8


def _geometry(name: str, with_grad: bool) -> Callable[..., CrossEntropy]:
    def geometry(
        x: Spec, target: Spec, weight: Spec | None, reduction: str, label_smoothing: Any, ignore_index: int
    ) -> CrossEntropy:
        check_real(name, "x", x)
        if not x.shape:
            raise ValueError(f"{name}: x expects shape (..., C) but got ()")
        if target.shape != x.shape[:-1]:
            seen = f"{target.shape} (x {x.shape})"
            raise ValueError(
                f"{name}: target expects shape {x.shape[:-1]}, classes lie on the last axis, but got {seen}"
            )
        classes = x.shape[-1]
        if weight is not None:
            check_real(name, "weight", weight)
            if weight.shape != (classes,) or weight.dtype != x.dtype:
                raise ValueError(f"{name}: weight expects ({classes},) {x.dtype} but got {weight.shape} {weight.dtype}")
        smoothing = finite(name, "label_smoothing", label_smoothing)
        if not 0 <= smoothing <= 1:
            raise ValueError(f"{name}: label_smoothing expects a number in [0, 1] but got {label_smoothing}")
        summed = reduced(name, reduction)
        outputs = ((() if summed else target.shape, x.dtype), (x.shape, x.dtype))
        return CrossEntropy(
            x.dtype, math.prod(target.shape), classes, weight is not None, summed, reduction == "mean", smoothing,
            ignore_index, outputs if with_grad else outputs[:1],
        )  # fmt: skip

    return geometry


def _declare(name: str, definition: Callable[..., None], with_grad: bool) -> Operation:
    return Operation(
        name,
        package=__name__,
        geometry=_geometry(name, with_grad),
        variants=(
            Variant("rows", "cpu_rows"),
            Variant("teams", "cuda_teams", device="cuda"),
            Variant("naive", "cuda_naive", device="cuda", teaching=True),
        ),
        reference=definition,
        reference_args=lambda g: (g.summed, g.mean, g.smoothing, g.ignored),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=(
            {"shapes": [(1, 1), (1,)], "below": {1: 1}},
            {"shapes": [(5, 10), (5,)], "below": {1: 10}},
            {"shapes": [(7, 10), (7,), (10,)], "below": {1: 10}, "label_smoothing": 0.1},
            {"shapes": [(2, 3, 1500), (2, 3)], "below": {1: 1500}, "reduction": "none"},
            {"shapes": [(20, 30, 12), (20, 30)], "below": {1: 12}, "ignore_index": 3},
        ),
    )


CROSS_ENTROPY = _declare("cross_entropy", reference.cross_entropy, False)
CROSS_ENTROPY_AND_GRAD = _declare("cross_entropy_and_grad", reference.cross_entropy_and_grad, True)


def _call(
    operation: Operation, x: Any, target: Any, weight: Any, reduction: str, label_smoothing: float, ignore_index: Any,
    out: Any, variant: str | None,
) -> Any:  # fmt: skip
    name = operation.name
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer):
        raise TypeError(f"{name}: ignore_index expects an integer but got {ignore_index!r}")
    ignored = int(ignore_index)
    classes = (getattr(x, "shape", ()) or (0,))[-1]
    target = as_places(name, "target", target, classes, ignored)
    return operation.run((x, target, weight), (reduction, label_smoothing, ignored), out, variant)


def cross_entropy(
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: str = "mean",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Cross-entropy between ``softmax(x)`` and classes: ``-log(softmax(x)[target])``.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
        Logits; classes lie on the last axis.
    target : (...) array of integers
        ``0 <= target < C``, or ``ignore_index``.
    weight : (C,) array of the same dtype as ``x``, optional
        Of each class.
    label_smoothing : float in [0, 1]
        The part of each target that is spread evenly over all classes.
    ignore_index : int
        A target with this value adds nothing, neither to the loss nor to the weight that "mean" divides by.
    reduction : {"mean", "sum", "none"}
        "mean" divides the sum by that of the targets' weights.
    out : array of the result's shape and dtype, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array without axes, or of the shape of ``target`` for "none"

    Raises
    ------
    ValueError, TypeError
        Where shapes, dtypes or a target do not fit; nothing is computed.

    Notes
    -----
    Added in float64. The mean of nothing is NaN. Equals ``torch.nn.functional.cross_entropy`` of class indices.

    Examples
    --------
    >>> import numpy as np
    >>> cross_entropy(np.array([[0.0, 0.0], [0.0, 1000.0]]), np.array([0, 1])).round(6)
    np.float64(0.346574)
    """
    return _call(CROSS_ENTROPY, x, target, weight, reduction, label_smoothing, ignore_index, out, variant)


def cross_entropy_and_grad(
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: str = "mean",
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`cross_entropy` and its gradient by ``x``, in one pass: what a step of training asks for.

    Parameters
    ----------
    x, target, weight, label_smoothing, ignore_index, reduction, variant
        As in `cross_entropy`.
    out : pair of arrays, optional
        Where to write the loss and the gradient.

    Returns
    -------
    loss : array
        As from `cross_entropy`.
    gx : (..., C) array
        The gradient of the reduced loss by ``x``; for "none", of each loss by its own logits.

    Examples
    --------
    >>> import numpy as np
    >>> cross_entropy_and_grad(np.array([[0.0, 0.0], [0.0, 1000.0]]), np.array([0, 1]))[1]
    array([[-0.25,  0.25],
           [ 0.  ,  0.  ]])
    """
    return _call(CROSS_ENTROPY_AND_GRAD, x, target, weight, reduction, label_smoothing, ignore_index, out, variant)
