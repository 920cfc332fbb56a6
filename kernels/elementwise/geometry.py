"""Broadcasting, and the shortest loop nest that walks given strides."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arguments import check_real
from ..operation import Spec


@dataclass(frozen=True)
class Elementwise:
    """A call that computes each number of its output from one number of each input.

    ``shape`` is the collapsed loop nest, outermost first, and ``strides[i]`` are input i's, in elements; the output
    is C-contiguous. Inputs in ``copied`` have strides that are no multiple of their item size, and are described as
    the C-contiguous copies that a variant makes of them.
    """

    operation: str
    dtype: np.dtype
    shape: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    copied: tuple[bool, ...]
    sizes: tuple[int, ...]
    parameter: float
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @cached_property
    def size(self) -> int:
        """Numbers in the output."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def flops(self) -> float:
        """One per number, whatever the operation."""
        return self.size

    @property
    def bytes_moved(self) -> float:
        """Bytes of the inputs, as they are before broadcasting, and of the output."""
        return self.dtype.itemsize * (self.size + sum(self.sizes))


def elementwise(
    name: str, arguments: tuple[str, ...], specs: tuple[Spec, ...], parameter: float = 0.0, broadcasts: bool = True
) -> Elementwise:
    """Check a call and collapse its axes."""
    for argument, spec in zip(arguments, specs, strict=True):
        check_real(name, argument, spec)
        if spec.dtype != specs[0].dtype:
            seen = f"{specs[0].dtype} and {spec.dtype}"
            raise TypeError(f"{name}: {arguments[0]} and {argument} expect one dtype but got {seen}")
        if not broadcasts and spec.shape != specs[0].shape:
            seen = f"{specs[0].shape} and {spec.shape}"
            raise ValueError(f"{name}: {arguments[0]} and {argument} expect one shape but got {seen}")
    dtype = specs[0].dtype
    shape = _broadcast(name, arguments, specs)
    copied = tuple(any(stride % dtype.itemsize for stride in spec.strides) for spec in specs)
    strides = [_strides(spec, copy, shape) for spec, copy in zip(specs, copied, strict=True)]
    sizes = tuple(int(np.prod(spec.shape, dtype=np.int64)) for spec in specs)
    nest, collapsed = collapse(shape, strides)
    return Elementwise(name, dtype, nest, collapsed, copied, sizes, parameter, ((shape, dtype),))


def _broadcast(name: str, arguments: tuple[str, ...], specs: tuple[Spec, ...]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*[spec.shape for spec in specs])
    except ValueError:
        seen = " and ".join(f"{argument} {spec.shape}" for argument, spec in zip(arguments, specs, strict=True))
        raise ValueError(f"{name}: expects shapes that broadcast together but got {seen}") from None


def _strides(spec: Spec, copy: bool, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides in elements of an array broadcast to ``shape``."""
    missing = len(shape) - len(spec.shape)
    if copy:
        steps = [int(np.prod(spec.shape[axis + 1 :], dtype=np.int64)) for axis in range(len(spec.shape))]
    else:
        steps = [stride // spec.dtype.itemsize for stride in spec.strides]
    own = [0 if extent == 1 else step for extent, step in zip(spec.shape, steps, strict=True)]
    return (0,) * missing + tuple(own)


def collapse(
    shape: tuple[int, ...], strides: list[tuple[int, ...]]
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Drop axes of one element and join neighbours that every array walks evenly; at least one axis is left.

    >>> collapse((2, 3, 4), [(12, 4, 1), (0, 0, 1)])
    ((6, 4), ((4, 1), (0, 1)))
    """
    extents: list[int] = []
    steps: list[list[int]] = []
    for axis, extent in enumerate(shape):
        here = [array[axis] for array in strides]
        if extent == 1:
            continue
        if extents and all(last == step * extent for last, step in zip(steps[-1], here, strict=True)):
            extents[-1] *= extent
            steps[-1] = here
        else:
            extents.append(extent)
            steps.append(here)
    if not extents:
        return (1,), tuple((1,) for _ in strides)
    return tuple(extents), tuple(tuple(step[i] for step in steps) for i in range(len(strides)))
