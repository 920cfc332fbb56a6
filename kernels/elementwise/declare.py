"""Declarations of operations that compute each number from one number of each input: all have the same form."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..operation import Operation, Variant
from .geometry import Elementwise, elementwise
from .reference import of_one, of_two

_ONE = ({"shapes": [(1,)]}, {"shapes": [(2, 9, 7, 3)]}, {"shapes": [(3, 40, 40, 16)]})
_TWO = (
    {"shapes": [(1,), (1,)]},
    {"shapes": [(2, 9, 7, 3), (2, 9, 7, 3)]},
    {"shapes": [(2, 9, 7, 3), (3,)]},
    {"shapes": [(2, 9, 7, 1), (2, 9, 7, 8)]},
    {"shapes": [(3, 40, 40, 16), ()]},
)


def declare(
    name: str,
    package: str,
    arguments: tuple[str, ...],
    function: Callable[..., Any],
    broadcasts: bool = True,
    sample: Mapping[str, float] | None = None,
) -> Operation:
    """The operation ``name`` of arrays ``arguments`` and at most one number.

    Two arrays that do not broadcast have one shape. ``sample`` names the number for the sample cases, where it has no
    default.
    """
    one = len(arguments) == 1
    cases = [case for case in (_ONE if one else _TWO) if broadcasts or len(set(case["shapes"])) == 1]

    def geometry(*call: Any) -> Elementwise:
        specs, numbers = call[: len(arguments)], call[len(arguments) :]
        return elementwise(name, arguments, tuple(specs), numbers[0] if numbers else 0.0, broadcasts)

    return Operation(
        name,
        package=package,
        geometry=geometry,
        variants=(
            Variant("vector", "cpu_vector"),
            Variant("vector", "cuda_vector", device="cuda"),
            Variant("naive", "cuda_naive", device="cuda", teaching=True),
        ),
        reference=of_one(name, function) if one else of_two(name, function),
        reference_args=lambda g: (g.parameter,),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=tuple({**case, **(sample or {})} for case in cases),
        contiguous=False,
    )


def check_overlap(name: str, out: Any, *arrays: Any) -> None:
    """``out`` may be one of the inputs itself, but not overlap one otherwise: it would be read after it is written."""
    if not isinstance(out, np.ndarray):
        return
    for array in arrays:
        if array is out or not isinstance(array, np.ndarray) or not np.may_share_memory(array, out):
            continue
        same = array.ctypes.data == out.ctypes.data and (array.shape, array.strides) == (out.shape, out.strides)
        if not same:
            raise ValueError(f"{name}: out shares memory with an input and is not that input")
