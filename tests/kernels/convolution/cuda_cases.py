"""Convolutions for CUDA variants, drawn by hypothesis, and one check for the simulator, the emulator and a GPU."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from tilegrad.kernels.activation.epilogue import ACTIVATIONS
from tilegrad.kernels.convolution import CONV2D, CONV2D_WEIGHT_GRAD
from tilegrad.kernels.operation import Operation
from tolerances import BF16_PRODUCT, EPS, TF32_3_PRODUCT, TF32_PRODUCT

# Variants, and the error of their products.
TENSOR_CORES = {"mma": TF32_PRODUCT, "mma_bf16": BF16_PRODUCT, "mma_3xtf32": TF32_3_PRODUCT}


class Case(NamedTuple):
    """One convolution, to be filled with numbers; each of the three operations computes one array from the others."""

    x: tuple[int, int, int, int]
    w: tuple[int, int, int, int]
    bias: bool
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    groups: int
    activation: str | None
    dtype: str
    seed: int

    @property
    def args(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.groups, self.activation, 0.1

    @property
    def y(self) -> tuple[int, int, int, int]:
        sizes = []
        for axis in (0, 1):
            reach = self.dilation[axis] * (self.w[1 + axis] - 1) + 1
            sizes.append((self.x[1 + axis] + sum(self.padding[axis]) - reach) // self.stride[axis] + 1)
        return self.x[0], sizes[0], sizes[1], self.w[0]

    def call(self, operation: Operation) -> tuple[list[tuple[int, ...] | None], tuple[Any, ...], int]:
        """Shapes of the operation's arrays, its other arguments, and how many products a number of its result adds."""
        x, w, y = self.x, self.w, self.y
        if operation is CONV2D:
            return [x, w, w[:1] if self.bias else None], self.args, w[1] * w[2] * w[3]
        if operation is CONV2D_WEIGHT_GRAD:
            return [y, x], (w, *self.args[:4]), y[0] * y[1] * y[2]
        return [y, w, x[3:] if self.bias else None], (x, *self.args), w[0] // self.groups * w[1] * w[2]


@st.composite
def cases(
    draw: Callable[[Any], Any],
    *,
    sizes: tuple[int, ...] = (1, 2, 3, 5, 7),
    channels: tuple[int, ...] = (1, 2, 3, 5, 9),
    out_channels: tuple[int, ...] = (1, 2, 3, 7, 17),
    batches: tuple[int, ...] = (0, 1, 2),
    kernels: tuple[int, ...] = (1, 2, 3),
    strides: tuple[int, ...] = (1,),
    dilations: tuple[int, ...] = (1,),
    groups: tuple[int, ...] = (1,),
    dtypes: tuple[str, ...] = ("float32",),
) -> Case:
    """A convolution whose output is at least one pixel; channel counts are those of one group."""
    of = st.sampled_from
    r, s = draw(of(kernels)), draw(of(kernels))
    dilation = draw(of(dilations)), draw(of(dilations))
    sides = st.tuples(st.integers(0, 2), st.integers(0, 2))
    padding = draw(sides), draw(sides)
    reach = dilation[0] * (r - 1) + 1, dilation[1] * (s - 1) + 1
    h, w = (max(draw(of(sizes)), reach[i] - sum(padding[i])) for i in range(2))
    group, c, k = draw(of(groups)), draw(of(channels)), draw(of(out_channels))
    return Case(
        (draw(of(batches)), h, w, c * group),
        (k * group, r, s, c),
        draw(st.booleans()),
        (draw(of(strides)), draw(of(strides))),
        padding,
        dilation,
        group,
        draw(of(ACTIVATIONS)),
        draw(of(dtypes)),
        draw(st.integers(0, 2**32 - 1)),
    )


def check(
    case: Case,
    variant: str,
    product_error: float,
    to_device: Callable[[np.ndarray], Any] = np.asarray,
    operation: Operation = CONV2D,
) -> None:
    """The variant's result is the definition's, element by element.

    Half of the cases are small integers, which every arithmetic here multiplies and adds exactly: an error of index
    has nowhere to hide. Outputs are NaN before.
    """
    rng = np.random.default_rng(case.seed)
    exact = case.seed % 2 == 0

    def numbers(shape: tuple[int, ...] | None) -> np.ndarray | None:
        if shape is None:
            return None
        drawn = rng.integers(-3, 4, shape) if exact else rng.standard_normal(shape)
        return drawn.astype(case.dtype)

    shapes, args, terms = case.call(operation)
    arrays = [numbers(shape) for shape in shapes]
    wide = [None if a is None else a.astype(np.float64) for a in arrays]
    expected = run(wide, args, "naive", operation=operation)
    plain = case._replace(activation=None).call(operation)[1]
    sizes = run([None if a is None else abs(a) for a in wide], plain, "naive", operation=operation)
    got = run(arrays, args, variant, to_device, operation)

    epsilon = EPS[case.dtype]
    error = (0 if exact else product_error + terms * epsilon) * sizes
    if case.activation in ("tanh", "sigmoid", "leaky_relu") and operation is not CONV2D_WEIGHT_GRAD:
        error = error + 8 * epsilon * (1 + abs(expected))
    wrong = np.argwhere(~(abs(got - expected) <= error))
    assert not len(wrong), (
        f"{len(wrong)} of {got.size} elements differ, first {tuple(wrong[0])}: "
        f"{got[tuple(wrong[0])]} for {expected[tuple(wrong[0])]}"
    )


def run(
    arrays: list[Any],
    args: tuple[Any, ...],
    variant: str,
    to_device: Callable[[np.ndarray], Any] = np.asarray,
    operation: Operation = CONV2D,
) -> np.ndarray:
    """One variant, by the operation's own plan, into poisoned outputs."""
    there = [None if a is None else to_device(a) for a in arrays]
    plan = operation.plan(there, args, variant)
    (shape, dtype), = plan.geometry.outputs  # fmt: skip
    y = to_device(np.full(shape, np.nan, dtype))
    plan.run(tuple(there), (y,))
    return y if isinstance(y, np.ndarray) else y.get()


def misaligned(shape: tuple[int, ...]) -> np.ndarray:
    """Small whole numbers in a float32 array that begins 4 bytes behind a multiple of 16."""
    room = np.empty(np.prod(shape, dtype=int) + 8, np.float32)
    first = (-room.ctypes.data % 16) // 4 + 1
    array = room[first : first + np.prod(shape, dtype=int)].reshape(shape)
    array[...] = np.random.default_rng(0).integers(-3, 4, shape)
    return array
