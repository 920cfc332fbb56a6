"""Convolutions for CUDA variants, drawn by hypothesis, and one check for the simulator, the emulator and a GPU."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from tilegrad.kernels.activation.epilogue import ACTIVATIONS
from tilegrad.kernels.convolution import CONV2D
from tolerances import EPS


class Case(NamedTuple):
    """One call of conv2d, to be filled with numbers."""

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


def check(case: Case, variant: str, product_error: float, to_device: Callable[[np.ndarray], Any] = np.asarray) -> None:
    """The variant's result is the definition's, element by element.

    Half of the cases are small integers, which every arithmetic here multiplies and adds exactly: an error of index
    has nowhere to hide. Outputs are NaN before.
    """
    rng = np.random.default_rng(case.seed)
    exact = case.seed % 2 == 0

    def numbers(shape: tuple[int, ...]) -> np.ndarray:
        drawn = rng.integers(-3, 4, shape) if exact else rng.standard_normal(shape)
        return drawn.astype(case.dtype)

    x, w = numbers(case.x), numbers(case.w)
    bias = numbers(case.w[:1]) if case.bias else None
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, bias)]
    expected = run(wide, case.args, "naive")
    sizes = run([None if a is None else abs(a) for a in wide], (*case.args[:4], None, 0.1), "naive")
    got = run([x, w, bias], case.args, variant, to_device)

    epsilon = EPS[case.dtype]
    terms = case.w[1] * case.w[2] * case.w[3]
    error = (0 if exact else product_error + terms * epsilon) * sizes
    if case.activation in ("tanh", "sigmoid", "leaky_relu"):
        error = error + 8 * epsilon * (1 + abs(expected))
    wrong = np.argwhere(~(abs(got - expected) <= error))
    assert not len(wrong), (
        f"{len(wrong)} of {got.size} elements differ, first {tuple(wrong[0])}: "
        f"{got[tuple(wrong[0])]} for {expected[tuple(wrong[0])]}"
    )


def run(
    arrays: list[Any], args: tuple[Any, ...], variant: str, to_device: Callable[[np.ndarray], Any] = np.asarray
) -> np.ndarray:
    """One variant, by the operation's own plan, into poisoned outputs."""
    there = [None if a is None else to_device(a) for a in arrays]
    plan = CONV2D.plan(there, args, variant)
    (shape, dtype), = plan.geometry.outputs  # fmt: skip
    y = to_device(np.full(shape, np.nan, dtype))
    plan.run(tuple(there), (y,))
    return y if isinstance(y, np.ndarray) else y.get()
