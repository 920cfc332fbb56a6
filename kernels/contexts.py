"""What a program may ask of the operations that run inside a block: which variant, how precise, at what cost and why.

These questions are context variables, so that a block speaks for its own thread or task only.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NamedTuple

operations: dict[str, Any] = {}
"""Every declared `Operation` by its name."""


class Event(NamedTuple):
    """One traced call: what ran, for how long, and how much work that was."""

    operation: str
    variant: str
    shapes: tuple[tuple[int, ...], ...]
    seconds: float
    flops: float
    bytes_moved: float


chosen: ContextVar[Mapping[str, str]] = ContextVar("chosen variants", default=MappingProxyType({}))
tracing: ContextVar[list[Event] | None] = ContextVar("trace", default=None)
explaining: ContextVar[bool] = ContextVar("explaining", default=False)
arithmetic: ContextVar[str] = ContextVar("precision", default="float32")
PRECISIONS = ("float32", "3xtf32", "tf32", "bfloat16")
"""What products of float32 numbers may be rounded to before they are added up, the finest first."""


class Explained(BaseException):
    """Carries an explanation out of the public function that was called to explain itself."""

    def __init__(self, text: str) -> None:
        self.text = text


@contextlib.contextmanager
def use_variant(**variants: str) -> Iterator[None]:
    """Run the named variant of each named operation inside the block, in this thread or task.

    >>> import numpy as np
    >>> from tilegrad import kernels
    >>> with kernels.use_variant(conv2d="naive"):
    ...     y = kernels.conv2d(np.ones((1, 3, 3, 1), "f4"), np.ones((1, 3, 3, 1), "f4"))
    >>> y.item()
    9.0
    """
    for name, variant in variants.items():
        if name not in operations:
            raise ValueError(f"use_variant: no operation {name!r} (there are: {', '.join(sorted(operations))})")
        known = [f"{v.device}.{v.name}" for v in operations[name].variants]
        if not any(variant in (label, label.partition(".")[2]) for label in known):
            raise ValueError(f"use_variant: {name} has no variant {variant!r} (there are: {', '.join(known)})")
    token = chosen.set({**chosen.get(), **variants})
    try:
        yield
    finally:
        chosen.reset(token)


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """Let matrix kernels on CUDA round the factors of their products inside the block, in this thread or task.

    Parameters
    ----------
    name : {"float32", "3xtf32", "tf32", "bfloat16"}
        "float32" rounds no factor and is what holds outside of any block. "tf32" keeps 10 bits of mantissa and the
        range of float32, "bfloat16" 7 bits; "3xtf32" makes of each factor two numbers of tf32, and of their product
        three, which miss float32's by 5e-7 of it at most. Arrays stay float32, and so do sums: float32 weights are
        updated with float32 gradients whatever the products were rounded to. A call that no such kernel takes, and all
        of float64 and of the CPU, is computed in the next finer precision; on a GPU before sm_80, whose tensor cores
        have none of them, all is computed in float32, as PyTorch does there for tf32. `explain` says so.

    Raises
    ------
    ValueError
        For another name.

    Examples
    --------
    >>> from tilegrad import kernels
    >>> with kernels.precision("tf32"):
    ...     pass
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision: expects one of {', '.join(PRECISIONS)} but got {name!r}")
    token = arithmetic.set(name)
    try:
        yield
    finally:
        arithmetic.reset(token)


@contextlib.contextmanager
def trace() -> Iterator[list[Event]]:
    """Record every operation that runs inside the block, in this thread or task.

    A trace around another one gets the inner one's events when that ends.

    >>> import numpy as np
    >>> from tilegrad import kernels
    >>> with kernels.trace() as events:
    ...     y = kernels.conv2d(np.ones((1, 3, 3, 1), "f4"), np.ones((1, 3, 3, 1), "f4"))
    >>> events[0].operation, events[0].flops
    ('conv2d', 18)
    """
    events: list[Event] = []
    around = tracing.get()
    token = tracing.set(events)
    try:
        yield events
    finally:
        tracing.reset(token)
        if around is not None:
            around.extend(events)


def explain(function: Callable[..., Any], *arrays: Any, **args: Any) -> str:
    """Say which variant a call would run and why the others were passed over.

    Parameters
    ----------
    function
        A public operation, such as `tilegrad.kernels.conv2d`.
    *arrays, **args
        The arguments of the call, which is checked but not run.

    >>> import numpy as np
    >>> from tilegrad import kernels
    >>> print(kernels.explain(kernels.conv2d, np.ones((1, 8, 8, 16), "f4"), np.ones((4, 3, 3, 16), "f4")))
    conv2d: 4.15e+04 FLOP, at least 6.98e+03 bytes
    ...
    """
    token = explaining.set(True)
    try:
        function(*arrays, **args)
    except Explained as explained:
        return explained.text
    finally:
        explaining.reset(token)
    raise TypeError(f"explain: {getattr(function, '__name__', function)} is not an operation of kernels")
