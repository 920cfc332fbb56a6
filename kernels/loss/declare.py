"""What all pointwise losses share: the geometry of a call, and the declaration of a loss and of its gradient."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import check_real, finite
from ..operation import Operation, Spec, Variant
from .reference import DEFINITIONS, loss_loops, loss_with_gradient_loops

PACKAGE = __name__.rpartition(".")[0]


@dataclass(frozen=True)
class Loss:
    """A loss of ``size`` numbers, summed and scaled or not, with or without its gradient.

    ``number`` is the target where that is one number for all; ``weighted`` and ``positive`` say whether each number has
    a weight of its own, and one for the positive part of its target.
    """

    loss: str
    dtype: np.dtype
    size: int
    summed: bool
    scale: float
    parameter: float
    number: float | None
    weighted: bool
    positive: bool
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def with_grad(self) -> bool:
        """Whether the gradient is asked for too."""
        return len(self.outputs) == 2

    @property
    def flops(self) -> float:
        """A subtraction, a multiplication and an addition, and a multiplication for the gradient."""
        return (4 if self.with_grad else 3) * self.size

    @property
    def bytes_moved(self) -> float:
        """Bytes of each full array, once."""
        inputs = 1 + (self.number is None) + self.weighted + self.positive
        return self.dtype.itemsize * self.size * (inputs + (not self.summed) + self.with_grad)


def reduced(name: str, reduction: Any) -> bool:
    """Whether a reduction leaves a single number."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'{name}: reduction expects "mean", "sum" or "none" but got {reduction!r}')
    return bool(reduction != "none")


def _geometry(loss: str, name: str, with_grad: bool) -> Callable[..., Loss]:
    def geometry(
        x: Spec,
        target: Spec | None,
        weight: Spec | None,
        pos_weight: Spec | None,
        reduction: str,
        number: float | None,
        parameter: float,
    ) -> Loss:
        check_real(name, "x", x)
        for argument, spec in (("target", target), ("weight", weight), ("pos_weight", pos_weight)):
            if spec is None:
                continue
            check_real(name, argument, spec)
            if x.dtype != spec.dtype:
                raise TypeError(f"{name}: x and {argument} expect one dtype but got {x.dtype} and {spec.dtype}")
            if x.shape != spec.shape:
                raise ValueError(f"{name}: x and {argument} expect one shape but got {x.shape} and {spec.shape}")
        summed, size = reduced(name, reduction), math.prod(x.shape)
        scale = 1.0 if reduction != "mean" else 1 / size if size else math.nan
        outputs = ((() if summed else x.shape, x.dtype), (x.shape, x.dtype))
        return Loss(
            loss, x.dtype, size, summed, scale, parameter, number, weight is not None, pos_weight is not None,
            outputs if with_grad else outputs[:1],
        )  # fmt: skip

    return geometry


def declare(loss: str, case: dict[str, Any] | None = None) -> tuple[Operation, Operation]:
    """The operations ``loss`` and ``loss_and_grad``; ``case`` has arguments of the sample cases."""
    more = case or {}
    made = []
    for name, loops in ((loss, loss_loops), (f"{loss}_and_grad", loss_with_gradient_loops)):
        made.append(
            Operation(
                name,
                package=PACKAGE,
                geometry=_geometry(loss, name, name != loss),
                variants=(
                    Variant("vector", "cpu_vector"),
                    Variant("fused", "cuda_fused", device="cuda"),
                    Variant("naive", "cuda_naive", device="cuda", teaching=True),
                ),
                reference=loops(name, DEFINITIONS[loss]),
                reference_args=lambda g: (g.scale, g.summed, 0.0 if g.number is None else g.number, g.parameter),
                flops=lambda g: g.flops,
                bytes_moved=lambda g: g.bytes_moved,
                cases=(
                    {"shapes": [(1,), (1,)], **more},
                    {"shapes": [(2, 40, 40, 3), (2, 40, 40, 3)], **more},
                    {"shapes": [(3, 7), (3, 7)], "reduction": "none", **more},
                ),
            )
        )
    return made[0], made[1]


def call(
    operation: Operation,
    x: np.ndarray,
    target: np.ndarray | float,
    reduction: str,
    parameter: float,
    out: Any,
    variant: str | None,
    weight: np.ndarray | None = None,
    pos_weight: np.ndarray | None = None,
) -> Any:
    """Run a loss; a target that is a Python number stands for an array full of it."""
    if isinstance(target, int | float) and not isinstance(target, np.generic):
        number = finite(operation.name, "target", target)
        return operation.run((x, None, weight, pos_weight), (reduction, number, parameter), out, variant)
    if target is None:
        raise TypeError(f"{operation.name}: target expects an array or a number but got None")
    return operation.run((x, target, weight, pos_weight), (reduction, None, parameter), out, variant)
