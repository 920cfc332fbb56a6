"""Batch normalisation "fused" on CUDA: the host side of cuda_fused.cu, which holds the idea, and cuda_fused_finish.cu.

Training and the gradient are three launches: blocks add parts of the rows, a second launch adds the parts, a third
writes the result with the activation applied. Inference is the third alone, and so is `batch_norm_apply`. Into how
many parts the rows are cut is decided by shapes alone, so that results depend on nothing else.

Takes everything. Arrays whose channels are no multiple of 16 bytes, or that do not begin at one, are read a number at a
time.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..activation.epilogue import CODES
from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .geometry import Normalization

_SOURCE = Path(__file__).with_suffix(".cu")
_FINISH_SOURCE = Path(__file__).with_name("cuda_fused_finish.cu")
_THREADS = 256
_ROWS = 4  # of a thread, loaded together
_ADDING_BLOCKS, _WRITING_BLOCKS = 264, 1056  # two and eight for each multiprocessor of a large GPU
_LEAST_ROWS = 16  # that a thread adds before a block leaves partial sums
_FINISHED, _FINISHED_OF_MANY = 8, 2  # channels of a block of cuda_fused_finish.cu

MODES = ("moments", "training", "inference", "grad_sums", "gradient")

# As struct Arguments in cuda_fused.cu: arrays that are read, the two that are written, and numbers.
_READ = ("x", "gy", "mean", "spread", "weight", "bias", "affine", "gweight", "gbias")
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in (*_READ, "partials", "y", "rows", "part_rows")]
    + [("eps", np.float64), ("negative_slope", np.float64), ("C", np.int32), ("lanes", np.int32)]
)

# As struct Arguments in cuda_fused_finish.cu.
FINISH_ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("partials", "x", "weight", "bias")]
    + [(name, np.uint64) for name in ("mean", "inverse_std", "affine", "unbiased", "rows")]
    + [("eps", np.float64), ("parts", np.int32), ("C", np.int32)]
)
FINISH_GRAD_ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("partials", "gweight", "gbias")] + [("parts", np.int32), ("C", np.int32)]
)


@functools.cache
def kernel_for(mode: str, dtype: str, vector: int, activation: str | None, *, stored: bool = False) -> cuda.Kernel:
    """The kernel of cuda_fused.cu for one pass, type, number of channels in a load, and activation.

    x is of bfloat16 where it is ``stored``.
    """
    macros = (
        ("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")), ("STORED", int(stored)), ("VECTOR", vector),
        ("MODE", MODES.index(mode)), ("ACTIVATION", CODES[activation]),
    )  # fmt: skip
    name = f"batch_norm_{mode}_{activation or 'linear'}_{dtype}{'_stored' if stored else ''}_x{vector}"
    return cuda.Kernel(_SOURCE, name, _THREADS, ARGUMENTS, macros)


@functools.cache
def finish_kernel(
    dtype: str, *, stored: bool = False, grad: bool = False, centered: bool = False, many: bool = False
) -> cuda.Kernel:
    """The kernel of cuda_fused_finish.cu; there are many parts where a convolution's warps leave them."""
    arguments = FINISH_GRAD_ARGUMENTS if grad else FINISH_ARGUMENTS
    channels = _FINISHED_OF_MANY if many or centered else _FINISHED
    macros = (
        ("THREADS", _THREADS), ("CHANNELS", channels), ("DOUBLE", int(dtype == "float64")), ("STORED", int(stored)),
        ("GRAD", int(grad)), ("CENTERED", int(centered)),
    )  # fmt: skip
    ends = (("_grad", grad), ("_centered", centered), (f"_{dtype}", True), ("_stored", stored), (f"_x{channels}", True))
    name = f"batch_norm_finish{''.join(end for end, wanted in ends if wanted)}"
    return cuda.Kernel(_FINISH_SOURCE, name, _THREADS, arguments, macros)


def parts_of(rows: int, wanted: int, least: int) -> tuple[int, int]:
    """Into how many parts of how many rows the rows are cut: about so many, of at least so many rows."""
    parts = max(1, min(wanted, rows // least))
    each = max(1, -(-rows // parts))
    return max(1, -(-rows // each)), each


class Pass:
    """One launch of cuda_fused.cu, for wide loads and for narrow ones."""

    def __init__(self, g: Normalization, mode: str, activation: str | None, *, adds: bool = False) -> None:
        self.wide = 16 // g.dtype.itemsize
        self.parts, self.stages = {}, {}
        for vector in {1, self.wide if g.channels % self.wide == 0 else 1}:
            groups = max(1, -(-g.channels // vector))
            lanes = min(32, 1 << (groups - 1).bit_length())
            across, down = -(-groups // lanes), _THREADS // lanes
            wanted = max(1, (_ADDING_BLOCKS if adds else _WRITING_BLOCKS) // across)
            parts, each = parts_of(g.rows, wanted, down * (_LEAST_ROWS if adds else _ROWS))
            prepared = np.zeros(1, ARGUMENTS)
            prepared["rows"], prepared["part_rows"] = g.rows, each
            prepared["eps"], prepared["negative_slope"] = g.eps, g.negative_slope
            prepared["C"], prepared["lanes"] = g.channels, lanes
            shared_bytes = _THREADS // 32 * 2 * lanes * vector * 8 if adds else 0
            kernel = kernel_for(mode, g.dtype.name, vector, activation, stored=g.stored)
            self.parts[vector] = parts
            self.stages[vector] = cuda.Stage(kernel, (across, parts, 1), shared_bytes, prepared)

    def vector_for(self, arrays: Sequence[Any]) -> int:
        """How many neighbouring channels of these arrays a thread may load at once."""
        aligned = self.wide in self.stages and not any(cuda.address(array) % 16 for array in arrays)
        return self.wide if aligned else 1

    def write(self, y: Any, **arrays: Any) -> None:
        """Run a pass that writes."""
        read = [arrays.get(name) for name in _READ]
        self.stages[self.vector_for([*read, y])].run([*read, None], [y])

    def add(self, **arrays: Any) -> Any:
        """Run a pass that adds, and return its partial sums, (parts, 2, channels)."""
        read = [arrays.get(name) for name in _READ]
        vector = self.vector_for(read)
        partials = new_like(arrays["x"], (self.parts[vector], 2, arrays["x"].shape[-1]), np.float64)
        self.stages[vector].run(read, [partials])
        return partials


def finish(g: Normalization, parts: int, *, grad: bool = False, centered: bool = False) -> cuda.Stage:
    """The launch that adds so many parts and writes what follows from the sums.

    Parts are those of `Pass.add`, or of a convolution, whose moments are centered.
    """
    many = parts > _ADDING_BLOCKS
    kernel = finish_kernel(g.dtype.name, stored=g.stored and not grad, grad=grad, centered=centered, many=many)
    prepared = np.zeros(1, kernel.arguments)
    prepared["parts"], prepared["C"] = parts, g.channels
    if not grad:
        prepared["rows"], prepared["eps"] = g.rows, g.eps
    channels = dict(kernel.macros)["CHANNELS"]
    return cuda.Stage(kernel, (-(-g.channels // channels), 1, 1), _THREADS // 32 * 2 * channels * 8, prepared)


def build(g: Normalization) -> Run:
    """Prepare the launch of `batch_norm`."""
    writing = Pass(g, "inference", g.activation)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mean, var, weight, bias = arrays
        if x.size:
            writing.write(outputs[0], x=x, mean=mean, spread=var, weight=weight, bias=bias)

    return run


def build_apply(g: Normalization) -> Run:
    """Prepare the launch of `batch_norm_apply`, the last one of `batch_norm_train`."""
    writing = Pass(g, "training", g.activation)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, mean, affine = arrays
        if x.size:
            writing.write(outputs[0], x=x, mean=mean, affine=affine)

    return run


def build_train(g: Normalization) -> Run:
    """Prepare the launches of `batch_norm_train`."""
    adding, writing = Pass(g, "moments", None, adds=True), Pass(g, "training", g.activation)
    finishing = {parts: finish(g, parts) for parts in adding.parts.values()}

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, weight, bias), (y, *statistics) = arrays, outputs
        if not x.size:
            return
        partials = adding.add(x=x)
        finishing[len(partials)].run([partials, x, weight, bias], statistics)
        mean, _, affine, _ = statistics
        writing.write(y, x=x, mean=mean, affine=affine)

    return run


def build_grad(g: Normalization) -> Run:
    """Prepare the launches of `batch_norm_grad`."""
    adding, writing = Pass(g, "grad_sums", g.activation, adds=True), Pass(g, "gradient", g.activation)
    finishing = {parts: finish(g, parts, grad=True) for parts in adding.parts.values()}

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, x, mean, inverse_std, weight, affine), (gx, gweight, gbias) = arrays, outputs
        if not g.channels:
            return
        given = {"x": x, "gy": gy, "mean": mean, "spread": inverse_std, "affine": affine}
        partials = adding.add(**given)
        finishing[len(partials)].run([partials], [gweight, gbias])
        if g.rows:
            writing.write(gx, **given, weight=weight, gweight=gweight, gbias=gbias)

    return run
