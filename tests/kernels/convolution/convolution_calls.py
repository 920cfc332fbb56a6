"""Calls of the convolutions, drawn by hypothesis, and how far a result may lie from the definition's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from tilegrad.kernels.activation.epilogue import ACTIVATIONS
from tolerances import EPS

from tilegrad import kernels

OPERATIONS = ("conv2d", "conv2d_input_grad", "conv2d_weight_grad", "conv_transpose2d")
VARIANTS = ("direct", "im2col", "depthwise")

SLOPE = 0.3


class Call(NamedTuple):
    """One convolution ``x * w -> y``, of which an operation computes one array from the other two."""

    x: tuple[int, int, int, int]
    w: tuple[int, int, int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    bias: bool = False
    activation: str | None = None
    dtype: str = "float32"
    whole: bool = True  # small whole numbers, which every arithmetic here adds and multiplies without an error
    seed: int = 0

    @property
    def y(self) -> tuple[int, int, int, int]:
        sizes = []
        for axis in (0, 1):
            reach = self.dilation[axis] * (self.w[1 + axis] - 1) + 1
            sizes.append((self.x[1 + axis] + sum(self.padding[axis]) - reach) // self.stride[axis] + 1)
        return self.x[0], sizes[0], sizes[1], self.w[0]

    def shapes(self, operation: str) -> list[tuple[int, ...] | None]:
        """Shapes of the arrays that the operation takes, its bias last."""
        x, w, y = self.x, self.w, self.y
        return {
            "conv2d": [x, w, w[:1] if self.bias else None],
            "conv2d_input_grad": [y, w, x[3:] if self.bias else None],
            "conv2d_weight_grad": [y, x],
            "conv_transpose2d": [y, w, x[3:] if self.bias else None],
        }[operation]

    def result(self, operation: str) -> tuple[int, ...]:
        """Shape of what the operation returns."""
        return {"conv2d": self.y, "conv2d_weight_grad": self.w}.get(operation, self.x)

    def keywords(self, operation: str, *, epilogue: bool = True) -> dict[str, Any]:
        """Keywords of the call, without bias and shapes."""
        words: dict[str, Any] = {
            "stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups,
        }  # fmt: skip
        if operation == "conv_transpose2d":
            over = []  # rows and columns that the stride leaves unread
            for i in (0, 1):
                reach = self.dilation[i] * (self.w[1 + i] - 1) + 1
                over.append((self.x[1 + i] + sum(self.padding[i]) - reach) % self.stride[i])
            words["output_padding"] = tuple(over)
        if epilogue and operation != "conv2d_weight_grad":
            words |= {"activation": self.activation, "negative_slope": SLOPE}
        return words

    def arrays(self, operation: str) -> list[np.ndarray | None]:
        rng = np.random.default_rng(self.seed)
        draw = (lambda s: rng.integers(-3, 4, s)) if self.whole else rng.standard_normal
        return [None if s is None else draw(s).astype(self.dtype) for s in self.shapes(operation)]

    def run(self, operation: str, arrays: list[Any], *, epilogue: bool = True, **options: Any) -> np.ndarray:
        """Run the operation on these arrays."""
        words = {**self.keywords(operation, epilogue=epilogue), **options}
        function = getattr(kernels, operation)
        if operation == "conv2d_input_grad":
            return function(*arrays[:2], self.x, bias=arrays[2], **words)
        if operation == "conv2d_weight_grad":
            return function(*arrays, self.w, **words)
        return function(*arrays, **words)

    def text(self, operation: str, **options: Any) -> str:
        """Python that a person can paste to see the call fail."""
        draw = "rng.integers(-3, 4, s)" if self.whole else "rng.standard_normal(s)"
        positions = {"conv2d_input_grad": f"a[0], a[1], {self.x}, bias=a[2]", "conv2d_weight_grad": f"*a, {self.w}"}
        words = "".join(f", {k}={v!r}" for k, v in {**self.keywords(operation), **options}.items())
        return (
            "import numpy as np; from tilegrad import kernels\n"
            f"rng = np.random.default_rng({self.seed})\n"
            f"a = [None if s is None else {draw}.astype({self.dtype!r}) for s in {self.shapes(operation)}]\n"
            f"kernels.{operation}({positions.get(operation, '*a')}{words})"
        )


@st.composite
def calls(
    draw: Callable[[Any], Any],
    *,
    sizes: tuple[int, ...] = (1, 2, 3, 5, 7, 8, 13, 17),
    channels: tuple[int, ...] = (1, 2, 3, 5, 8, 15, 16, 17, 31, 33),
    out_channels: tuple[int, ...] = (1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 70),
    batches: tuple[int, ...] = (0, 1, 1, 2, 3),
    depthwise: bool = False,
) -> Call:
    """A convolution of at least one output pixel. Channels are those of a group; a depthwise one has one in and out."""
    of = st.sampled_from
    kernel = draw(of((1, 2, 3, 4, 5))), draw(of((1, 2, 3, 4, 7)))
    dilation = (draw(of((1, 1, 2, 3))), draw(of((1, 1, 2, 3)))) if draw(st.booleans()) else (1, 1)
    stride = draw(of((1, 1, 2, 3, 4))), draw(of((1, 1, 2, 3, 4)))
    side = of((0, 0, 1, 2, 6))  # 6 is more than most kernels cover
    padding = (draw(side), draw(side)), (draw(side), draw(side))
    spatial = []
    for axis in (0, 1):
        needed = dilation[axis] * (kernel[axis] - 1) + 1 - sum(padding[axis])
        spatial.append(max(draw(of(sizes)), needed))
    groups = draw(of((2, 3, 8, 17, 33))) if depthwise else draw(of((1, 1, 1, 2, 3)))
    c, k = (1, 1) if depthwise else (draw(of(channels)), draw(of(out_channels)))
    return Call(
        x=(draw(of(batches)), spatial[0], spatial[1], c * groups),
        w=(k * groups, *kernel, c),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        activation=draw(of(ACTIVATIONS)),
        dtype=draw(of(("float32", "float64"))),
        whole=draw(st.booleans()),
        seed=draw(st.integers(0, 1000)),
    )


TINY = {"sizes": (1, 2, 3, 5), "channels": (1, 2), "out_channels": (1, 2, 3), "batches": (0, 1, 2)}


def largest_error(call: Call, operation: str, arrays: list[Any], expected: np.ndarray) -> np.ndarray:
    """What rounding explains, for each number of the result.

    Each of the products of a sum is rounded and each addition rounds the sum so far, whatever their order: together
    below ``(terms + 2) * eps`` times the sum of the products' sizes. Activations change no difference by more than
    their slope, at most 1, and round a few times themselves.
    """
    wide = [None if a is None else np.abs(a.astype(np.float64)) for a in arrays]
    plain = call._replace(activation=None)
    sizes = plain.run(operation, wide, variant="naive")
    terms = {
        "conv2d": call.w[1] * call.w[2] * call.w[3],
        "conv2d_weight_grad": call.y[0] * call.y[1] * call.y[2],
    }.get(operation, call.w[0] // call.groups * call.w[1] * call.w[2])
    eps = EPS[call.dtype]
    error = (0 if call.whole else (terms + 2) * eps) * sizes
    if call.activation in ("tanh", "sigmoid", "leaky_relu") and operation != "conv2d_weight_grad":
        error = error + 8 * eps * (1 + np.abs(expected))
    return error


def assert_close(found: np.ndarray, expected: np.ndarray, error: np.ndarray | float) -> None:
    """Every number within its own bound; NaN is never within."""
    wrong = np.argwhere(~(np.abs(found.astype(np.float64) - expected) <= error))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise AssertionError(f"{len(wrong)} of {found.size} differ, first {at}: {found[at]} for {expected[at]}")


def guarded(shape: tuple[int, ...], dtype: str) -> tuple[np.ndarray, Callable[[], None]]:
    """An output full of NaN between numbers that must stay as they are, and a check that they have."""
    size, margin, mark = int(np.prod(shape)), 64, 12345.0
    memory = np.full(size + 2 * margin, mark, dtype)
    memory[margin : margin + size] = np.nan

    def check() -> None:
        beside = np.concatenate([memory[:margin], memory[margin + size :]])
        assert (beside == mark).all(), "numbers beside the output were written"

    return memory[margin : margin + size].reshape(shape), check
